//! OAuth for programs: metadata, the device flow's beginning, tokens, revocation, registration.

mod page;
mod pages;

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::Serialize;
use skep_api::RouteId;
use skep_api::oauth::{
    DeviceAuthorization, OAuthFault, RegistrationRequest, RegistrationResponse, ResourceMetadata,
    ServerMetadata, TokenResponse,
};
use skep_app::{App, DeviceStart, OAuthCode, OAuthError, Registration, Resource, TokenRequest};

use crate::error::ApiError;
use crate::form::{Form, encode};
use crate::visit::Visit;

pub(crate) use pages::{authorize, authorize_submit, device, device_submit};

/// The header that carries a nonce for the next proof (RFC 9449).
pub(crate) const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");
/// The header of a proof.
pub(crate) const DPOP: HeaderName = HeaderName::from_static("dpop");

const GRANTS: [&str; 3] = [
    "authorization_code",
    "refresh_token",
    "urn:ietf:params:oauth:grant-type:device_code",
];
const JWKS: &str = "/.well-known/jwks.json";
/// The algorithms of proofs.
const PROOF_ALGORITHMS: [&str; 2] = ["EdDSA", "ES256"];

pub(crate) async fn server_metadata(visit: Visit) -> Result<Response, ApiError> {
    let Some(issuer) = visit.app().issuer() else {
        return Ok(fault(&OAuthError::Unavailable));
    };
    let at = |path: &str| format!("{issuer}{path}");
    let none = || vec!["none".to_owned()];
    Ok(cached(&ServerMetadata {
        issuer: issuer.to_owned(),
        authorization_endpoint: at("/oauth/authorize"),
        token_endpoint: at("/oauth/token"),
        device_authorization_endpoint: at("/oauth/device_authorization"),
        registration_endpoint: at("/oauth/register"),
        revocation_endpoint: at("/oauth/revoke"),
        jwks_uri: at(JWKS),
        response_types_supported: vec!["code".into()],
        response_modes_supported: vec!["query".into()],
        grant_types_supported: owned(&GRANTS),
        code_challenge_methods_supported: vec!["S256".into()],
        token_endpoint_auth_methods_supported: none(),
        revocation_endpoint_auth_methods_supported: none(),
        dpop_signing_alg_values_supported: owned(&PROOF_ALGORITHMS),
        authorization_response_iss_parameter_supported: true,
    }))
}

pub(crate) async fn resource_metadata(visit: Visit) -> Result<Response, ApiError> {
    Ok(metadata_of(&visit, Resource::Api))
}

pub(crate) async fn tools_metadata(visit: Visit) -> Result<Response, ApiError> {
    Ok(metadata_of(&visit, Resource::Mcp))
}

fn metadata_of(visit: &Visit, resource: Resource) -> Response {
    let Some(issuer) = visit.app().issuer() else {
        return fault(&OAuthError::Unavailable);
    };
    cached(&ResourceMetadata {
        resource: format!("{issuer}{}", resource.path()),
        authorization_servers: vec![issuer.to_owned()],
        jwks_uri: format!("{issuer}{JWKS}"),
        bearer_methods_supported: vec!["header".into()],
        dpop_signing_alg_values_supported: owned(&PROOF_ALGORITHMS),
        resource_name: "Skep".into(),
    })
}

pub(crate) async fn jwks(visit: Visit) -> Result<Response, ApiError> {
    Ok(cached(&visit.app().jwks()))
}

pub(crate) async fn start_device(visit: Visit) -> Result<Response, ApiError> {
    Ok(match begin_device(&visit).await {
        Ok(body) => answered(StatusCode::OK, &body),
        Err(error) => fault(&error),
    })
}

async fn begin_device(visit: &Visit) -> Result<DeviceAuthorization, OAuthError> {
    let form = form(&visit.body)?;
    let start = DeviceStart {
        client: form.get("client_id").unwrap_or_default(),
        device: form.get("device_name"),
        resource: form.get("resource"),
    };
    let grant = visit.app().start_device(start).await?;
    let page = format!(
        "{}/oauth/device",
        visit.app().issuer().ok_or(OAuthError::Unavailable)?
    );
    Ok(DeviceAuthorization {
        device_code: grant.device_code.expose().clone(),
        verification_uri_complete: format!("{page}?user_code={}", encode(&grant.user_code)),
        user_code: grant.user_code,
        verification_uri: page,
        expires_in: grant.expires_in.unsigned_abs(),
        interval: grant.interval.unsigned_abs(),
    })
}

pub(crate) async fn token(visit: Visit) -> Result<Response, ApiError> {
    Ok(match issue(&visit).await {
        Ok(body) => answered(StatusCode::OK, &body),
        Err(error) => fault(&error),
    })
}

async fn issue(visit: &Visit) -> Result<TokenResponse, OAuthError> {
    let form = form(&visit.body)?;
    let request = TokenRequest {
        grant: form.get("grant_type"),
        client: form.get("client_id"),
        code: form.get("code"),
        redirect: form.get("redirect_uri"),
        verifier: form.get("code_verifier"),
        device_code: form.get("device_code"),
        refresh: form.get("refresh_token"),
        resource: form.get("resource"),
        proof: proof(visit)?,
    };
    let tokens = visit.app().token(&request).await?;
    Ok(TokenResponse {
        access_token: tokens.access.expose().clone(),
        token_type: if tokens.bound { "DPoP" } else { "Bearer" }.into(),
        expires_in: tokens.expires_in.unsigned_abs(),
        refresh_token: tokens.refresh.expose().clone(),
    })
}

pub(crate) async fn revoke(visit: Visit) -> Result<Response, ApiError> {
    let outcome = async {
        let form = form(&visit.body)?;
        let token = form.get("token").ok_or(MISSING_TOKEN)?;
        visit.app().revoke_login(form.get("client_id"), token).await
    };
    Ok(match outcome.await {
        Ok(()) => answered(StatusCode::OK, &serde_json::json!({})),
        Err(error) => fault(&error),
    })
}

const MISSING_TOKEN: OAuthError = OAuthError::Refused {
    code: OAuthCode::InvalidRequest,
    description: "token is missing.",
};

pub(crate) async fn register(visit: Visit) -> Result<Response, ApiError> {
    let metadata: RegistrationRequest = match visit.body() {
        Ok(metadata) => metadata,
        Err(_) => return Ok(fault(&METADATA)),
    };
    Ok(match enrol(&visit, metadata) {
        Ok(body) => answered(StatusCode::CREATED, &body),
        Err(error) => fault(&error),
    })
}

const METADATA: OAuthError = OAuthError::Refused {
    code: OAuthCode::InvalidClientMetadata,
    description: "A public client, with the grants and responses of the server's metadata.",
};

fn enrol(visit: &Visit, metadata: RegistrationRequest) -> Result<RegistrationResponse, OAuthError> {
    let known = |asked: &Option<Vec<String>>, all: &[&str]| {
        asked
            .iter()
            .flatten()
            .all(|one| all.contains(&one.as_str()))
    };
    let method = metadata.token_endpoint_auth_method.as_deref();
    if !matches!(method, None | Some("none"))
        || !known(&metadata.grant_types, &GRANTS)
        || !known(&metadata.response_types, &["code"])
    {
        return Err(METADATA);
    }
    let registration = Registration {
        name: metadata.client_name.unwrap_or_else(|| "(no name)".into()),
        redirects: metadata.redirect_uris,
        bound: metadata.dpop_bound_access_tokens,
    };
    let client = visit.app().register_client(&registration)?;
    Ok(RegistrationResponse {
        client_id: client.id,
        client_name: registration.name,
        redirect_uris: registration.redirects,
        token_endpoint_auth_method: "none".into(),
        grant_types: metadata.grant_types.unwrap_or_else(|| owned(&GRANTS)),
        response_types: vec!["code".into()],
        dpop_bound_access_tokens: registration.bound,
    })
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn form(bytes: &[u8]) -> Result<Form, OAuthError> {
    Form::parse(bytes).ok_or(OAuthError::Refused {
        code: OAuthCode::InvalidRequest,
        description: "The form is malformed, or a parameter is in it twice.",
    })
}

/// The one proof of a request.
fn proof(visit: &Visit) -> Result<Option<&str>, OAuthError> {
    const BAD: OAuthError = OAuthError::Refused {
        code: OAuthCode::InvalidProof,
        description: "One proof of possession, as RFC 9449 has it.",
    };
    let mut proofs = visit.parts.headers.get_all(DPOP).iter();
    let first = proofs.next();
    if proofs.next().is_some() {
        return Err(BAD);
    }
    first
        .map(|value| value.to_str().map_err(|_| BAD))
        .transpose()
}

/// An answer as RFC 6749 has it.
fn answered(status: StatusCode, body: &impl Serialize) -> Response {
    let body = serde_json::to_vec(body).unwrap_or_default();
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    response
}

/// An error as RFC 6749 has it. Causes are logged and never sent.
fn fault(error: &OAuthError) -> Response {
    let (status, code, description) = match error {
        OAuthError::Refused { code, description } => (StatusCode::BAD_REQUEST, *code, *description),
        OAuthError::App(skep_app::AppError::Denied(_)) => (
            StatusCode::FORBIDDEN,
            OAuthCode::AccessDenied,
            "Whoever decides this may not.",
        ),
        OAuthError::Unavailable | OAuthError::Store(_) | OAuthError::App(_) => {
            if let OAuthError::Store(cause) = error {
                tracing::error!(error = cause as &dyn std::error::Error, "storage failed");
            }
            (
                StatusCode::SERVICE_UNAVAILABLE,
                OAuthCode::TemporarilyUnavailable,
                "This cannot be decided now: try again in a moment.",
            )
        }
    };
    let body = OAuthFault {
        error: code.as_str().into(),
        error_description: Some(description.into()),
    };
    let mut response = answered(status, &body);
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

/// Adds to any answer what a client needs for its next request: a fresh nonce for one that makes
/// proofs, and for one that was not let in where to go (RFC 9728, section 5.1).
pub(crate) fn advise(app: &App, (route, proves): (RouteId, bool), response: &mut Response) {
    if proves && let Ok(nonce) = HeaderValue::try_from(app.proof_nonce()) {
        response.headers_mut().insert(DPOP_NONCE, nonce);
    }
    if response.status() != StatusCode::UNAUTHORIZED {
        return;
    }
    let held = response.headers().get(header::WWW_AUTHENTICATE);
    let held = held.and_then(|held| held.to_str().ok());
    let resource = match route {
        RouteId::Mcp => Resource::Mcp,
        _ => Resource::Api,
    };
    let path = resource.path();
    if let (Some(held), Some(issuer)) = (held, app.issuer())
        && let Ok(value) = HeaderValue::try_from(format!(
            "{held}, resource_metadata=\"{issuer}/.well-known/oauth-protected-resource{path}\""
        ))
    {
        response
            .headers_mut()
            .insert(header::WWW_AUTHENTICATE, value);
    }
}

/// A public document.
fn cached(body: &impl Serialize) -> Response {
    let body = serde_json::to_vec(body).unwrap_or_default();
    let mut response = Response::new(Body::from(body));
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    response
}
