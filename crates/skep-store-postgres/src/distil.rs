//! Statements of distilling: what a session left, and what several sessions have in common.

use std::collections::HashMap;

use skep_domain::{Id, MemoryId, SessionId};
use skep_store::column::{Stored, id};
use skep_store::memory_columns;
use skep_store::row::{Fingerprint, HistoryRow, StoredMemoryRow};

use crate::failure::Failure;
use crate::memory;
use crate::rows::Rows;
use crate::statement::statements;
use crate::value::values;

statements! {
    LIST = concat!(
        "SELECT ",
        memory_columns!(),
        " FROM memory_facts AS m
          JOIN memory AS b ON b.workspace_id = $1 AND b.id = m.id
          LEFT JOIN project AS p ON p.workspace_id = $1 AND p.id = m.project
          WHERE m.workspace_id = $1 AND m.session = $2 AND m.state = 0
          ORDER BY m.id LIMIT $3"
    );
    GET = "SELECT id FROM memory_facts
        WHERE workspace_id = $1 AND fingerprint = $2 AND state = 0 AND session = $3";
    STATE = "SELECT state FROM memory_facts WHERE workspace_id = $1 AND id = $2";
    PUT_COMMAND_RUN = "INSERT INTO command_run (workspace_id, run, session) VALUES ($1, $2, $3)
        ON CONFLICT DO NOTHING";
    /// In how many sessions each was run.
    COMMAND_RUNS = "SELECT run, COUNT(*) FROM command_run
        WHERE workspace_id = $1 AND run = ANY ($2) GROUP BY run";
}

pub(crate) async fn list(
    rows: &Rows<'_>,
    session: SessionId,
    limit: u32,
) -> Result<Vec<StoredMemoryRow>, Failure> {
    let values = values![rows.workspace, session.to_bytes(), limit];
    rows.list(LIST, values, StoredMemoryRow::read).await
}

pub(crate) async fn get(
    rows: &Rows<'_>,
    session: SessionId,
    fingerprint: Fingerprint,
) -> Result<Option<MemoryId>, Failure> {
    let values = values![rows.workspace, fingerprint, session.to_bytes()];
    rows.find(GET, values, |row| id(row, 0)).await
}

pub(crate) async fn set_state(
    rows: &mut Rows<'_>,
    id: MemoryId,
    entry: &HistoryRow,
) -> Result<bool, Failure> {
    let values = values![rows.workspace, id.to_bytes()];
    let now: Option<u8> = rows.find(STATE, values, |row| row.get(0)).await?;
    if now.is_none_or(|now| now == entry.state.code()) {
        return Ok(false);
    }
    memory::move_to(rows, id, entry).await?;
    Ok(true)
}

pub(crate) async fn put_command_runs(
    rows: &mut Rows<'_>,
    session: SessionId,
    runs: &[Fingerprint],
) -> Result<Vec<u64>, Failure> {
    if runs.is_empty() {
        return Ok(Vec::new());
    }
    rows.writing().await?;
    let all: Vec<_> = runs
        .iter()
        .map(|run| values![rows.workspace, *run, session.to_bytes()].to_vec())
        .collect();
    rows.run_each(PUT_COMMAND_RUN, &all).await?;
    let values = values![rows.workspace, runs.to_vec()];
    let counted: Vec<(Fingerprint, u64)> = rows
        .list(COMMAND_RUNS, values, |row| Ok((row.get(0)?, row.get(1)?)))
        .await?;
    let known: HashMap<_, _> = counted.into_iter().collect();
    let count = |run| known.get(run).copied().unwrap_or(0);
    Ok(runs.iter().map(count).collect())
}
