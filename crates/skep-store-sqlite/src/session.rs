//! Statements on sessions.

use rusqlite::{OptionalExtension, params};
use skep_domain::{Id, ReadingRing, SessionId, SessionState};
use skep_store::StoreError;
use skep_store::backend::{PageOf, RingValues};
use skep_store::column::{bytes_of, code, id, principal_kind, time};
use skep_store::row::{SessionRow, SessionSummaryRow};
use skep_store::session_columns;

use crate::column::page_end;
use crate::failure::Failure;
use crate::ring::{for_reader, memberless, ring_predicate, turn_predicate};
use crate::rows::Rows;

/// Something over the turns in the windows of a member; something else for whoever sees them all.
/// What went on before and after a stay is not the member's to know.
macro_rules! seen {
    ($within:literal, $whole:literal) => {
        concat!(
            "CASE WHEN (s.owner_kind = ?2 AND s.owner = ?3) OR ",
            memberless!("s.id"),
            " THEN ",
            $whole,
            " ELSE (SELECT ",
            $within,
            " FROM turn AS t WHERE t.workspace_id = ?1 AND t.session = s.id AND ",
            turn_predicate!(),
            ") END"
        )
    };
}

/// A session that the ring lets through, with the memories of it that the ring lets through.
macro_rules! summaries {
    ($more:literal) => {
        concat!(
            "SELECT ",
            session_columns!(),
            ", ",
            seen!("COUNT(*)", "s.turn_count"),
            ", p.name,
             (SELECT COUNT(*) FROM memory_facts AS m
              WHERE m.workspace_id = ?1 AND m.session = s.id AND m.state = 0 AND ",
            ring_predicate!("m"),
            "), ",
            seen!("MIN(t.at)", "NULL"),
            ", ",
            seen!("MAX(t.at)", "NULL"),
            " FROM session AS s
             LEFT JOIN project AS p ON p.workspace_id = ?1 AND p.id = s.project
             WHERE s.workspace_id = ?1 AND ",
            ring_predicate!("s"),
            $more
        )
    };
}

pub(crate) fn put(rows: &mut Rows<'_>, row: &SessionRow) -> Result<SessionId, Failure> {
    let sql = "SELECT id, state, started_at, last_at FROM session
               WHERE workspace_id = ?1 AND fingerprint = ?2";
    let known = rows
        .statement(sql)?
        .query_and_then(params![rows.workspace, row.fingerprint], |found| {
            let state = code(found, 1, SessionState::from_code, "the state of a session")?;
            Ok::<_, Failure>((id(found, 0)?, state, time(found, 2)?, time(found, 3)?))
        })?
        .next()
        .transpose()?;
    let Some((known, state, started_at, last_at)) = known else {
        insert(rows, row)?;
        return Ok(row.id);
    };
    let (first, last) = (row.started_at.min(started_at), row.last_at.max(last_at));
    if (state, started_at, last_at) != (row.state, first, last) {
        rows.writing()?;
        let sql = "UPDATE session SET state = ?3, started_at = ?4, last_at = ?5
                   WHERE workspace_id = ?1 AND id = ?2";
        rows.statement(sql)?.execute(params![
            rows.workspace,
            SessionId::to_bytes(known),
            row.state.code(),
            first.as_micros(),
            last.as_micros()
        ])?;
    }
    Ok(known)
}

fn insert(rows: &mut Rows<'_>, row: &SessionRow) -> Result<(), Failure> {
    rows.writing()?;
    let sql = "INSERT INTO session (workspace_id, id, harness, fingerprint, project, owner_kind,
                   owner, owner_group, visibility, state, started_at, last_at, recorded_at,
                   turn_count, distilled_to, body)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, 0, 0, ?14)";
    rows.statement(sql)?.execute(params![
        rows.workspace,
        row.id.to_bytes(),
        row.harness.code(),
        row.fingerprint,
        bytes_of(row.project),
        principal_kind(row.owner),
        row.owner.to_bytes(),
        row.owner_group.map(|group| group.0),
        row.visibility.code(),
        row.state.code(),
        row.started_at.as_micros(),
        row.last_at.as_micros(),
        row.recorded_at.as_micros(),
        row.body.as_bytes(),
    ])?;
    Ok(())
}

pub(crate) fn set_state(
    rows: &mut Rows<'_>,
    id: SessionId,
    state: SessionState,
) -> Result<(), Failure> {
    let sql = "SELECT state FROM session WHERE workspace_id = ?1 AND id = ?2";
    let now: Option<u8> = rows
        .statement(sql)?
        .query_row(params![rows.workspace, id.to_bytes()], |row| row.get(0))
        .optional()?;
    let now = now.ok_or_else(absent)?;
    if now != state.code() {
        rows.writing()?;
        let sql = "UPDATE session SET state = ?3 WHERE workspace_id = ?1 AND id = ?2";
        rows.statement(sql)?
            .execute(params![rows.workspace, id.to_bytes(), state.code()])?;
    }
    Ok(())
}

pub(crate) fn list(
    rows: &Rows<'_>,
    ring: &ReadingRing,
    page: PageOf<SessionId>,
) -> Result<Vec<SessionSummaryRow>, Failure> {
    let ring = RingValues::of(ring);
    let before = page_end(page.before);
    rows.list(
        summaries!(" AND s.id < ?7 ORDER BY s.id DESC LIMIT ?8"),
        for_reader![rows, ring, before, page.limit],
    )
}

pub(crate) fn get(
    rows: &Rows<'_>,
    ring: &ReadingRing,
    id: SessionId,
) -> Result<Option<SessionSummaryRow>, Failure> {
    let ring = RingValues::of(ring);
    rows.find(
        summaries!(" AND s.id = ?7"),
        for_reader![rows, ring, id.to_bytes()],
    )
}

/// A session for the daemon's own upkeep, whoever may read it.
pub(crate) fn get_for_upkeep(
    rows: &Rows<'_>,
    id: SessionId,
) -> Result<Option<SessionRow>, Failure> {
    let sql = concat!(
        "SELECT ",
        session_columns!(),
        " FROM session AS s WHERE s.workspace_id = ?1 AND s.id = ?2"
    );
    rows.find(sql, params![rows.workspace, id.to_bytes()])
}

pub(crate) fn absent() -> Failure {
    StoreError::Refused("there is no such session".into()).into()
}
