//! The part of the port that keeps memories apart in time and by where they come from.

use async_trait::async_trait;
use skep_domain::MemoryId;

use crate::StoreError;
use crate::row::TraceRow;
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
}
