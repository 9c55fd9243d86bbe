//! Statements on the installation's own tables: instance, tenants, credentials.

mod access;
mod audit;
mod credential;
mod directive;
mod factor;
pub(crate) mod job;
mod key;
mod ledger;
mod meter;
mod setting;
mod sink;
mod tenant;
mod ticket;
mod user;

pub(crate) use access::SqliteControlTx;
pub(crate) use credential::{find as credential, policies};

use rusqlite::{Connection, params};
use skep_crypto::{Sealed, WrappedKey};
use skep_domain::{OrganizationId, WorkspaceId};
use skep_store::backend::CredentialKey;
use skep_store::column::{id, key_columns, sealed, time};
use skep_store::row::{CredentialRow, InstanceRow, WorkspaceRow};
use skep_store::{OTHER_ROOT, StoreError};

use crate::failure::Failure;
use credential::INSTALL_TOKEN;

/// The ids of a tenant's workspace, as columns.
type Tenant = ([u8; 16], [u8; 16]);

pub(crate) fn instance(connection: &Connection) -> Result<Option<InstanceRow>, Failure> {
    connection
        .prepare_cached("SELECT id, secret, created_at FROM instance WHERE slot = 1")?
        .query_and_then([], |row| {
            Ok(InstanceRow {
                id: row.get(0)?,
                secret: WrappedKey::from_bytes(row.get(1)?),
                created_at: time(row, 2)?,
            })
        })?
        .next()
        .transpose()
}

pub(crate) fn put_instance(connection: &Connection, row: &InstanceRow) -> Result<(), Failure> {
    let inserted = connection.execute(
        "INSERT INTO instance (slot, id, secret, created_at) VALUES (1, ?1, ?2, ?3)",
        params![row.id, row.secret.as_bytes(), row.created_at.as_micros()],
    );
    named(inserted, "an installation")
}

pub(crate) fn workspace(
    connection: &Connection,
    (organization, workspace): Tenant,
) -> Result<Option<WorkspaceRow>, Failure> {
    let sql = "SELECT wrapped_key, name, created_at, fingerprint FROM workspace
               WHERE organization = ?1 AND id = ?2 AND gone_at IS NULL";
    connection
        .prepare_cached(sql)?
        .query_and_then(params![organization, workspace], |row| {
            Ok(WorkspaceRow {
                key: WrappedKey::from_bytes(row.get(0)?),
                name: sealed(row, 1)?,
                created_at: time(row, 2)?,
                fingerprint: row.get(3)?,
            })
        })?
        .next()
        .transpose()
}

/// Whether the id is taken, under whatever tenant.
pub(crate) fn is_taken(connection: &Connection, workspace: [u8; 16]) -> Result<bool, Failure> {
    Ok(connection
        .prepare_cached("SELECT 1 FROM workspace WHERE id = ?1")?
        .exists([workspace])?)
}

pub(crate) fn put_workspace(
    connection: &Connection,
    (organization, workspace): Tenant,
    row: &WorkspaceRow,
    credentials: &[CredentialRow],
) -> Result<(), Failure> {
    let created_at = row.created_at.as_micros();
    connection.execute(
        "INSERT INTO organization (id, created_at) VALUES (?1, ?2) ON CONFLICT (id) DO NOTHING",
        params![organization, created_at],
    )?;
    let inserted = connection.execute(
        // Nobody who has not heard of another root key wraps a key under the old one.
        "INSERT INTO workspace (organization, id, wrapped_key, name, created_at, fingerprint)
         SELECT ?1, ?2, ?3, ?4, ?5, ?6 FROM instance
         WHERE slot = 1 AND substr(secret, 2, 8) = substr(?3, 2, 8)",
        params![
            organization,
            workspace,
            row.key.as_bytes(),
            Sealed::as_bytes(&row.name),
            created_at,
            row.fingerprint
        ],
    );
    if matches!(inserted, Ok(0)) {
        return Err(StoreError::Refused(OTHER_ROOT.into()).into());
    }
    named(inserted, "a workspace with this id or name")?;
    credentials.iter().try_for_each(|credential| {
        credential::put_own(connection, (organization, workspace), credential)
    })
}

pub(crate) fn workspaces(
    connection: &Connection,
) -> Result<Vec<(OrganizationId, WorkspaceId)>, Failure> {
    connection
        .prepare_cached("SELECT organization, id FROM workspace WHERE gone_at IS NULL ORDER BY id")?
        .query_and_then([], |row| Ok((id(row, 0)?, id(row, 1)?)))?
        .collect()
}

/// The new token takes over the rights of the one that is there. Where several are, they must be
/// one principal's: which rights the new one should have would be a guess.
pub(crate) fn replace_install_token(
    connection: &Connection,
    (organization, workspace): Tenant,
    new: &CredentialKey,
) -> Result<(), Failure> {
    let (kind, digest) = key_columns(new);
    if kind != INSTALL_TOKEN {
        return Err(StoreError::Refused("only an install token replaces one".into()).into());
    }
    let sql = "SELECT COUNT(DISTINCT principal) FROM credential
               WHERE organization = ?1 AND workspace = ?2 AND kind = ?3";
    let principals: i64 = connection
        .prepare_cached(sql)?
        .query_row(params![organization, workspace, INSTALL_TOKEN], |row| {
            row.get(0)
        })?;
    if principals != 1 {
        return Err(StoreError::Refused(
            "the install tokens of the workspace are not one principal's".into(),
        )
        .into());
    }
    let inserted = connection.execute(
        "INSERT INTO credential (id, kind, proof, pepper, organization, workspace, principal_kind,
             principal, role, policy, policy_group, permissions, created_at)
         SELECT randomblob(16), kind, ?4, pepper, organization, workspace, principal_kind, principal, role, policy,
             policy_group, permissions, created_at
         FROM credential WHERE organization = ?1 AND workspace = ?2 AND kind = ?3
         ORDER BY created_at LIMIT 1",
        params![organization, workspace, INSTALL_TOKEN, digest],
    );
    named(inserted, "this credential")?;
    connection.execute(
        "DELETE FROM credential
         WHERE organization = ?1 AND workspace = ?2 AND kind = ?3 AND proof <> ?4",
        params![organization, workspace, INSTALL_TOKEN, digest],
    )?;
    Ok(())
}

/// A taken key, under the name of what holds it.
fn named(outcome: rusqlite::Result<usize>, what: &'static str) -> Result<(), Failure> {
    outcome.map(|_| ()).map_err(|error| name(error, what))
}

fn name(error: rusqlite::Error, what: &'static str) -> Failure {
    match Failure::from(error) {
        taken if taken.is_taken() => StoreError::Conflict(what).into(),
        other => other,
    }
}

#[cfg(test)]
mod tests;
