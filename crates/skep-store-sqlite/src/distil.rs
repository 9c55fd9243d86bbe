//! Statements of distilling: what a session left, and what several sessions have in common.

use rusqlite::{OptionalExtension, params};
use skep_domain::{Id, MemoryId, SessionId};
use skep_store::memory_columns;
use skep_store::row::{Fingerprint, HistoryRow, StoredMemoryRow};

use crate::failure::Failure;
use crate::memory;
use crate::rows::Rows;

pub(crate) fn list(
    rows: &Rows<'_>,
    session: SessionId,
    limit: u32,
) -> Result<Vec<StoredMemoryRow>, Failure> {
    let sql = concat!(
        "SELECT ",
        memory_columns!(),
        " FROM memory_facts AS m INDEXED BY memory_by_session
          CROSS JOIN memory AS b ON b.workspace_id = ?1 AND b.id = m.id
          LEFT JOIN project AS p ON p.workspace_id = ?1 AND p.id = m.project
          WHERE m.workspace_id = ?1 AND m.session = ?2 AND m.state = 0
          ORDER BY m.id LIMIT ?3"
    );
    rows.list(sql, params![rows.workspace, session.to_bytes(), limit])
}

pub(crate) fn get(
    rows: &Rows<'_>,
    session: SessionId,
    fingerprint: Fingerprint,
) -> Result<Option<MemoryId>, Failure> {
    let sql = "SELECT id FROM memory_facts
               WHERE workspace_id = ?1 AND fingerprint = ?2 AND state = 0 AND session = ?3";
    let found: Option<[u8; 16]> = rows
        .statement(sql)?
        .query_row(
            params![rows.workspace, fingerprint, session.to_bytes()],
            |row| row.get(0),
        )
        .optional()?;
    Ok(found.map(MemoryId::from_bytes))
}

pub(crate) fn set_state(
    rows: &mut Rows<'_>,
    id: MemoryId,
    entry: &HistoryRow,
) -> Result<bool, Failure> {
    let sql = "SELECT state FROM memory_facts WHERE workspace_id = ?1 AND id = ?2";
    let now: Option<u8> = rows
        .statement(sql)?
        .query_row(params![rows.workspace, id.to_bytes()], |row| row.get(0))
        .optional()?;
    if now.is_none_or(|now| now == entry.state.code()) {
        return Ok(false);
    }
    memory::move_to(rows, id, entry)?;
    Ok(true)
}

pub(crate) fn put_command_runs(
    rows: &mut Rows<'_>,
    session: SessionId,
    runs: &[Fingerprint],
) -> Result<Vec<u64>, Failure> {
    if runs.is_empty() {
        return Ok(Vec::new());
    }
    rows.writing()?;
    let mut put = rows.statement(
        "INSERT INTO command_run (workspace_id, run, session) VALUES (?1, ?2, ?3)
         ON CONFLICT DO NOTHING",
    )?;
    let mut count =
        rows.statement("SELECT COUNT(*) FROM command_run WHERE workspace_id = ?1 AND run = ?2")?;
    let mut known = Vec::with_capacity(runs.len());
    for run in runs {
        put.execute(params![rows.workspace, run, session.to_bytes()])?;
        known.push(count.query_row(params![rows.workspace, run], |row| row.get(0))?);
    }
    Ok(known)
}
