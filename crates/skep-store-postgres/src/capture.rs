//! Statements on capture itself: counters, pauses, bound directories.

use skep_domain::{Principal, Timestamp};
use skep_store::column::{Stored, pause_holder, pause_session, principal_kind};
use skep_store::row::{BindingRow, Fingerprint, OutcomeCount, PauseRow};

use crate::failure::Failure;
use crate::rows::Rows;
use crate::statement::statements;
use crate::value::values;

statements! {
    ADD_COUNT = "INSERT INTO capture_count (workspace_id, outcome, turns) VALUES ($1, $2, $3)
        ON CONFLICT (workspace_id, outcome)
        DO UPDATE SET turns = capture_count.turns + excluded.turns";
    COUNTS = "SELECT outcome, turns FROM capture_count WHERE workspace_id = $1 ORDER BY outcome";
    SPOOL = "SELECT dropped FROM capture_spool WHERE workspace_id = $1 AND spool = $2";
    PUT_SPOOL = "INSERT INTO capture_spool (workspace_id, spool, dropped) VALUES ($1, $2, $3)
        ON CONFLICT (workspace_id, spool) DO UPDATE SET dropped = excluded.dropped";
    REMOVE_ENDED = "DELETE FROM capture_pause WHERE workspace_id = $1 AND until <= $2";
    PUT_PAUSE = "INSERT INTO capture_pause (workspace_id, holder_kind, holder, session, until)
        VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (workspace_id, holder_kind, holder, session)
        DO UPDATE SET until = excluded.until";
    REMOVE_PAUSE = "DELETE FROM capture_pause WHERE workspace_id = $1 AND holder_kind = $2
        AND holder = $3 AND session = $4";
    PAUSES = "SELECT holder_kind, holder, session, until FROM capture_pause
        WHERE workspace_id = $1
          AND ((holder_kind = $2 AND holder = $3) OR holder_kind = -1)
          AND ($4::bytea IS NULL OR session = '' OR session = $4)
          AND (until IS NULL OR until > $5)
        ORDER BY holder_kind, session LIMIT 10000";
    PUT_BINDING = "INSERT INTO capture_binding (workspace_id, owner_kind, owner, directory, body)
        VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (workspace_id, owner_kind, owner, directory)
        DO UPDATE SET body = excluded.body";
    REMOVE_BINDING = "DELETE FROM capture_binding WHERE workspace_id = $1 AND owner_kind = $2
        AND owner = $3 AND directory = $4";
    BINDINGS = "SELECT directory, body FROM capture_binding
        WHERE workspace_id = $1 AND owner_kind = $2 AND owner = $3
          AND ($4::boolean OR directory = ANY ($5))
        ORDER BY directory LIMIT 10000";
}

pub(crate) async fn add_counts(
    rows: &mut Rows<'_>,
    counts: &[OutcomeCount],
) -> Result<(), Failure> {
    rows.writing().await?;
    let all: Vec<_> = counts
        .iter()
        .map(|(outcome, turns)| values![rows.workspace, *outcome, *turns].to_vec())
        .collect();
    rows.run_each(ADD_COUNT, &all).await?;
    Ok(())
}

pub(crate) async fn counts(rows: &Rows<'_>) -> Result<Vec<OutcomeCount>, Failure> {
    let values = values![rows.workspace];
    rows.list(COUNTS, values, |row| Ok((row.get(0)?, row.get(1)?)))
        .await
}

pub(crate) async fn raise_spool(
    rows: &mut Rows<'_>,
    spool: Fingerprint,
    dropped: u64,
) -> Result<u64, Failure> {
    let values = values![rows.workspace, spool];
    let known: Option<u64> = rows.find(SPOOL, values, |row| row.get(0)).await?;
    let more = dropped.saturating_sub(known.unwrap_or(0));
    if more > 0 {
        rows.writing().await?;
        rows.run(PUT_SPOOL, values![rows.workspace, spool, dropped])
            .await?;
    }
    Ok(more)
}

pub(crate) async fn put_pause(
    rows: &mut Rows<'_>,
    row: &PauseRow,
    now: Timestamp,
) -> Result<(), Failure> {
    rows.writing().await?;
    rows.run(REMOVE_ENDED, values![rows.workspace, now.as_micros()])
        .await?;
    let (kind, holder) = pause_holder(row.holder);
    let values = values![
        rows.workspace,
        kind,
        holder,
        pause_session(row.session),
        row.until.map(Timestamp::as_micros)
    ];
    rows.run(PUT_PAUSE, values).await?;
    Ok(())
}

pub(crate) async fn remove_pause(
    rows: &mut Rows<'_>,
    of: Option<Principal>,
    session_of: Option<Fingerprint>,
) -> Result<bool, Failure> {
    let (kind, holder) = pause_holder(of);
    let values = values![rows.workspace, kind, holder, pause_session(session_of)];
    let removed = rows.run(REMOVE_PAUSE, values).await?;
    if removed > 0 {
        rows.writing().await?;
    }
    Ok(removed > 0)
}

pub(crate) async fn pauses(
    rows: &Rows<'_>,
    principal: Principal,
    session_of: Option<Fingerprint>,
    now: Timestamp,
) -> Result<Vec<PauseRow>, Failure> {
    let (kind, holder) = pause_holder(Some(principal));
    let values = values![rows.workspace, kind, holder, session_of, now.as_micros()];
    rows.list(PAUSES, values, PauseRow::read).await
}

pub(crate) async fn put_binding(
    rows: &mut Rows<'_>,
    owner: Principal,
    row: &BindingRow,
) -> Result<(), Failure> {
    rows.writing().await?;
    let values = values![
        rows.workspace,
        principal_kind(owner),
        owner.to_bytes(),
        row.directory,
        row.body.as_bytes()
    ];
    rows.run(PUT_BINDING, values).await?;
    Ok(())
}

pub(crate) async fn remove_binding(
    rows: &mut Rows<'_>,
    owner: Principal,
    directory: Fingerprint,
) -> Result<bool, Failure> {
    let values = values![
        rows.workspace,
        principal_kind(owner),
        owner.to_bytes(),
        directory
    ];
    let removed = rows.run(REMOVE_BINDING, values).await?;
    if removed > 0 {
        rows.writing().await?;
    }
    Ok(removed > 0)
}

pub(crate) async fn bindings(
    rows: &Rows<'_>,
    owner: Principal,
    directories: &[Fingerprint],
) -> Result<Vec<BindingRow>, Failure> {
    let values = values![
        rows.workspace,
        principal_kind(owner),
        owner.to_bytes(),
        directories.is_empty(),
        directories.to_vec()
    ];
    rows.list(BINDINGS, values, BindingRow::read).await
}
