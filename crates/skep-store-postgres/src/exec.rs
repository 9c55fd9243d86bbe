//! Statements on runs of programs.

use skep_crypto::Sealed;
use skep_domain::{ExecId, ExecState, Id, Principal, Timestamp};
use skep_store::backend::PageOf;
use skep_store::column::{Stored, bytes_of, principal_kind, sealed_option};
use skep_store::row::{ExecChange, ExecRow};

use crate::failure::Failure;
use crate::rows::Rows;
use crate::statement::statements;
use crate::value::values;

/// The columns of a row, in the order in which it is read.
macro_rules! execs {
    ($more:literal) => {
        concat!(
            "SELECT id, host, turn, state, asker_kind, asker, credential, template, created_at,
                 started_at, ended_at, is_cancelled, body
             FROM exec_job WHERE workspace_id = $1",
            $more
        )
    };
}

statements! {
    PUT = "INSERT INTO exec_job (workspace_id, id, host, turn, state, asker_kind, asker, credential,
            template, created_at, is_cancelled, size, body)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, false, 0, $11)";
    GET = execs!(" AND id = $2");
    OUTCOME = "SELECT outcome FROM exec_job WHERE workspace_id = $1 AND id = $2";
    LIST = execs!(" AND ($2::uuid IS NULL OR id < $2) ORDER BY id DESC LIMIT $3");
    LIST_OF = execs!(" AND asker_kind = $2 AND asker = $3 AND ($4::uuid IS NULL OR id < $4)
        ORDER BY id DESC LIMIT $5");
    OPEN = execs!(" AND host = $2 AND state < 2 ORDER BY turn");
    CHANGE = "UPDATE exec_job
        SET state = $4, started_at = coalesce($5, started_at), ended_at = coalesce($6, ended_at),
            outcome = coalesce($7, outcome), size = $8
        WHERE workspace_id = $1 AND id = $2 AND state = $3";
    CANCEL = "UPDATE exec_job SET is_cancelled = true
        WHERE workspace_id = $1 AND id = $2 AND state < 2";
    EXPIRE = "UPDATE exec_job SET state = $4, ended_at = $3
        WHERE workspace_id = $1 AND state < 2 AND created_at < $2";
    PRUNE = "DELETE FROM exec_job WHERE workspace_id = $1 AND id IN (
            SELECT id FROM (
                SELECT id, ended_at, ROW_NUMBER() OVER newest AS place,
                    CAST(SUM(size) OVER newest AS bigint) AS together
                FROM exec_job WHERE workspace_id = $1 AND state >= 2
                WINDOW newest AS (ORDER BY id DESC)) AS kept
            WHERE ended_at < $2 OR place > $3 OR together > $4)";
}

pub(crate) async fn put(rows: &mut Rows<'_>, row: &ExecRow) -> Result<(), Failure> {
    rows.writing().await?;
    let values = values![
        rows.workspace,
        row.id.to_bytes(),
        row.host,
        row.turn,
        row.state.code(),
        principal_kind(row.asker),
        row.asker.to_bytes(),
        row.credential.to_bytes(),
        row.template.to_bytes(),
        row.created_at.as_micros(),
        row.body.as_bytes()
    ];
    rows.run(PUT, values).await?;
    Ok(())
}

pub(crate) async fn get(rows: &Rows<'_>, id: ExecId) -> Result<Option<ExecRow>, Failure> {
    let values = values![rows.workspace, id.to_bytes()];
    rows.find(GET, values, ExecRow::read).await
}

pub(crate) async fn outcome(rows: &Rows<'_>, id: ExecId) -> Result<Option<Sealed>, Failure> {
    let values = values![rows.workspace, id.to_bytes()];
    let found = rows.find(OUTCOME, values, |row| sealed_option(row, 0));
    Ok(found.await?.flatten())
}

pub(crate) async fn list(
    rows: &Rows<'_>,
    of: Option<Principal>,
    page: PageOf<ExecId>,
) -> Result<Vec<ExecRow>, Failure> {
    let before = bytes_of(page.before);
    match of {
        None => {
            let values = values![rows.workspace, before, page.limit];
            rows.list(LIST, values, ExecRow::read).await
        }
        Some(of) => {
            let values = values![
                rows.workspace,
                principal_kind(of),
                of.to_bytes(),
                before,
                page.limit
            ];
            rows.list(LIST_OF, values, ExecRow::read).await
        }
    }
}

pub(crate) async fn open(rows: &Rows<'_>, host: [u8; 16]) -> Result<Vec<ExecRow>, Failure> {
    let values = values![rows.workspace, host];
    rows.list(OPEN, values, ExecRow::read).await
}

pub(crate) async fn change(rows: &mut Rows<'_>, change: &ExecChange) -> Result<bool, Failure> {
    rows.writing().await?;
    let size = change
        .outcome
        .as_ref()
        .map_or(0, |sealed| sealed.as_bytes().len() as u64);
    let at = change.at.as_micros();
    let values = values![
        rows.workspace,
        change.id.to_bytes(),
        change.from.code(),
        change.to.code(),
        (change.to == ExecState::Running).then_some(at),
        change.to.is_final().then_some(at),
        change.outcome.as_ref().map(Sealed::as_bytes),
        size
    ];
    Ok(rows.run(CHANGE, values).await? > 0)
}

pub(crate) async fn cancel(rows: &mut Rows<'_>, id: ExecId) -> Result<bool, Failure> {
    rows.writing().await?;
    let values = values![rows.workspace, id.to_bytes()];
    Ok(rows.run(CANCEL, values).await? > 0)
}

pub(crate) async fn expire(
    rows: &mut Rows<'_>,
    before: Timestamp,
    now: Timestamp,
) -> Result<u64, Failure> {
    let values = values![
        rows.workspace,
        before.as_micros(),
        now.as_micros(),
        ExecState::Expired.code()
    ];
    let changed = rows.run(EXPIRE, values).await?;
    said(rows, changed).await
}

pub(crate) async fn prune(
    rows: &mut Rows<'_>,
    before: Timestamp,
    (most, bytes): (u32, u64),
) -> Result<u64, Failure> {
    let values = values![rows.workspace, before.as_micros(), most, bytes];
    let removed = rows.run(PRUNE, values).await?;
    said(rows, removed).await
}

/// Of most workspaces there is nothing to clear, and nothing changed.
async fn said(rows: &mut Rows<'_>, changed: u64) -> Result<u64, Failure> {
    if changed > 0 {
        rows.writing().await?;
    }
    Ok(changed)
}
