//! Statements on runs of programs.

use rusqlite::params;
use skep_crypto::Sealed;
use skep_domain::{ExecId, ExecState, Id, Principal, Timestamp};
use skep_store::backend::PageOf;
use skep_store::column::{principal_kind, sealed_option};
use skep_store::row::{ExecChange, ExecRow};

use crate::column::page_end;
use crate::failure::Failure;
use crate::rows::Rows;

/// The columns of a row, in the order in which it is read.
macro_rules! execs {
    ($more:literal) => {
        concat!(
            "SELECT id, host, turn, state, asker_kind, asker, credential, template, created_at,
                 started_at, ended_at, is_cancelled, body
             FROM exec_job WHERE workspace_id = ?1",
            $more
        )
    };
}

pub(crate) fn put(rows: &mut Rows<'_>, row: &ExecRow) -> Result<(), Failure> {
    rows.writing()?;
    let sql = "INSERT INTO exec_job (workspace_id, id, host, turn, state, asker_kind, asker,
                   credential, template, created_at, is_cancelled, size, body)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 0, 0, ?11)";
    rows.statement(sql)?.execute(params![
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
    ])?;
    Ok(())
}

pub(crate) fn get(rows: &Rows<'_>, id: ExecId) -> Result<Option<ExecRow>, Failure> {
    rows.find(
        execs!(" AND id = ?2"),
        params![rows.workspace, id.to_bytes()],
    )
}

pub(crate) fn outcome(rows: &Rows<'_>, id: ExecId) -> Result<Option<Sealed>, Failure> {
    let sql = "SELECT outcome FROM exec_job WHERE workspace_id = ?1 AND id = ?2";
    let found = rows
        .statement(sql)?
        .query_and_then(params![rows.workspace, id.to_bytes()], |row| {
            sealed_option::<Failure>(row, 0)
        })?
        .next()
        .transpose()?;
    Ok(found.flatten())
}

pub(crate) fn list(
    rows: &Rows<'_>,
    of: Option<Principal>,
    page: PageOf<ExecId>,
) -> Result<Vec<ExecRow>, Failure> {
    let before = page_end(page.before);
    match of {
        None => rows.list(
            execs!(" AND id < ?2 ORDER BY id DESC LIMIT ?3"),
            params![rows.workspace, before, page.limit],
        ),
        Some(of) => rows.list(
            execs!(" AND asker_kind = ?2 AND asker = ?3 AND id < ?4 ORDER BY id DESC LIMIT ?5"),
            params![
                rows.workspace,
                principal_kind(of),
                of.to_bytes(),
                before,
                page.limit
            ],
        ),
    }
}

pub(crate) fn open(rows: &Rows<'_>, host: [u8; 16]) -> Result<Vec<ExecRow>, Failure> {
    rows.list(
        execs!(" AND host = ?2 AND state < 2 ORDER BY turn"),
        params![rows.workspace, host],
    )
}

pub(crate) fn change(rows: &mut Rows<'_>, change: &ExecChange) -> Result<bool, Failure> {
    rows.writing()?;
    let size = change
        .outcome
        .as_ref()
        .map_or(0, |sealed| sealed.as_bytes().len());
    let (started, ended) = moments(change);
    let sql = "UPDATE exec_job
               SET state = ?4, started_at = coalesce(?5, started_at),
                   ended_at = coalesce(?6, ended_at), outcome = coalesce(?7, outcome), size = ?8
               WHERE workspace_id = ?1 AND id = ?2 AND state = ?3";
    let changed = rows.statement(sql)?.execute(params![
        rows.workspace,
        change.id.to_bytes(),
        change.from.code(),
        change.to.code(),
        started,
        ended,
        change.outcome.as_ref().map(Sealed::as_bytes),
        size
    ])?;
    Ok(changed > 0)
}

/// When it started, if that is the step, and when it ended, if that is.
fn moments(change: &ExecChange) -> (Option<i64>, Option<i64>) {
    let at = change.at.as_micros();
    (
        (change.to == ExecState::Running).then_some(at),
        change.to.is_final().then_some(at),
    )
}

pub(crate) fn cancel(rows: &mut Rows<'_>, id: ExecId) -> Result<bool, Failure> {
    rows.writing()?;
    let sql =
        "UPDATE exec_job SET is_cancelled = 1 WHERE workspace_id = ?1 AND id = ?2 AND state < 2";
    let values = params![rows.workspace, id.to_bytes()];
    Ok(rows.statement(sql)?.execute(values)? > 0)
}

pub(crate) fn expire(
    rows: &mut Rows<'_>,
    before: Timestamp,
    now: Timestamp,
) -> Result<u64, Failure> {
    let sql = "UPDATE exec_job SET state = ?4, ended_at = ?3
               WHERE workspace_id = ?1 AND state < 2 AND created_at < ?2";
    let changed = rows.statement(sql)?.execute(params![
        rows.workspace,
        before.as_micros(),
        now.as_micros(),
        ExecState::Expired.code()
    ])?;
    said(rows, changed as u64)
}

pub(crate) fn prune(
    rows: &mut Rows<'_>,
    before: Timestamp,
    (most, bytes): (u32, u64),
) -> Result<u64, Failure> {
    let sql = "DELETE FROM exec_job WHERE workspace_id = ?1 AND id IN (
                   SELECT id FROM (
                       SELECT id, ended_at, ROW_NUMBER() OVER newest AS place,
                           SUM(size) OVER newest AS together
                       FROM exec_job WHERE workspace_id = ?1 AND state >= 2
                       WINDOW newest AS (ORDER BY id DESC))
                   WHERE ended_at < ?2 OR place > ?3 OR together > ?4)";
    let removed = rows.statement(sql)?.execute(params![
        rows.workspace,
        before.as_micros(),
        most,
        i64::try_from(bytes).unwrap_or(i64::MAX)
    ])?;
    said(rows, removed as u64)
}

/// Of most workspaces there is nothing to clear, and nothing changed.
fn said(rows: &mut Rows<'_>, changed: u64) -> Result<u64, Failure> {
    if changed > 0 {
        rows.writing()?;
    }
    Ok(changed)
}
