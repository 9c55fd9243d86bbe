//! The tree of memories: folders, files, and looking through them.

use skep_api::RouteId;
use skep_api::tree::{
    File, FileRequest, FindRequest, GrepRequest, GrepResponse, ListRequest, Listing,
};

use super::{Client, PATIENCE};
use crate::ClientError;

impl Client {
    /// `POST /api/v1/tree/list`.
    ///
    /// # Errors
    /// As [`ClientError`] says; so with every method.
    pub async fn list_tree(&mut self, request: &ListRequest) -> Result<Listing, ClientError> {
        self.post(RouteId::TreeList, None, Some(request), PATIENCE)
            .await
    }

    /// `POST /api/v1/tree/file`.
    pub async fn tree_file(&mut self, request: &FileRequest) -> Result<File, ClientError> {
        self.post(RouteId::TreeFile, None, Some(request), PATIENCE)
            .await
    }

    /// `POST /api/v1/tree/find`.
    pub async fn find_in_tree(&mut self, request: &FindRequest) -> Result<Listing, ClientError> {
        self.post(RouteId::TreeFind, None, Some(request), PATIENCE)
            .await
    }

    /// `POST /api/v1/tree/grep`.
    pub async fn grep_tree(&mut self, request: &GrepRequest) -> Result<GrepResponse, ClientError> {
        self.post(RouteId::TreeGrep, None, Some(request), PATIENCE)
            .await
    }
}
