//! The part of the port about sources.

use async_trait::async_trait;
use skep_crypto::Sealed;
use skep_domain::{MemoryId, ReadingRing, SourceId, Timestamp};
use skep_store::backend::{PageOf, SourceRows};
use skep_store::row::{ChunkRow, Fingerprint, HistoryRow, SourceRow, SourceSummaryRow};
use skep_store::{ScopeKey, StoreError};

use super::SqliteTx;
use crate::source;

#[async_trait]
impl SourceRows for SqliteTx {
    async fn put_source(
        &mut self,
        scope: &ScopeKey,
        row: SourceRow,
    ) -> Result<SourceId, StoreError> {
        self.run(scope, move |rows| source::put(rows, &row)).await
    }
    async fn source(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        id: SourceId,
    ) -> Result<Option<SourceSummaryRow>, StoreError> {
        let ring = *ring;
        self.run(scope, move |rows| source::get(rows, &ring, id))
            .await
    }
    async fn sources(
        &mut self,
        scope: &ScopeKey,
        ring: &ReadingRing,
        page: PageOf<SourceId>,
    ) -> Result<Vec<SourceSummaryRow>, StoreError> {
        let ring = *ring;
        self.run(scope, move |rows| source::list(rows, &ring, page))
            .await
    }
    async fn set_source_synced(
        &mut self,
        scope: &ScopeKey,
        id: SourceId,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.run(scope, move |rows| source::set_synced(rows, id, at))
            .await
    }
    async fn source_documents(
        &mut self,
        scope: &ScopeKey,
        id: SourceId,
    ) -> Result<Vec<(Fingerprint, Fingerprint)>, StoreError> {
        self.run(scope, move |rows| source::documents(rows, id))
            .await
    }
    async fn put_source_document(
        &mut self,
        scope: &ScopeKey,
        id: SourceId,
        document: Fingerprint,
        version: Fingerprint,
    ) -> Result<(), StoreError> {
        self.run(scope, move |rows| {
            source::put_document(rows, id, document, version)
        })
        .await
    }
    async fn remove_source_document(
        &mut self,
        scope: &ScopeKey,
        id: SourceId,
        document: Fingerprint,
    ) -> Result<(), StoreError> {
        self.run(scope, move |rows| {
            source::remove_document(rows, id, document)
        })
        .await
    }
    async fn source_chunks(
        &mut self,
        scope: &ScopeKey,
        id: SourceId,
        document: Fingerprint,
    ) -> Result<Vec<ChunkRow>, StoreError> {
        self.run(scope, move |rows| source::chunks(rows, id, document))
            .await
    }
    async fn put_source_chunk(
        &mut self,
        scope: &ScopeKey,
        id: SourceId,
        document: Fingerprint,
        row: ChunkRow,
    ) -> Result<(), StoreError> {
        self.run(scope, move |rows| {
            source::put_chunk(rows, id, document, row)
        })
        .await
    }
    async fn retire_source_chunks(
        &mut self,
        scope: &ScopeKey,
        id: SourceId,
        entries: Vec<(MemoryId, HistoryRow)>,
    ) -> Result<(), StoreError> {
        self.run(scope, move |rows| source::retire_chunks(rows, id, &entries))
            .await
    }
    async fn source_fetch(
        &mut self,
        scope: &ScopeKey,
        id: SourceId,
    ) -> Result<Option<Sealed>, StoreError> {
        self.run(scope, move |rows| source::fetch(rows, id)).await
    }
    async fn put_source_fetch(
        &mut self,
        scope: &ScopeKey,
        id: SourceId,
        body: Sealed,
    ) -> Result<(), StoreError> {
        self.run(scope, move |rows| source::put_fetch(rows, id, &body))
            .await
    }
    async fn remove_source(&mut self, scope: &ScopeKey, id: SourceId) -> Result<(), StoreError> {
        self.run(scope, move |rows| source::remove(rows, id)).await
    }
}
