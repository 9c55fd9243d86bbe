//! The part of the port that an index is made from when nothing of it is in memory yet.

use async_trait::async_trait;
use skep_crypto::Sealed;
use skep_domain::MemoryId;

use crate::StoreError;
use crate::row::{ChangeRow, ModelTag};
use crate::scope::ScopeKey;

/// Part of a walk over all rows.
#[derive(Clone, Debug)]
pub struct Walked<T> {
    /// Each of them once in the whole walk.
    pub rows: Vec<T>,
    /// Where the next part begins; `None` after the last.
    pub next: Option<u64>,
}

/// Walks over all rows in whatever order the backend reads fastest. A walk begins at 0 and sees
/// what the transaction sees.
#[async_trait]
pub trait IndexRows: Send {
    /// Memories that recall may return, now or about the past, with what they say and without their
    /// vectors.
    async fn walk_memories(
        &mut self,
        scope: &ScopeKey,
        from: u64,
        limit: u32,
    ) -> Result<Walked<ChangeRow>, StoreError>;

    /// Vectors of a model, of memories in any state.
    async fn walk_vectors(
        &mut self,
        scope: &ScopeKey,
        model: ModelTag,
        from: u64,
        limit: u32,
    ) -> Result<Walked<(MemoryId, Sealed)>, StoreError>;
}
