//! Sinks of the ledger.

use std::time::Duration;

use skep_api::RouteId;
use skep_api::sink::{SetSinkRequest, Sink, SinkRemoved, SinkRequest, SinkSet, SinkTested, Sinks};

use super::{Client, PATIENCE};
use crate::ClientError;

/// Whoever runs the daemon says how long a sink may take to answer.
const TEST_PATIENCE: Duration = Duration::from_mins(6);

impl Client {
    /// `GET /api/v1/sinks`.
    ///
    /// # Errors
    /// As [`ClientError`] says; so with every method.
    pub async fn sinks(&mut self) -> Result<Sinks, ClientError> {
        self.get(RouteId::SinkList, None, &[]).await
    }

    /// `POST /api/v1/sinks`.
    pub async fn set_sink(&mut self, request: &SetSinkRequest) -> Result<SinkSet, ClientError> {
        self.post(RouteId::SinkSet, None, Some(request), PATIENCE)
            .await
    }

    /// `POST /api/v1/sinks/remove`.
    pub async fn remove_sink(&mut self, request: &SinkRequest) -> Result<SinkRemoved, ClientError> {
        self.post(RouteId::SinkRemove, None, Some(request), PATIENCE)
            .await
    }

    /// `POST /api/v1/sinks/resume`.
    pub async fn resume_sink(&mut self, request: &SinkRequest) -> Result<Sink, ClientError> {
        self.post(RouteId::SinkResume, None, Some(request), PATIENCE)
            .await
    }

    /// `POST /api/v1/sinks/key`.
    pub async fn renew_sink_key(&mut self, request: &SinkRequest) -> Result<SinkSet, ClientError> {
        self.post(RouteId::SinkKey, None, Some(request), PATIENCE)
            .await
    }

    /// `POST /api/v1/sinks/test`.
    pub async fn test_sink(&mut self, request: &SinkRequest) -> Result<SinkTested, ClientError> {
        self.post(RouteId::SinkTest, None, Some(request), TEST_PATIENCE)
            .await
    }
}
