//! Deleting workspaces, and background work.

use skep_api::RouteId;
use skep_api::job::{Accepted, Job};
use skep_api::page::{Page, PageQuery};

use super::access::paging;
use super::{Call, Client, PATIENCE, path};
use crate::ClientError;

impl Client {
    /// `DELETE /api/v1/workspaces/{id}`.
    pub async fn delete_workspace(&mut self, id: &str) -> Result<Accepted, ClientError> {
        self.call(Call {
            route: RouteId::WorkspaceDelete,
            target: path(RouteId::WorkspaceDelete, Some(id)),
            body: None,
            patience: PATIENCE,
        })
        .await
    }

    /// `POST /api/v1/workspaces/inventory`.
    pub async fn take_inventory(&mut self) -> Result<Accepted, ClientError> {
        self.post::<(), _>(RouteId::WorkspaceInventory, None, None, PATIENCE)
            .await
    }

    /// `GET /api/v1/jobs`.
    pub async fn jobs(&mut self, page: &PageQuery) -> Result<Page<Job>, ClientError> {
        self.get(RouteId::JobList, None, &paging(page)).await
    }

    /// `GET /api/v1/jobs/{id}`.
    pub async fn job(&mut self, id: &str) -> Result<Job, ClientError> {
        self.get(RouteId::JobGet, Some(id), &[]).await
    }
}
