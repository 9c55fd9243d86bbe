//! Organizations, workspaces, agents and their groups.

use skep_authz::CanRead;
use skep_authz::rights::{MemberManage, OrgManage};
use skep_domain::{
    AgentId, Id, Name, OrganizationId, PolicyGroupId, ReadPolicy, Standing, Timestamp,
};

use super::door::NOBODY;
use super::keys::{AGENT_NAME, GROUP_NAME, ORGANIZATION_NAME};
use super::{ControlKeys, DoorTx, OrgTx, Revoked};
use crate::StoreError;
use crate::row::{AgentRow, Fingerprint, OrganizationRow, PolicyGroupRow, WorkspaceSummaryRow};

/// An organization.
#[derive(Clone, Debug)]
pub struct Organization {
    /// Its id.
    pub id: OrganizationId,
    /// Its name; none for one made before names were.
    pub name: Option<String>,
    /// Whether it may act.
    pub standing: Standing,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A workspace of an organization.
pub type WorkspaceSummary = WorkspaceSummaryRow;

/// An agent to make.
#[derive(Clone, Debug)]
pub struct NewAgent {
    /// Its name, unique in the workspace.
    pub name: Name,
    /// What it reads beside its own.
    pub policy: ReadPolicy,
}

/// An agent of a workspace.
#[derive(Clone, Debug)]
pub struct Agent {
    /// Its id.
    pub id: AgentId,
    /// Its name.
    pub name: String,
    /// What it reads beside its own.
    pub policy: ReadPolicy,
    /// Whether it may act.
    pub standing: Standing,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A group of agents that read each other's shared memories.
#[derive(Clone, Debug)]
pub struct PolicyGroup {
    /// Its id.
    pub id: PolicyGroupId,
    /// Its name.
    pub name: String,
}

impl DoorTx {
    /// Makes an organization.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the name is taken.
    pub async fn put_organization(
        &mut self,
        id: OrganizationId,
        name: &Name,
    ) -> Result<(), StoreError> {
        let row = self.named(id, name);
        self.rows.put_organization(row).await
    }

    /// Gives an organization a name, or another.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the name is taken.
    pub async fn name_organization(
        &mut self,
        id: OrganizationId,
        name: &Name,
    ) -> Result<(), StoreError> {
        let row = self.named(id, name);
        self.rows.name_organization(row).await
    }

    fn named(&self, id: OrganizationId, name: &Name) -> OrganizationRow {
        let at = (NOBODY, id.to_bytes());
        let sealed = self
            .keys
            .seal(ORGANIZATION_NAME, at, name.as_str().as_bytes());
        OrganizationRow {
            id,
            fingerprint: Some(organization_name(&self.keys, name)),
            name: Some(sealed),
            standing: Standing::Active,
            created_at: self.now,
        }
    }

    /// One organization.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get_organization(
        &mut self,
        id: OrganizationId,
    ) -> Result<Option<Organization>, StoreError> {
        let row = self.rows.organization(id).await?;
        row.map(|row| self.open_organization(row)).transpose()
    }

    /// The organization of a name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get_organization_named(
        &mut self,
        name: &Name,
    ) -> Result<Option<Organization>, StoreError> {
        let fingerprint = organization_name(&self.keys, name);
        let row = self.rows.organization_named(fingerprint).await?;
        row.map(|row| self.open_organization(row)).transpose()
    }

    /// Every organization, for whoever runs the installation.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_organizations(&mut self) -> Result<Vec<Organization>, StoreError> {
        let rows = self.rows.organizations().await?;
        rows.into_iter()
            .map(|row| self.open_organization(row))
            .collect()
    }

    /// Sets whether an organization may act; `false` when there is none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn set_organization_standing(
        &mut self,
        id: OrganizationId,
        standing: Standing,
    ) -> Result<bool, StoreError> {
        self.news.add(Revoked::Organization);
        self.rows.set_organization_standing(id, standing).await
    }

    fn open_organization(&self, row: OrganizationRow) -> Result<Organization, StoreError> {
        let at = (NOBODY, row.id.to_bytes());
        let name = row
            .name
            .map(|name| self.keys.open_text(ORGANIZATION_NAME, at, &name))
            .transpose()?;
        Ok(Organization {
            id: row.id,
            name,
            standing: row.standing,
            created_at: row.created_at,
        })
    }
}

impl<P: CanRead> OrgTx<P> {
    /// The organization itself.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get_organization(&mut self) -> Result<Option<Organization>, StoreError> {
        self.door.get_organization(self.organization).await
    }

    /// The workspaces of the organization.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_workspaces(&mut self) -> Result<Vec<WorkspaceSummary>, StoreError> {
        self.door.rows.workspaces_of(self.organization).await
    }

    /// One agent of the workspace.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get_agent(&mut self, id: AgentId) -> Result<Option<Agent>, StoreError> {
        let tenant = self.tenant();
        let row = self.door.rows.agent(tenant, id).await?;
        row.map(|row| self.open_agent(&row)).transpose()
    }

    /// The agent of a name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get_agent_named(&mut self, name: &Name) -> Result<Option<Agent>, StoreError> {
        let tenant = self.tenant();
        let fingerprint = self.name_in_workspace(b"agent", name);
        let row = self.door.rows.agent_named(tenant, fingerprint).await?;
        row.map(|row| self.open_agent(&row)).transpose()
    }

    /// The agents of the workspace, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_agents(
        &mut self,
        after: Option<AgentId>,
        limit: u32,
    ) -> Result<Vec<Agent>, StoreError> {
        let tenant = self.tenant();
        let rows = self.door.rows.agents(tenant, after, limit).await?;
        rows.iter().map(|row| self.open_agent(row)).collect()
    }

    /// The groups of agents in the workspace.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_policy_groups(&mut self) -> Result<Vec<PolicyGroup>, StoreError> {
        let tenant = self.tenant();
        let rows = self.door.rows.policy_groups(tenant).await?;
        rows.iter().map(|row| self.open_group(row)).collect()
    }

    fn open_agent(&self, row: &AgentRow) -> Result<Agent, StoreError> {
        let at = (self.workspace.to_bytes(), row.id.to_bytes());
        Ok(Agent {
            id: row.id,
            name: self.door.keys.open_text(AGENT_NAME, at, &row.name)?,
            policy: row.policy,
            standing: row.standing,
            created_at: row.created_at,
        })
    }

    fn open_group(&self, row: &PolicyGroupRow) -> Result<PolicyGroup, StoreError> {
        let at = (self.workspace.to_bytes(), row.id.0);
        Ok(PolicyGroup {
            id: row.id,
            name: self.door.keys.open_text(GROUP_NAME, at, &row.name)?,
        })
    }

    fn name_in_workspace(&self, of: &[u8], name: &Name) -> Fingerprint {
        let workspace = self.workspace.to_bytes();
        let skeleton = name.skeleton();
        self.door
            .keys
            .fingerprint(&[of, &workspace, skeleton.as_bytes()])
    }
}

impl OrgTx<MemberManage> {
    /// Makes an agent in the workspace.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the name is taken.
    pub async fn put_agent(&mut self, new: NewAgent) -> Result<AgentId, StoreError> {
        let id: AgentId = self.mint();
        let at = (self.workspace.to_bytes(), id.to_bytes());
        let name = new.name.as_str().as_bytes();
        let row = AgentRow {
            id,
            fingerprint: self.name_in_workspace(b"agent", &new.name),
            name: self.door.keys.seal(AGENT_NAME, at, name),
            policy: new.policy,
            standing: Standing::Active,
            created_at: self.door.now,
        };
        let tenant = self.tenant();
        self.door.rows.put_agent(tenant, row).await?;
        Ok(id)
    }

    /// Sets what an agent reads; `false` when there is none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn set_agent_policy(
        &mut self,
        id: AgentId,
        policy: ReadPolicy,
    ) -> Result<bool, StoreError> {
        let tenant = self.tenant();
        self.door.news.add(Revoked::Agent);
        self.door.rows.set_agent_policy(tenant, id, policy).await
    }

    /// Sets whether an agent may act; `false` when there is none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn set_agent_standing(
        &mut self,
        id: AgentId,
        standing: Standing,
    ) -> Result<bool, StoreError> {
        let tenant = self.tenant();
        self.door.news.add(Revoked::Agent);
        self.door
            .rows
            .set_agent_standing(tenant, id, standing)
            .await
    }

    /// The group of a name, made if there is none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_policy_group(&mut self, name: &Name) -> Result<PolicyGroupId, StoreError> {
        let id = PolicyGroupId(self.door.random());
        let at = (self.workspace.to_bytes(), id.0);
        let row = PolicyGroupRow {
            id,
            fingerprint: self.name_in_workspace(b"policy group", name),
            name: self
                .door
                .keys
                .seal(GROUP_NAME, at, name.as_str().as_bytes()),
            created_at: self.door.now,
        };
        let tenant = self.tenant();
        Ok(self.door.rows.put_policy_group(tenant, row).await?.id)
    }
}

impl OrgTx<OrgManage> {
    /// Gives the organization a name, or another.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the name is taken.
    pub async fn name_organization(&mut self, name: &Name) -> Result<(), StoreError> {
        let organization = self.organization;
        self.door.name_organization(organization, name).await
    }
}

fn organization_name(keys: &ControlKeys, name: &Name) -> Fingerprint {
    keys.fingerprint(&[b"organization", name.skeleton().as_bytes()])
}
