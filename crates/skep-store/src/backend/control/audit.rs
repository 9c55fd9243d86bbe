//! The record of decisions: rows are added and read, and that is all.

use async_trait::async_trait;
use skep_domain::OrganizationId;

use crate::StoreError;
use crate::backend::PageOf;
use crate::row::{AuditRow, Growth, SeenRow};

/// The record of decisions.
#[async_trait]
pub trait AuditRows {
    /// The place after the last one of an organization (or of nobody's record, for `None`).
    async fn next_audit_seq(
        &mut self,
        organization: Option<OrganizationId>,
    ) -> Result<u64, StoreError>;
    /// Adds entries at their places, with what they make of the tree. A place that is taken is
    /// [`StoreError::Conflict`].
    async fn append_audit(
        &mut self,
        organization: Option<OrganizationId>,
        rows: Vec<AuditRow>,
        growth: Growth,
    ) -> Result<(), StoreError>;
    /// A page of alerts, newest first; `before` is a place.
    async fn alerts(
        &mut self,
        organization: OrganizationId,
        page: PageOf<u64>,
    ) -> Result<Vec<AuditRow>, StoreError>;
    /// Notes what entries of the same transaction name as shown, so that they are found by it.
    async fn put_seen(&mut self, rows: Vec<SeenRow>) -> Result<(), StoreError>;
    /// A page of entries that name this as shown, newest first; `before` is a place.
    async fn seen(
        &mut self,
        organization: OrganizationId,
        item: [u8; 16],
        page: PageOf<u64>,
    ) -> Result<Vec<AuditRow>, StoreError>;
    /// A page, newest first; `before` is a place.
    async fn audit(
        &mut self,
        organization: OrganizationId,
        page: PageOf<u64>,
    ) -> Result<Vec<AuditRow>, StoreError>;
}
