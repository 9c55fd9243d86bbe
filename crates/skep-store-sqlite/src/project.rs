//! Statements on projects and on import cursors.

use rusqlite::{OptionalExtension, params};
use skep_crypto::Sealed;
use skep_domain::{Id, ProjectId};
use skep_store::row::{Fingerprint, ProjectRow};

use crate::failure::Failure;
use crate::rows::Rows;

pub(crate) fn find(
    rows: &Rows<'_>,
    fingerprint: Fingerprint,
) -> Result<Option<ProjectId>, Failure> {
    let sql = "SELECT id FROM project WHERE workspace_id = ?1 AND fingerprint = ?2";
    let found = rows
        .statement(sql)?
        .query_row(params![rows.workspace, fingerprint], |row| row.get(0))
        .optional()?;
    Ok(found.map(ProjectId::from_bytes))
}

pub(crate) fn put(rows: &mut Rows<'_>, row: &ProjectRow) -> Result<ProjectId, Failure> {
    if let Some(known) = find(rows, row.fingerprint)? {
        return Ok(known);
    }
    rows.writing()?;
    let sql = "INSERT INTO project (workspace_id, id, fingerprint, name) VALUES (?1, ?2, ?3, ?4)";
    rows.statement(sql)?.execute(params![
        rows.workspace,
        row.id.to_bytes(),
        row.fingerprint,
        row.name.as_bytes()
    ])?;
    Ok(row.id)
}

pub(crate) fn cursor(rows: &Rows<'_>, source: Fingerprint) -> Result<Option<Sealed>, Failure> {
    let sql = "SELECT position FROM import_cursor WHERE workspace_id = ?1 AND source = ?2";
    let found = rows
        .statement(sql)?
        .query_row(params![rows.workspace, source], |row| row.get(0))
        .optional()?;
    Ok(found.map(Sealed::from_bytes))
}

pub(crate) fn put_cursor(
    rows: &mut Rows<'_>,
    source: Fingerprint,
    position: &Sealed,
) -> Result<(), Failure> {
    rows.writing()?;
    let sql = "INSERT INTO import_cursor (workspace_id, source, position) VALUES (?1, ?2, ?3)
               ON CONFLICT (workspace_id, source) DO UPDATE SET position = excluded.position";
    let values = params![rows.workspace, source, position.as_bytes()];
    rows.statement(sql)?.execute(values)?;
    Ok(())
}
