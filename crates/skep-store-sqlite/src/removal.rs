//! Statements that take back: origins, successors, erasure, and what is left to do of it.

use rusqlite::{OptionalExtension, params};
use skep_domain::{Id, MemoryId, MemoryState, OriginKind, ReadingRing, SessionId, Timestamp};
use skep_store::backend::RingValues;
use skep_store::column::{id, principal_kind};
use skep_store::row::{Fingerprint, HistoryRow, RemovalRow, RestingRow};

use crate::column::page_end;
use crate::failure::Failure;
use crate::memory;
use crate::ring::{for_reader, ring_predicate};
use crate::rows::Rows;

pub(crate) fn put_session_source(
    rows: &mut Rows<'_>,
    session: SessionId,
    source: Fingerprint,
) -> Result<(), Failure> {
    let sql = "INSERT INTO session_source (workspace_id, source, session) VALUES (?1, ?2, ?3)
               ON CONFLICT DO NOTHING";
    let values = params![rows.workspace, source, session.to_bytes()];
    if rows.statement(sql)?.execute(values)? == 1 {
        rows.writing()?;
    }
    Ok(())
}

pub(crate) fn sessions_of_source(
    rows: &Rows<'_>,
    ring: &ReadingRing,
    source: Fingerprint,
    limit: u32,
) -> Result<Vec<SessionId>, Failure> {
    let ring = RingValues::of(ring);
    let sql = concat!(
        "SELECT s.id FROM session_source AS f
         CROSS JOIN session AS s ON s.workspace_id = ?1 AND s.id = f.session
         WHERE f.workspace_id = ?1 AND f.source = ?7 AND ",
        ring_predicate!("s"),
        " ORDER BY s.id LIMIT ?8"
    );
    rows.statement(sql)?
        .query_and_then(for_reader![rows, ring, source, limit], |row| id(row, 0))?
        .collect()
}

pub(crate) fn put(rows: &mut Rows<'_>, row: &RemovalRow) -> Result<(), Failure> {
    let sql = "INSERT INTO removal (workspace_id, kind, origin, mode, asked_at, actor_kind, actor,
                   reason)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
               ON CONFLICT (workspace_id, kind, origin) DO UPDATE
               SET mode = excluded.mode, done_at = NULL WHERE excluded.mode > mode";
    let changed = rows.statement(sql)?.execute(params![
        rows.workspace,
        row.kind.code(),
        row.origin,
        row.mode.code(),
        row.asked_at.as_micros(),
        row.actor.map(principal_kind),
        row.actor.map(skep_domain::Principal::to_bytes),
        row.reason.as_bytes()
    ])?;
    if changed > 0 {
        rows.writing()?;
    }
    Ok(())
}

pub(crate) fn get(
    rows: &Rows<'_>,
    kind: OriginKind,
    origin: [u8; 16],
) -> Result<Option<RemovalRow>, Failure> {
    let sql = "SELECT kind, origin, mode, asked_at, actor_kind, actor, reason, done_at
               FROM removal WHERE workspace_id = ?1 AND kind = ?2 AND origin = ?3";
    rows.find(sql, params![rows.workspace, kind.code(), origin])
}

pub(crate) fn open(rows: &Rows<'_>, limit: u32) -> Result<Vec<RemovalRow>, Failure> {
    let sql = "SELECT kind, origin, mode, asked_at, actor_kind, actor, reason, done_at
               FROM removal WHERE workspace_id = ?1 AND done_at IS NULL
               ORDER BY asked_at LIMIT ?2";
    rows.list(sql, params![rows.workspace, limit])
}

pub(crate) fn finish(
    rows: &mut Rows<'_>,
    kind: OriginKind,
    origin: [u8; 16],
    at: Timestamp,
) -> Result<(), Failure> {
    rows.writing()?;
    let sql = "UPDATE removal SET done_at = ?4
               WHERE workspace_id = ?1 AND kind = ?2 AND origin = ?3";
    rows.statement(sql)?
        .execute(params![rows.workspace, kind.code(), origin, at.as_micros()])?;
    Ok(())
}

/// What a memory was derived from has to be there, so nothing else lets it stand without that.
pub(crate) fn resting_on(
    rows: &Rows<'_>,
    (kind, origin): (OriginKind, [u8; 16]),
    forgotten: bool,
    limit: u32,
) -> Result<Vec<RestingRow>, Failure> {
    let sql = "SELECT o.memory, ?2 <> 3 AND EXISTS (
                   SELECT 1 FROM memory_origin AS e
                   WHERE e.workspace_id = ?1 AND e.memory = o.memory AND e.kind <> 3
                   AND (e.kind <> ?2 OR e.origin <> ?3))
               FROM memory_origin AS o
               CROSS JOIN memory_facts AS m ON m.workspace_id = ?1 AND m.id = o.memory
               WHERE o.workspace_id = ?1 AND o.kind = ?2 AND o.origin = ?3
               AND (?4 OR m.state <> 3) ORDER BY o.memory LIMIT ?5";
    rows.statement(sql)?
        .query_and_then(
            params![rows.workspace, kind.code(), origin, forgotten, limit],
            |row| {
                Ok(RestingRow {
                    id: id(row, 0)?,
                    stands: row.get(1)?,
                })
            },
        )?
        .collect()
}

pub(crate) fn drop_origin(
    rows: &mut Rows<'_>,
    memory: MemoryId,
    kind: OriginKind,
    origin: [u8; 16],
) -> Result<(), Failure> {
    let seq = rows.writing()?;
    let sql = "DELETE FROM memory_origin
               WHERE workspace_id = ?1 AND memory = ?2 AND kind = ?3 AND origin = ?4";
    rows.statement(sql)?.execute(params![
        rows.workspace,
        memory.to_bytes(),
        kind.code(),
        origin
    ])?;
    let sql = "UPDATE memory_facts SET seq = ?3,
                   trust = MIN(trust, (SELECT MAX(o.trust) FROM memory_origin AS o
                       WHERE o.workspace_id = ?1 AND o.memory = ?2 AND o.kind <> 3)),
                   session = (SELECT MIN(o.origin) FROM memory_origin AS o
                       WHERE o.workspace_id = ?1 AND o.memory = ?2 AND o.kind = 1)
               WHERE workspace_id = ?1 AND id = ?2";
    rows.statement(sql)?
        .execute(params![rows.workspace, memory.to_bytes(), seq])?;
    let sql = "UPDATE memory SET turns = x'' WHERE workspace_id = ?1 AND id = ?2";
    rows.statement(sql)?
        .execute(params![rows.workspace, memory.to_bytes()])?;
    Ok(())
}

pub(crate) fn predecessors(rows: &Rows<'_>, of: MemoryId) -> Result<Vec<MemoryId>, Failure> {
    let sql = "SELECT memory FROM memory_successor WHERE workspace_id = ?1 AND successor = ?2
               ORDER BY memory";
    rows.statement(sql)?
        .query_and_then(params![rows.workspace, of.to_bytes()], |row| id(row, 0))?
        .collect()
}

pub(crate) fn reinstate(
    rows: &mut Rows<'_>,
    older: MemoryId,
    successor: MemoryId,
    entry: &HistoryRow,
) -> Result<bool, Failure> {
    rows.writing()?;
    let sql = "SELECT successor FROM memory_successor WHERE workspace_id = ?1 AND memory = ?2";
    let next: Option<[u8; 16]> = rows
        .statement(sql)?
        .query_row(params![rows.workspace, successor.to_bytes()], |row| {
            row.get(0)
        })
        .optional()?;
    if let Some(next) = next {
        let sql = "UPDATE memory_successor SET successor = ?4
                   WHERE workspace_id = ?1 AND memory = ?2 AND successor = ?3";
        let values = params![rows.workspace, older.to_bytes(), successor.to_bytes(), next];
        rows.statement(sql)?.execute(values)?;
        return Ok(false);
    }
    let sql = "UPDATE memory_facts SET valid_to = (SELECT s.valid_to FROM memory_successor AS s
                   WHERE s.workspace_id = ?1 AND s.memory = ?2)
               WHERE workspace_id = ?1 AND id = ?2";
    rows.statement(sql)?
        .execute(params![rows.workspace, older.to_bytes()])?;
    let sql = "DELETE FROM memory_successor
               WHERE workspace_id = ?1 AND memory = ?2 AND successor = ?3";
    let values = params![rows.workspace, older.to_bytes(), successor.to_bytes()];
    rows.statement(sql)?.execute(values)?;
    // Only what was superseded comes back, and only if nothing says the same meanwhile.
    let sql = "SELECT 1 FROM memory_facts AS m WHERE m.workspace_id = ?1 AND m.id = ?2
               AND m.state = 2 AND NOT EXISTS (SELECT 1 FROM memory_facts AS a
                   WHERE a.workspace_id = ?1 AND a.fingerprint = m.fingerprint AND a.state = 0)";
    let comes_back: Option<i64> = rows
        .statement(sql)?
        .query_row(params![rows.workspace, older.to_bytes()], |row| row.get(0))
        .optional()?;
    if comes_back.is_none() {
        return Ok(false);
    }
    memory::move_to(rows, older, entry)?;
    Ok(true)
}

pub(crate) fn withdraw(
    rows: &mut Rows<'_>,
    id: MemoryId,
    entry: &HistoryRow,
) -> Result<bool, Failure> {
    let sql = "SELECT state FROM memory_facts WHERE workspace_id = ?1 AND id = ?2";
    let state: Option<u8> = rows
        .statement(sql)?
        .query_row(params![rows.workspace, id.to_bytes()], |row| row.get(0))
        .optional()?;
    if state.is_none_or(|state| state == MemoryState::Forgotten.code()) {
        return Ok(false);
    }
    memory::move_to(rows, id, entry)?;
    Ok(true)
}

pub(crate) fn is_there(rows: &Rows<'_>, ring: &ReadingRing, id: MemoryId) -> Result<bool, Failure> {
    let ring = RingValues::of(ring);
    let sql = concat!(
        "SELECT 1 FROM memory_facts AS m WHERE m.workspace_id = ?1 AND m.id = ?7 AND ",
        ring_predicate!("m")
    );
    Ok(rows
        .statement(sql)?
        .exists(for_reader![rows, ring, id.to_bytes()])?)
}

/// What replaced it takes its place towards what it replaced; without that, those stay replaced,
/// by something that is no longer told.
pub(crate) fn erase_memory(
    rows: &mut Rows<'_>,
    id: MemoryId,
    at: Timestamp,
) -> Result<bool, Failure> {
    let seq = rows.writing()?;
    let bytes = id.to_bytes();
    let sql =
        "UPDATE memory_successor SET successor = (SELECT s.successor FROM memory_successor AS s
                   WHERE s.workspace_id = ?1 AND s.memory = ?2)
               WHERE workspace_id = ?1 AND successor = ?2
               AND EXISTS (SELECT 1 FROM memory_successor AS s
                           WHERE s.workspace_id = ?1 AND s.memory = ?2)";
    rows.statement(sql)?
        .execute(params![rows.workspace, bytes])?;
    for sql in [
        "DELETE FROM memory_successor WHERE workspace_id = ?1 AND memory = ?2",
        "DELETE FROM memory_successor WHERE workspace_id = ?1 AND successor = ?2",
        "DELETE FROM memory_conflict WHERE workspace_id = ?1 AND older = ?2",
        "DELETE FROM memory_conflict WHERE workspace_id = ?1 AND newer = ?2",
        "DELETE FROM memory_topic WHERE workspace_id = ?1 AND memory = ?2",
        "DELETE FROM memory_origin WHERE workspace_id = ?1 AND memory = ?2",
        "DELETE FROM memory_history WHERE workspace_id = ?1 AND memory = ?2",
        "DELETE FROM memory_vector WHERE workspace_id = ?1 AND memory = ?2",
        "DELETE FROM memory_about WHERE workspace_id = ?1 AND memory = ?2",
        "DELETE FROM memory_span WHERE workspace_id = ?1 AND memory = ?2",
        "DELETE FROM source_chunk WHERE workspace_id = ?1 AND memory = ?2",
        // What was put in front of a model quotes it.
        "DELETE FROM injection WHERE workspace_id = ?1 AND instr(memories, ?2) > 0",
        "DELETE FROM memory WHERE workspace_id = ?1 AND id = ?2",
    ] {
        rows.statement(sql)?
            .execute(params![rows.workspace, bytes])?;
    }
    let sql = "DELETE FROM memory_facts WHERE workspace_id = ?1 AND id = ?2";
    let gone = rows
        .statement(sql)?
        .execute(params![rows.workspace, bytes])?;
    if gone == 1 {
        bury(rows, bytes, 0, seq, at)?;
    }
    Ok(gone == 1)
}

pub(crate) fn erase_turns(
    rows: &mut Rows<'_>,
    session: SessionId,
    limit: u32,
) -> Result<u64, Failure> {
    rows.writing()?;
    let sql = "DELETE FROM turn WHERE workspace_id = ?1 AND session = ?2 AND ordinal >= (
                   SELECT MAX(t.ordinal) - ?3 + 1 FROM turn AS t
                   WHERE t.workspace_id = ?1 AND t.session = ?2)";
    let gone = rows
        .statement(sql)?
        .execute(params![rows.workspace, session.to_bytes(), limit])?;
    Ok(gone as u64)
}

pub(crate) fn erase_session(
    rows: &mut Rows<'_>,
    session: SessionId,
    at: Timestamp,
) -> Result<(), Failure> {
    let seq = rows.writing()?;
    let bytes = session.to_bytes();
    for sql in [
        "DELETE FROM session_source WHERE workspace_id = ?1 AND session = ?2",
        "DELETE FROM session_member WHERE workspace_id = ?1 AND session = ?2",
        "DELETE FROM turn_author WHERE workspace_id = ?1 AND session = ?2",
        "DELETE FROM injection WHERE workspace_id = ?1 AND session = ?2",
    ] {
        rows.statement(sql)?
            .execute(params![rows.workspace, bytes])?;
    }
    let sql = "DELETE FROM session WHERE workspace_id = ?1 AND id = ?2";
    if rows
        .statement(sql)?
        .execute(params![rows.workspace, bytes])?
        == 1
    {
        bury(rows, bytes, 1, seq, at)?;
    }
    Ok(())
}

fn bury(rows: &Rows<'_>, id: [u8; 16], kind: u8, seq: u64, at: Timestamp) -> Result<(), Failure> {
    let sql = "INSERT INTO tombstone (workspace_id, id, kind, seq, erased_at)
               VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING";
    rows.statement(sql)?
        .execute(params![rows.workspace, id, kind, seq, at.as_micros()])?;
    Ok(())
}

pub(crate) fn erasures(
    rows: &Rows<'_>,
    (seq, after): (u64, Option<MemoryId>),
    limit: u32,
) -> Result<Vec<(u64, MemoryId)>, Failure> {
    let sql = "SELECT seq, id FROM tombstone
               WHERE workspace_id = ?1 AND (seq, id) > (?2, ?3) AND kind = 0
               ORDER BY seq, id LIMIT ?4";
    let after = page_end(after);
    rows.statement(sql)?
        .query_and_then(params![rows.workspace, seq, after, limit], |row| {
            Ok((row.get(0)?, id(row, 1)?))
        })?
        .collect()
}

pub(crate) fn unscrubbed(rows: &Rows<'_>) -> Result<bool, Failure> {
    let sql = "SELECT 1 FROM tombstone WHERE workspace_id = ?1 AND scrubbed = 0 LIMIT 1";
    Ok(rows.statement(sql)?.exists([&rows.workspace])?)
}

pub(crate) fn mark_scrubbed(rows: &mut Rows<'_>) -> Result<(), Failure> {
    let sql = "UPDATE tombstone SET scrubbed = 1 WHERE workspace_id = ?1 AND scrubbed = 0";
    if rows.statement(sql)?.execute([&rows.workspace])? > 0 {
        rows.writing()?;
    }
    Ok(())
}
