//! Removals and erasure.

use async_trait::async_trait;
use skep_domain::{MemoryId, OriginKind, ReadingRing, SessionId, Timestamp};
use skep_store::backend::RemovalRows;
use skep_store::row::{Fingerprint, HistoryRow, RemovalRow, RestingRow};
use skep_store::{ScopeKey, StoreError};

use super::{PostgresTx, step};
use crate::removal;

#[async_trait]
impl RemovalRows for PostgresTx {
    async fn put_session_source(
        &mut self,
        scope: &ScopeKey,
        session: SessionId,
        source: Fingerprint,
    ) -> Result<(), StoreError> {
        step!(self, scope, removal::put_session_source, session, source)
    }

    async fn sessions_of_source(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        source: Fingerprint,
        limit: u32,
    ) -> Result<Vec<SessionId>, StoreError> {
        step!(
            self,
            scope,
            removal::sessions_of_source,
            &ring,
            source,
            limit
        )
    }

    async fn put_removal(&mut self, scope: &ScopeKey, row: RemovalRow) -> Result<(), StoreError> {
        step!(self, scope, removal::put, &row)
    }

    async fn removal(
        &mut self,
        scope: &ScopeKey,
        kind: OriginKind,
        origin: [u8; 16],
    ) -> Result<Option<RemovalRow>, StoreError> {
        step!(self, scope, removal::get, kind, origin)
    }

    async fn open_removals(
        &mut self,
        scope: &ScopeKey,
        limit: u32,
    ) -> Result<Vec<RemovalRow>, StoreError> {
        step!(self, scope, removal::open, limit)
    }

    async fn finish_removal(
        &mut self,
        scope: &ScopeKey,
        kind: OriginKind,
        origin: [u8; 16],
        at: Timestamp,
    ) -> Result<(), StoreError> {
        step!(self, scope, removal::finish, kind, origin, at)
    }

    async fn resting_on(
        &mut self,
        scope: &ScopeKey,
        kind: OriginKind,
        origin: [u8; 16],
        forgotten: bool,
        limit: u32,
    ) -> Result<Vec<RestingRow>, StoreError> {
        step!(
            self,
            scope,
            removal::resting_on,
            (kind, origin),
            forgotten,
            limit
        )
    }

    async fn drop_origin(
        &mut self,
        scope: &ScopeKey,
        memory: MemoryId,
        kind: OriginKind,
        origin: [u8; 16],
    ) -> Result<(), StoreError> {
        step!(self, scope, removal::drop_origin, memory, kind, origin)
    }

    async fn predecessors(
        &mut self,
        scope: &ScopeKey,
        id: MemoryId,
    ) -> Result<Vec<MemoryId>, StoreError> {
        step!(self, scope, removal::predecessors, id)
    }

    async fn reinstate(
        &mut self,
        scope: &ScopeKey,
        id: MemoryId,
        successor: MemoryId,
        entry: HistoryRow,
    ) -> Result<bool, StoreError> {
        step!(self, scope, removal::reinstate, id, successor, &entry)
    }

    async fn withdraw(
        &mut self,
        scope: &ScopeKey,
        id: MemoryId,
        entry: HistoryRow,
    ) -> Result<bool, StoreError> {
        step!(self, scope, removal::withdraw, id, &entry)
    }

    async fn is_there(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        id: MemoryId,
    ) -> Result<bool, StoreError> {
        step!(self, scope, removal::is_there, &ring, id)
    }

    async fn erase_memory(
        &mut self,
        scope: &ScopeKey,
        id: MemoryId,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        step!(self, scope, removal::erase_memory, id, at)
    }

    async fn erase_turns(
        &mut self,
        scope: &ScopeKey,
        session: SessionId,
        limit: u32,
    ) -> Result<u64, StoreError> {
        step!(self, scope, removal::erase_turns, session, limit)
    }

    async fn erase_session(
        &mut self,
        scope: &ScopeKey,
        session: SessionId,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        step!(self, scope, removal::erase_session, session, at)
    }

    async fn erasures(
        &mut self,
        scope: &ScopeKey,
        after: (u64, Option<MemoryId>),
        limit: u32,
    ) -> Result<Vec<(u64, MemoryId)>, StoreError> {
        step!(self, scope, removal::erasures, after, limit)
    }

    async fn unscrubbed(&mut self, scope: &ScopeKey) -> Result<bool, StoreError> {
        step!(self, scope, removal::unscrubbed)
    }

    async fn mark_scrubbed(&mut self, scope: &ScopeKey) -> Result<(), StoreError> {
        step!(self, scope, removal::mark_scrubbed)
    }
}
