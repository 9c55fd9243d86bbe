//! Removals and erasure, on a thread that may block.

use async_trait::async_trait;
use skep_domain::{MemoryId, OriginKind, ReadingRing, SessionId, Timestamp};
use skep_store::backend::RemovalRows;
use skep_store::row::{Fingerprint, HistoryRow, RemovalRow, RestingRow};
use skep_store::{ScopeKey, StoreError};

use super::SqliteTx;
use crate::removal;

#[async_trait]
impl RemovalRows for SqliteTx {
    async fn put_session_source(
        &mut self,
        scope: &ScopeKey,
        session: SessionId,
        source: Fingerprint,
    ) -> Result<(), StoreError> {
        self.run(scope, move |rows| {
            removal::put_session_source(rows, session, source)
        })
        .await
    }

    async fn sessions_of_source(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        source: Fingerprint,
        limit: u32,
    ) -> Result<Vec<SessionId>, StoreError> {
        let ring = *ring;
        self.run(scope, move |rows| {
            removal::sessions_of_source(rows, &ring, source, limit)
        })
        .await
    }

    async fn put_removal(&mut self, scope: &ScopeKey, row: RemovalRow) -> Result<(), StoreError> {
        self.run(scope, move |rows| removal::put(rows, &row)).await
    }

    async fn removal(
        &mut self,
        scope: &ScopeKey,
        kind: OriginKind,
        origin: [u8; 16],
    ) -> Result<Option<RemovalRow>, StoreError> {
        self.run(scope, move |rows| removal::get(rows, kind, origin))
            .await
    }

    async fn open_removals(
        &mut self,
        scope: &ScopeKey,
        limit: u32,
    ) -> Result<Vec<RemovalRow>, StoreError> {
        self.run(scope, move |rows| removal::open(rows, limit))
            .await
    }

    async fn finish_removal(
        &mut self,
        scope: &ScopeKey,
        kind: OriginKind,
        origin: [u8; 16],
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.run(scope, move |rows| removal::finish(rows, kind, origin, at))
            .await
    }

    async fn resting_on(
        &mut self,
        scope: &ScopeKey,
        kind: OriginKind,
        origin: [u8; 16],
        forgotten: bool,
        limit: u32,
    ) -> Result<Vec<RestingRow>, StoreError> {
        self.run(scope, move |rows| {
            removal::resting_on(rows, (kind, origin), forgotten, limit)
        })
        .await
    }

    async fn drop_origin(
        &mut self,
        scope: &ScopeKey,
        memory: MemoryId,
        kind: OriginKind,
        origin: [u8; 16],
    ) -> Result<(), StoreError> {
        self.run(scope, move |rows| {
            removal::drop_origin(rows, memory, kind, origin)
        })
        .await
    }

    async fn predecessors(
        &mut self,
        scope: &ScopeKey,
        id: MemoryId,
    ) -> Result<Vec<MemoryId>, StoreError> {
        self.run(scope, move |rows| removal::predecessors(rows, id))
            .await
    }

    async fn reinstate(
        &mut self,
        scope: &ScopeKey,
        id: MemoryId,
        successor: MemoryId,
        entry: HistoryRow,
    ) -> Result<bool, StoreError> {
        self.run(scope, move |rows| {
            removal::reinstate(rows, id, successor, &entry)
        })
        .await
    }

    async fn withdraw(
        &mut self,
        scope: &ScopeKey,
        id: MemoryId,
        entry: HistoryRow,
    ) -> Result<bool, StoreError> {
        self.run(scope, move |rows| removal::withdraw(rows, id, &entry))
            .await
    }

    async fn is_there(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        id: MemoryId,
    ) -> Result<bool, StoreError> {
        let ring = *ring;
        self.run(scope, move |rows| removal::is_there(rows, &ring, id))
            .await
    }

    async fn erase_memory(
        &mut self,
        scope: &ScopeKey,
        id: MemoryId,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        self.run(scope, move |rows| removal::erase_memory(rows, id, at))
            .await
    }

    async fn erase_turns(
        &mut self,
        scope: &ScopeKey,
        session: SessionId,
        limit: u32,
    ) -> Result<u64, StoreError> {
        self.run(scope, move |rows| {
            removal::erase_turns(rows, session, limit)
        })
        .await
    }

    async fn erase_session(
        &mut self,
        scope: &ScopeKey,
        session: SessionId,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.run(scope, move |rows| removal::erase_session(rows, session, at))
            .await
    }

    async fn erasures(
        &mut self,
        scope: &ScopeKey,
        after: (u64, Option<MemoryId>),
        limit: u32,
    ) -> Result<Vec<(u64, MemoryId)>, StoreError> {
        self.run(scope, move |rows| removal::erasures(rows, after, limit))
            .await
    }

    async fn unscrubbed(&mut self, scope: &ScopeKey) -> Result<bool, StoreError> {
        self.run(scope, |rows| removal::unscrubbed(rows)).await
    }

    async fn mark_scrubbed(&mut self, scope: &ScopeKey) -> Result<(), StoreError> {
        self.run(scope, removal::mark_scrubbed).await
    }
}
