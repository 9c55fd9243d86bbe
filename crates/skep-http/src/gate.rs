//! The gate in front of every handler: credential, permission, size and kind of the body.

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Request, header};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use skep_api::{BodyLimit, ErrorCode, Gate, Route, RouteId};
use skep_app::{App, Resource, Shown};
use skep_authz::Caller;

use crate::elsewhere;
use crate::error::ApiError;
use crate::handlers::oauth::DPOP;
use crate::mode::Trust;
use crate::peer::Peer;
use crate::scope;
use crate::session;

/// Whoever calls a route that is not public.
pub(crate) async fn admit(
    app: &App,
    route: &Route,
    parts: &Parts,
) -> Result<Option<Caller>, ApiError> {
    elsewhere::check_door(app, route)?;
    if route.gate == Gate::Public {
        return Ok(None);
    }
    let trust = parts.extensions.get::<Trust>().copied();
    let peer = parts.extensions.get::<Peer>();
    let caller = identify(app, route, parts).await?;
    if caller.kind().is_of_the_installation() {
        installation_counts(trust, peer, route)?;
    }
    Ok(Some(caller))
}

/// The credentials of the installation count on its own machine. In a mode for many they are good
/// for what nobody else may do, over the socket, and for nothing else.
fn installation_counts(
    trust: Option<Trust>,
    peer: Option<&Peer>,
    route: &Route,
) -> Result<(), ApiError> {
    let over_socket = matches!(peer, Some(Peer::Socket { .. }));
    match trust {
        Some(Trust::Local) => Ok(()),
        Some(Trust::Team) if over_socket && route.gate == Gate::Install => Ok(()),
        Some(Trust::Team) if over_socket => Err(skep_authz::Denied::MissingCredential.into()),
        _ => Err(skep_authz::Denied::InvalidCredential.into()),
    }
}

/// Whether they may go on: their scope, their permission, and a second factor where one is asked for.
pub(crate) fn allow(
    app: &App,
    route: &Route,
    parts: &Parts,
    caller: &Caller,
) -> Result<(), ApiError> {
    scope::check(app, caller, &parts.headers)?;
    elsewhere::check_caller(route, caller)?;
    if parts.method != axum::http::Method::GET {
        session::check_csrf(app, caller, &parts.headers)?;
    }
    match route.gate {
        Gate::Public => {}
        Gate::Oneself if route.is_for_enrolment() => {}
        Gate::Oneself => caller.require_factor()?,
        Gate::InPerson => {
            caller.require_in_person()?;
            if !route.is_for_enrolment() {
                caller.require_factor()?;
            }
        }
        Gate::Install => caller.require_installation()?,
        Gate::Permission(permission) => caller.require(permission)?,
        Gate::SteppedUp(permission) => {
            caller.require(permission)?;
            caller.require_step_up(app.now())?;
        }
    }
    Ok(())
}

/// A token outranks the socket, so that a script can act with less than its user's rights.
async fn identify(app: &App, route: &Route, parts: &Parts) -> Result<Caller, ApiError> {
    let mut tokens = parts
        .headers
        .get_all(header::AUTHORIZATION)
        .iter()
        .map(HeaderValue::as_bytes);
    let token = tokens.next();
    if tokens.next().is_some() {
        return Err(skep_authz::Denied::InvalidCredential.into());
    }
    let key = api_key(route, &parts.headers, token)?;
    let token = key.as_deref().or(token);
    let cookie = session::cookie(&parts.headers)?;
    match (token, parts.extensions.get::<Peer>()) {
        (None, _) if cookie.is_some() => {
            Ok(app.authenticate_browser(cookie.unwrap_or_default()).await?)
        }
        (None, Some(Peer::Socket { uid })) => Ok(app
            .authenticate_peer(*uid, rustix::process::geteuid().as_raw())
            .await?),
        (Some(token), _) if let Some(shown) = access_token(token, route, parts)? => {
            Ok(app.authenticate_token(shown).await?)
        }
        (token, _) => Ok(app.authenticate_header(token).await?),
    }
}

/// The key as Anthropic's clients send it, in the form of the other header. Whoever sends both means one.
fn api_key(
    route: &Route,
    headers: &HeaderMap,
    token: Option<&[u8]>,
) -> Result<Option<Vec<u8>>, ApiError> {
    let mut keys = headers.get_all("x-api-key").iter();
    let Some(key) = keys.next().filter(|_| route.is_gateway()) else {
        return Ok(None);
    };
    let written = [b"Bearer ", key.as_bytes()].concat();
    let differs = token.is_some_and(|token| token != written);
    if keys.next().is_some() || differs {
        return Err(skep_authz::Denied::InvalidCredential.into());
    }
    Ok(Some(written))
}

/// A signed access token, if this is one: after `DPoP` always, after `Bearer` by its dots.
fn access_token<'r>(
    header: &'r [u8],
    route: &Route,
    parts: &'r Parts,
) -> Result<Option<Shown<'r>>, ApiError> {
    const BAD: skep_authz::Denied = skep_authz::Denied::InvalidCredential;
    let text = std::str::from_utf8(header).map_err(|_| BAD)?;
    let Some((scheme, token)) = text.split_once(' ') else {
        return Ok(None);
    };
    let with_proof = scheme.eq_ignore_ascii_case("dpop");
    let signed = scheme.eq_ignore_ascii_case("bearer") && token.contains('.');
    if !(with_proof || signed) {
        return Ok(None);
    }
    let mut proofs = parts.headers.get_all(DPOP).iter();
    let proof = proofs.next().map(|proof| proof.to_str().map_err(|_| BAD));
    if proofs.next().is_some() {
        return Err(BAD.into());
    }
    Ok(Some(Shown {
        token,
        with_proof,
        proof: proof.transpose()?,
        method: parts.method.as_str(),
        path: parts.uri.path(),
        resource: match route.id {
            RouteId::Mcp => Resource::Mcp,
            _ => Resource::Api,
        },
    }))
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
    let expected = match route.body {
        BodyLimit::Empty => None,
        BodyLimit::Json | BodyLimit::Batch | BodyLimit::Model => Some("application/json"),
        BodyLimit::Form => Some("application/x-www-form-urlencoded"),
    };
    if let Some(expected) = expected.filter(|kind| !is_of_kind(&parts.headers, kind)) {
        return Err(ApiError::new(
            ErrorCode::UnsupportedMediaType,
            format!("Send the body as {expected}."),
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

/// The same for a body that is here already.
pub(crate) fn check_size(route: &Route, size: usize) -> Result<(), ApiError> {
    let limit = route.body.bytes();
    if size > limit {
        return Err(too_large(limit));
    }
    Ok(())
}

fn too_large(limit: usize) -> ApiError {
    ApiError::new(
        ErrorCode::PayloadTooLarge,
        format!("The body may have at most {limit} bytes here."),
    )
}

fn is_of_kind(headers: &HeaderMap, expected: &str) -> bool {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case(expected) && !headers.contains_key(header::CONTENT_ENCODING)
}

/// Splits a request into what the gate looks at.
pub(crate) fn split(request: Request<Body>) -> (Parts, Body) {
    request.into_parts()
}
