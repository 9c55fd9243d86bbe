//! A transaction for those not yet known.

use std::sync::Arc;

use skep_domain::{CredentialId, Id, OrganizationId, Role, Timestamp, UserId, WorkspaceId};

use super::news::News;
use super::{ControlKeys, Crier};
use crate::StoreError;
use crate::backend::control::CredentialFilter;
use crate::backend::{ControlTx, PageOf};

/// Where nothing owns a row.
pub(super) const NOBODY: [u8; 16] = [0; 16];

/// A transaction on the installation's own rows that is confined to nothing: what lets somebody in
/// has to look for them everywhere. Dropped without [`DoorTx::commit`], it leaves nothing.
pub struct DoorTx {
    pub(crate) rows: Box<dyn ControlTx>,
    pub(super) keys: Arc<ControlKeys>,
    pub(super) now: Timestamp,
    pub(super) news: News,
}

impl DoorTx {
    pub(crate) fn new(
        rows: Box<dyn ControlTx>,
        keys: Arc<ControlKeys>,
        now: Timestamp,
        crier: &Crier,
    ) -> Self {
        Self {
            rows,
            keys,
            now,
            news: News::of(crier),
        }
    }

    /// The moment that this transaction takes for the present.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// A fresh id.
    #[must_use]
    pub fn mint<I: Id>(&self) -> I {
        I::mint(self.now, self.random())
    }

    /// Fresh random bytes.
    #[must_use]
    pub fn random<const N: usize>(&self) -> [u8; N] {
        self.keys.random().array()
    }

    /// Ends the transaction; what it wrote is durable when this returns.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn commit(mut self) -> Result<(), StoreError> {
        if !self.news.told().is_empty() {
            self.rows.announce(self.news.told()).await?;
        }
        let outcome = self.rows.commit().await;
        // After a failure nobody knows what is durable: whoever remembers a check makes it again.
        self.news.tell();
        outcome
    }

    /// The workspaces of an organization, by age.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_workspaces_of(
        &mut self,
        organization: OrganizationId,
    ) -> Result<Vec<super::WorkspaceSummary>, StoreError> {
        self.rows.workspaces_of(organization).await
    }

    /// What a human is in a workspace of an organization, if anything.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn role_in(
        &mut self,
        (organization, workspace): (OrganizationId, WorkspaceId),
        user: UserId,
    ) -> Result<Option<Role>, StoreError> {
        let Some(role) = self.rows.organization_role(organization, user).await? else {
            return Ok(None);
        };
        let roles = self.rows.workspace_roles(organization, user).await?;
        let membership = roles.iter().find(|(held, _)| *held == workspace);
        Ok(role.in_workspace(membership.map(|(_, role)| *role)))
    }

    /// Whether there are such credentials in an organization.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn has_credentials(
        &mut self,
        organization: OrganizationId,
        filter: &CredentialFilter,
        page: PageOf<CredentialId>,
    ) -> Result<bool, StoreError> {
        let found = self.rows.credentials(organization, filter, page).await?;
        Ok(!found.is_empty())
    }

    /// The first workspace of an organization that a human has a role in.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn home_of(
        &mut self,
        organization: OrganizationId,
        user: UserId,
    ) -> Result<Option<WorkspaceId>, StoreError> {
        let Some(role) = self.rows.organization_role(organization, user).await? else {
            return Ok(None);
        };
        let roles = self.rows.workspace_roles(organization, user).await?;
        let workspaces = self.rows.workspaces_of(organization).await?;
        Ok(workspaces
            .into_iter()
            .map(|workspace| workspace.id)
            .find(|id| {
                let membership = roles.iter().find(|(held, _)| held == id);
                role.in_workspace(membership.map(|(_, role)| *role))
                    .is_some()
            }))
    }
}

impl std::fmt::Debug for DoorTx {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DoorTx")
            .field("now", &self.now)
            .finish_non_exhaustive()
    }
}
