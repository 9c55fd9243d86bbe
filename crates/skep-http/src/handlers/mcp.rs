//! `POST /mcp`: the tools for agents. Each question that a tool asks goes through the router as its caller's own.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Method, header};
use axum::response::Response;
use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use serde::Deserialize;
use serde_json::Value;
use skep_api::{ErrorCode, ErrorEnvelope, RouteId};
use skep_authz::Caller;
use skep_mcp::{Ask, Daemon, Profile, Refusal};

use crate::call::Call;
use crate::error::ApiError;
use crate::form::encode;
use crate::limits::Told;
use crate::mode::Trust;
use crate::mount::{Edge, within};
use crate::record;
use crate::request_id::RequestId;

/// Bytes of one answer; no tool asks for one that comes near it.
const ANSWER: usize = 8 << 20;

/// `/mcp?profile=…`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Query {
    profile: Option<String>,
}

pub(crate) async fn serve(call: Call) -> Result<Response, ApiError> {
    check_origin(&call)?;
    let query: Query = call.query()?;
    let name = query
        .profile
        .as_deref()
        .unwrap_or(Profile::default().as_str());
    let profile = Profile::parse(name).ok_or_else(|| {
        let known = Profile::ALL.map(Profile::as_str).join(", ");
        ApiError::field(
            "profile",
            "INVALID",
            format!("profile must be one of {known}"),
        )
    })?;
    // Read once more by the protocol, which bounds no depth.
    call.body::<serde::de::IgnoredAny>()?;
    let version = call.edge.version;
    let headers = call.parts.headers.clone();
    let body = call.body.clone();
    let inside = Arc::new(Inside::of(call));
    let answer = skep_mcp::http::answer(inside, (profile, version), &headers, body).await;
    Ok(answer.map(Body::new))
}

/// A page of another origin speaks to the tools for nobody, whatever credential it got hold of. On the
/// loopback of one machine the guard has judged it already.
fn check_origin(call: &Call) -> Result<(), ApiError> {
    let trust = call.parts.extensions.get::<Trust>().copied();
    if trust == Some(Trust::Local) {
        return Ok(());
    }
    let own = call.app().issuer();
    let mut origins = call.parts.headers.get_all(header::ORIGIN).iter();
    if origins.any(|origin| own.is_none_or(|own| origin.as_bytes() != own.as_bytes())) {
        return Err(ApiError::new(
            ErrorCode::PermissionDenied,
            "Requests from other origins are not served.",
        ));
    }
    Ok(())
}

/// The daemon as a tool reaches it: for one caller, within one request.
struct Inside {
    edge: Arc<Edge>,
    caller: Caller,
    call: axum::http::request::Parts,
    told: Arc<Told>,
    request: RequestId,
}

impl Inside {
    fn of(call: Call) -> Self {
        Self {
            request: crate::mount::request_id(&call.parts.extensions),
            edge: call.edge,
            caller: call.caller,
            call: call.parts,
            told: call.told,
        }
    }

    /// The question as a call of its own.
    fn call(&self, ask: Ask) -> Result<Call, Refusal> {
        let row = ask.route.row();
        let path = match (row.path.split_once("{id}"), &ask.id) {
            (Some((before, after)), Some(id)) => format!("{before}{}{after}", encode(id)),
            _ => row.path.to_owned(),
        };
        let query: Vec<String> = ask
            .query
            .iter()
            .map(|(name, value)| format!("{name}={}", encode(value)))
            .collect();
        let target = if query.is_empty() {
            path
        } else {
            format!("{path}?{}", query.join("&"))
        };
        let mut parts = self.call.clone();
        parts.uri = target.parse().map_err(|_| refused("This is no id."))?;
        parts.method = Method::from_bytes(row.method.as_str().as_bytes())
            .map_err(|_| refused("This is no method."))?;
        let body = ask.body.map(|body| Bytes::from(body.to_string()));
        Ok(Call {
            edge: Arc::clone(&self.edge),
            caller: self.caller.clone(),
            parts,
            path_id: ask.id,
            body: body.unwrap_or_default(),
            told: Arc::clone(&self.told),
        })
    }

    async fn answer(&self, route: RouteId, call: Call) -> Result<Value, Refusal> {
        let response = match within(route, call).await {
            Ok(response) => response,
            Err(error) => error.respond(&self.request),
        };
        let done = response.status().is_success();
        let body = Limited::new(response.into_body(), ANSWER).collect().await;
        let body = body
            .map_err(|_| refused("The answer is longer than a tool takes."))?
            .to_bytes();
        if done {
            return serde_json::from_slice(&body).map_err(|_| refused("The answer is no JSON."));
        }
        let envelope: ErrorEnvelope = serde_json::from_slice(&body)
            .map_err(|_| refused("It was refused without saying why."))?;
        Err(Refusal::from(envelope))
    }
}

impl Daemon for Inside {
    async fn ask(&self, ask: Ask) -> Result<Value, Refusal> {
        let route = ask.route;
        let call = self.call(ask)?;
        // The protocol answers in a task of its own, where nobody has said yet whose request this is.
        let asked = record::asked(&self.call);
        skep_app::answering(asked, self.answer(route, call)).await
    }

    fn nonce(&self) -> [u8; 16] {
        self.edge.app.nonce()
    }
}

fn refused(message: &str) -> Refusal {
    Refusal {
        message: message.to_owned(),
        ..Refusal::default()
    }
}
