//! The part of the port about sources: where memories were read from.

use async_trait::async_trait;
use skep_crypto::Sealed;
use skep_domain::{MemoryId, ReadingRing, SourceId, Timestamp};

use crate::StoreError;
use crate::backend::PageOf;
use crate::row::{ChunkRow, Fingerprint, HistoryRow, SourceRow, SourceSummaryRow};
use crate::scope::ScopeKey;

/// Rows about sources.
#[async_trait]
pub trait SourceRows: Send {
    /// Finds a source by fingerprint, or makes it.
    async fn put_source(
        &mut self,
        scope: &ScopeKey,
        row: SourceRow,
    ) -> Result<SourceId, StoreError>;
    /// One source, if the ring allows it.
    async fn source(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        id: SourceId,
    ) -> Result<Option<SourceSummaryRow>, StoreError>;
    /// Sources that the ring allows, newest first.
    async fn sources(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        page: PageOf<SourceId>,
    ) -> Result<Vec<SourceSummaryRow>, StoreError>;
    /// Notes when a source was read.
    async fn set_source_synced(
        &mut self,
        scope: &ScopeKey,
        id: SourceId,
        at: Timestamp,
    ) -> Result<(), StoreError>;

    /// The documents of a source with their versions.
    async fn source_documents(
        &mut self,
        scope: &ScopeKey,
        id: SourceId,
    ) -> Result<Vec<(Fingerprint, Fingerprint)>, StoreError>;
    /// Keeps the version of a document.
    async fn put_source_document(
        &mut self,
        scope: &ScopeKey,
        id: SourceId,
        document: Fingerprint,
        version: Fingerprint,
    ) -> Result<(), StoreError>;
    /// Forgets that there was a document; its chunks are another matter.
    async fn remove_source_document(
        &mut self,
        scope: &ScopeKey,
        id: SourceId,
        document: Fingerprint,
    ) -> Result<(), StoreError>;

    /// The chunks that a document has now.
    async fn source_chunks(
        &mut self,
        scope: &ScopeKey,
        id: SourceId,
        document: Fingerprint,
    ) -> Result<Vec<ChunkRow>, StoreError>;
    /// Adds a chunk to a document.
    async fn put_source_chunk(
        &mut self,
        scope: &ScopeKey,
        id: SourceId,
        document: Fingerprint,
        row: ChunkRow,
    ) -> Result<(), StoreError>;
    /// Notes that a document has these no more, and moves their memories to the entry's state
    /// unless they left recall already.
    async fn retire_source_chunks(
        &mut self,
        scope: &ScopeKey,
        id: SourceId,
        entries: Vec<(MemoryId, HistoryRow)>,
    ) -> Result<(), StoreError>;

    /// What a server said of a page when it was fetched last.
    async fn source_fetch(
        &mut self,
        scope: &ScopeKey,
        id: SourceId,
    ) -> Result<Option<Sealed>, StoreError>;
    /// Notes that; the last one stays.
    async fn put_source_fetch(
        &mut self,
        scope: &ScopeKey,
        id: SourceId,
        body: Sealed,
    ) -> Result<(), StoreError>;

    /// Takes the source away: its row, its documents, its chunks. What was made of it keeps its
    /// origin, by which a removal finds it.
    async fn remove_source(&mut self, scope: &ScopeKey, id: SourceId) -> Result<(), StoreError>;
}
