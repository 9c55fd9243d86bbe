//! Quarantine and histories.

use async_trait::async_trait;
use skep_domain::{MemoryId, ReadingRing};
use skep_store::backend::{PageOf, ReviewRows};
use skep_store::row::{HistoryRow, StoredMemoryRow};
use skep_store::{ScopeKey, StoreError};

use super::{PostgresTx, step};
use crate::review;

#[async_trait]
impl ReviewRows for PostgresTx {
    async fn quarantined(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        page: PageOf<MemoryId>,
    ) -> Result<Vec<StoredMemoryRow>, StoreError> {
        step!(self, scope, review::quarantined, &ring, page)
    }

    async fn release(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        id: MemoryId,
        entry: HistoryRow,
    ) -> Result<bool, StoreError> {
        step!(self, scope, review::release, &ring, id, &entry)
    }

    async fn history(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        id: MemoryId,
        limit: u32,
    ) -> Result<Vec<HistoryRow>, StoreError> {
        step!(self, scope, review::history, &ring, id, limit)
    }
}
