//! Statements on answers of models that are kept for whoever asks again.

use rusqlite::params;
use skep_crypto::Sealed;
use skep_domain::Timestamp;
use skep_store::row::{AnswerClaimRow, AnswerRow, Fingerprint};

use crate::failure::Failure;
use crate::rows::Rows;

pub(crate) fn claim(
    rows: &mut Rows<'_>,
    row: &AnswerClaimRow,
    now: Timestamp,
    is_alone: bool,
) -> Result<Option<AnswerRow>, Failure> {
    let sql = "INSERT INTO model_answer (workspace_id, name, asked, claim, run, until, size)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0)
               ON CONFLICT (workspace_id, name) DO UPDATE
               SET asked = excluded.asked, claim = excluded.claim, run = excluded.run,
                   until = excluded.until, size = 0, body = NULL
               WHERE model_answer.until <= ?7
                  OR (?8 AND model_answer.body IS NULL AND model_answer.run <> excluded.run)
                  OR model_answer.claim = ?9";
    let claimed = rows.statement(sql)?.execute(params![
        rows.workspace,
        row.name,
        row.asked,
        row.claim,
        row.run,
        row.until.as_micros(),
        now.as_micros(),
        is_alone,
        row.instead_of
    ])?;
    if claimed > 0 {
        rows.writing()?;
        return Ok(None);
    }
    let sql = "SELECT asked, claim, until, body FROM model_answer
               WHERE workspace_id = ?1 AND name = ?2";
    rows.find(sql, params![rows.workspace, row.name])
}

pub(crate) fn keep(
    rows: &mut Rows<'_>,
    (name, claim): (Fingerprint, [u8; 16]),
    body: &Sealed,
    until: Timestamp,
) -> Result<bool, Failure> {
    rows.writing()?;
    let sql = "UPDATE model_answer SET body = ?4, size = ?5, until = ?6
               WHERE workspace_id = ?1 AND name = ?2 AND claim = ?3 AND body IS NULL";
    let bytes = body.as_bytes();
    let kept = rows.statement(sql)?.execute(params![
        rows.workspace,
        name,
        claim,
        bytes,
        bytes.len(),
        until.as_micros()
    ])?;
    Ok(kept > 0)
}

pub(crate) fn let_go(
    rows: &mut Rows<'_>,
    (name, claim): (Fingerprint, [u8; 16]),
) -> Result<bool, Failure> {
    rows.writing()?;
    let sql = "DELETE FROM model_answer
               WHERE workspace_id = ?1 AND name = ?2 AND claim = ?3 AND body IS NULL";
    let values = params![rows.workspace, name, claim];
    Ok(rows.statement(sql)?.execute(values)? > 0)
}

pub(crate) fn prune(
    rows: &mut Rows<'_>,
    now: Timestamp,
    (most, bytes): (u32, u64),
) -> Result<u64, Failure> {
    let sql = "DELETE FROM model_answer WHERE workspace_id = ?1 AND name IN (
                   SELECT name FROM (
                       SELECT name, until, size, ROW_NUMBER() OVER newest AS place,
                           SUM(size) OVER newest AS together
                       FROM model_answer WHERE workspace_id = ?1
                       WINDOW newest AS (ORDER BY until DESC, name DESC))
                   WHERE until <= ?2 OR (size > 0 AND (place > ?3 OR together > ?4)))";
    let removed = rows.statement(sql)?.execute(params![
        rows.workspace,
        now.as_micros(),
        most,
        i64::try_from(bytes).unwrap_or(i64::MAX)
    ])?;
    // Of most workspaces there is nothing to clear, and nothing changed.
    if removed > 0 {
        rows.writing()?;
    }
    Ok(removed as u64)
}
