//! Memories: remembering, changing, removing, reviewing.

use skep_api::RouteId;
use skep_api::access::AuditEntry;
use skep_api::memory::{
    EditRequest, ForgetRequest, Memory, MemoryQuery, RememberRequest, RememberResponse,
    ResolveRequest, ResolveResponse,
};
use skep_api::page::{Page, PageQuery};
use skep_api::removal::{Erased, RewindRequest, RewindResponse};
use skep_api::review::{Conflict, Held, History, ResolveConflictRequest, ReviewRequest};

use super::{Client, END_PATIENCE, PATIENCE, paging};
use crate::ClientError;

impl Client {
    /// `POST /api/v1/memories`.
    ///
    /// # Errors
    /// As [`ClientError`] says; so with every method.
    pub async fn remember(
        &mut self,
        request: &RememberRequest,
    ) -> Result<RememberResponse, ClientError> {
        self.post(RouteId::MemoryCreate, None, Some(request), PATIENCE)
            .await
    }

    /// `GET /api/v1/memories`.
    pub async fn memories(&mut self, query: &MemoryQuery) -> Result<Page<Memory>, ClientError> {
        let mut parameters = paging(&query.page()).to_vec();
        parameters.push(("kind", query.kind.clone()));
        parameters.push(("as_of", query.as_of.map(|at| at.to_string())));
        self.get(RouteId::MemoryList, None, &parameters).await
    }

    /// `GET /api/v1/memories/{id}`.
    pub async fn memory(&mut self, id: &str) -> Result<Memory, ClientError> {
        self.get(RouteId::MemoryGet, Some(id), &[]).await
    }

    /// `POST /api/v1/memories/{id}/forget`.
    pub async fn forget(
        &mut self,
        id: &str,
        request: &ForgetRequest,
    ) -> Result<Memory, ClientError> {
        self.post(RouteId::MemoryForget, Some(id), Some(request), PATIENCE)
            .await
    }

    /// `PATCH /api/v1/memories/{id}`.
    pub async fn edit(
        &mut self,
        id: &str,
        request: &EditRequest,
    ) -> Result<RememberResponse, ClientError> {
        self.post(RouteId::MemoryEdit, Some(id), Some(request), PATIENCE)
            .await
    }

    /// `GET /api/v1/memories/{id}/history`.
    pub async fn memory_history(&mut self, id: &str) -> Result<History, ClientError> {
        self.get(RouteId::MemoryHistory, Some(id), &[]).await
    }

    /// `GET /api/v1/memories/{id}/seen`.
    pub async fn who_saw(
        &mut self,
        id: &str,
        page: &PageQuery,
    ) -> Result<Page<AuditEntry>, ClientError> {
        self.get(RouteId::MemorySeen, Some(id), &paging(page)).await
    }

    /// `POST /api/v1/memories/{id}/erase`.
    pub async fn erase_memory(&mut self, id: &str) -> Result<Erased, ClientError> {
        self.post(RouteId::MemoryErase, Some(id), None::<&()>, END_PATIENCE)
            .await
    }

    /// `POST /api/v1/rewind`.
    pub async fn rewind(&mut self, request: &RewindRequest) -> Result<RewindResponse, ClientError> {
        self.post(RouteId::Rewind, None, Some(request), END_PATIENCE)
            .await
    }

    /// `GET /api/v1/conflicts`.
    pub async fn conflicts(&mut self, page: &PageQuery) -> Result<Page<Conflict>, ClientError> {
        self.get(RouteId::ConflictList, None, &paging(page)).await
    }

    /// `POST /api/v1/conflicts/{id}/resolve`.
    pub async fn resolve_conflict(
        &mut self,
        id: &str,
        request: &ResolveConflictRequest,
    ) -> Result<Conflict, ClientError> {
        self.post(RouteId::ConflictResolve, Some(id), Some(request), PATIENCE)
            .await
    }

    /// `GET /api/v1/quarantine`.
    pub async fn quarantine(&mut self, page: &PageQuery) -> Result<Page<Held>, ClientError> {
        self.get(RouteId::QuarantineList, None, &paging(page)).await
    }

    /// `POST /api/v1/quarantine/{id}/accept`.
    pub async fn accept(
        &mut self,
        id: &str,
        request: &ReviewRequest,
    ) -> Result<Memory, ClientError> {
        self.post(RouteId::QuarantineAccept, Some(id), Some(request), PATIENCE)
            .await
    }

    /// `POST /api/v1/quarantine/{id}/reject`.
    pub async fn reject(
        &mut self,
        id: &str,
        request: &ReviewRequest,
    ) -> Result<Memory, ClientError> {
        self.post(RouteId::QuarantineReject, Some(id), Some(request), PATIENCE)
            .await
    }

    /// `POST /api/v1/resolve`.
    pub async fn resolve(
        &mut self,
        request: &ResolveRequest,
    ) -> Result<ResolveResponse, ClientError> {
        self.post(RouteId::Resolve, None, Some(request), PATIENCE)
            .await
    }
}
