//! Statements on organizations, workspaces, agents and their groups.

use async_trait::async_trait;
use skep_crypto::Sealed;
use skep_domain::{AgentId, Id, OrganizationId, ReadPolicy, Standing, WorkspaceId};
use skep_store::StoreError;
use skep_store::backend::control::TenantRows;
use skep_store::column::{Stored, bytes_of, id, policy_columns, time};
use skep_store::row::{
    AgentRow, Fingerprint, OrganizationRow, PolicyGroupRow, WorkspaceSummaryRow,
};

use super::access::step;
use super::{PostgresControlTx, Tenant};
use crate::failure::Failure;
use crate::rows::Wire;
use crate::statement::statements;
use crate::value::values;

macro_rules! organization {
    ($rest:literal) => {
        concat!(
            "SELECT id, fingerprint, name, standing, created_at FROM organization ",
            $rest
        )
    };
}

macro_rules! agent {
    ($rest:literal) => {
        concat!(
            "SELECT id, fingerprint, name, policy, policy_group, standing, created_at FROM agent
             WHERE organization = $1 AND workspace = $2 AND ",
            $rest
        )
    };
}

macro_rules! group {
    ($rest:literal) => {
        concat!(
            "SELECT id, fingerprint, name, created_at FROM policy_group
             WHERE organization = $1 AND workspace = $2 ",
            $rest
        )
    };
}

statements! {
    PUT_ORGANIZATION = "INSERT INTO organization (id, fingerprint, name, standing, created_at)
        VALUES ($1, $2, $3, $4, $5)";
    ORGANIZATION = organization!("WHERE id = $1");
    ORGANIZATION_NAMED = organization!("WHERE fingerprint = $1");
    ORGANIZATIONS = organization!("ORDER BY id");
    NAME_ORGANIZATION = "UPDATE organization SET fingerprint = $2, name = $3 WHERE id = $1";
    SET_ORGANIZATION_STANDING = "UPDATE organization SET standing = $2 WHERE id = $1";
    WORKSPACES = "SELECT id, created_at FROM workspace
        WHERE organization = $1 AND gone_at IS NULL ORDER BY id";
    PUT_AGENT = "INSERT INTO agent (organization, workspace, id, name, fingerprint, policy,
            policy_group, standing, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    AGENT = agent!("id = $3");
    AGENT_NAMED = agent!("fingerprint = $3");
    AGENTS = agent!("($3::uuid IS NULL OR id > $3) ORDER BY id LIMIT $4");
    SET_AGENT_POLICY = "UPDATE agent SET policy = $4, policy_group = $5
        WHERE organization = $1 AND workspace = $2 AND id = $3";
    SET_AGENT_STANDING = "UPDATE agent SET standing = $4
        WHERE organization = $1 AND workspace = $2 AND id = $3";
    PUT_GROUP = "INSERT INTO policy_group (organization, workspace, id, name, fingerprint,
            created_at)
        VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (organization, workspace, fingerprint) DO NOTHING";
    GROUP_NAMED = group!("AND fingerprint = $3");
    GROUPS = group!("ORDER BY created_at, id");
}

async fn put_group(
    wire: &Wire<'_>,
    (organization, workspace): Tenant,
    row: &PolicyGroupRow,
) -> Result<PolicyGroupRow, Failure> {
    let values = values![
        organization,
        workspace,
        row.id.0,
        row.name.as_bytes(),
        row.fingerprint,
        row.created_at.as_micros()
    ];
    wire.run(PUT_GROUP, values).await?;
    let values = values![organization, workspace, row.fingerprint];
    let found = wire.find(GROUP_NAMED, values, PolicyGroupRow::read).await?;
    found.ok_or_else(|| StoreError::Damaged("a group that was just made").into())
}

/// The ids of a tenant's workspace, as columns.
fn columns((organization, workspace): (OrganizationId, WorkspaceId)) -> Tenant {
    (organization.to_bytes(), workspace.to_bytes())
}

#[async_trait]
impl TenantRows for PostgresControlTx {
    async fn put_organization(&mut self, row: OrganizationRow) -> Result<(), StoreError> {
        let values = values![
            row.id.to_bytes(),
            row.fingerprint,
            row.name.as_ref().map(Sealed::as_bytes),
            row.standing.code(),
            row.created_at.as_micros()
        ];
        self.put(PUT_ORGANIZATION, values, "an organization with this name")
            .await?;
        Ok(())
    }

    async fn organization(
        &mut self,
        id: OrganizationId,
    ) -> Result<Option<OrganizationRow>, StoreError> {
        let values = values![id.to_bytes()];
        self.find(ORGANIZATION, values, OrganizationRow::read).await
    }

    async fn organization_named(
        &mut self,
        fingerprint: Fingerprint,
    ) -> Result<Option<OrganizationRow>, StoreError> {
        let values = values![fingerprint];
        self.find(ORGANIZATION_NAMED, values, OrganizationRow::read)
            .await
    }

    async fn organizations(&mut self) -> Result<Vec<OrganizationRow>, StoreError> {
        self.list(ORGANIZATIONS, &[], OrganizationRow::read).await
    }

    async fn name_organization(&mut self, row: OrganizationRow) -> Result<(), StoreError> {
        let values = values![
            row.id.to_bytes(),
            row.fingerprint,
            row.name.as_ref().map(Sealed::as_bytes)
        ];
        self.put(NAME_ORGANIZATION, values, "an organization with this name")
            .await?;
        Ok(())
    }

    async fn set_organization_standing(
        &mut self,
        id: OrganizationId,
        standing: Standing,
    ) -> Result<bool, StoreError> {
        let values = values![id.to_bytes(), standing.code()];
        Ok(self.run(SET_ORGANIZATION_STANDING, values).await? > 0)
    }

    async fn workspaces_of(
        &mut self,
        organization: OrganizationId,
    ) -> Result<Vec<WorkspaceSummaryRow>, StoreError> {
        self.list(WORKSPACES, values![organization.to_bytes()], |row| {
            Ok(WorkspaceSummaryRow {
                id: id(row, 0)?,
                created_at: time(row, 1)?,
            })
        })
        .await
    }

    async fn put_agent(
        &mut self,
        tenant: (OrganizationId, WorkspaceId),
        row: AgentRow,
    ) -> Result<(), StoreError> {
        let (organization, workspace) = columns(tenant);
        let (policy, group) = policy_columns(row.policy);
        let values = values![
            organization,
            workspace,
            row.id.to_bytes(),
            row.name.as_bytes(),
            row.fingerprint,
            policy,
            group,
            row.standing.code(),
            row.created_at.as_micros()
        ];
        self.put(PUT_AGENT, values, "an agent with this name")
            .await?;
        Ok(())
    }

    async fn agent(
        &mut self,
        tenant: (OrganizationId, WorkspaceId),
        id: AgentId,
    ) -> Result<Option<AgentRow>, StoreError> {
        let (organization, workspace) = columns(tenant);
        let values = values![organization, workspace, id.to_bytes()];
        self.find(AGENT, values, AgentRow::read).await
    }

    async fn agent_named(
        &mut self,
        tenant: (OrganizationId, WorkspaceId),
        fingerprint: Fingerprint,
    ) -> Result<Option<AgentRow>, StoreError> {
        let (organization, workspace) = columns(tenant);
        let values = values![organization, workspace, fingerprint];
        self.find(AGENT_NAMED, values, AgentRow::read).await
    }

    async fn agents(
        &mut self,
        tenant: (OrganizationId, WorkspaceId),
        after: Option<AgentId>,
        limit: u32,
    ) -> Result<Vec<AgentRow>, StoreError> {
        let (organization, workspace) = columns(tenant);
        let values = values![organization, workspace, bytes_of(after), limit];
        self.list(AGENTS, values, AgentRow::read).await
    }

    async fn set_agent_policy(
        &mut self,
        tenant: (OrganizationId, WorkspaceId),
        id: AgentId,
        policy: ReadPolicy,
    ) -> Result<bool, StoreError> {
        let (organization, workspace) = columns(tenant);
        let (policy, group) = policy_columns(policy);
        let values = values![organization, workspace, id.to_bytes(), policy, group];
        Ok(self.run(SET_AGENT_POLICY, values).await? > 0)
    }

    async fn set_agent_standing(
        &mut self,
        tenant: (OrganizationId, WorkspaceId),
        id: AgentId,
        standing: Standing,
    ) -> Result<bool, StoreError> {
        let (organization, workspace) = columns(tenant);
        let values = values![organization, workspace, id.to_bytes(), standing.code()];
        Ok(self.run(SET_AGENT_STANDING, values).await? > 0)
    }

    async fn put_policy_group(
        &mut self,
        tenant: (OrganizationId, WorkspaceId),
        row: PolicyGroupRow,
    ) -> Result<PolicyGroupRow, StoreError> {
        step!(self, put_group, columns(tenant), &row)
    }

    async fn policy_groups(
        &mut self,
        tenant: (OrganizationId, WorkspaceId),
    ) -> Result<Vec<PolicyGroupRow>, StoreError> {
        let (organization, workspace) = columns(tenant);
        self.list(
            GROUPS,
            values![organization, workspace],
            PolicyGroupRow::read,
        )
        .await
    }
}
