//! Statements on organizations, workspaces, agents and their groups.

use async_trait::async_trait;
use rusqlite::{Connection, Row, params};
use skep_crypto::Sealed;
use skep_domain::{AgentId, Id, OrganizationId, ReadPolicy, Standing, WorkspaceId};
use skep_store::StoreError;
use skep_store::backend::control::TenantRows;
use skep_store::column::{bytes_of, id, policy_columns, time};
use skep_store::row::{
    AgentRow, Fingerprint, OrganizationRow, PolicyGroupRow, WorkspaceSummaryRow,
};

use super::{SqliteControlTx, named};
use crate::column::stored;
use crate::failure::Failure;

const ORGANIZATION: &str = "SELECT id, fingerprint, name, standing, created_at FROM organization";
const AGENT: &str =
    "SELECT id, fingerprint, name, policy, policy_group, standing, created_at FROM agent
     WHERE organization = ?1 AND workspace = ?2";

/// The first row of a statement, if it has one.
fn first<T>(
    connection: &Connection,
    sql: &str,
    values: impl rusqlite::Params,
    read: fn(&Row<'_>) -> Result<T, Failure>,
) -> Result<Option<T>, Failure> {
    connection
        .prepare_cached(sql)?
        .query_and_then(values, read)?
        .next()
        .transpose()
}

fn all<T>(
    connection: &Connection,
    sql: &str,
    values: impl rusqlite::Params,
    read: fn(&Row<'_>) -> Result<T, Failure>,
) -> Result<Vec<T>, Failure> {
    connection
        .prepare_cached(sql)?
        .query_and_then(values, read)?
        .collect()
}

/// The ids of a tenant's workspace, as columns.
fn columns((organization, workspace): (OrganizationId, WorkspaceId)) -> ([u8; 16], [u8; 16]) {
    (organization.to_bytes(), workspace.to_bytes())
}

#[async_trait]
impl TenantRows for SqliteControlTx {
    async fn put_organization(&mut self, row: OrganizationRow) -> Result<(), StoreError> {
        self.run(move |connection| {
            let inserted = connection.execute(
                "INSERT INTO organization (id, fingerprint, name, standing, created_at)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
                params![
                    row.id.to_bytes(),
                    row.fingerprint,
                    row.name.as_ref().map(Sealed::as_bytes),
                    row.standing.code(),
                    row.created_at.as_micros()
                ],
            );
            named(inserted, "an organization with this name")
        })
        .await
    }

    async fn organization(
        &mut self,
        id: OrganizationId,
    ) -> Result<Option<OrganizationRow>, StoreError> {
        self.run(move |connection| {
            let sql = format!("{ORGANIZATION} WHERE id = ?1");
            first(connection, &sql, [id.to_bytes()], stored)
        })
        .await
    }

    async fn organization_named(
        &mut self,
        fingerprint: Fingerprint,
    ) -> Result<Option<OrganizationRow>, StoreError> {
        self.run(move |connection| {
            let sql = format!("{ORGANIZATION} WHERE fingerprint = ?1");
            first(connection, &sql, [fingerprint], stored)
        })
        .await
    }

    async fn organizations(&mut self) -> Result<Vec<OrganizationRow>, StoreError> {
        self.run(|connection| {
            let sql = format!("{ORGANIZATION} ORDER BY id");
            all(connection, &sql, [], stored)
        })
        .await
    }

    async fn name_organization(&mut self, row: OrganizationRow) -> Result<(), StoreError> {
        self.run(move |connection| {
            let updated = connection.execute(
                "UPDATE organization SET fingerprint = ?2, name = ?3 WHERE id = ?1",
                params![
                    row.id.to_bytes(),
                    row.fingerprint,
                    row.name.as_ref().map(Sealed::as_bytes)
                ],
            );
            named(updated, "an organization with this name")
        })
        .await
    }

    async fn set_organization_standing(
        &mut self,
        id: OrganizationId,
        standing: Standing,
    ) -> Result<bool, StoreError> {
        self.run(move |connection| {
            let changed = connection.execute(
                "UPDATE organization SET standing = ?2 WHERE id = ?1",
                params![id.to_bytes(), standing.code()],
            )?;
            Ok(changed > 0)
        })
        .await
    }

    async fn workspaces_of(
        &mut self,
        organization: OrganizationId,
    ) -> Result<Vec<WorkspaceSummaryRow>, StoreError> {
        self.run(move |connection| {
            let sql = "SELECT id, created_at FROM workspace
                       WHERE organization = ?1 AND gone_at IS NULL ORDER BY id";
            all(connection, sql, [organization.to_bytes()], |row| {
                Ok(WorkspaceSummaryRow {
                    id: id(row, 0)?,
                    created_at: time(row, 1)?,
                })
            })
        })
        .await
    }

    async fn put_agent(
        &mut self,
        tenant: (OrganizationId, WorkspaceId),
        row: AgentRow,
    ) -> Result<(), StoreError> {
        self.run(move |connection| {
            let (organization, workspace) = columns(tenant);
            let (policy, group) = policy_columns(row.policy);
            let inserted = connection.execute(
                "INSERT INTO agent (organization, workspace, id, name, fingerprint, policy,
                     policy_group, standing, created_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                params![
                    organization,
                    workspace,
                    row.id.to_bytes(),
                    row.name.as_bytes(),
                    row.fingerprint,
                    policy,
                    group,
                    row.standing.code(),
                    row.created_at.as_micros()
                ],
            );
            named(inserted, "an agent with this name")
        })
        .await
    }

    async fn agent(
        &mut self,
        tenant: (OrganizationId, WorkspaceId),
        id: AgentId,
    ) -> Result<Option<AgentRow>, StoreError> {
        self.run(move |connection| {
            let (organization, workspace) = columns(tenant);
            let sql = format!("{AGENT} AND id = ?3");
            let values = params![organization, workspace, id.to_bytes()];
            first(connection, &sql, values, stored)
        })
        .await
    }

    async fn agent_named(
        &mut self,
        tenant: (OrganizationId, WorkspaceId),
        fingerprint: Fingerprint,
    ) -> Result<Option<AgentRow>, StoreError> {
        self.run(move |connection| {
            let (organization, workspace) = columns(tenant);
            let sql = format!("{AGENT} AND fingerprint = ?3");
            let values = params![organization, workspace, fingerprint];
            first(connection, &sql, values, stored)
        })
        .await
    }

    async fn agents(
        &mut self,
        tenant: (OrganizationId, WorkspaceId),
        after: Option<AgentId>,
        limit: u32,
    ) -> Result<Vec<AgentRow>, StoreError> {
        self.run(move |connection| {
            let (organization, workspace) = columns(tenant);
            let sql = format!("{AGENT} AND (?3 IS NULL OR id > ?3) ORDER BY id LIMIT ?4");
            let values = params![organization, workspace, bytes_of(after), limit];
            all(connection, &sql, values, stored)
        })
        .await
    }

    async fn set_agent_policy(
        &mut self,
        tenant: (OrganizationId, WorkspaceId),
        id: AgentId,
        policy: ReadPolicy,
    ) -> Result<bool, StoreError> {
        self.run(move |connection| {
            let (organization, workspace) = columns(tenant);
            let (policy, group) = policy_columns(policy);
            let changed = connection.execute(
                "UPDATE agent SET policy = ?4, policy_group = ?5
                 WHERE organization = ?1 AND workspace = ?2 AND id = ?3",
                params![organization, workspace, id.to_bytes(), policy, group],
            )?;
            Ok(changed > 0)
        })
        .await
    }

    async fn set_agent_standing(
        &mut self,
        tenant: (OrganizationId, WorkspaceId),
        id: AgentId,
        standing: Standing,
    ) -> Result<bool, StoreError> {
        self.run(move |connection| {
            let (organization, workspace) = columns(tenant);
            let changed = connection.execute(
                "UPDATE agent SET standing = ?4
                 WHERE organization = ?1 AND workspace = ?2 AND id = ?3",
                params![organization, workspace, id.to_bytes(), standing.code()],
            )?;
            Ok(changed > 0)
        })
        .await
    }

    async fn put_policy_group(
        &mut self,
        tenant: (OrganizationId, WorkspaceId),
        row: PolicyGroupRow,
    ) -> Result<PolicyGroupRow, StoreError> {
        self.run(move |connection| {
            let (organization, workspace) = columns(tenant);
            connection.execute(
                "INSERT INTO policy_group (organization, workspace, id, name, fingerprint,
                     created_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT (organization, workspace, fingerprint) DO NOTHING",
                params![
                    organization,
                    workspace,
                    row.id.0,
                    row.name.as_bytes(),
                    row.fingerprint,
                    row.created_at.as_micros()
                ],
            )?;
            let sql = "SELECT id, fingerprint, name, created_at FROM policy_group
                       WHERE organization = ?1 AND workspace = ?2 AND fingerprint = ?3";
            let values = params![organization, workspace, row.fingerprint];
            first(connection, sql, values, stored)?
                .ok_or_else(|| StoreError::Damaged("a group that was just made").into())
        })
        .await
    }

    async fn policy_groups(
        &mut self,
        tenant: (OrganizationId, WorkspaceId),
    ) -> Result<Vec<PolicyGroupRow>, StoreError> {
        self.run(move |connection| {
            let (organization, workspace) = columns(tenant);
            let sql = "SELECT id, fingerprint, name, created_at FROM policy_group
                       WHERE organization = ?1 AND workspace = ?2 ORDER BY created_at, id";
            all(connection, sql, params![organization, workspace], stored)
        })
        .await
    }
}
