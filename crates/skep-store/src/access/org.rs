//! A transaction for whoever holds a right in an organization, confined to it.

use std::marker::PhantomData;

use skep_authz::{Authorized, Right};
use skep_domain::{CredentialId, Id, OrganizationId, Principal, Timestamp, WorkspaceId};

use super::DoorTx;
use crate::StoreError;

/// A transaction on the rows of one organization, opened with right `P`. Dropped without
/// [`OrgTx::commit`], it leaves nothing.
pub struct OrgTx<P: Right> {
    pub(super) door: DoorTx,
    pub(super) organization: OrganizationId,
    pub(super) workspace: WorkspaceId,
    pub(super) principal: Option<Principal>,
    pub(super) credential: Option<CredentialId>,
    right: PhantomData<fn() -> P>,
}

impl<P: Right> OrgTx<P> {
    pub(crate) fn new(door: DoorTx, authorized: Authorized<P>) -> Self {
        let this = Self {
            door,
            organization: authorized.organization(),
            workspace: authorized.workspace(),
            principal: authorized.principal(),
            credential: authorized.credential(),
            right: PhantomData,
        };
        drop(authorized);
        this
    }

    /// The organization that it is confined to.
    #[must_use]
    pub fn organization(&self) -> OrganizationId {
        self.organization
    }

    /// Who acts; `None` for upkeep.
    #[must_use]
    pub fn principal(&self) -> Option<Principal> {
        self.principal
    }

    /// The moment that this transaction takes for the present.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.door.now
    }

    /// A fresh id.
    #[must_use]
    pub fn mint<I: Id>(&self) -> I {
        self.door.mint()
    }

    /// Ends the transaction; what it wrote is durable when this returns.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn commit(self) -> Result<(), StoreError> {
        self.door.commit().await
    }

    pub(super) fn tenant(&self) -> (OrganizationId, WorkspaceId) {
        (self.organization, self.workspace)
    }
}

impl<P: Right> std::fmt::Debug for OrgTx<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OrgTx")
            .field("organization", &self.organization)
            .finish_non_exhaustive()
    }
}
