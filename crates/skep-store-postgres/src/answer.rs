//! Statements on answers of models that are kept for whoever asks again.

use skep_crypto::Sealed;
use skep_domain::Timestamp;
use skep_store::column::Stored;
use skep_store::row::{AnswerClaimRow, AnswerRow, Fingerprint};

use crate::failure::Failure;
use crate::rows::Rows;
use crate::statement::statements;
use crate::value::values;

statements! {
    CLAIM = "INSERT INTO model_answer (workspace_id, name, asked, claim, run, until, size)
        VALUES ($1, $2, $3, $4, $5, $6, 0)
        ON CONFLICT (workspace_id, name) DO UPDATE
        SET asked = excluded.asked, claim = excluded.claim, run = excluded.run,
            until = excluded.until, size = 0, body = NULL
        WHERE model_answer.until <= $7
           OR ($8 AND model_answer.body IS NULL AND model_answer.run <> excluded.run)
           OR model_answer.claim = $9";
    GET = "SELECT asked, claim, until, body FROM model_answer WHERE workspace_id = $1 AND name = $2";
    KEEP = "UPDATE model_answer SET body = $4, size = $5, until = $6
        WHERE workspace_id = $1 AND name = $2 AND claim = $3 AND body IS NULL";
    LET_GO = "DELETE FROM model_answer
        WHERE workspace_id = $1 AND name = $2 AND claim = $3 AND body IS NULL";
    PRUNE = "DELETE FROM model_answer WHERE workspace_id = $1 AND name IN (
            SELECT name FROM (
                SELECT name, until, size, ROW_NUMBER() OVER newest AS place,
                    CAST(SUM(size) OVER newest AS bigint) AS together
                FROM model_answer WHERE workspace_id = $1
                WINDOW newest AS (ORDER BY until DESC, name DESC)) AS kept
            WHERE until <= $2 OR (size > 0 AND (place > $3 OR together > $4)))";
}

pub(crate) async fn claim(
    rows: &mut Rows<'_>,
    row: &AnswerClaimRow,
    now: Timestamp,
    is_alone: bool,
) -> Result<Option<AnswerRow>, Failure> {
    let values = values![
        rows.workspace,
        row.name,
        row.asked,
        row.claim,
        row.run,
        row.until.as_micros(),
        now.as_micros(),
        is_alone,
        row.instead_of
    ];
    if rows.run(CLAIM, values).await? > 0 {
        rows.writing().await?;
        return Ok(None);
    }
    let values = values![rows.workspace, row.name];
    rows.find(GET, values, AnswerRow::read).await
}

pub(crate) async fn keep(
    rows: &mut Rows<'_>,
    (name, claim): (Fingerprint, [u8; 16]),
    body: &Sealed,
    until: Timestamp,
) -> Result<bool, Failure> {
    rows.writing().await?;
    let bytes = body.as_bytes();
    let values = values![
        rows.workspace,
        name,
        claim,
        bytes,
        bytes.len() as u64,
        until.as_micros()
    ];
    Ok(rows.run(KEEP, values).await? > 0)
}

pub(crate) async fn let_go(
    rows: &mut Rows<'_>,
    (name, claim): (Fingerprint, [u8; 16]),
) -> Result<bool, Failure> {
    rows.writing().await?;
    let values = values![rows.workspace, name, claim];
    Ok(rows.run(LET_GO, values).await? > 0)
}

pub(crate) async fn prune(
    rows: &mut Rows<'_>,
    now: Timestamp,
    (most, bytes): (u32, u64),
) -> Result<u64, Failure> {
    let values = values![rows.workspace, now.as_micros(), most, bytes];
    let removed = rows.run(PRUNE, values).await?;
    // Of most workspaces there is nothing to clear, and nothing changed.
    if removed > 0 {
        rows.writing().await?;
    }
    Ok(removed)
}
