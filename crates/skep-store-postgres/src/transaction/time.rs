//! What stands beside memories.

use async_trait::async_trait;
use skep_domain::{ConflictId, MemoryId, ReadingRing, Resolution, Timestamp};
use skep_store::backend::{ConflictRows, PageOf, TimeRows};
use skep_store::row::{ConflictRow, Fingerprint, HistoryRow, StoredMemoryRow, TraceRow};
use skep_store::{ScopeKey, StoreError};

use super::{PostgresTx, step};
use crate::{conflict, time};

#[async_trait]
impl TimeRows for PostgresTx {
    async fn put_trace(
        &mut self,
        scope: &ScopeKey,
        id: MemoryId,
        new: bool,
        trace: TraceRow,
    ) -> Result<(), StoreError> {
        step!(self, scope, time::put_trace, id, new, &trace)
    }

    async fn related(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        topics: &[Fingerprint],
        limit: u32,
    ) -> Result<Vec<StoredMemoryRow>, StoreError> {
        step!(self, scope, time::related, &ring, &topics, limit)
    }

    async fn of_topic(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        topic: Fingerprint,
        limit: u32,
    ) -> Result<Vec<StoredMemoryRow>, StoreError> {
        step!(self, scope, time::of_topic, &ring, topic, limit)
    }

    async fn supersede(
        &mut self,
        scope: &ScopeKey,
        older: MemoryId,
        newer: MemoryId,
        ends: Timestamp,
        entry: HistoryRow,
    ) -> Result<bool, StoreError> {
        step!(self, scope, time::supersede, older, newer, ends, &entry)
    }

    async fn links(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        ids: &[MemoryId],
    ) -> Result<Vec<(MemoryId, MemoryId)>, StoreError> {
        step!(self, scope, time::links, &ring, &ids)
    }
}

#[async_trait]
impl ConflictRows for PostgresTx {
    async fn put_conflict(
        &mut self,
        scope: &ScopeKey,
        row: ConflictRow,
    ) -> Result<bool, StoreError> {
        step!(self, scope, conflict::put, &row)
    }

    async fn conflicts(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        page: PageOf<ConflictId>,
    ) -> Result<Vec<ConflictRow>, StoreError> {
        step!(self, scope, conflict::list, &ring, page)
    }

    async fn conflict(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        id: ConflictId,
    ) -> Result<Option<ConflictRow>, StoreError> {
        step!(self, scope, conflict::get, &ring, id)
    }

    async fn settle_conflict(
        &mut self,
        scope: &ScopeKey,
        id: ConflictId,
        resolution: Resolution,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        step!(self, scope, conflict::settle, id, resolution, at)
    }
}
