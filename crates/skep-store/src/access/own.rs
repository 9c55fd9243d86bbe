//! A transaction for a known caller and what is theirs alone.

use skep_authz::Caller;
use skep_domain::{
    CredentialId, CredentialKind, OrganizationId, Principal, Timestamp, UserId, WorkspaceId,
};

use super::{Credential, DoorTx, NewBearer, NewSecret};
use crate::StoreError;
use crate::backend::PageOf;
use crate::backend::control::CredentialFilter;

/// A transaction on what belongs to one caller: their credentials, their factors, their name.
/// Dropped without [`SelfTx::commit`], it leaves nothing.
pub struct SelfTx {
    pub(super) door: DoorTx,
    pub(super) organization: OrganizationId,
    pub(super) workspace: WorkspaceId,
    pub(super) principal: Principal,
}

impl SelfTx {
    pub(crate) fn new(door: DoorTx, caller: &Caller) -> Self {
        Self {
            door,
            organization: caller.organization(),
            workspace: caller.workspace(),
            principal: caller.principal(),
        }
    }

    /// The moment that this transaction takes for the present.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.door.now
    }

    /// Who they are, if they are human.
    #[must_use]
    pub fn user(&self) -> Option<UserId> {
        match self.principal {
            Principal::User(user) => Some(user),
            Principal::Agent(_) => None,
        }
    }

    /// Makes a credential that proves them, for the workspace they are in.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_bearer(&mut self, new: NewBearer) -> Result<NewSecret, StoreError> {
        let (tenant, who) = ((self.organization, self.workspace), self.principal);
        self.door.put_bearer(tenant, who, new).await
    }

    /// Their credentials of these kinds, newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_credentials(
        &mut self,
        kinds: &[CredentialKind],
        page: PageOf<CredentialId>,
    ) -> Result<Vec<Credential>, StoreError> {
        let filter = CredentialFilter {
            kinds: kinds.to_vec(),
            principal: Some(self.principal),
            workspace: None,
        };
        self.door
            .list_credentials(self.organization, &filter, page)
            .await
    }

    /// One of their credentials.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get_credential(
        &mut self,
        id: CredentialId,
    ) -> Result<Option<Credential>, StoreError> {
        let found = self.door.get_credential(self.organization, id).await?;
        Ok(found.filter(|found| found.principal == self.principal))
    }

    /// Revokes one of theirs; `false` when they have none such that still counts.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn revoke(&mut self, id: CredentialId) -> Result<bool, StoreError> {
        let found = self.door.rows.credential_of(self.organization, id).await?;
        if found.is_none_or(|found| found.principal != self.principal) {
            return Ok(false);
        }
        self.door.revoke_credential(self.organization, id).await
    }

    /// Ends the transaction; what it wrote is durable when this returns.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn commit(self) -> Result<(), StoreError> {
        self.door.commit().await
    }
}

impl std::fmt::Debug for SelfTx {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SelfTx")
            .field("principal", &self.principal)
            .finish_non_exhaustive()
    }
}
