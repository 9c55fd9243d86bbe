//! The part of the port that keeps pairs of memories of which at most one can be true.

use async_trait::async_trait;
use skep_domain::{ConflictId, ReadingRing, Resolution, Timestamp};

use super::PageOf;
use crate::StoreError;
use crate::row::ConflictRow;
use crate::scope::ScopeKey;

/// Conflicts.
#[async_trait]
pub trait ConflictRows: Send {
    /// Keeps a conflict; `false` when the pair was noted before, resolved or not.
    async fn put_conflict(
        &mut self,
        scope: &ScopeKey,
        row: ConflictRow,
    ) -> Result<bool, StoreError>;
    /// Open conflicts between active memories, both of which the ring allows, newest first.
    async fn conflicts(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        page: PageOf<ConflictId>,
    ) -> Result<Vec<ConflictRow>, StoreError>;
    /// One conflict, open or not, if the ring allows both memories.
    async fn conflict(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        id: ConflictId,
    ) -> Result<Option<ConflictRow>, StoreError>;
    /// Notes how a conflict was resolved; `false` when it is not open.
    async fn settle_conflict(
        &mut self,
        scope: &ScopeKey,
        id: ConflictId,
        resolution: Resolution,
        at: Timestamp,
    ) -> Result<bool, StoreError>;
}
