//! Quarantine and histories, on a thread that may block.

use async_trait::async_trait;
use skep_domain::{MemoryId, ReadingRing};
use skep_store::backend::{PageOf, ReviewRows};
use skep_store::row::{HistoryRow, StoredMemoryRow};
use skep_store::{ScopeKey, StoreError};

use super::SqliteTx;
use crate::review;

#[async_trait]
impl ReviewRows for SqliteTx {
    async fn quarantined(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        page: PageOf<MemoryId>,
    ) -> Result<Vec<StoredMemoryRow>, StoreError> {
        let ring = *ring;
        self.run(scope, move |rows| review::quarantined(rows, &ring, page))
            .await
    }

    async fn release(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        id: MemoryId,
        entry: HistoryRow,
    ) -> Result<bool, StoreError> {
        let ring = *ring;
        self.run(scope, move |rows| review::release(rows, &ring, id, &entry))
            .await
    }

    async fn history(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        id: MemoryId,
        limit: u32,
    ) -> Result<Vec<HistoryRow>, StoreError> {
        let ring = *ring;
        self.run(scope, move |rows| review::history(rows, &ring, id, limit))
            .await
    }
}
