//! The part of the port that keeps memories apart in time and by where they come from.

use async_trait::async_trait;
use skep_domain::{MemoryId, ReadingRing, Timestamp};

use crate::StoreError;
use crate::row::{Fingerprint, HistoryRow, StoredMemoryRow, TraceRow};
use crate::scope::ScopeKey;

/// What stands beside the rows of memories.
#[async_trait]
pub trait TimeRows: Send {
    /// Keeps what a memory rests on. Of one that is not `new`, only origins that are not known yet
    /// are added; one that a human vouches for raises the memory's trust to a human's.
    async fn put_trace(
        &mut self,
        scope: &ScopeKey,
        id: MemoryId,
        new: bool,
        trace: TraceRow,
    ) -> Result<(), StoreError>;
    /// Active memories that the ring allows and that share a topic, newest first, at most `limit`;
    /// of each topic, only the newest are looked at.
    async fn related(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        topics: &[Fingerprint],
        limit: u32,
    ) -> Result<Vec<StoredMemoryRow>, StoreError>;
    /// Active memories of one topic that the ring allows, newest first, at most `limit`; however much
    /// of it was superseded since, none is missed.
    async fn of_topic(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        topic: Fingerprint,
        limit: u32,
    ) -> Result<Vec<StoredMemoryRow>, StoreError>;
    /// Puts one memory in another's place, which ends in the world at `ends`. `false`, and nothing
    /// changed, when the older one is not active or one of them is not there. Who may is the
    /// caller's to know.
    async fn supersede(
        &mut self,
        scope: &ScopeKey,
        older: MemoryId,
        newer: MemoryId,
        ends: Timestamp,
        entry: HistoryRow,
    ) -> Result<bool, StoreError>;
    /// What took a place of these, and whose place these took: pairs of older and newer, both ends
    /// of which the ring allows.
    async fn links(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        ids: &[MemoryId],
    ) -> Result<Vec<(MemoryId, MemoryId)>, StoreError>;
}
