//! Vectors for memories that have none of the current model. A change of model embeds everything
//! anew in the background; until then those memories are found by words.

use std::sync::Arc;

use skep_index::Quantised;
use skep_store::row::ModelTag;
use skep_store::{NewVector, Unembedded};

use super::{Tenant, maintain, survey};
use crate::hot::indexed_text;
use crate::{App, AppError};

/// Memories embedded before any of their vectors is kept.
const AT_ONCE: u32 = 64;

/// Names a model in storage: the first bytes of its id's digest.
pub(crate) fn model_tag(model_id: &str) -> ModelTag {
    let digest = skep_crypto::sha256(model_id.as_bytes());
    let mut tag = ModelTag::default();
    tag.copy_from_slice(&digest[..8]);
    tag
}

impl App {
    /// Embeds between two transactions, never within one: reading a memory takes longer than all the
    /// rest of upkeep, and whoever writes must not wait for it. What is erased meanwhile gets nothing.
    pub(super) async fn embed_pending(&self, tenant: Tenant) -> Result<(), AppError> {
        loop {
            let mut tx = self.store.begin(survey(tenant)).await?;
            let waiting = tx.list_unembedded(self.model, AT_ONCE).await?;
            drop(tx);
            if waiting.is_empty() {
                return Ok(());
            }
            let vectors = self.embed_all(waiting).await?;
            let mut tx = self.store.begin(maintain(tenant)).await?;
            tx.put_vectors(self.model, vectors).await?;
            tx.commit().await?;
        }
    }

    async fn embed_all(&self, waiting: Vec<Unembedded>) -> Result<Vec<NewVector>, AppError> {
        let embedder = Arc::clone(&self.embedder);
        let dim = embedder.dim() as u16;
        let embed = move |memory: Unembedded| {
            let vector = Quantised::of(&embedder.embed(&indexed_text(&memory.body)));
            NewVector {
                id: memory.id,
                dim,
                bytes: vector.to_bytes(),
            }
        };
        tokio::task::spawn_blocking(move || waiting.into_iter().map(embed).collect())
            .await
            .map_err(|_| AppError::Internal("embedding ended early"))
    }
}
