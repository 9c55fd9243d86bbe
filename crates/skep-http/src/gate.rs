//! The gate in front of every handler: credential, permission, size and kind of the body.

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Request, header};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use skep_api::{BodyLimit, ErrorCode, Gate, Route};
use skep_app::App;
use skep_authz::Caller;

use crate::error::ApiError;
use crate::peer::Peer;

/// Whoever calls a route that is not public, with the permission that its row demands.
pub(crate) async fn admit(
    app: &App,
    route: &Route,
    parts: &Parts,
) -> Result<Option<Caller>, ApiError> {
    let Gate::Permission(permission) = route.gate else {
        return Ok(None);
    };
    let caller = identify(app, parts).await?;
    caller.require(permission)?;
    Ok(Some(caller))
}

/// A token outranks the socket, so that a script can act with less than its user's rights.
async fn identify(app: &App, parts: &Parts) -> Result<Caller, ApiError> {
    let mut tokens = parts
        .headers
        .get_all(header::AUTHORIZATION)
        .iter()
        .map(HeaderValue::as_bytes);
    let token = tokens.next();
    if tokens.next().is_some() {
        return Err(skep_authz::Denied::InvalidCredential.into());
    }
    match (token, parts.extensions.get::<Peer>()) {
        (None, Some(Peer::Socket { uid })) => Ok(app
            .authenticate_peer(*uid, rustix::process::geteuid().as_raw())
            .await?),
        (token, _) => Ok(app.authenticate_header(token).await?),
    }
}

/// Reads the body that the row allows; what is larger is refused without being kept.
pub(crate) async fn read_body(route: &Route, parts: &Parts, body: Body) -> Result<Bytes, ApiError> {
    let limit = route.body.bytes();
    let declared = parts
        .headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if declared.is_some_and(|declared| declared > limit as u64) {
        return Err(too_large(limit));
    }
    if route.body != BodyLimit::Empty && !is_json(&parts.headers) {
        return Err(ApiError::new(
            ErrorCode::UnsupportedMediaType,
            "Send the body as application/json.",
        ));
    }
    match Limited::new(body, limit).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_large(limit)),
        Err(_) => Err(ApiError::new(
            ErrorCode::InvalidJson,
            "The body did not arrive whole.",
        )),
    }
}

fn too_large(limit: usize) -> ApiError {
    ApiError::new(
        ErrorCode::PayloadTooLarge,
        format!("The body may have at most {limit} bytes here."),
    )
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
        && !headers.contains_key(header::CONTENT_ENCODING)
}

/// Splits a request into what the gate looks at.
pub(crate) fn split(request: Request<Body>) -> (Parts, Body) {
    request.into_parts()
}
