//! Statements on the installation's own tables: instance, tenants, credentials.

use rusqlite::{Connection, OptionalExtension, Row, params};
use skep_crypto::{Sealed, WrappedKey};
use skep_domain::{
    OrganizationId, PermissionSet, PolicyGroupId, Principal, ReadPolicy, Role, WorkspaceId,
};
use skep_store::StoreError;
use skep_store::backend::{CredentialKey, StoredPrincipal};
use skep_store::row::{CredentialRow, InstanceRow, WorkspaceRow};

use crate::column::{id, principal_from, principal_kind, sealed, time};
use crate::failure::Failure;

/// The ids of a tenant's workspace, as columns.
type Tenant = ([u8; 16], [u8; 16]);

const SOCKET_OWNER: u8 = 0;
const INSTALL_TOKEN: u8 = 1;

const ISOLATED: &str = "isolated";
const SHARED: &str = "shared";
const GROUP: &str = "group";

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
    let sql = "SELECT wrapped_key, name, created_at FROM workspace
               WHERE organization = ?1 AND id = ?2";
    connection
        .prepare_cached(sql)?
        .query_and_then(params![organization, workspace], |row| {
            Ok(WorkspaceRow {
                key: WrappedKey::from_bytes(row.get(0)?),
                name: sealed(row, 1)?,
                created_at: time(row, 2)?,
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
        "INSERT INTO workspace (organization, id, wrapped_key, name, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5)",
        params![
            organization,
            workspace,
            row.key.as_bytes(),
            Sealed::as_bytes(&row.name),
            created_at
        ],
    );
    named(inserted, "a workspace with this id")?;
    credentials.iter().try_for_each(|credential| {
        put_credential(connection, (organization, workspace), credential)
    })
}

fn put_credential(
    connection: &Connection,
    (organization, workspace): Tenant,
    row: &CredentialRow,
) -> Result<(), Failure> {
    let (kind, digest) = key_columns(&row.key);
    let (policy, group) = policy_columns(row.policy);
    let inserted = connection.execute(
        "INSERT INTO credential (kind, digest, organization, workspace, principal_kind, principal,
             role, policy, policy_group, permissions, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, NULL, ?10)",
        params![
            kind,
            digest,
            organization,
            workspace,
            principal_kind(row.principal),
            row.principal.to_bytes(),
            row.role.as_str(),
            policy,
            group,
            row.created_at.as_micros()
        ],
    );
    named(inserted, "this credential")
}

pub(crate) fn workspaces(
    connection: &Connection,
) -> Result<Vec<(OrganizationId, WorkspaceId)>, Failure> {
    connection
        .prepare_cached("SELECT organization, id FROM workspace ORDER BY id")?
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
        "INSERT INTO credential (kind, digest, organization, workspace, principal_kind, principal,
             role, policy, policy_group, permissions, created_at)
         SELECT kind, ?4, organization, workspace, principal_kind, principal, role, policy,
             policy_group, permissions, created_at
         FROM credential WHERE organization = ?1 AND workspace = ?2 AND kind = ?3
         ORDER BY created_at LIMIT 1",
        params![organization, workspace, INSTALL_TOKEN, digest],
    );
    named(inserted, "this credential")?;
    connection.execute(
        "DELETE FROM credential
         WHERE organization = ?1 AND workspace = ?2 AND kind = ?3 AND digest <> ?4",
        params![organization, workspace, INSTALL_TOKEN, digest],
    )?;
    Ok(())
}

/// Whose credential it is. A row that does not make sense is no credential: an unknown role or
/// permission bit must never be read as a smaller set, and a malformed policy reads as isolated.
pub(crate) fn credential(
    connection: &Connection,
    key: &CredentialKey,
) -> Result<Option<StoredPrincipal>, Failure> {
    let (kind, digest) = key_columns(key);
    let sql = "SELECT organization, workspace, principal_kind, principal, role, policy,
                   policy_group, permissions
               FROM credential WHERE kind = ?1 AND digest = ?2";
    let found = connection
        .prepare_cached(sql)?
        .query_row(params![kind, digest], |row| Ok(stored(row, *key)))
        .optional()?;
    found.transpose().map(Option::flatten)
}

/// The read policies that a principal's credentials state.
pub(crate) fn policies(
    connection: &Connection,
    (organization, workspace): Tenant,
    principal: Principal,
) -> Result<Vec<ReadPolicy>, Failure> {
    let sql = "SELECT policy, policy_group FROM credential
               WHERE organization = ?1 AND workspace = ?2 AND principal_kind = ?3 AND principal = ?4
               ORDER BY kind, digest";
    let mut statement = connection.prepare_cached(sql)?;
    let kind = principal_kind(principal);
    let rows = statement.query_map(
        params![organization, workspace, kind, principal.to_bytes()],
        |row| Ok(policy(&row.get::<_, String>(0)?, row.get(1)?)),
    )?;
    Ok(rows.collect::<Result<_, _>>()?)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place of this backend where a credential's row becomes a principal"
)]
fn stored(row: &Row<'_>, key: CredentialKey) -> Result<Option<StoredPrincipal>, Failure> {
    let tenant = (id(row, 0)?, id(row, 1)?);
    let principal = principal_from(row.get(2)?, row.get(3)?);
    let role = Role::parse(&row.get::<_, String>(4)?);
    let policy = policy(&row.get::<_, String>(5)?, row.get(6)?);
    let bits = row.get::<_, Option<i64>>(7)?.map(i64::cast_unsigned);
    let permissions = bits.map(PermissionSet::from_bits).transpose();
    let (Some(principal), Some(role), Ok(permissions)) = (principal, role, permissions) else {
        return Ok(None);
    };
    Ok(Some(StoredPrincipal::from_row(
        key,
        tenant,
        principal,
        role,
        policy,
        permissions,
    )))
}

fn key_columns(key: &CredentialKey) -> (u8, Vec<u8>) {
    match key {
        CredentialKey::SocketOwner => (SOCKET_OWNER, Vec::new()),
        CredentialKey::InstallToken(digest) => (INSTALL_TOKEN, digest.to_vec()),
    }
}

fn policy_columns(policy: ReadPolicy) -> (&'static str, Option<[u8; 16]>) {
    match policy {
        ReadPolicy::Isolated => (ISOLATED, None),
        ReadPolicy::Shared => (SHARED, None),
        ReadPolicy::Group(group) => (GROUP, Some(group.0)),
    }
}

fn policy(name: &str, group: Option<Vec<u8>>) -> ReadPolicy {
    let group = group.and_then(|group| <[u8; 16]>::try_from(group).ok());
    match (name, group) {
        (SHARED, None) => ReadPolicy::Shared,
        (GROUP, Some(group)) => ReadPolicy::Group(PolicyGroupId(group)),
        _ => ReadPolicy::Isolated,
    }
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
