//! Statements on projects and on import cursors.

use skep_crypto::Sealed;
use skep_domain::{Id, ProjectId};
use skep_store::column::{id, sealed};
use skep_store::row::{Fingerprint, ProjectRow};

use crate::failure::Failure;
use crate::rows::Rows;
use crate::statement::statements;
use crate::value::values;

statements! {
    FIND [once] = "SELECT id FROM project WHERE workspace_id = $1 AND fingerprint = $2";
    PUT = "INSERT INTO project (workspace_id, id, fingerprint, name) VALUES ($1, $2, $3, $4)";
    CURSOR [once] = "SELECT position FROM import_cursor WHERE workspace_id = $1 AND source = $2";
    PUT_CURSOR = "INSERT INTO import_cursor (workspace_id, source, position) VALUES ($1, $2, $3)
        ON CONFLICT (workspace_id, source) DO UPDATE SET position = excluded.position";
}

pub(crate) async fn find(
    rows: &Rows<'_>,
    fingerprint: Fingerprint,
) -> Result<Option<ProjectId>, Failure> {
    let values = values![rows.workspace, fingerprint];
    rows.find(FIND, values, |row| id(row, 0)).await
}

pub(crate) async fn put(rows: &mut Rows<'_>, row: &ProjectRow) -> Result<ProjectId, Failure> {
    if let Some(known) = find(rows, row.fingerprint).await? {
        return Ok(known);
    }
    rows.writing().await?;
    let values = values![
        rows.workspace,
        row.id.to_bytes(),
        row.fingerprint,
        row.name.as_bytes()
    ];
    rows.run(PUT, values).await?;
    Ok(row.id)
}

pub(crate) async fn cursor(
    rows: &Rows<'_>,
    source: Fingerprint,
) -> Result<Option<Sealed>, Failure> {
    let values = values![rows.workspace, source];
    rows.find(CURSOR, values, |row| sealed(row, 0)).await
}

pub(crate) async fn put_cursor(
    rows: &mut Rows<'_>,
    source: Fingerprint,
    position: &Sealed,
) -> Result<(), Failure> {
    rows.writing().await?;
    let values = values![rows.workspace, source, position.as_bytes()];
    rows.run(PUT_CURSOR, values).await?;
    Ok(())
}
