//! Model calls, in the dialects that their clients speak.

mod facts;

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use futures_util::stream::unfold;
use serde_json::json;
use skep_api::error::ErrorCode;
use skep_app::{
    AppError, CallRights, ContextAsked, ContextTold, Format, GatewayCall, KeepingIn, MemoryMode,
    ModelStream, PASSED_HEADERS, Relayed, WholeAnswer,
};
use skep_authz::{Authorized, Denied, rights};
use skep_domain::Limits;

use super::contexts;
use crate::call::{Call, ok};
use crate::dialect::{self, Dialect};
use crate::error::ApiError;
use crate::mount::request_id;

/// Through how many daemons a call has come.
const HOPS: HeaderName = HeaderName::from_static("x-skep-hops");
/// Under which a call may be asked for again.
const KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// What streams are.
const EVENTS: HeaderValue = HeaderValue::from_static("text/event-stream; charset=utf-8");
/// What a model is to be given beside what its caller wrote.
const MEMORY: HeaderName = HeaderName::from_static("x-skep-memory");
/// Where what is said is kept.
const CAPTURE: HeaderName = HeaderName::from_static("x-skep-capture");
/// What it was given.
const CONTEXT: HeaderName = HeaderName::from_static("x-skep-context");

pub(crate) async fn chat(
    authorized: Authorized<rights::GatewayUse>,
    call: Call,
) -> Result<Response, ApiError> {
    relay(Format::Chat, authorized, call).await
}

pub(crate) async fn messages(
    authorized: Authorized<rights::GatewayUse>,
    call: Call,
) -> Result<Response, ApiError> {
    relay(Format::Messages, authorized, call).await
}

pub(crate) async fn responses(
    authorized: Authorized<rights::GatewayUse>,
    call: Call,
) -> Result<Response, ApiError> {
    relay(Format::Responses, authorized, call).await
}

pub(crate) async fn embeddings(
    authorized: Authorized<rights::GatewayUse>,
    call: Call,
) -> Result<Response, ApiError> {
    relay(Format::Embeddings, authorized, call).await
}

pub(crate) async fn count_tokens(
    authorized: Authorized<rights::GatewayUse>,
    call: Call,
) -> Result<Response, ApiError> {
    relay(Format::CountTokens, authorized, call).await
}

pub(crate) async fn models(
    authorized: Authorized<rights::GatewayUse>,
    call: Call,
) -> Result<Response, ApiError> {
    let models = call.app().models(&authorized).await?;
    if dialect::of(call.parts.uri.path(), &call.parts.headers) == Some(Dialect::Anthropic) {
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
    authorized: Authorized<rights::GatewayUse>,
    call: Call,
) -> Result<Response, ApiError> {
    let headers = &call.parts.headers;
    let asked = GatewayCall {
        format,
        headers: passed(headers),
        hops: hops(headers),
        request: request_id(&call.parts.extensions).0,
        key: key(headers)?,
        trace: trace(headers),
        body: call.body.clone(),
    };
    let context = ContextAsked {
        memory: memory(headers)?,
        keeping_in: keeping_in(headers)?,
        rights: rights_of(&call),
        keeping: call.caller.authorize(),
        caller: &call.caller,
        route: format!("{} {}", call.parts.method, call.parts.uri.path()),
        id_text: &|id| call.text(id),
    };
    let app = Arc::clone(&call.edge.app);
    let answered = app.relay(authorized, asked, context).await;
    call.told.keep_tokens(match &answered {
        Ok(answered) => match &answered.relayed {
            Relayed::Whole(whole) => whole.facts.tokens,
            Relayed::Stream(stream) => stream.facts().tokens,
        },
        Err(AppError::TokensLimited(taken)) => Some(*taken),
        Err(_) => None,
    });
    let answered = answered?;
    let mut response = match answered.relayed {
        Relayed::Whole(whole) => answer(whole),
        Relayed::Stream(stream) => events(*stream),
    };
    if let Some(told) = answered.context {
        response.headers_mut().insert(CONTEXT, context_header(told));
    }
    Ok(response)
}

/// What the call itself asks for.
fn memory(headers: &HeaderMap) -> Result<Option<MemoryMode>, ApiError> {
    let mut all = headers.get_all(MEMORY).iter();
    let Some(value) = all.next() else {
        return Ok(None);
    };
    // Of two that differ, whoever wrote one of them would be wrong about what happens.
    let text = match all.next() {
        None => value.to_str().unwrap_or_default(),
        Some(_) => "",
    };
    contexts::mode("x-skep-memory", text).map(Some)
}

/// The session that what is said is to be kept in; `off` for none, `on` for that of the conversation. These are no names,
/// however they are written.
fn keeping_in(headers: &HeaderMap) -> Result<KeepingIn, ApiError> {
    let mut all = headers.get_all(CAPTURE).iter();
    let Some(value) = all.next() else {
        return Ok(KeepingIn::AsSet);
    };
    let text = value.to_str().unwrap_or_default().trim();
    if text.is_empty() || text.len() > Limits::CLIENT_KEY || all.next().is_some() {
        let message = "x-skep-capture is the name of a session, on or off";
        return Err(ApiError::field("x-skep-capture", "INVALID", message));
    }
    Ok(if text.eq_ignore_ascii_case("off") {
        KeepingIn::Nowhere
    } else if text.eq_ignore_ascii_case("on") {
        KeepingIn::Conversation
    } else {
        KeepingIn::Session(text.to_owned())
    })
}

/// What memories in a call take of its caller.
fn rights_of(call: &Call) -> Result<CallRights, Denied> {
    Ok(CallRights {
        looking: call.caller.authorize()?,
        reading: call.caller.authorize()?,
        recording: call.caller.authorize()?,
        seeing: Some(call.caller.authorize()?),
    })
}

fn context_header(told: ContextTold) -> HeaderValue {
    match told {
        ContextTold::Blocks(1) => HeaderValue::from_static("1 block"),
        ContextTold::Blocks(count) => HeaderValue::from_str(&format!("{count} blocks"))
            .unwrap_or(HeaderValue::from_static("blocks")),
        ContextTold::Directive => HeaderValue::from_static("directive"),
        ContextTold::Degraded => HeaderValue::from_static("degraded"),
        ContextTold::NoPlace => HeaderValue::from_static("none"),
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

/// The key under which a call may be asked for again.
fn key(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let mut all = headers.get_all(KEY).iter();
    let Some(value) = all.next() else {
        return Ok(None);
    };
    match value.to_str() {
        Ok(text) if (1..=Limits::CLIENT_KEY).contains(&text.len()) && all.next().is_none() => {
            Ok(Some(text.to_owned()))
        }
        _ => Err(ApiError::new(
            ErrorCode::ValidationError,
            format!(
                "Idempotency-Key: send one, of 1 to {} printable ASCII characters",
                Limits::CLIENT_KEY
            ),
        )),
    }
}

/// What a call is part of, in its caller's own words; of a sane length.
fn trace(headers: &HeaderMap) -> Option<String> {
    let text = headers.get("traceparent")?.to_str().ok()?;
    (text.len() <= 128).then(|| text.to_owned())
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
    let kind = if whole.is_stream {
        EVENTS
    } else {
        HeaderValue::from_static("application/json")
    };
    headers.insert(header::CONTENT_TYPE, kind);
    let later = whole.retry_after.as_deref().map(HeaderValue::from_str);
    if let Some(Ok(later)) = later {
        headers.insert(header::RETRY_AFTER, later);
    }
    facts::tell(headers, &whole.facts);
    response
}

fn events(stream: ModelStream) -> Response {
    let known = stream.facts().clone();
    let pieces = unfold(stream, |mut stream| async move {
        let piece = stream.next().await?;
        Some((Ok::<_, Infallible>(piece), stream))
    });
    let mut response = Response::new(Body::from_stream(pieces));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, EVENTS);
    // Proxies in front would wait until there is more.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    facts::tell(headers, &known);
    response
}
