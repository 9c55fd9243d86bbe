//! What an organization has set differently.

use async_trait::async_trait;
use skep_crypto::Sealed;
use skep_domain::{OrganizationId, Timestamp};

use crate::StoreError;

/// Settings of organizations.
#[async_trait]
pub trait SettingRows {
    /// All of an organization, by name.
    async fn settings(
        &mut self,
        organization: OrganizationId,
    ) -> Result<Vec<(String, Sealed)>, StoreError>;
    /// Keeps one, in the place of what it was.
    async fn put_setting(
        &mut self,
        organization: OrganizationId,
        name: String,
        value: Sealed,
        at: Timestamp,
    ) -> Result<(), StoreError>;
    /// Back to the default; `false` when it was that.
    async fn delete_setting(
        &mut self,
        organization: OrganizationId,
        name: String,
    ) -> Result<bool, StoreError>;
}
