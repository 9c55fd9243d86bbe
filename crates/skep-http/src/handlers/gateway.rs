//! Model calls, in the dialects that their clients speak.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use futures_util::stream::unfold;
use serde_json::json;
use skep_app::{Format, GatewayCall, ModelStream, PASSED_HEADERS, Relayed, WholeAnswer};
use skep_authz::{Authorized, rights};

use crate::call::{Call, ok};
use crate::dialect::Dialect;
use crate::error::ApiError;
use crate::mount::request_id;

/// Through how many daemons a call has come.
const HOPS: HeaderName = HeaderName::from_static("x-skep-hops");
/// Who answered.
const PROVIDER: HeaderName = HeaderName::from_static("x-skep-provider");

pub(crate) async fn chat(
    authorized: Authorized<rights::GatewayUse>,
    call: Call,
) -> Result<Response, ApiError> {
    relay(Format::Chat, &authorized, call).await
}

pub(crate) async fn messages(
    authorized: Authorized<rights::GatewayUse>,
    call: Call,
) -> Result<Response, ApiError> {
    relay(Format::Messages, &authorized, call).await
}

pub(crate) async fn models(
    authorized: Authorized<rights::GatewayUse>,
    call: Call,
) -> Result<Response, ApiError> {
    let models = call.app().models(&authorized).await?;
    if Dialect::of(call.parts.uri.path(), &call.parts.headers) == Some(Dialect::Anthropic) {
        let data: Vec<_> = models
            .iter()
            .map(|(id, _)| {
                json!({ "type": "model", "id": id, "display_name": id, "created_at": "1970-01-01T00:00:00Z" })
            })
            .collect();
        let (first, last) = (models.first(), models.last());
        return ok(&json!({
            "data": data, "has_more": false,
            "first_id": first.map(|(id, _)| id), "last_id": last.map(|(id, _)| id),
        }));
    }
    let data: Vec<_> = models
        .iter()
        .map(|(id, owner)| json!({ "id": id, "object": "model", "created": 0, "owned_by": owner }))
        .collect();
    ok(&json!({ "object": "list", "data": data }))
}

async fn relay(
    format: Format,
    authorized: &Authorized<rights::GatewayUse>,
    call: Call,
) -> Result<Response, ApiError> {
    let headers = &call.parts.headers;
    let asked = GatewayCall {
        format,
        headers: passed(headers),
        hops: hops(headers),
        request: request_id(&call.parts.extensions).0,
        body: call.body,
    };
    match Arc::clone(&call.edge.app).relay(authorized, asked).await? {
        Relayed::Whole(whole) => Ok(answer(whole)),
        Relayed::Stream(stream) => Ok(events(*stream)),
    }
}

/// What says which version is spoken, and nothing else.
fn passed(headers: &HeaderMap) -> Vec<(&'static str, String)> {
    let known = PASSED_HEADERS.into_iter().filter_map(|name| {
        let all: Vec<&str> = headers
            .get_all(name)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .collect();
        (!all.is_empty()).then(|| (name, all.join(",")))
    });
    known.collect()
}

/// What is no number has come through as many as may be.
fn hops(headers: &HeaderMap) -> u8 {
    let Some(value) = headers.get(HOPS) else {
        return 0;
    };
    let text = value.to_str().ok();
    text.and_then(|text| text.parse().ok()).unwrap_or(u8::MAX)
}

fn answer(whole: WholeAnswer) -> Response {
    let mut response = Response::new(Body::from(whole.body));
    *response.status_mut() = StatusCode::from_u16(whole.status).unwrap_or(StatusCode::BAD_GATEWAY);
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    let later = whole.retry_after.as_deref().map(HeaderValue::from_str);
    if let Some(Ok(later)) = later {
        headers.insert(header::RETRY_AFTER, later);
    }
    name(headers, &whole.provider);
    response
}

fn events(stream: ModelStream) -> Response {
    let provider = stream.provider().to_owned();
    let pieces = unfold(stream, |mut stream| async move {
        let piece = stream.next().await?;
        Some((Ok::<_, Infallible>(piece), stream))
    });
    let mut response = Response::new(Body::from_stream(pieces));
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/event-stream; charset=utf-8"),
    );
    // Proxies in front would wait until there is more.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    name(headers, &provider);
    response
}

fn name(headers: &mut HeaderMap, provider: &str) {
    if let Ok(provider) = HeaderValue::from_str(provider) {
        headers.insert(PROVIDER, provider);
    }
}
