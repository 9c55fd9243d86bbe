//! Capture and import positions.

use axum::response::Response;
use skep_api::capture::{CaptureRequest, CaptureResponse, CursorRequest, CursorResponse};
use skep_authz::{Authorized, rights};

use crate::call::{Call, ok};
use crate::convert;
use crate::error::ApiError;

pub(crate) async fn capture(
    authorized: Authorized<rights::SessionCapture>,
    call: Call,
) -> Result<Response, ApiError> {
    let request: CaptureRequest = call.body()?;
    let captured = call
        .app()
        .capture(authorized, convert::capture(request)?)
        .await?;
    ok(&CaptureResponse {
        session: call.text(captured.session),
        stored: captured.stored,
        duplicates: captured.duplicates,
        redacted: captured.redacted,
        cut: captured.cut,
    })
}

pub(crate) async fn cursor(
    authorized: Authorized<rights::SessionCapture>,
    call: Call,
) -> Result<Response, ApiError> {
    let request: CursorRequest = call.body()?;
    let position = call
        .app()
        .import_cursor(authorized, &request.source)
        .await?;
    ok(&CursorResponse { position })
}
