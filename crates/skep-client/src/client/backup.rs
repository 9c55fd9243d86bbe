//! What arrives as a stream: a backup, an export of a log.

use std::io;
use std::time::Duration;

use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::{Response, StatusCode};
use skep_api::ledger::LogQuery;
use skep_api::system::BackupRequest;
use skep_api::{ErrorEnvelope, RouteId};
use tokio::time::timeout;

use super::{Call, Client};
use crate::ClientError;
use crate::connection::{Connection, SendError};
use crate::target::{path, with_query};

/// A page of rows is there in a moment, unless the store is very busy.
const PATIENCE: Duration = Duration::from_mins(5);
/// Bytes of a refusal.
const REFUSAL: usize = 64 << 10;

impl Client {
    /// `POST /api/v1/system/backup`: hands over the archive as it arrives. What was taken is whole only when
    /// this says so.
    ///
    /// # Errors
    /// As [`ClientError`] says; whatever `take` fails with is [`ClientError::Io`].
    pub async fn back_up(
        &mut self,
        request: &BackupRequest,
        take: impl FnMut(&[u8]) -> io::Result<()>,
    ) -> Result<(), ClientError> {
        let body = serde_json::to_vec(request)
            .map_err(|error| self.protocol(format!("the request is not JSON: {error}")))?;
        let call = Call {
            route: RouteId::Backup,
            target: path(RouteId::Backup, None),
            body: Some(body),
            patience: PATIENCE,
        };
        self.receive(&call, take).await
    }

    /// `GET /api/v1/audit/export`: hands over a log as it arrives. Whether it is whole, a verifier tells.
    ///
    /// # Errors
    /// As [`ClientError`] says; whatever `take` fails with is [`ClientError::Io`].
    pub async fn export_log(
        &mut self,
        query: &LogQuery,
        take: impl FnMut(&[u8]) -> io::Result<()>,
    ) -> Result<(), ClientError> {
        let parameters = [("log", query.log.clone())];
        let call = Call {
            route: RouteId::AuditExport,
            target: with_query(path(RouteId::AuditExport, None), &parameters),
            body: None,
            patience: PATIENCE,
        };
        self.receive(&call, take).await
    }

    async fn receive(
        &mut self,
        call: &Call,
        mut take: impl FnMut(&[u8]) -> io::Result<()>,
    ) -> Result<(), ClientError> {
        let answer = self.begin(call).await?;
        if answer.status() != StatusCode::OK {
            return Err(self.refused(answer).await);
        }
        let mut body = answer.into_body();
        loop {
            let frame = timeout(PATIENCE, body.frame()).await;
            let frame = frame.map_err(|_late| self.broken(io::ErrorKind::TimedOut.into()))?;
            let Some(frame) = frame else { return Ok(()) };
            let frame = frame.map_err(|error| self.broken(io::Error::other(error)))?;
            if let Some(bytes) = frame.data_ref() {
                take(bytes).map_err(|error| self.broken(error))?;
            }
        }
    }

    /// On a fresh connection: an answer as long as this one keeps it from anything else.
    async fn begin(&mut self, call: &Call) -> Result<Response<Incoming>, ClientError> {
        let request = self.request(call)?;
        let mut connection = Connection::open(&self.endpoint).await?;
        let begun = timeout(call.patience, connection.begin(request)).await;
        let begun = begun.map_err(|_late| self.broken(io::ErrorKind::TimedOut.into()))?;
        self.connection = Some(connection);
        begun.map_err(|error| match error {
            SendError::Broken(source) => self.broken(source),
            SendError::Unsent(_) | SendError::TooLarge => {
                self.broken(io::ErrorKind::ConnectionReset.into())
            }
        })
    }

    async fn refused(&self, answer: Response<Incoming>) -> ClientError {
        let status = answer.status().as_u16();
        let body = Limited::new(answer.into_body(), REFUSAL).collect().await;
        let bytes = body
            .map(http_body_util::Collected::to_bytes)
            .unwrap_or_default();
        match serde_json::from_slice::<ErrorEnvelope>(&bytes) {
            Ok(envelope) => ClientError::Refused(envelope),
            Err(_) => self.protocol(format!("status {status} without an error envelope")),
        }
    }
}
