//! A backup, as a stream: a page of it is made when the one before is taken, so that a slow reader holds up
//! nobody and a large archive is never in memory.

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use futures_util::stream::try_unfold;
use skep_api::system::BackupRequest;
use skep_app::{Backup, BackupOrder};

use crate::call::Call;
use crate::error::ApiError;

pub(crate) async fn begin(call: Call) -> Result<Response, ApiError> {
    let request: BackupRequest = call.body()?;
    let order = BackupOrder {
        passphrase: request.passphrase,
        recovery_key: request.recovery_key,
        workspace: request.workspace,
    };
    let backup = call.app().begin_backup(&call.caller, order).await?;
    let mut response = Response::new(Body::from_stream(try_unfold(backup, next)));
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/octet-stream"),
    );
    Ok(response)
}

/// An error ends the answer before its end, which whoever reads it sees.
async fn next(mut backup: Backup) -> Result<Option<(Bytes, Backup)>, std::io::Error> {
    match backup.next().await {
        Ok(bytes) => Ok(bytes.map(|bytes| (Bytes::from(bytes), backup))),
        Err(error) => {
            tracing::error!(%error, "a backup ended before its end");
            Err(std::io::Error::other("the backup ended before its end"))
        }
    }
}
