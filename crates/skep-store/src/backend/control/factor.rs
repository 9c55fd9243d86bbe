//! Second factors, attempts at accounts, and identities that others vouch for.

use async_trait::async_trait;
use skep_domain::{FactorId, OrganizationId, Timestamp, UserId};

use crate::StoreError;
use crate::row::{FactorChange, FactorRow, Fingerprint};

/// Second factors, attempts at accounts, and identities that others vouch for.
#[async_trait]
pub trait FactorRows {
    /// Keeps a factor; a passkey that somebody has is [`StoreError::Conflict`].
    async fn put_factor(&mut self, row: FactorRow) -> Result<(), StoreError>;
    /// The factors of a human, oldest first.
    async fn factors_of(&mut self, user: UserId) -> Result<Vec<FactorRow>, StoreError>;
    /// The passkey of this fingerprint, whoever has it.
    async fn factor_of_fingerprint(
        &mut self,
        fingerprint: Fingerprint,
    ) -> Result<Option<FactorRow>, StoreError>;
    /// Changes exactly this version; `false` when it is of another, or gone.
    async fn update_factor(&mut self, change: FactorChange) -> Result<bool, StoreError>;
    /// Removes one; `false` when there is none.
    async fn delete_factor(&mut self, user: UserId, id: FactorId) -> Result<bool, StoreError>;

    /// Attempts at an account that were booked, and when the last of them was.
    async fn login_attempts(
        &mut self,
        account: Fingerprint,
    ) -> Result<Option<(u8, Timestamp)>, StoreError>;
    /// Keeps that; none for `None`.
    async fn put_login_attempts(
        &mut self,
        account: Fingerprint,
        attempts: Option<(u8, Timestamp)>,
    ) -> Result<(), StoreError>;
    /// Removes accounts whose last attempt was before, at most so many.
    async fn sweep_login_attempts(
        &mut self,
        before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError>;

    /// Whom an organization's issuer means.
    async fn identity_link(
        &mut self,
        organization: OrganizationId,
        fingerprint: Fingerprint,
    ) -> Result<Option<UserId>, StoreError>;
    /// Keeps that; one that is there is [`StoreError::Conflict`].
    async fn put_identity_link(
        &mut self,
        organization: OrganizationId,
        fingerprint: Fingerprint,
        user: UserId,
        at: Timestamp,
    ) -> Result<(), StoreError>;
    /// How many members of an organization that may act have no factor that counts by itself.
    async fn count_without_factor(
        &mut self,
        organization: OrganizationId,
    ) -> Result<u32, StoreError>;
    /// Whether an organization's issuer means a human by anything.
    async fn has_identity_link(
        &mut self,
        organization: OrganizationId,
        user: UserId,
    ) -> Result<bool, StoreError>;
    /// Forgets by what it means a human; says how many there were.
    async fn delete_identity_links(
        &mut self,
        organization: OrganizationId,
        user: UserId,
    ) -> Result<u64, StoreError>;
}
