//! Sessions and what they were given.

use skep_api::RouteId;
use skep_api::inject::Injection;
use skep_api::page::{Page, PageQuery};
use skep_api::removal::Erased;
use skep_api::session::{EndResponse, Session, Turn};

use super::{Client, END_PATIENCE, paging};
use crate::ClientError;

impl Client {
    /// `GET /api/v1/sessions`.
    ///
    /// # Errors
    /// As [`ClientError`] says; so with every method.
    pub async fn sessions(&mut self, page: &PageQuery) -> Result<Page<Session>, ClientError> {
        self.get(RouteId::SessionList, None, &paging(page)).await
    }

    /// `GET /api/v1/sessions/{id}`.
    pub async fn session(&mut self, id: &str) -> Result<Session, ClientError> {
        self.get(RouteId::SessionGet, Some(id), &[]).await
    }

    /// `GET /api/v1/sessions/{id}/turns`.
    pub async fn session_turns(
        &mut self,
        id: &str,
        page: &PageQuery,
    ) -> Result<Page<Turn>, ClientError> {
        self.get(RouteId::SessionTurns, Some(id), &paging(page))
            .await
    }

    /// `POST /api/v1/sessions/{id}/end`.
    pub async fn end_session(&mut self, id: &str) -> Result<EndResponse, ClientError> {
        self.post(RouteId::SessionEnd, Some(id), None::<&()>, END_PATIENCE)
            .await
    }

    /// `POST /api/v1/sessions/{id}/erase`.
    pub async fn erase_session(&mut self, id: &str) -> Result<Erased, ClientError> {
        self.post(RouteId::SessionErase, Some(id), None::<&()>, END_PATIENCE)
            .await
    }

    /// `GET /api/v1/sessions/{id}/context`.
    pub async fn session_context(
        &mut self,
        id: &str,
        page: &PageQuery,
    ) -> Result<Page<Injection>, ClientError> {
        self.get(RouteId::SessionContext, Some(id), &paging(page))
            .await
    }
}
