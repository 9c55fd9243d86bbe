//! Standing texts of organizations and workspaces.

use async_trait::async_trait;
use skep_domain::{OrganizationId, WorkspaceId};

use crate::StoreError;
use crate::row::{DirectiveRow, PromotionRow};

/// Versions, and which of them counts. A workspace of zeros stands for all of an organization.
#[async_trait]
pub trait DirectiveRows {
    /// The versions of a place, newest first.
    async fn directives(
        &mut self,
        place: (OrganizationId, WorkspaceId),
        limit: u32,
    ) -> Result<Vec<DirectiveRow>, StoreError>;
    /// One version.
    async fn directive(
        &mut self,
        place: (OrganizationId, WorkspaceId),
        version: u32,
    ) -> Result<Option<DirectiveRow>, StoreError>;
    /// Adds a version; its number is given by the backend.
    async fn put_directive(
        &mut self,
        organization: OrganizationId,
        row: DirectiveRow,
    ) -> Result<u32, StoreError>;
    /// What was said of which version counts, newest first.
    async fn promotions(
        &mut self,
        place: (OrganizationId, WorkspaceId),
        limit: u32,
    ) -> Result<Vec<PromotionRow>, StoreError>;
    /// Says that a version counts from now on; its place is given by the backend.
    async fn put_promotion(
        &mut self,
        organization: OrganizationId,
        row: PromotionRow,
    ) -> Result<u32, StoreError>;
}
