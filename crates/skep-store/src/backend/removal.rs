//! The part of the port that takes back: a session or a source with what came of it, and erasure.

use async_trait::async_trait;
use skep_domain::{MemoryId, OriginKind, ReadingRing, SessionId, Timestamp};

use crate::StoreError;
use crate::row::{Fingerprint, HistoryRow, RemovalRow, RestingRow};
use crate::scope::ScopeKey;

/// Removals. What they touch is found by where it comes from, whoever may read it.
#[async_trait]
pub trait RemovalRows: Send {
    /// Notes that a session was brought by a source.
    async fn put_session_source(
        &mut self,
        scope: &ScopeKey,
        session: SessionId,
        source: Fingerprint,
    ) -> Result<(), StoreError>;
    /// Sessions that a source brought, and that the ring allows.
    async fn sessions_of_source(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        source: Fingerprint,
        limit: u32,
    ) -> Result<Vec<SessionId>, StoreError>;
    /// Notes what is to be taken back. Asking for the same again changes nothing, asking for more
    /// (erasing instead of forgetting) opens it again.
    async fn put_removal(&mut self, scope: &ScopeKey, row: RemovalRow) -> Result<(), StoreError>;
    /// What is being, or was, taken back of one origin.
    async fn removal(
        &mut self,
        scope: &ScopeKey,
        kind: OriginKind,
        origin: [u8; 16],
    ) -> Result<Option<RemovalRow>, StoreError>;
    /// What is not done yet.
    async fn open_removals(
        &mut self,
        scope: &ScopeKey,
        limit: u32,
    ) -> Result<Vec<RemovalRow>, StoreError>;
    /// Notes that all is done.
    async fn finish_removal(
        &mut self,
        scope: &ScopeKey,
        kind: OriginKind,
        origin: [u8; 16],
        at: Timestamp,
    ) -> Result<(), StoreError>;
    /// Memories that rest on an origin, by id. Forgotten ones only when asked for.
    async fn resting_on(
        &mut self,
        scope: &ScopeKey,
        kind: OriginKind,
        origin: [u8; 16],
        forgotten: bool,
        limit: u32,
    ) -> Result<Vec<RestingRow>, StoreError>;
    /// Takes one origin from a memory that has others; its trust is what those give it.
    async fn drop_origin(
        &mut self,
        scope: &ScopeKey,
        memory: MemoryId,
        kind: OriginKind,
        origin: [u8; 16],
    ) -> Result<(), StoreError>;
    /// What a memory took the place of.
    async fn predecessors(
        &mut self,
        scope: &ScopeKey,
        id: MemoryId,
    ) -> Result<Vec<MemoryId>, StoreError>;
    /// Undoes that a memory was replaced by `successor`: what replaced that one replaces it now,
    /// or else it is in recall again. Says whether it is.
    async fn reinstate(
        &mut self,
        scope: &ScopeKey,
        id: MemoryId,
        successor: MemoryId,
        entry: HistoryRow,
    ) -> Result<bool, StoreError>;
    /// Forgets a memory whoever may read it; `false` when it is not there or was forgotten before.
    async fn withdraw(
        &mut self,
        scope: &ScopeKey,
        id: MemoryId,
        entry: HistoryRow,
    ) -> Result<bool, StoreError>;
    /// Whether a memory is there that the ring allows, in any state.
    async fn is_there(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        id: MemoryId,
    ) -> Result<bool, StoreError>;
    /// Deletes every row of a memory but leaves a tombstone; `false` when there is none.
    async fn erase_memory(
        &mut self,
        scope: &ScopeKey,
        id: MemoryId,
        at: Timestamp,
    ) -> Result<bool, StoreError>;
    /// Deletes turns of a session, the last first; says how many.
    async fn erase_turns(
        &mut self,
        scope: &ScopeKey,
        session: SessionId,
        limit: u32,
    ) -> Result<u64, StoreError>;
    /// Deletes a session without turns and leaves a tombstone.
    async fn erase_session(
        &mut self,
        scope: &ScopeKey,
        session: SessionId,
        at: Timestamp,
    ) -> Result<(), StoreError>;
    /// Memories erased after `(seq, id)`, in that order.
    async fn erasures(
        &mut self,
        scope: &ScopeKey,
        after: (u64, Option<MemoryId>),
        limit: u32,
    ) -> Result<Vec<(u64, MemoryId)>, StoreError>;
    /// Whether something was erased whose bytes may still be in the log.
    async fn unscrubbed(&mut self, scope: &ScopeKey) -> Result<bool, StoreError>;
    /// Notes that the log holds nothing of what was erased.
    async fn mark_scrubbed(&mut self, scope: &ScopeKey) -> Result<(), StoreError>;
}
