//! The part of the port that distilling needs beside the rows of memories.

use async_trait::async_trait;
use skep_domain::{MemoryId, SessionId};

use crate::StoreError;
use crate::row::{Fingerprint, HistoryRow, StoredMemoryRow};
use crate::scope::ScopeKey;

/// What a session left, and what several sessions have in common.
#[async_trait]
pub trait DistilRows: Send {
    /// Recallable memories that were distilled from a session, oldest first.
    async fn distilled(
        &mut self,
        scope: &ScopeKey,
        session: SessionId,
        limit: u32,
    ) -> Result<Vec<StoredMemoryRow>, StoreError>;
    /// The recallable memory of that fingerprint, if it was distilled from that session.
    async fn distilled_as(
        &mut self,
        scope: &ScopeKey,
        session: SessionId,
        fingerprint: Fingerprint,
    ) -> Result<Option<MemoryId>, StoreError>;
    /// Moves a memory to a state on behalf of the daemon, with an entry in its history. `false`
    /// when it was in that state, or is not there.
    async fn set_state_for_upkeep(
        &mut self,
        scope: &ScopeKey,
        id: MemoryId,
        entry: HistoryRow,
    ) -> Result<bool, StoreError>;
    /// Notes that a session ran these sequences of commands; says for each in how many sessions it
    /// is known now.
    async fn put_command_runs(
        &mut self,
        scope: &ScopeKey,
        session: SessionId,
        runs: Vec<Fingerprint>,
    ) -> Result<Vec<u64>, StoreError>;
}
