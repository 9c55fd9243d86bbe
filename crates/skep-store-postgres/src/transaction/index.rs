//! The part of the port that walks over all rows.

use async_trait::async_trait;
use skep_crypto::Sealed;
use skep_domain::MemoryId;
use skep_store::backend::{IndexRows, Walked};
use skep_store::row::{ChangeRow, ModelTag};
use skep_store::{ScopeKey, StoreError};

use super::{PostgresTx, step};
use crate::index;

#[async_trait]
impl IndexRows for PostgresTx {
    async fn walk_memories(
        &mut self,
        scope: &ScopeKey,
        from: u64,
        limit: u32,
    ) -> Result<Walked<ChangeRow>, StoreError> {
        step!(self, scope, index::walk_memories, from, limit)
    }

    async fn walk_vectors(
        &mut self,
        scope: &ScopeKey,
        model: ModelTag,
        from: u64,
        limit: u32,
    ) -> Result<Walked<(MemoryId, Sealed)>, StoreError> {
        step!(self, scope, index::walk_vectors, model, from, limit)
    }
}
