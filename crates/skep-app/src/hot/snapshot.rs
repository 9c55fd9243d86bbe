//! Sealed snapshots of the indexes: taken at shutdown, after a load from rows and as changes add up;
//! taken up at the first use after a start. A snapshot is a cache: one that is damaged, of another version or ahead of the store is left
//! aside, and the index is made from the rows.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use skep_index::WorkspaceIndex;
use tokio::runtime::Handle;
use tokio::sync::OwnedRwLockWriteGuard;

use super::{Held, Hot};
use crate::upkeep::{Tenant, survey};
use crate::{App, AppError};

/// A snapshot is written when so many rows were read since the last, or an eighth of all: a kill
/// then costs the reading of an eighth at most, and a memory is written eight times at most.
const ROWS: usize = 4_096;

/// See [`ROWS`].
const SHARE: usize = 8;

/// A larger index is not kept: a snapshot stands in memory while it is sealed.
const LARGEST: usize = 2 << 30;

/// From how many unsaved rows on a snapshot is due for an index of so many memories.
pub(super) fn due(memories: usize) -> u64 {
    (memories / SHARE).max(ROWS) as u64
}

impl Held {
    /// Notes that rows were read into the index.
    pub(super) fn read(&self, rows: usize) {
        self.unsaved.fetch_add(rows as u64, Ordering::Relaxed);
    }

    /// Whether a kill would cost so much that a snapshot is due.
    pub(crate) fn is_due(&self) -> bool {
        self.unsaved.load(Ordering::Relaxed) >= self.due.load(Ordering::Relaxed)
    }
}

impl App {
    /// Keeps a snapshot of every index that changed since its last one.
    ///
    /// # Errors
    /// [`AppError::Store`] when one cannot be kept; nothing is lost by that but time.
    pub async fn keep_snapshots(&self) -> Result<(), AppError> {
        for (tenant, held) in self.hot.all() {
            if held.unsaved.load(Ordering::Relaxed) > 0 {
                self.hot.keep_snapshot(tenant, &held).await?;
            }
        }
        Ok(())
    }
}

impl Hot {
    /// Keeps a snapshot of an index that is in memory, if one is due.
    pub(crate) async fn keep_due_snapshot(&self, tenant: Tenant) -> Result<(), AppError> {
        match self.find(tenant) {
            Some(held) if held.is_due() => self.keep_snapshot(tenant, &held).await,
            _ => Ok(()),
        }
    }

    /// Readers go on meanwhile, and writers as soon as the bytes are made. What is read into the
    /// index later counts towards the next snapshot.
    async fn keep_snapshot(&self, tenant: Tenant, held: &Held) -> Result<(), AppError> {
        let index = Arc::clone(&held.index).read_owned().await;
        if index.seq() == 0 || index.bytes() > LARGEST {
            return Ok(());
        }
        let seq = index.seq();
        let unsaved = held.unsaved.swap(0, Ordering::Relaxed);
        let (store, runtime) = (Arc::clone(&self.store), Handle::current());
        let keep = move || {
            let bytes = index.to_bytes();
            drop(index);
            runtime.block_on(store.put_snapshot(survey(tenant), &bytes))
        };
        let Ok(kept) = tokio::task::spawn_blocking(keep).await else {
            return Err(AppError::Internal("a snapshot ended early"));
        };
        if kept.is_err() {
            held.unsaved.fetch_add(unsaved, Ordering::Relaxed);
        }
        kept?;
        let mut tx = self.store.begin(survey(tenant)).await?;
        if !tx.list_erasures((seq, None), 1).await?.is_empty() {
            // Something that it holds was erased while it was written.
            self.store.drop_snapshot(survey(tenant)).await?;
        }
        Ok(())
    }

    /// Takes a snapshot up into an empty index, if there is a sound one that is not ahead.
    pub(super) async fn restore(
        &self,
        tenant: Tenant,
        mut index: OwnedRwLockWriteGuard<WorkspaceIndex>,
        target: u64,
    ) -> Result<OwnedRwLockWriteGuard<WorkspaceIndex>, AppError> {
        let (model, dim) = (self.embedder.model_id().to_owned(), self.embedder.dim());
        let (store, runtime) = (Arc::clone(&self.store), Handle::current());
        let read = move || {
            let bytes = match runtime.block_on(store.get_snapshot(survey(tenant))) {
                Ok(Some(bytes)) => bytes,
                Ok(None) => return index,
                Err(error) => {
                    tracing::warn!(%error, "an index snapshot is left aside; the index is made from the rows");
                    return index;
                }
            };
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
