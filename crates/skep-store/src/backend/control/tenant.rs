//! Organizations, workspaces, agents and their groups.

use async_trait::async_trait;
use skep_domain::{AgentId, OrganizationId, ReadPolicy, Standing, WorkspaceId};

use crate::StoreError;
use crate::row::{AgentRow, Fingerprint, OrganizationRow, PolicyGroupRow, WorkspaceSummaryRow};

/// Organizations, workspaces, agents and their groups.
#[async_trait]
pub trait TenantRows {
    /// Keeps an organization; a name that is taken is [`StoreError::Conflict`].
    async fn put_organization(&mut self, row: OrganizationRow) -> Result<(), StoreError>;
    /// One organization.
    async fn organization(
        &mut self,
        id: OrganizationId,
    ) -> Result<Option<OrganizationRow>, StoreError>;
    /// The organization of a name.
    async fn organization_named(
        &mut self,
        fingerprint: Fingerprint,
    ) -> Result<Option<OrganizationRow>, StoreError>;
    /// Every organization, for whoever runs the installation.
    async fn organizations(&mut self) -> Result<Vec<OrganizationRow>, StoreError>;
    /// Sets an organization's name.
    async fn name_organization(&mut self, row: OrganizationRow) -> Result<(), StoreError>;
    /// Sets whether an organization may act; `false` when there is none.
    async fn set_organization_standing(
        &mut self,
        id: OrganizationId,
        standing: Standing,
    ) -> Result<bool, StoreError>;

    /// The workspaces of an organization.
    async fn workspaces_of(
        &mut self,
        organization: OrganizationId,
    ) -> Result<Vec<WorkspaceSummaryRow>, StoreError>;

    /// Keeps an agent; a name that is taken is [`StoreError::Conflict`].
    async fn put_agent(
        &mut self,
        tenant: (OrganizationId, WorkspaceId),
        row: AgentRow,
    ) -> Result<(), StoreError>;
    /// One agent.
    async fn agent(
        &mut self,
        tenant: (OrganizationId, WorkspaceId),
        id: AgentId,
    ) -> Result<Option<AgentRow>, StoreError>;
    /// The agent of a name.
    async fn agent_named(
        &mut self,
        tenant: (OrganizationId, WorkspaceId),
        fingerprint: Fingerprint,
    ) -> Result<Option<AgentRow>, StoreError>;
    /// The agents of a workspace, oldest first, after one.
    async fn agents(
        &mut self,
        tenant: (OrganizationId, WorkspaceId),
        after: Option<AgentId>,
        limit: u32,
    ) -> Result<Vec<AgentRow>, StoreError>;
    /// Sets what an agent reads; `false` when there is none.
    async fn set_agent_policy(
        &mut self,
        tenant: (OrganizationId, WorkspaceId),
        id: AgentId,
        policy: ReadPolicy,
    ) -> Result<bool, StoreError>;
    /// Sets whether an agent may act; `false` when there is none.
    async fn set_agent_standing(
        &mut self,
        tenant: (OrganizationId, WorkspaceId),
        id: AgentId,
        standing: Standing,
    ) -> Result<bool, StoreError>;

    /// The group of a name, made if there is none.
    async fn put_policy_group(
        &mut self,
        tenant: (OrganizationId, WorkspaceId),
        row: PolicyGroupRow,
    ) -> Result<PolicyGroupRow, StoreError>;
    /// The groups of a workspace.
    async fn policy_groups(
        &mut self,
        tenant: (OrganizationId, WorkspaceId),
    ) -> Result<Vec<PolicyGroupRow>, StoreError>;
}
