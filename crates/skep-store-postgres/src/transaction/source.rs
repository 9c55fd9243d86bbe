//! The part of the port about sources.

use async_trait::async_trait;
use skep_crypto::Sealed;
use skep_domain::{MemoryId, ReadingRing, SourceId, Timestamp};
use skep_store::backend::{PageOf, SourceRows};
use skep_store::row::{ChunkRow, Fingerprint, HistoryRow, SourceRow, SourceSummaryRow};
use skep_store::{ScopeKey, StoreError};

use super::{PostgresTx, step};
use crate::source;

#[async_trait]
impl SourceRows for PostgresTx {
    async fn put_source(
        &mut self,
        scope: &ScopeKey,
        row: SourceRow,
    ) -> Result<SourceId, StoreError> {
        step!(self, scope, source::put, &row)
    }
    async fn source(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        id: SourceId,
    ) -> Result<Option<SourceSummaryRow>, StoreError> {
        step!(self, scope, source::get, &ring, id)
    }
    async fn sources(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        page: PageOf<SourceId>,
    ) -> Result<Vec<SourceSummaryRow>, StoreError> {
        step!(self, scope, source::list, &ring, page)
    }
    async fn set_source_synced(
        &mut self,
        scope: &ScopeKey,
        id: SourceId,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        step!(self, scope, source::set_synced, id, at)
    }
    async fn source_documents(
        &mut self,
        scope: &ScopeKey,
        id: SourceId,
    ) -> Result<Vec<(Fingerprint, Fingerprint)>, StoreError> {
        step!(self, scope, source::documents, id)
    }
    async fn put_source_document(
        &mut self,
        scope: &ScopeKey,
        id: SourceId,
        document: Fingerprint,
        version: Fingerprint,
    ) -> Result<(), StoreError> {
        step!(self, scope, source::put_document, id, document, version)
    }
    async fn remove_source_document(
        &mut self,
        scope: &ScopeKey,
        id: SourceId,
        document: Fingerprint,
    ) -> Result<(), StoreError> {
        step!(self, scope, source::remove_document, id, document)
    }
    async fn source_chunks(
        &mut self,
        scope: &ScopeKey,
        id: SourceId,
        document: Fingerprint,
    ) -> Result<Vec<ChunkRow>, StoreError> {
        step!(self, scope, source::chunks, id, document)
    }
    async fn put_source_chunk(
        &mut self,
        scope: &ScopeKey,
        id: SourceId,
        document: Fingerprint,
        row: ChunkRow,
    ) -> Result<(), StoreError> {
        step!(self, scope, source::put_chunk, id, document, row)
    }
    async fn retire_source_chunks(
        &mut self,
        scope: &ScopeKey,
        id: SourceId,
        entries: Vec<(MemoryId, HistoryRow)>,
    ) -> Result<(), StoreError> {
        step!(self, scope, source::retire_chunks, id, &entries)
    }
    async fn source_fetch(
        &mut self,
        scope: &ScopeKey,
        id: SourceId,
    ) -> Result<Option<Sealed>, StoreError> {
        step!(self, scope, source::fetch, id)
    }
    async fn put_source_fetch(
        &mut self,
        scope: &ScopeKey,
        id: SourceId,
        body: Sealed,
    ) -> Result<(), StoreError> {
        step!(self, scope, source::put_fetch, id, &body)
    }
    async fn remove_source(&mut self, scope: &ScopeKey, id: SourceId) -> Result<(), StoreError> {
        step!(self, scope, source::remove, id)
    }
}
