//! Statements that take back: origins, successors, erasure, and what is left to do of it.

use futures_util::future::try_join_all;
use skep_domain::{Id, MemoryId, MemoryState, OriginKind, ReadingRing, SessionId, Timestamp};
use skep_store::column::{Stored, bytes_of, id, principal_kind};
use skep_store::row::{Fingerprint, HistoryRow, RemovalRow, RestingRow};

use crate::failure::Failure;
use crate::memory;
use crate::ring::ring_predicate;
use crate::rows::Rows;
use crate::statement::{Statement, statements};
use crate::value::values;

statements! {
    PUT_SESSION_SOURCE = "INSERT INTO session_source (workspace_id, source, session)
        VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    SESSIONS_OF_SOURCE = concat!(
        "SELECT s.id FROM session_source AS f
         JOIN session AS s ON s.workspace_id = $1 AND s.id = f.session
         WHERE f.workspace_id = $1 AND f.source = $7 AND ",
        ring_predicate!("s"),
        " ORDER BY s.id LIMIT $8"
    );
    PUT = "INSERT INTO removal (workspace_id, kind, origin, mode, asked_at, actor_kind, actor,
            reason)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT (workspace_id, kind, origin) DO UPDATE
        SET mode = excluded.mode, done_at = NULL WHERE excluded.mode > removal.mode";
    GET = "SELECT kind, origin, mode, asked_at, actor_kind, actor, reason, done_at
        FROM removal WHERE workspace_id = $1 AND kind = $2 AND origin = $3";
    OPEN = "SELECT kind, origin, mode, asked_at, actor_kind, actor, reason, done_at
        FROM removal WHERE workspace_id = $1 AND done_at IS NULL
        ORDER BY asked_at, kind, origin LIMIT $2";
    FINISH = "UPDATE removal SET done_at = $4
        WHERE workspace_id = $1 AND kind = $2 AND origin = $3";
    RESTING_ON = "SELECT o.memory, $2::smallint <> 3 AND EXISTS (
            SELECT 1 FROM memory_origin AS e
            WHERE e.workspace_id = $1 AND e.memory = o.memory AND e.kind <> 3
            AND (e.kind <> $2 OR e.origin <> $3))
        FROM memory_origin AS o
        JOIN memory_facts AS m ON m.workspace_id = $1 AND m.id = o.memory
        WHERE o.workspace_id = $1 AND o.kind = $2 AND o.origin = $3
        AND ($4::boolean OR m.state <> 3) ORDER BY o.memory LIMIT $5";
    DROP_ORIGIN = "DELETE FROM memory_origin
        WHERE workspace_id = $1 AND memory = $2 AND kind = $3 AND origin = $4";
    /// With no origin left that is not a memory there is no trust, and the row is refused.
    REST = "UPDATE memory_facts SET seq = $3,
            trust = (SELECT LEAST(memory_facts.trust, MAX(o.trust)) FROM memory_origin AS o
                WHERE o.workspace_id = $1 AND o.memory = $2 AND o.kind <> 3
                HAVING COUNT(*) > 0),
            session = (SELECT o.origin FROM memory_origin AS o
                WHERE o.workspace_id = $1 AND o.memory = $2 AND o.kind = 1
                ORDER BY o.origin LIMIT 1)
        WHERE workspace_id = $1 AND id = $2";
    CLEAR_TURNS = "UPDATE memory SET turns = ''::bytea WHERE workspace_id = $1 AND id = $2";
    PREDECESSORS = "SELECT memory FROM memory_successor
        WHERE workspace_id = $1 AND successor = $2 ORDER BY memory";
    SUCCESSOR = "SELECT successor FROM memory_successor WHERE workspace_id = $1 AND memory = $2";
    SET_SUCCESSOR = "UPDATE memory_successor SET successor = $4
        WHERE workspace_id = $1 AND memory = $2 AND successor = $3";
    RESTORE_END = "UPDATE memory_facts SET valid_to = (SELECT s.valid_to
            FROM memory_successor AS s WHERE s.workspace_id = $1 AND s.memory = $2)
        WHERE workspace_id = $1 AND id = $2";
    DROP_SUCCESSOR = "DELETE FROM memory_successor
        WHERE workspace_id = $1 AND memory = $2 AND successor = $3";
    /// Only what was superseded comes back, and only if nothing says the same meanwhile.
    COMES_BACK = "SELECT 1 FROM memory_facts AS m WHERE m.workspace_id = $1 AND m.id = $2
        AND m.state = 2 AND NOT EXISTS (SELECT 1 FROM memory_facts AS a
            WHERE a.workspace_id = $1 AND a.fingerprint = m.fingerprint AND a.state = 0)";
    STATE = "SELECT state FROM memory_facts WHERE workspace_id = $1 AND id = $2";
    IS_THERE = concat!(
        "SELECT 1 FROM memory_facts AS m WHERE m.workspace_id = $1 AND m.id = $7 AND ",
        ring_predicate!("m")
    );
    PASS_ON = "UPDATE memory_successor SET successor = (SELECT s.successor
            FROM memory_successor AS s WHERE s.workspace_id = $1 AND s.memory = $2)
        WHERE workspace_id = $1 AND successor = $2
        AND EXISTS (SELECT 1 FROM memory_successor AS s
                    WHERE s.workspace_id = $1 AND s.memory = $2)";
    ERASE_SUCCESSOR = "DELETE FROM memory_successor WHERE workspace_id = $1 AND memory = $2";
    ERASE_PREDECESSORS = "DELETE FROM memory_successor WHERE workspace_id = $1 AND successor = $2";
    ERASE_OLDER = "DELETE FROM memory_conflict WHERE workspace_id = $1 AND older = $2";
    ERASE_NEWER = "DELETE FROM memory_conflict WHERE workspace_id = $1 AND newer = $2";
    ERASE_TOPICS = "DELETE FROM memory_topic WHERE workspace_id = $1 AND memory = $2";
    ERASE_ORIGINS = "DELETE FROM memory_origin WHERE workspace_id = $1 AND memory = $2";
    ERASE_HISTORY = "DELETE FROM memory_history WHERE workspace_id = $1 AND memory = $2";
    ERASE_VECTOR = "DELETE FROM memory_vector WHERE workspace_id = $1 AND memory = $2";
    ERASE_ABOUT = "DELETE FROM memory_about WHERE workspace_id = $1 AND memory = $2";
    ERASE_SPAN = "DELETE FROM memory_span WHERE workspace_id = $1 AND memory = $2";
    ERASE_CHUNKS = "DELETE FROM source_chunk WHERE workspace_id = $1 AND memory = $2";
    /// What was put in front of a model quotes it.
    ERASE_QUOTES = "DELETE FROM injection
        WHERE workspace_id = $1 AND position($2::bytea IN memories) > 0";
    ERASE_BODY = "DELETE FROM memory WHERE workspace_id = $1 AND id = $2";
    ERASE_FACTS = "DELETE FROM memory_facts WHERE workspace_id = $1 AND id = $2";
    ERASE_TURNS = "DELETE FROM turn WHERE workspace_id = $1 AND session = $2 AND ordinal >= (
        SELECT MAX(t.ordinal) - $3::bigint + 1 FROM turn AS t
        WHERE t.workspace_id = $1 AND t.session = $2)";
    ERASE_SOURCES = "DELETE FROM session_source WHERE workspace_id = $1 AND session = $2";
    ERASE_MEMBERS = "DELETE FROM session_member WHERE workspace_id = $1 AND session = $2";
    ERASE_AUTHORS = "DELETE FROM turn_author WHERE workspace_id = $1 AND session = $2";
    ERASE_INJECTIONS = "DELETE FROM injection WHERE workspace_id = $1 AND session = $2";
    ERASE_SESSION = "DELETE FROM session WHERE workspace_id = $1 AND id = $2";
    BURY = "INSERT INTO tombstone (workspace_id, id, kind, seq, erased_at)
        VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";
    /// Without an id (`$3`), what comes after all of that `seq`.
    ERASURES = "SELECT seq, id FROM tombstone
        WHERE workspace_id = $1 AND seq >= $2 AND (seq > $2 OR id > $3) AND kind = 0
        ORDER BY seq, id LIMIT $4";
    UNSCRUBBED = "SELECT 1 FROM tombstone WHERE workspace_id = $1 AND NOT scrubbed LIMIT 1";
    MARK_SCRUBBED = "UPDATE tombstone SET scrubbed = true WHERE workspace_id = $1 AND NOT scrubbed";
}

/// What refers to the facts of a memory, or quotes it.
const OF_MEMORY: [Statement; 13] = [
    ERASE_SUCCESSOR,
    ERASE_PREDECESSORS,
    ERASE_OLDER,
    ERASE_NEWER,
    ERASE_TOPICS,
    ERASE_ORIGINS,
    ERASE_HISTORY,
    ERASE_VECTOR,
    ERASE_ABOUT,
    ERASE_SPAN,
    ERASE_CHUNKS,
    ERASE_QUOTES,
    ERASE_BODY,
];

/// What refers to a session and is not its content.
const OF_SESSION: [Statement; 4] = [
    ERASE_SOURCES,
    ERASE_MEMBERS,
    ERASE_AUTHORS,
    ERASE_INJECTIONS,
];

pub(crate) async fn put_session_source(
    rows: &mut Rows<'_>,
    session: SessionId,
    source: Fingerprint,
) -> Result<(), Failure> {
    let values = values![rows.workspace, source, session.to_bytes()];
    if rows.run(PUT_SESSION_SOURCE, values).await? == 1 {
        rows.writing().await?;
    }
    Ok(())
}

pub(crate) async fn sessions_of_source(
    rows: &Rows<'_>,
    ring: &ReadingRing,
    source: Fingerprint,
    limit: u32,
) -> Result<Vec<SessionId>, Failure> {
    let values = rows.for_reader(ring, values![source, limit]);
    rows.list(SESSIONS_OF_SOURCE, &values, |row| id(row, 0))
        .await
}

pub(crate) async fn put(rows: &mut Rows<'_>, row: &RemovalRow) -> Result<(), Failure> {
    let values = values![
        rows.workspace,
        row.kind.code(),
        row.origin,
        row.mode.code(),
        row.asked_at.as_micros(),
        row.actor.map(principal_kind),
        row.actor.map(skep_domain::Principal::to_bytes),
        row.reason.as_bytes()
    ];
    if rows.run(PUT, values).await? > 0 {
        rows.writing().await?;
    }
    Ok(())
}

pub(crate) async fn get(
    rows: &Rows<'_>,
    kind: OriginKind,
    origin: [u8; 16],
) -> Result<Option<RemovalRow>, Failure> {
    let values = values![rows.workspace, kind.code(), origin];
    rows.find(GET, values, RemovalRow::read).await
}

pub(crate) async fn open(rows: &Rows<'_>, limit: u32) -> Result<Vec<RemovalRow>, Failure> {
    rows.list(OPEN, values![rows.workspace, limit], RemovalRow::read)
        .await
}

pub(crate) async fn finish(
    rows: &mut Rows<'_>,
    kind: OriginKind,
    origin: [u8; 16],
    at: Timestamp,
) -> Result<(), Failure> {
    rows.writing().await?;
    let values = values![rows.workspace, kind.code(), origin, at.as_micros()];
    rows.run(FINISH, values).await?;
    Ok(())
}

/// What a memory was derived from has to be there, so nothing else lets it stand without that.
pub(crate) async fn resting_on(
    rows: &Rows<'_>,
    (kind, origin): (OriginKind, [u8; 16]),
    forgotten: bool,
    limit: u32,
) -> Result<Vec<RestingRow>, Failure> {
    let values = values![rows.workspace, kind.code(), origin, forgotten, limit];
    rows.list(RESTING_ON, values, |row| {
        Ok(RestingRow {
            id: id(row, 0)?,
            stands: row.get(1)?,
        })
    })
    .await
}

pub(crate) async fn drop_origin(
    rows: &mut Rows<'_>,
    memory: MemoryId,
    kind: OriginKind,
    origin: [u8; 16],
) -> Result<(), Failure> {
    let seq = rows.writing().await?;
    let bytes = memory.to_bytes();
    let values = values![rows.workspace, bytes, kind.code(), origin];
    rows.run(DROP_ORIGIN, values).await?;
    rows.run(REST, values![rows.workspace, bytes, seq]).await?;
    rows.run(CLEAR_TURNS, values![rows.workspace, bytes])
        .await?;
    Ok(())
}

pub(crate) async fn predecessors(rows: &Rows<'_>, of: MemoryId) -> Result<Vec<MemoryId>, Failure> {
    let values = values![rows.workspace, of.to_bytes()];
    rows.list(PREDECESSORS, values, |row| id(row, 0)).await
}

pub(crate) async fn reinstate(
    rows: &mut Rows<'_>,
    older: MemoryId,
    successor: MemoryId,
    entry: &HistoryRow,
) -> Result<bool, Failure> {
    rows.writing().await?;
    let (older_bytes, successor) = (older.to_bytes(), successor.to_bytes());
    let values = values![rows.workspace, successor];
    let next: Option<[u8; 16]> = rows.find(SUCCESSOR, values, |row| row.get(0)).await?;
    if let Some(next) = next {
        let values = values![rows.workspace, older_bytes, successor, next];
        rows.run(SET_SUCCESSOR, values).await?;
        return Ok(false);
    }
    rows.run(RESTORE_END, values![rows.workspace, older_bytes])
        .await?;
    let values = values![rows.workspace, older_bytes, successor];
    rows.run(DROP_SUCCESSOR, values).await?;
    let values = values![rows.workspace, older_bytes];
    if !rows.exists(COMES_BACK, values).await? {
        return Ok(false);
    }
    memory::move_to(rows, older, entry).await?;
    Ok(true)
}

pub(crate) async fn withdraw(
    rows: &mut Rows<'_>,
    id: MemoryId,
    entry: &HistoryRow,
) -> Result<bool, Failure> {
    let values = values![rows.workspace, id.to_bytes()];
    let state: Option<u8> = rows.find(STATE, values, |row| row.get(0)).await?;
    if state.is_none_or(|state| state == MemoryState::Forgotten.code()) {
        return Ok(false);
    }
    memory::move_to(rows, id, entry).await?;
    Ok(true)
}

pub(crate) async fn is_there(
    rows: &Rows<'_>,
    ring: &ReadingRing,
    id: MemoryId,
) -> Result<bool, Failure> {
    let values = rows.for_reader(ring, values![id.to_bytes()]);
    rows.exists(IS_THERE, &values).await
}

/// What replaced it takes its place towards what it replaced; without that, those stay replaced,
/// by something that is no longer told.
pub(crate) async fn erase_memory(
    rows: &mut Rows<'_>,
    id: MemoryId,
    at: Timestamp,
) -> Result<bool, Failure> {
    let seq = rows.writing().await?;
    let bytes = id.to_bytes();
    let values = values![rows.workspace, bytes];
    rows.run(PASS_ON, values).await?;
    try_join_all(OF_MEMORY.map(|statement| rows.run(statement, values))).await?;
    let gone = rows.run(ERASE_FACTS, values).await?;
    if gone == 1 {
        bury(rows, bytes, 0, seq, at).await?;
    }
    Ok(gone == 1)
}

pub(crate) async fn erase_turns(
    rows: &mut Rows<'_>,
    session: SessionId,
    limit: u32,
) -> Result<u64, Failure> {
    rows.writing().await?;
    let values = values![rows.workspace, session.to_bytes(), limit];
    rows.run(ERASE_TURNS, values).await
}

pub(crate) async fn erase_session(
    rows: &mut Rows<'_>,
    session: SessionId,
    at: Timestamp,
) -> Result<(), Failure> {
    let seq = rows.writing().await?;
    let bytes = session.to_bytes();
    let values = values![rows.workspace, bytes];
    try_join_all(OF_SESSION.map(|statement| rows.run(statement, values))).await?;
    if rows.run(ERASE_SESSION, values).await? == 1 {
        bury(rows, bytes, 1, seq, at).await?;
    }
    Ok(())
}

async fn bury(
    rows: &Rows<'_>,
    id: [u8; 16],
    kind: u8,
    seq: u64,
    at: Timestamp,
) -> Result<(), Failure> {
    let values = values![rows.workspace, id, kind, seq, at.as_micros()];
    rows.run(BURY, values).await?;
    Ok(())
}

pub(crate) async fn erasures(
    rows: &Rows<'_>,
    (seq, after): (u64, Option<MemoryId>),
    limit: u32,
) -> Result<Vec<(u64, MemoryId)>, Failure> {
    let values = values![rows.workspace, seq, bytes_of(after), limit];
    rows.list(ERASURES, values, |row| Ok((row.get(0)?, id(row, 1)?)))
        .await
}

pub(crate) async fn unscrubbed(rows: &Rows<'_>) -> Result<bool, Failure> {
    rows.exists(UNSCRUBBED, values![rows.workspace]).await
}

pub(crate) async fn mark_scrubbed(rows: &mut Rows<'_>) -> Result<(), Failure> {
    if rows.run(MARK_SCRUBBED, values![rows.workspace]).await? > 0 {
        rows.writing().await?;
    }
    Ok(())
}
