//! Statements on membership: stays in sessions, and the turns behind memories.

use skep_domain::{
    Id, MemoryId, ParticipantId, Principal, ReadingRing, SessionId, Timestamp, TurnId, Window,
};
use skep_store::backend::RingValues;
use skep_store::column::{Stored, id, ids, principal};
use skep_store::row::{MemberRow, StoredMemoryRow};

use crate::failure::Failure;
use crate::memory;
use crate::participant;
use crate::ring::{memberless, ring_predicate, visibility_predicate};
use crate::rows::{Rows, id_array};
use crate::statement::statements;
use crate::value::{Value, values};

statements! {
    SESSION_OWNER = "SELECT owner_kind, owner, turn_count FROM session
        WHERE workspace_id = $1 AND id = $2";
    ORDINAL_AT = "SELECT COALESCE(
            (SELECT MIN(t.ordinal) FROM turn AS t
             WHERE t.workspace_id = $1 AND t.session = $2 AND t.recorded_at >= $3),
            (SELECT s.turn_count FROM session AS s
             WHERE s.workspace_id = $1 AND s.id = $2), 0)";
    OPEN = "INSERT INTO session_member (workspace_id, session, participant, entry, from_ordinal,
            joined_at)
        SELECT s.workspace_id, $2, $3, (SELECT COUNT(*) FROM session_member AS m
            WHERE m.workspace_id = $1 AND m.session = $2 AND m.participant = $3), $4, $5
        FROM workspace_state AS s WHERE s.workspace_id = $1";
    HAS_OPEN = "SELECT 1 FROM session_member WHERE workspace_id = $1
        AND session = $2 AND participant = $3 AND to_ordinal IS NULL LIMIT 1";
    CLOSE = "UPDATE session_member SET to_ordinal = GREATEST($4, from_ordinal), left_at = $5
        WHERE workspace_id = $1 AND session = $2 AND participant = $3
        AND to_ordinal IS NULL";
    LIST = "SELECT session, participant, from_ordinal, to_ordinal, joined_at, left_at
        FROM session_member WHERE workspace_id = $1 AND session = $2
        ORDER BY joined_at, participant, entry";
    /// Whether owner or visibility show the whole session.
    IS_WHOLE = concat!(
        "SELECT 1 FROM session AS s WHERE s.workspace_id = $1 AND s.id = $7
          AND ((s.owner_kind = $2 AND s.owner = $3) OR (",
        visibility_predicate!("s"),
        " AND ",
        memberless!("s.id"),
        "))"
    );
    WINDOWS = "SELECT w.from_ordinal, w.to_ordinal FROM session_member AS w
        JOIN participant AS wp ON wp.workspace_id = $1 AND wp.id = w.participant
        JOIN participant AS me
            ON me.workspace_id = $1 AND me.id = COALESCE(wp.merged_into, wp.id)
        WHERE w.workspace_id = $1 AND w.session = $4
        AND me.principal_kind = $2 AND me.principal = $3 ORDER BY w.from_ordinal";
    HAS_MEMBERS = "SELECT 1 FROM session_member WHERE workspace_id = $1 AND session = $2 LIMIT 1";
    TURNS = "SELECT m.id, b.turns FROM memory_facts AS m
        JOIN memory AS b ON b.workspace_id = $1 AND b.id = m.id
        WHERE m.workspace_id = $1 AND m.session = $2";
    /// A memory without turns of this session gets no span, and is then its owner's alone.
    PUT_SPAN = "INSERT INTO memory_span (workspace_id, memory, first_turn, last_turn)
        SELECT t.workspace_id, $2, MIN(t.ordinal), MAX(t.ordinal) FROM turn AS t
        WHERE t.workspace_id = $1 AND t.id = ANY ($4) AND t.session = $3
        GROUP BY t.workspace_id HAVING COUNT(*) = cardinality($4::uuid[])
        ON CONFLICT (workspace_id, memory) DO NOTHING";
    MEMORIES = concat!(
        "SELECT m.id FROM memory_facts AS m
         WHERE m.workspace_id = $1 AND m.session = $7 AND m.state = 0 AND ",
        ring_predicate!("m"),
        " ORDER BY m.id DESC LIMIT $8"
    );
}

pub(crate) async fn session_owner(
    rows: &Rows<'_>,
    session: SessionId,
) -> Result<Option<(Principal, u64)>, Failure> {
    let values = values![rows.workspace, session.to_bytes()];
    rows.find(SESSION_OWNER, values, |row| {
        Ok((principal(row, 0)?, row.get(2)?))
    })
    .await
}

/// The first turn recorded then or later; the next one to come if there is none.
pub(crate) async fn ordinal_at(
    rows: &Rows<'_>,
    session: SessionId,
    at: Timestamp,
) -> Result<u64, Failure> {
    let values = values![rows.workspace, session.to_bytes(), at.as_micros()];
    rows.get(ORDINAL_AT, values, |row| row.get(0)).await
}

/// The first stay of all closes a session to those who are not its members, so the memories of it
/// get their spans now.
pub(crate) async fn open(rows: &mut Rows<'_>, row: &MemberRow) -> Result<bool, Failure> {
    if !participant::is_there(rows, row.participant).await? || has_open(rows, row).await? {
        return Ok(false);
    }
    rows.writing().await?;
    if !has_members(rows, row.session).await? {
        span_memories(rows, row.session).await?;
    }
    let values = values![
        rows.workspace,
        row.session.to_bytes(),
        row.participant.to_bytes(),
        row.window.from,
        row.joined_at.as_micros()
    ];
    rows.run(OPEN, values).await?;
    Ok(true)
}

async fn has_open(rows: &Rows<'_>, row: &MemberRow) -> Result<bool, Failure> {
    let values = values![
        rows.workspace,
        row.session.to_bytes(),
        row.participant.to_bytes()
    ];
    rows.exists(HAS_OPEN, values).await
}

pub(crate) async fn close(
    rows: &mut Rows<'_>,
    session: SessionId,
    participant: ParticipantId,
    to: u64,
    at: Timestamp,
) -> Result<bool, Failure> {
    rows.writing().await?;
    let values = values![
        rows.workspace,
        session.to_bytes(),
        participant.to_bytes(),
        to,
        at.as_micros()
    ];
    Ok(rows.run(CLOSE, values).await? > 0)
}

pub(crate) async fn list(rows: &Rows<'_>, session: SessionId) -> Result<Vec<MemberRow>, Failure> {
    let values = values![rows.workspace, session.to_bytes()];
    rows.list(LIST, values, MemberRow::read).await
}

/// The reader's windows; `None` when owner or visibility show the whole session.
pub(crate) async fn own_windows(
    rows: &Rows<'_>,
    ring: &ReadingRing,
    session: SessionId,
) -> Result<Option<Vec<Window>>, Failure> {
    let values = rows.for_reader(ring, values![session.to_bytes()]);
    if rows.exists(IS_WHOLE, &values).await? {
        return Ok(None);
    }
    let reader = RingValues::of(ring);
    let values = values![
        rows.workspace,
        reader.kind,
        reader.owner,
        session.to_bytes()
    ];
    let windows = rows.list(WINDOWS, values, |row| {
        Ok(Window {
            from: row.get(0)?,
            to: row.get(1)?,
        })
    });
    Ok(Some(windows.await?))
}

async fn has_members(rows: &Rows<'_>, session: SessionId) -> Result<bool, Failure> {
    let values = values![rows.workspace, session.to_bytes()];
    rows.exists(HAS_MEMBERS, values).await
}

/// Notes the turns behind a new memory, if its session has members.
pub(crate) async fn span_new(
    rows: &Rows<'_>,
    session: Option<SessionId>,
    memory: MemoryId,
    turns: &[TurnId],
) -> Result<(), Failure> {
    match session {
        Some(session) if has_members(rows, session).await? => {
            let span = span(rows, session, memory, turns);
            rows.run(PUT_SPAN, &span).await.map(|_| ())
        }
        _ => Ok(()),
    }
}

async fn span_memories(rows: &Rows<'_>, session: SessionId) -> Result<(), Failure> {
    let values = values![rows.workspace, session.to_bytes()];
    let found: Vec<(MemoryId, Vec<TurnId>)> = rows
        .list(TURNS, values, |row| {
            Ok((id(row, 0)?, ids(row, 1, "the turns of a memory")?))
        })
        .await?;
    let spans: Vec<_> = found
        .iter()
        .map(|(memory, turns)| span(rows, session, *memory, turns))
        .collect();
    rows.run_each(PUT_SPAN, &spans).await?;
    Ok(())
}

/// The values of [`PUT_SPAN`].
fn span(rows: &Rows<'_>, session: SessionId, memory: MemoryId, turns: &[TurnId]) -> Vec<Value> {
    let (memory, session) = (memory.to_bytes(), session.to_bytes());
    let mut turns = id_array(turns);
    turns.sort_unstable();
    turns.dedup();
    values![rows.workspace, memory, session, turns].to_vec()
}

/// What was distilled from a session, newest first.
pub(crate) async fn memories(
    rows: &Rows<'_>,
    ring: &ReadingRing,
    session: SessionId,
    limit: u32,
) -> Result<Vec<StoredMemoryRow>, Failure> {
    let values = rows.for_reader(ring, values![session.to_bytes(), limit]);
    let ids: Vec<MemoryId> = rows.list(MEMORIES, &values, |row| id(row, 0)).await?;
    memory::list_by_id(rows, ring, &ids).await
}
