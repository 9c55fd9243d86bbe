//! The part of the port that walks over all rows.

use async_trait::async_trait;
use skep_crypto::Sealed;
use skep_domain::MemoryId;
use skep_store::backend::{IndexRows, Walked};
use skep_store::row::{ChangeRow, ModelTag};
use skep_store::{ScopeKey, StoreError};

use super::SqliteTx;
use crate::index;

#[async_trait]
impl IndexRows for SqliteTx {
    async fn walk_memories(
        &mut self,
        scope: &ScopeKey,
        from: u64,
        limit: u32,
    ) -> Result<Walked<ChangeRow>, StoreError> {
        self.run(scope, move |rows| index::walk_memories(rows, from, limit))
            .await
    }

    async fn walk_vectors(
        &mut self,
        scope: &ScopeKey,
        model: ModelTag,
        from: u64,
        limit: u32,
    ) -> Result<Walked<(MemoryId, Sealed)>, StoreError> {
        self.run(scope, move |rows| {
            index::walk_vectors(rows, model, from, limit)
        })
        .await
    }
}
