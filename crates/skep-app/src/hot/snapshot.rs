//! Sealed snapshots of the indexes: taken at shutdown, taken up at the first use after a start. A
//! snapshot is a cache: one that is damaged, of another version or ahead of the store is left
//! aside, and the index is made from the rows.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use skep_index::WorkspaceIndex;
use tokio::sync::OwnedRwLockWriteGuard;

use super::Hot;
use crate::upkeep::{Tenant, survey};
use crate::{App, AppError};

impl App {
    /// Keeps a snapshot of every index that changed since its last one.
    ///
    /// # Errors
    /// [`AppError::Store`] when one cannot be kept; nothing is lost by that but time.
    pub async fn keep_snapshots(&self) -> Result<(), AppError> {
        for (tenant, held) in self.hot.all() {
            let index = Arc::clone(&held.index).read_owned().await;
            let seq = index.seq();
            if seq == 0 || held.snapshot_seq.load(Ordering::Relaxed) == seq {
                continue;
            }
            let bytes = tokio::task::spawn_blocking(move || index.to_bytes())
                .await
                .map_err(|_| AppError::Internal("a snapshot ended early"))?;
            self.store.put_snapshot(survey(tenant), &bytes).await?;
            held.snapshot_seq.store(seq, Ordering::Relaxed);
        }
        Ok(())
    }
}

impl Hot {
    /// Takes a snapshot up into an empty index, if there is a sound one that is not ahead.
    pub(super) async fn restore(
        &self,
        tenant: Tenant,
        mut index: OwnedRwLockWriteGuard<WorkspaceIndex>,
        target: u64,
    ) -> Result<OwnedRwLockWriteGuard<WorkspaceIndex>, AppError> {
        let bytes = match self.store.get_snapshot(survey(tenant)).await {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return Ok(index),
            Err(error) => {
                tracing::warn!(%error, "an index snapshot is left aside; the index is made from the rows");
                return Ok(index);
            }
        };
        let (model, dim) = (self.embedder.model_id().to_owned(), self.embedder.dim());
        let read = move || {
            match WorkspaceIndex::from_bytes(bytes.expose(), &model, dim) {
                Ok(restored) if restored.seq() <= target => *index = restored,
                Ok(_) => {
                    tracing::warn!("an index snapshot is ahead of its store and is left aside");
                }
                Err(error) => {
                    tracing::info!(%error, "an index snapshot is of another form and is left aside");
                }
            }
            index
        };
        tokio::task::spawn_blocking(read)
            .await
            .map_err(|_| AppError::Internal("a snapshot ended early"))
    }
}
