//! Credentials that are found by id.

use async_trait::async_trait;
use skep_domain::{
    CredentialId, CredentialKind, OrganizationId, Principal, Timestamp, UserId, WorkspaceId,
};

use crate::StoreError;
use crate::backend::{CredentialKey, PageOf, StoredCredential};
use crate::row::{CredentialSummaryRow, NewCredentialRow, PepperUse, ProofRow, Rotated};

/// Which credentials of an organization.
#[derive(Clone, Debug, Default)]
pub struct CredentialFilter {
    /// Of these kinds; all if empty.
    pub kinds: Vec<CredentialKind>,
    /// Of this principal.
    pub principal: Option<Principal>,
    /// Of this workspace.
    pub workspace: Option<WorkspaceId>,
}

/// Credentials.
#[async_trait]
pub trait CredentialRows {
    /// Whose credential is this, and how do they stand?
    async fn credential(
        &mut self,
        key: CredentialKey,
    ) -> Result<Option<StoredCredential>, StoreError>;
    /// Keeps one.
    async fn put_credential(&mut self, row: NewCredentialRow) -> Result<(), StoreError>;
    /// One of an organization.
    async fn credential_of(
        &mut self,
        organization: OrganizationId,
        id: CredentialId,
    ) -> Result<Option<CredentialSummaryRow>, StoreError>;
    /// A page, newest first.
    async fn credentials(
        &mut self,
        organization: OrganizationId,
        filter: &CredentialFilter,
        page: PageOf<CredentialId>,
    ) -> Result<Vec<CredentialSummaryRow>, StoreError>;
    /// Revokes one; `false` when there is none, or it was revoked before.
    async fn revoke_credential(
        &mut self,
        organization: OrganizationId,
        id: CredentialId,
        at: Timestamp,
    ) -> Result<bool, StoreError>;
    /// Revokes all of a principal in an organization (in every one, for `None`); says how many.
    async fn revoke_credentials_of(
        &mut self,
        organization: Option<OrganizationId>,
        principal: Principal,
        at: Timestamp,
    ) -> Result<u64, StoreError>;
    /// Revokes all in an organization, or all of a human there, that came of its issuer's word; says
    /// how many.
    async fn revoke_confined_credentials(
        &mut self,
        organization: OrganizationId,
        user: Option<UserId>,
        at: Timestamp,
    ) -> Result<u64, StoreError>;
    /// Puts a new proof in the place of exactly the old one.
    async fn rotate_credential(
        &mut self,
        id: CredentialId,
        old: [u8; 32],
        new: ProofRow,
        expires_at: Option<Timestamp>,
    ) -> Result<Rotated, StoreError>;
    /// Notes a use, and puts the idle end off where there is one.
    async fn touch_credential(
        &mut self,
        id: CredentialId,
        at: Timestamp,
        idle_at: Option<Timestamp>,
    ) -> Result<(), StoreError>;
    /// Notes that a second factor was shown.
    async fn step_up_credential(
        &mut self,
        id: CredentialId,
        at: Timestamp,
    ) -> Result<bool, StoreError>;
    /// The number of the pepper in force.
    async fn pepper(&mut self) -> Result<u32, StoreError>;
    /// How many credentials that count each pepper guards, and when the last of them ends; `None` for
    /// one that ends by being revoked alone.
    async fn peppers_in_use(&mut self, now: Timestamp) -> Result<Vec<PepperUse>, StoreError>;
    /// The generation of signing keys, and since when it is in force.
    async fn signing(&mut self) -> Result<(u32, Timestamp), StoreError>;
    /// Puts the next generation of signing keys in force; `false` when somebody else did meanwhile.
    async fn raise_signing(&mut self, from: u32, at: Timestamp) -> Result<bool, StoreError>;
    /// Puts the next pepper in force, for credentials made from now on.
    async fn raise_pepper(&mut self) -> Result<u32, StoreError>;
}
