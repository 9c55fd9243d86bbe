//! Statements on membership: stays in sessions, and the turns behind memories.

use rusqlite::params;
use skep_domain::{
    Id, MemoryId, ParticipantId, Principal, ReadingRing, SessionId, Timestamp, TurnId, Window,
};
use skep_store::backend::RingValues;
use skep_store::column::{id, ids, principal};
use skep_store::row::{MemberRow, StoredMemoryRow};

use crate::failure::Failure;
use crate::memory;
use crate::participant;
use crate::ring::{for_reader, memberless, ring_predicate, visibility_predicate};
use crate::rows::{Rows, id_array};

pub(crate) fn session_owner(
    rows: &Rows<'_>,
    session: SessionId,
) -> Result<Option<(Principal, u64)>, Failure> {
    let sql = "SELECT owner_kind, owner, turn_count FROM session
               WHERE workspace_id = ?1 AND id = ?2";
    rows.statement(sql)?
        .query_and_then(params![rows.workspace, session.to_bytes()], |row| {
            Ok((principal(row, 0)?, row.get(2)?))
        })?
        .next()
        .transpose()
}

/// The first turn recorded then or later; the next one to come if there is none.
pub(crate) fn ordinal_at(
    rows: &Rows<'_>,
    session: SessionId,
    at: Timestamp,
) -> Result<u64, Failure> {
    let sql = "SELECT COALESCE(
                   (SELECT MIN(t.ordinal) FROM turn AS t
                    WHERE t.workspace_id = ?1 AND t.session = ?2 AND t.recorded_at >= ?3),
                   (SELECT s.turn_count FROM session AS s
                    WHERE s.workspace_id = ?1 AND s.id = ?2), 0)";
    let values = params![rows.workspace, session.to_bytes(), at.as_micros()];
    Ok(rows.statement(sql)?.query_row(values, |row| row.get(0))?)
}

/// The first stay of all closes a session to those who are not its members, so the memories of it
/// get their spans now.
pub(crate) fn open(rows: &mut Rows<'_>, row: &MemberRow) -> Result<bool, Failure> {
    if !participant::is_there(rows, row.participant)? || has_open(rows, row)? {
        return Ok(false);
    }
    rows.writing()?;
    if !has_members(rows, row.session)? {
        span_memories(rows, row.session)?;
    }
    let sql = "INSERT INTO session_member (workspace_id, session, participant, entry, from_ordinal,
                   joined_at)
               SELECT ?1, ?2, ?3, COUNT(*), ?4, ?5 FROM session_member
               WHERE workspace_id = ?1 AND session = ?2 AND participant = ?3";
    rows.statement(sql)?.execute(params![
        rows.workspace,
        row.session.to_bytes(),
        row.participant.to_bytes(),
        row.window.from,
        row.joined_at.as_micros()
    ])?;
    Ok(true)
}

fn has_open(rows: &Rows<'_>, row: &MemberRow) -> Result<bool, Failure> {
    let sql = "SELECT EXISTS (SELECT 1 FROM session_member WHERE workspace_id = ?1
                   AND session = ?2 AND participant = ?3 AND to_ordinal IS NULL)";
    let values = params![
        rows.workspace,
        row.session.to_bytes(),
        row.participant.to_bytes()
    ];
    Ok(rows.statement(sql)?.query_row(values, |row| row.get(0))?)
}

pub(crate) fn close(
    rows: &mut Rows<'_>,
    session: SessionId,
    participant: ParticipantId,
    to: u64,
    at: Timestamp,
) -> Result<bool, Failure> {
    rows.writing()?;
    let sql = "UPDATE session_member SET to_ordinal = MAX(?4, from_ordinal), left_at = ?5
               WHERE workspace_id = ?1 AND session = ?2 AND participant = ?3
               AND to_ordinal IS NULL";
    let changed = rows.statement(sql)?.execute(params![
        rows.workspace,
        session.to_bytes(),
        participant.to_bytes(),
        to,
        at.as_micros()
    ])?;
    Ok(changed > 0)
}

pub(crate) fn list(rows: &Rows<'_>, session: SessionId) -> Result<Vec<MemberRow>, Failure> {
    let sql = "SELECT session, participant, from_ordinal, to_ordinal, joined_at, left_at
               FROM session_member WHERE workspace_id = ?1 AND session = ?2
               ORDER BY joined_at, participant, entry";
    rows.list(sql, params![rows.workspace, session.to_bytes()])
}

/// The reader's windows; `None` when owner or visibility show the whole session.
pub(crate) fn own_windows(
    rows: &Rows<'_>,
    ring: &ReadingRing,
    session: SessionId,
) -> Result<Option<Vec<Window>>, Failure> {
    let values = RingValues::of(ring);
    let sql = concat!(
        "SELECT EXISTS (SELECT 1 FROM session AS s WHERE s.workspace_id = ?1 AND s.id = ?7
          AND ((s.owner_kind = ?2 AND s.owner = ?3) OR (",
        visibility_predicate!("s"),
        " AND ",
        memberless!("s.id"),
        ")))"
    );
    let whole: bool = rows
        .statement(sql)?
        .query_row(for_reader![rows, values, session.to_bytes()], |row| {
            row.get(0)
        })?;
    if whole {
        return Ok(None);
    }
    let sql = "SELECT w.from_ordinal, w.to_ordinal FROM session_member AS w
               CROSS JOIN participant AS wp ON wp.workspace_id = ?1 AND wp.id = w.participant
               CROSS JOIN participant AS me
                   ON me.workspace_id = ?1 AND me.id = COALESCE(wp.merged_into, wp.id)
               WHERE w.workspace_id = ?1 AND w.session = ?4
               AND me.principal_kind = ?2 AND me.principal = ?3 ORDER BY w.from_ordinal";
    let windows = rows
        .statement(sql)?
        .query_and_then(
            params![
                rows.workspace,
                values.kind,
                values.owner,
                session.to_bytes()
            ],
            |row| {
                Ok::<_, Failure>(Window {
                    from: row.get(0)?,
                    to: row.get(1)?,
                })
            },
        )?
        .collect::<Result<_, _>>()?;
    Ok(Some(windows))
}

fn has_members(rows: &Rows<'_>, session: SessionId) -> Result<bool, Failure> {
    let sql = "SELECT EXISTS (SELECT 1 FROM session_member
                   WHERE workspace_id = ?1 AND session = ?2)";
    let values = params![rows.workspace, session.to_bytes()];
    Ok(rows.statement(sql)?.query_row(values, |row| row.get(0))?)
}

/// Notes the turns behind a new memory, if its session has members.
pub(crate) fn span_new(
    rows: &Rows<'_>,
    session: Option<SessionId>,
    memory: MemoryId,
    turns: &[TurnId],
) -> Result<(), Failure> {
    match session {
        Some(session) if has_members(rows, session)? => put_span(rows, session, memory, turns),
        _ => Ok(()),
    }
}

fn span_memories(rows: &Rows<'_>, session: SessionId) -> Result<(), Failure> {
    let sql = "SELECT m.id, b.turns FROM memory_facts AS m
               CROSS JOIN memory AS b ON b.workspace_id = ?1 AND b.id = m.id
               WHERE m.workspace_id = ?1 AND m.session = ?2";
    let found = rows
        .statement(sql)?
        .query_and_then(params![rows.workspace, session.to_bytes()], |row| {
            Ok::<_, Failure>((id(row, 0)?, ids(row, 1, "the turns of a memory")?))
        })?
        .collect::<Result<Vec<(MemoryId, Vec<TurnId>)>, _>>()?;
    for (memory, turns) in found {
        put_span(rows, session, memory, &turns)?;
    }
    Ok(())
}

/// A memory without turns of this session gets no span, and is then its owner's alone.
fn put_span(
    rows: &Rows<'_>,
    session: SessionId,
    memory: MemoryId,
    turns: &[TurnId],
) -> Result<(), Failure> {
    let sql = "SELECT MIN(t.ordinal), MAX(t.ordinal), COUNT(*) FROM rarray(?3) AS wanted
               CROSS JOIN turn AS t ON t.workspace_id = ?1 AND t.id = wanted.value
               WHERE t.session = ?2";
    let (first, last, found): (Option<u64>, Option<u64>, usize) = rows.statement(sql)?.query_row(
        params![rows.workspace, session.to_bytes(), id_array(turns)],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )?;
    if let (Some(first), Some(last)) = (first, last)
        && found == turns.len()
    {
        let sql = "INSERT INTO memory_span (workspace_id, memory, first_turn, last_turn)
                   VALUES (?1, ?2, ?3, ?4)
                   ON CONFLICT (workspace_id, memory) DO NOTHING";
        rows.statement(sql)?
            .execute(params![rows.workspace, memory.to_bytes(), first, last])?;
    }
    Ok(())
}

/// What was distilled from a session, newest first.
pub(crate) fn memories(
    rows: &Rows<'_>,
    ring: &ReadingRing,
    session: SessionId,
    limit: u32,
) -> Result<Vec<StoredMemoryRow>, Failure> {
    let values = RingValues::of(ring);
    let sql = concat!(
        "SELECT m.id FROM memory_facts AS m
         WHERE m.workspace_id = ?1 AND m.session = ?7 AND m.state = 0 AND ",
        ring_predicate!("m"),
        " ORDER BY m.id DESC LIMIT ?8"
    );
    let ids = rows
        .statement(sql)?
        .query_and_then(
            for_reader![rows, values, session.to_bytes(), limit],
            |row| id(row, 0),
        )?
        .collect::<Result<Vec<MemoryId>, Failure>>()?;
    memory::list_by_id(rows, ring, &ids)
}
