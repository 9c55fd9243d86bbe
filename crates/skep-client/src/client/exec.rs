//! Runs of approved programs.

use std::time::Duration;

use skep_api::RouteId;
use skep_api::exec::{Exec, ExecRequest};
use skep_api::page::{Page, PageQuery};

use super::{Client, PATIENCE, paging};
use crate::ClientError;

impl Client {
    /// `POST /api/v1/exec`.
    ///
    /// # Errors
    /// As [`ClientError`] says; so with every method.
    pub async fn ask_exec(&mut self, request: &ExecRequest) -> Result<Exec, ClientError> {
        self.post(RouteId::ExecAsk, None, Some(request), PATIENCE)
            .await
    }

    /// `GET /api/v1/exec`.
    pub async fn execs(&mut self, page: &PageQuery) -> Result<Page<Exec>, ClientError> {
        self.get(RouteId::ExecList, None, &paging(page)).await
    }

    /// `GET /api/v1/exec/{id}`, waiting so many seconds for its end.
    pub async fn exec(&mut self, id: &str, wait: u32) -> Result<Exec, ClientError> {
        let parameters = [("wait", (wait > 0).then(|| wait.to_string()))];
        let patience = PATIENCE + Duration::from_secs(wait.into());
        self.get_within(RouteId::ExecGet, Some(id), &parameters, patience)
            .await
    }

    /// `POST /api/v1/exec/{id}/cancel`.
    pub async fn cancel_exec(&mut self, id: &str) -> Result<Exec, ClientError> {
        self.post::<(), _>(RouteId::ExecCancel, Some(id), None, PATIENCE)
            .await
    }
}
