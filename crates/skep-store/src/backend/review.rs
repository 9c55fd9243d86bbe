//! The part of the port that a reviewer needs: what is held back, and the history of a memory.

use async_trait::async_trait;
use skep_domain::{MemoryId, ReadingRing};

use super::PageOf;
use crate::StoreError;
use crate::row::{HistoryRow, StoredMemoryRow};
use crate::scope::ScopeKey;

/// Quarantined memories and histories.
#[async_trait]
pub trait ReviewRows: Send {
    /// Quarantined memories that the ring allows, newest first.
    async fn quarantined(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        page: PageOf<MemoryId>,
    ) -> Result<Vec<StoredMemoryRow>, StoreError>;
    /// Moves a memory that the ring allows out of quarantine. `false` when there is no such memory
    /// there.
    async fn release(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        id: MemoryId,
        entry: HistoryRow,
    ) -> Result<bool, StoreError>;
    /// The history of a memory that the ring allows, oldest entry first, at most `limit` entries.
    async fn history(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        id: MemoryId,
        limit: u32,
    ) -> Result<Vec<HistoryRow>, StoreError>;
}
