//! The port to what the root key wraps.

use async_trait::async_trait;
use skep_crypto::WrappedKey;
use skep_domain::{OrganizationId, WorkspaceId};

use crate::StoreError;
use crate::row::InstanceRow;

/// The key of a workspace as it is kept, with whose it is.
pub type WrappedRow = (OrganizationId, WorkspaceId, WrappedKey);

/// Keys as they are kept: wrapped under what follows from the root key.
#[async_trait]
pub trait KeyRows {
    /// The installation's own row.
    async fn own_row(&mut self) -> Result<Option<InstanceRow>, StoreError>;

    /// Puts the installation's secret in the place of the one that is there.
    async fn put_own_secret(&mut self, secret: WrappedKey) -> Result<(), StoreError>;

    /// The key of each workspace that is there.
    async fn wrapped_keys(&mut self) -> Result<Vec<WrappedRow>, StoreError>;

    /// Puts the key of a workspace in the place of the one that is there; `false` when there is no such
    /// workspace.
    async fn put_wrapped_key(&mut self, row: WrappedRow) -> Result<bool, StoreError>;
}
