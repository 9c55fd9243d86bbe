//! The memory of used proofs that all nodes share: a row for each, in the store.

use std::sync::Arc;

use async_trait::async_trait;
use skep_domain::Timestamp;
use skep_jose::{Replay, ReplayAway, Spent};
use skep_store::Store;

/// What nodes remember together. It outlives each of them, so it knows of every proof.
pub(super) struct StoredReplay {
    store: Arc<Store>,
}

impl StoredReplay {
    pub(super) fn new(store: Arc<Store>) -> Self {
        Self { store }
    }
}

#[async_trait]
impl Replay for StoredReplay {
    fn knows_since(&self) -> Timestamp {
        Timestamp::from_micros(0)
    }

    async fn spend(&self, spent: Spent, _: Timestamp) -> Result<bool, ReplayAway> {
        let first = self.store.spend_proof(spent.digest, spent.until).await;
        first.map_err(|error| {
            tracing::warn!(%error, "a used proof could not be remembered");
            ReplayAway
        })
    }
}
