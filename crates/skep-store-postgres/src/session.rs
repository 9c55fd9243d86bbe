//! Statements on sessions.

use skep_domain::{Id, ReadingRing, SessionId, SessionState};
use skep_store::StoreError;
use skep_store::backend::PageOf;
use skep_store::column::{Stored, bytes_of, code, id, principal_kind, time};
use skep_store::row::{SessionRow, SessionSummaryRow};
use skep_store::session_columns;

use crate::failure::Failure;
use crate::ring::{memberless, ring_predicate, turn_predicate};
use crate::rows::Rows;
use crate::statement::statements;
use crate::value::values;

/// Something over the turns in the windows of a member; something else for whoever sees them all.
/// What went on before and after a stay is not the member's to know.
macro_rules! seen {
    ($within:literal, $whole:literal) => {
        concat!(
            "CASE WHEN (s.owner_kind = $2 AND s.owner = $3) OR ",
            memberless!("s.id"),
            " THEN ",
            $whole,
            " ELSE (SELECT ",
            $within,
            " FROM turn AS t WHERE t.workspace_id = $1 AND t.session = s.id AND ",
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
              WHERE m.workspace_id = $1 AND m.session = s.id AND m.state = 0 AND ",
            ring_predicate!("m"),
            "), ",
            seen!("MIN(t.at)", "NULL"),
            ", ",
            seen!("MAX(t.at)", "NULL"),
            " FROM session AS s
             LEFT JOIN project AS p ON p.workspace_id = $1 AND p.id = s.project
             WHERE s.workspace_id = $1 AND ",
            ring_predicate!("s"),
            $more
        )
    };
}

statements! {
    KNOWN [once] = "SELECT id, state, started_at, last_at FROM session
             WHERE workspace_id = $1 AND fingerprint = $2";
    WIDEN [once] = "UPDATE session SET state = $3, started_at = $4, last_at = $5
             WHERE workspace_id = $1 AND id = $2";
    INSERT = "INSERT INTO session (workspace_id, id, harness, fingerprint, project, owner_kind,
                  owner, owner_group, visibility, state, started_at, last_at, recorded_at,
                  turn_count, distilled_to, body)
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 0, 0, $14)";
    STATE [once] = "SELECT state FROM session WHERE workspace_id = $1 AND id = $2";
    SET_STATE [once] = "UPDATE session SET state = $3 WHERE workspace_id = $1 AND id = $2";
    PAGE = summaries!(" AND ($7::uuid IS NULL OR s.id < $7) ORDER BY s.id DESC LIMIT $8");
    ONE [once] = summaries!(" AND s.id = $7");
    FOR_UPKEEP = concat!(
        "SELECT ",
        session_columns!(),
        " FROM session AS s WHERE s.workspace_id = $1 AND s.id = $2"
    );
}

pub(crate) async fn put(rows: &mut Rows<'_>, row: &SessionRow) -> Result<SessionId, Failure> {
    let values = values![rows.workspace, row.fingerprint];
    let known = rows.find(KNOWN, values, |found| {
        let state = code(found, 1, SessionState::from_code, "the state of a session")?;
        Ok((id(found, 0)?, state, time(found, 2)?, time(found, 3)?))
    });
    let Some((known, state, started_at, last_at)) = known.await? else {
        insert(rows, row).await?;
        return Ok(row.id);
    };
    let (first, last) = (row.started_at.min(started_at), row.last_at.max(last_at));
    if (state, started_at, last_at) != (row.state, first, last) {
        rows.writing().await?;
        let values = values![
            rows.workspace,
            SessionId::to_bytes(known),
            row.state.code(),
            first.as_micros(),
            last.as_micros()
        ];
        rows.run(WIDEN, values).await?;
    }
    Ok(known)
}

async fn insert(rows: &mut Rows<'_>, row: &SessionRow) -> Result<(), Failure> {
    rows.writing().await?;
    let values = values![
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
        row.body.as_bytes()
    ];
    rows.run(INSERT, values).await?;
    Ok(())
}

pub(crate) async fn set_state(
    rows: &mut Rows<'_>,
    id: SessionId,
    state: SessionState,
) -> Result<(), Failure> {
    let values = values![rows.workspace, id.to_bytes()];
    let now: Option<u8> = rows.find(STATE, values, |row| row.get(0)).await?;
    if now.ok_or_else(absent)? != state.code() {
        rows.writing().await?;
        let values = values![rows.workspace, id.to_bytes(), state.code()];
        rows.run(SET_STATE, values).await?;
    }
    Ok(())
}

pub(crate) async fn list(
    rows: &Rows<'_>,
    ring: &ReadingRing,
    page: PageOf<SessionId>,
) -> Result<Vec<SessionSummaryRow>, Failure> {
    let values = rows.for_reader(ring, values![bytes_of(page.before), page.limit]);
    rows.list(PAGE, &values, SessionSummaryRow::read).await
}

pub(crate) async fn get(
    rows: &Rows<'_>,
    ring: &ReadingRing,
    id: SessionId,
) -> Result<Option<SessionSummaryRow>, Failure> {
    let values = rows.for_reader(ring, values![id.to_bytes()]);
    rows.find(ONE, &values, SessionSummaryRow::read).await
}

/// A session for the daemon's own upkeep, whoever may read it.
pub(crate) async fn get_for_upkeep(
    rows: &Rows<'_>,
    id: SessionId,
) -> Result<Option<SessionRow>, Failure> {
    let values = values![rows.workspace, id.to_bytes()];
    rows.find(FOR_UPKEEP, values, SessionRow::read).await
}

pub(crate) fn absent() -> Failure {
    StoreError::Refused("there is no such session".into()).into()
}
