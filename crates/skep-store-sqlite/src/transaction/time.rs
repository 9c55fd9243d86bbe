//! What stands beside memories, on a thread that may block.

use async_trait::async_trait;
use skep_domain::{ConflictId, MemoryId, ReadingRing, Resolution, Timestamp};
use skep_store::backend::{ConflictRows, PageOf, TimeRows};
use skep_store::row::{ConflictRow, Fingerprint, HistoryRow, StoredMemoryRow, TraceRow};
use skep_store::{ScopeKey, StoreError};

use super::SqliteTx;
use crate::{conflict, time};

#[async_trait]
impl TimeRows for SqliteTx {
    async fn put_trace(
        &mut self,
        scope: &ScopeKey,
        id: MemoryId,
        new: bool,
        trace: TraceRow,
    ) -> Result<(), StoreError> {
        self.run(scope, move |rows| time::put_trace(rows, id, new, &trace))
            .await
    }

    async fn related(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        topics: &[Fingerprint],
        limit: u32,
    ) -> Result<Vec<StoredMemoryRow>, StoreError> {
        let (ring, topics) = (*ring, topics.to_vec());
        self.run(scope, move |rows| {
            time::related(rows, &ring, &topics, limit)
        })
        .await
    }

    async fn of_topic(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        topic: Fingerprint,
        limit: u32,
    ) -> Result<Vec<StoredMemoryRow>, StoreError> {
        let ring = *ring;
        self.run(scope, move |rows| time::of_topic(rows, &ring, topic, limit))
            .await
    }

    async fn supersede(
        &mut self,
        scope: &ScopeKey,
        older: MemoryId,
        newer: MemoryId,
        ends: Timestamp,
        entry: HistoryRow,
    ) -> Result<bool, StoreError> {
        self.run(scope, move |rows| {
            time::supersede(rows, older, newer, ends, &entry)
        })
        .await
    }

    async fn links(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        ids: &[MemoryId],
    ) -> Result<Vec<(MemoryId, MemoryId)>, StoreError> {
        let (ring, ids) = (*ring, ids.to_vec());
        self.run(scope, move |rows| time::links(rows, &ring, &ids))
            .await
    }
}

#[async_trait]
impl ConflictRows for SqliteTx {
    async fn put_conflict(
        &mut self,
        scope: &ScopeKey,
        row: ConflictRow,
    ) -> Result<bool, StoreError> {
        self.run(scope, move |rows| conflict::put(rows, &row)).await
    }

    async fn conflicts(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        page: PageOf<ConflictId>,
    ) -> Result<Vec<ConflictRow>, StoreError> {
        let ring = *ring;
        self.run(scope, move |rows| conflict::list(rows, &ring, page))
            .await
    }

    async fn conflict(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        id: ConflictId,
    ) -> Result<Option<ConflictRow>, StoreError> {
        let ring = *ring;
        self.run(scope, move |rows| conflict::get(rows, &ring, id))
            .await
    }

    async fn settle_conflict(
        &mut self,
        scope: &ScopeKey,
        id: ConflictId,
        resolution: Resolution,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        self.run(scope, move |rows| {
            conflict::settle(rows, id, resolution, at)
        })
        .await
    }
}
