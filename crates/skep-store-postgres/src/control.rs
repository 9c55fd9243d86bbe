//! Statements on the installation's own tables: instance, tenants, credentials.

pub(crate) mod access;
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

pub(crate) use access::PostgresControlTx;
pub(crate) use credential::{find as credential, policies};

use skep_crypto::{Sealed, WrappedKey};
use skep_domain::{OrganizationId, WorkspaceId};
use skep_store::backend::CredentialKey;
use skep_store::column::{id, key_columns, sealed, time};
use skep_store::row::{CredentialRow, InstanceRow, WorkspaceRow};
use skep_store::{OTHER_ROOT, StoreError};

use crate::failure::{Failure, named};
use crate::rows::Wire;
use crate::statement::statements;
use crate::value::values;
use credential::INSTALL_TOKEN;

/// The ids of a tenant's workspace, as columns.
type Tenant = ([u8; 16], [u8; 16]);

statements! {
    INSTANCE = "SELECT id, secret, created_at FROM instance WHERE slot = 1";
    PUT_INSTANCE = "INSERT INTO instance (slot, id, secret, created_at) VALUES (1, $1, $2, $3)";
    WORKSPACE = "SELECT wrapped_key, name, created_at, fingerprint FROM workspace
        WHERE organization = $1 AND id = $2 AND gone_at IS NULL";
    IS_TAKEN = "SELECT 1 FROM workspace WHERE id = $1";
    PUT_ORGANIZATION = "INSERT INTO organization (id, created_at) VALUES ($1, $2)
        ON CONFLICT (id) DO NOTHING";
    /// Nobody who has not heard of another root key wraps a key under the old one.
    PUT_WORKSPACE = "INSERT INTO workspace (organization, id, wrapped_key, name, created_at, fingerprint)
        SELECT $1, $2, $3::bytea, $4, $5, $6 FROM instance
        WHERE slot = 1 AND substr(secret, 2, 8) = substr($3::bytea, 2, 8)";
    WORKSPACES = "SELECT organization, id FROM workspace WHERE gone_at IS NULL ORDER BY id";
    PRINCIPALS_OF_KIND = "SELECT COUNT(DISTINCT principal) FROM credential
        WHERE organization = $1 AND workspace = $2 AND kind = $3";
    /// Another proof with the rights of the oldest.
    COPY_CREDENTIAL = "INSERT INTO credential (id, kind, proof, pepper, organization, workspace,
            principal_kind, principal, role, policy, policy_group, permissions, created_at)
        SELECT gen_random_uuid(), kind, $4::bytea, pepper, organization, workspace, principal_kind,
            principal, role, policy, policy_group, permissions, created_at
        FROM credential WHERE organization = $1 AND workspace = $2 AND kind = $3
        ORDER BY created_at, id LIMIT 1";
    DELETE_OTHERS = "DELETE FROM credential
        WHERE organization = $1 AND workspace = $2 AND kind = $3 AND proof <> $4";
}

/// Those of this module and of those below it.
pub(crate) const ALL: &[&[crate::statement::Statement]] = &[
    STATEMENTS,
    access::STATEMENTS,
    audit::STATEMENTS,
    credential::STATEMENTS,
    credential::BY_ID,
    factor::STATEMENTS,
    job::STATEMENTS,
    key::STATEMENTS,
    ledger::STATEMENTS,
    directive::STATEMENTS,
    meter::STATEMENTS,
    setting::STATEMENTS,
    sink::STATEMENTS,
    tenant::STATEMENTS,
    ticket::STATEMENTS,
    user::STATEMENTS,
];

pub(crate) async fn instance(wire: &Wire<'_>) -> Result<Option<InstanceRow>, Failure> {
    wire.find(INSTANCE, &[], |row| {
        Ok(InstanceRow {
            id: row.get(0)?,
            secret: WrappedKey::from_bytes(row.get(1)?),
            created_at: time(row, 2)?,
        })
    })
    .await
}

pub(crate) async fn put_instance(wire: &Wire<'_>, row: &InstanceRow) -> Result<(), Failure> {
    let values = values![row.id, row.secret.as_bytes(), row.created_at.as_micros()];
    named(wire.run(PUT_INSTANCE, values).await, "an installation")?;
    Ok(())
}

pub(crate) async fn workspace(
    wire: &Wire<'_>,
    (organization, workspace): Tenant,
) -> Result<Option<WorkspaceRow>, Failure> {
    wire.find(WORKSPACE, values![organization, workspace], |row| {
        Ok(WorkspaceRow {
            key: WrappedKey::from_bytes(row.get(0)?),
            name: sealed(row, 1)?,
            created_at: time(row, 2)?,
            fingerprint: row.get(3)?,
        })
    })
    .await
}

/// Whether the id is taken, under whatever tenant.
async fn is_taken(wire: &Wire<'_>, workspace: [u8; 16]) -> Result<bool, Failure> {
    wire.exists(IS_TAKEN, values![workspace]).await
}

/// The row of a workspace, what opens it, and its own first row: all or nothing.
pub(crate) async fn put_workspace(
    wire: &Wire<'_>,
    (organization, workspace): Tenant,
    row: &WorkspaceRow,
    credentials: &[CredentialRow],
) -> Result<(), Failure> {
    if is_taken(wire, workspace).await? {
        return Err(StoreError::Conflict("a workspace with this id").into());
    }
    let created_at = row.created_at.as_micros();
    wire.run(PUT_ORGANIZATION, values![organization, created_at])
        .await?;
    let values = values![
        organization,
        workspace,
        row.key.as_bytes(),
        Sealed::as_bytes(&row.name),
        created_at,
        row.fingerprint
    ];
    let inserted = wire.run(PUT_WORKSPACE, values).await;
    if matches!(inserted, Ok(0)) {
        return Err(StoreError::Refused(OTHER_ROOT.into()).into());
    }
    named(inserted, "a workspace with this id or name")?;
    credential::put_own(wire, (organization, workspace), credentials).await?;
    let begun = wire.put_identity(workspace, organization).await;
    named(begun, "the rows of this workspace")
}

pub(crate) async fn workspaces(
    wire: &Wire<'_>,
) -> Result<Vec<(OrganizationId, WorkspaceId)>, Failure> {
    wire.list(WORKSPACES, &[], |row| Ok((id(row, 0)?, id(row, 1)?)))
        .await
}

/// The new token takes over the rights of the one that is there. Where several are, they must be
/// one principal's: which rights the new one should have would be a guess.
pub(crate) async fn replace_install_token(
    wire: &Wire<'_>,
    (organization, workspace): Tenant,
    new: &CredentialKey,
) -> Result<(), Failure> {
    let (kind, digest) = key_columns(new);
    if kind != INSTALL_TOKEN {
        return Err(StoreError::Refused("only an install token replaces one".into()).into());
    }
    let of_kind = values![organization, workspace, INSTALL_TOKEN];
    let principals: u64 = wire
        .get(PRINCIPALS_OF_KIND, of_kind, |row| row.get(0))
        .await?;
    if principals != 1 {
        return Err(StoreError::Refused(
            "the install tokens of the workspace are not one principal's".into(),
        )
        .into());
    }
    let values = values![organization, workspace, INSTALL_TOKEN, digest];
    named(wire.run(COPY_CREDENTIAL, values).await, "this credential")?;
    wire.run(DELETE_OTHERS, values).await?;
    Ok(())
}
