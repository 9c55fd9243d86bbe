//! Sources: adding, syncing, fetching, purging.

use skep_api::RouteId;
use skep_api::page::{Page, PageQuery};
use skep_api::source::{
    AddSourceRequest, FetchRequest, FetchResponse, PurgeResponse, Source, SyncRequest, SyncResponse,
};

use super::{CAPTURE_PATIENCE, Client, END_PATIENCE, FETCH_PATIENCE, PATIENCE, paging};
use crate::ClientError;

impl Client {
    /// `POST /api/v1/sources`.
    ///
    /// # Errors
    /// As [`ClientError`] says; so with every method.
    pub async fn add_source(&mut self, request: &AddSourceRequest) -> Result<Source, ClientError> {
        self.post(RouteId::SourceCreate, None, Some(request), PATIENCE)
            .await
    }

    /// `GET /api/v1/sources`.
    pub async fn sources(&mut self, page: &PageQuery) -> Result<Page<Source>, ClientError> {
        self.get(RouteId::SourceList, None, &paging(page)).await
    }

    /// `GET /api/v1/sources/{id}`.
    pub async fn source(&mut self, id: &str) -> Result<Source, ClientError> {
        self.get(RouteId::SourceGet, Some(id), &[]).await
    }

    /// `POST /api/v1/sources/{id}/sync`.
    pub async fn sync_source(
        &mut self,
        id: &str,
        request: &SyncRequest,
    ) -> Result<SyncResponse, ClientError> {
        self.post(
            RouteId::SourceSync,
            Some(id),
            Some(request),
            CAPTURE_PATIENCE,
        )
        .await
    }

    /// `POST /api/v1/sources/{id}/fetch`.
    pub async fn fetch_source(
        &mut self,
        id: &str,
        request: &FetchRequest,
    ) -> Result<FetchResponse, ClientError> {
        self.post(
            RouteId::SourceFetch,
            Some(id),
            Some(request),
            FETCH_PATIENCE,
        )
        .await
    }

    /// `POST /api/v1/sources/{id}/purge`.
    pub async fn purge_source(&mut self, id: &str) -> Result<PurgeResponse, ClientError> {
        self.post(RouteId::SourcePurge, Some(id), None::<&()>, END_PATIENCE)
            .await
    }
}
