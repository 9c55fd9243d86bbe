//! A workspace that was deleted: its file goes whole, and its rows in the control data in batches.

use rusqlite::{Connection, params};
use skep_domain::Id;
use skep_store::row::{JobLease, NewJobRow};
use skep_store::{ScopeKey, StoreError};

use crate::control::job;
use crate::failure::Failure;

/// What belongs to a workspace in the control data, before its own row.
const CONTROL: [(&str, &str); 6] = [
    (
        "credential",
        "DELETE FROM credential WHERE id IN (SELECT id FROM credential
             WHERE organization = ?1 AND workspace = ?2 LIMIT ?3)",
    ),
    (
        "directive",
        "DELETE FROM directive WHERE organization = ?1 AND workspace = ?2 AND id IN (
             SELECT id FROM directive WHERE organization = ?1 AND workspace = ?2 LIMIT ?3)",
    ),
    (
        "directive_promotion",
        "DELETE FROM directive_promotion WHERE organization = ?1 AND workspace = ?2 AND ordinal IN (
             SELECT ordinal FROM directive_promotion
             WHERE organization = ?1 AND workspace = ?2 LIMIT ?3)",
    ),
    (
        "agent",
        "DELETE FROM agent WHERE organization = ?1 AND workspace = ?2 AND id IN (
             SELECT id FROM agent WHERE organization = ?1 AND workspace = ?2 LIMIT ?3)",
    ),
    (
        "policy_group",
        "DELETE FROM policy_group WHERE organization = ?1 AND workspace = ?2 AND id IN (
             SELECT id FROM policy_group WHERE organization = ?1 AND workspace = ?2 LIMIT ?3)",
    ),
    (
        "workspace_member",
        "DELETE FROM workspace_member WHERE organization = ?1 AND workspace = ?2 AND user IN (
             SELECT user FROM workspace_member
             WHERE organization = ?1 AND workspace = ?2 LIMIT ?3)",
    ),
];

/// What a step did to the control data.
pub(crate) enum Erased {
    /// So many rows, and there may be more.
    Rows(u64),
    /// The last of it, or there was nothing.
    All,
}

/// Deletes a workspace: its key and its name are no more, and a job is queued. `false` when there is
/// none.
pub(crate) fn retire(
    connection: &Connection,
    scope: &ScopeKey,
    row: &NewJobRow,
) -> Result<bool, Failure> {
    let (organization, workspace) = ids(scope);
    let retired = connection
        .prepare_cached(
            "UPDATE workspace
             SET gone_at = ?3, wrapped_key = zeroblob(0), name = zeroblob(0), fingerprint = NULL
             WHERE organization = ?1 AND id = ?2 AND gone_at IS NULL",
        )?
        .execute(params![organization, workspace, row.created_at.as_micros()])?;
    if retired == 0 {
        return Ok(false);
    }
    job::put(connection, row)?;
    Ok(true)
}

/// Workspaces that were deleted and have something left.
pub(crate) fn gone(connection: &Connection) -> Result<Vec<[u8; 16]>, Failure> {
    connection
        .prepare_cached("SELECT id FROM workspace WHERE gone_at IS NOT NULL")?
        .query_and_then([], |row| Ok(row.get(0)?))?
        .collect()
}

/// Makes sure that whoever asks has the job, and that the workspace was deleted or is no more.
pub(crate) fn enter(
    connection: &Connection,
    scope: &ScopeKey,
    lease: JobLease,
    until: i64,
) -> Result<(), Failure> {
    let (organization, workspace) = ids(scope);
    if !job::renew(connection, lease, until)? {
        return Err(StoreError::Conflict("another holder of this job").into());
    }
    let is_there = connection
        .prepare_cached(
            "SELECT 1 FROM workspace WHERE organization = ?1 AND id = ?2 AND gone_at IS NULL",
        )?
        .exists([organization, workspace])?;
    if is_there {
        return Err(StoreError::Refused("the workspace was not deleted".into()).into());
    }
    Ok(())
}

/// Erases up to so many rows of the control data; at last the workspace's own, which nothing refers to
/// then.
pub(crate) fn erase(
    connection: &Connection,
    scope: &ScopeKey,
    lease: JobLease,
    limit: u32,
) -> Result<Erased, Failure> {
    let (organization, workspace) = ids(scope);
    let mut left = u64::from(limit);
    for (name, sql) in CONTROL {
        let values = params![organization, workspace, left];
        let erased = connection.prepare_cached(sql)?.execute(values)? as u64;
        if erased > 0 {
            job::count(connection, lease.id, &[(name, erased)], true)?;
        }
        left -= erased;
        if left == 0 {
            break;
        }
    }
    if left < u64::from(limit) {
        return Ok(Erased::Rows(u64::from(limit) - left));
    }
    let ended = connection
        .prepare_cached("DELETE FROM workspace WHERE organization = ?1 AND id = ?2")?
        .execute([organization, workspace])?;
    if ended > 0 {
        job::count(connection, lease.id, &[("workspace", 1)], true)?;
    }
    Ok(Erased::All)
}

fn ids(scope: &ScopeKey) -> ([u8; 16], [u8; 16]) {
    (
        scope.organization().to_bytes(),
        scope.workspace().to_bytes(),
    )
}
