//! The cookie of a browser's session: set, read, taken away; and what has to come beside it.

use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::Response;
use skep_app::{App, LoggedIn};
use skep_authz::{Caller, Denied};
use skep_domain::CredentialKind;

use crate::error::ApiError;
use crate::mount::Edge;

/// Over TLS. The prefix makes browsers keep it to this host, and to TLS.
const OVER_TLS: &str = "__Host-skep";
/// Over plain HTTP on this machine, where the other one cannot be.
const ON_LOOPBACK: &str = "skep-local";
/// Over TLS, what binds a sign-in at an issuer to the browser that began it.
const BINDING_OVER_TLS: &str = "__Host-skep-sso";
/// The same over plain HTTP on this machine.
const BINDING_ON_LOOPBACK: &str = "skep-local-sso";
/// What a page of ours sends with each change.
const CSRF: HeaderName = HeaderName::from_static("x-csrf-token");
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
/// As long as a session may last; when it really ends, its row says.
const SEVEN_DAYS: u32 = 7 * 24 * 3600;
/// As long as somebody may take at their issuer.
const TEN_MINUTES: u32 = 600;

fn name(app: &App) -> &'static str {
    if app.is_behind_tls() {
        OVER_TLS
    } else {
        ON_LOOPBACK
    }
}

/// The one session cookie of a request; two are refused, since nobody knows who planted the other.
/// The one without a prefix counts on this machine's own names alone: elsewhere a neighbouring host
/// could plant it.
pub(crate) fn cookie(headers: &HeaderMap) -> Result<Option<&[u8]>, ApiError> {
    let mut found = named(headers, [OVER_TLS, ON_LOOPBACK]);
    let first = found.next();
    if found.next().is_some() {
        return Err(Denied::InvalidCredential.into());
    }
    Ok(first)
}

/// The values of the cookies of one name, over TLS or on loopback.
fn named<'h>(
    headers: &'h HeaderMap,
    [over_tls, on_loopback]: [&'static str; 2],
) -> impl Iterator<Item = &'h [u8]> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b';'))
        .filter_map(move |pair| {
            let pair = pair.trim_ascii();
            let local = || {
                pair.strip_prefix(on_loopback.as_bytes())
                    .filter(|_| is_local(headers))
            };
            let value = pair.strip_prefix(over_tls.as_bytes());
            let value = value.filter(|rest| rest.starts_with(b"=")).or_else(local);
            value?.strip_prefix(b"=")
        })
}

/// What binds a sign-in to this browser, if one was begun; two are none.
pub(crate) fn binding(headers: &HeaderMap) -> Option<String> {
    let mut found = named(headers, [BINDING_OVER_TLS, BINDING_ON_LOOPBACK]);
    let first = found.next().filter(|_| found.next().is_none())?;
    std::str::from_utf8(first).ok().map(str::to_owned)
}

/// Gives the browser what it has to bring back from an issuer.
pub(crate) fn bind(app: &App, response: &mut Response, value: &str) {
    put_binding(app, response, value, TEN_MINUTES);
}

/// Takes that away.
pub(crate) fn unbind(app: &App, response: &mut Response) {
    put_binding(app, response, "", 0);
}

fn put_binding(app: &App, response: &mut Response, value: &str, seconds: u32) {
    let (name, secure) = if app.is_behind_tls() {
        (BINDING_OVER_TLS, "; Secure")
    } else {
        (BINDING_ON_LOOPBACK, "")
    };
    put(
        response,
        &format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}"),
    );
}

fn is_local(headers: &HeaderMap) -> bool {
    let host = headers
        .get(header::HOST)
        .and_then(|value| value.to_str().ok());
    let host = host.unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, port)| {
        if port.bytes().all(|c| c.is_ascii_digit()) {
            name
        } else {
            host
        }
    });
    ["localhost", "127.0.0.1", "[::1]"].contains(&name)
}

/// Gives the browser its cookie.
pub(crate) fn set(app: &App, response: &mut Response, session: &LoggedIn) {
    let secure = if app.is_behind_tls() { "; Secure" } else { "" };
    put(
        response,
        &format!(
            "{}={}; Path=/; HttpOnly; SameSite=Lax; Max-Age={SEVEN_DAYS}{secure}",
            name(app),
            session.cookie.expose()
        ),
    );
}

/// Takes it away.
pub(crate) fn clear(app: &App, response: &mut Response) {
    let secure = if app.is_behind_tls() { "; Secure" } else { "" };
    put(
        response,
        &format!(
            "{}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0{secure}",
            name(app)
        ),
    );
}

fn put(response: &mut Response, text: &str) {
    if let Ok(mut value) = HeaderValue::from_str(text) {
        value.set_sensitive(true);
        response.headers_mut().append(header::SET_COOKIE, value);
    }
}

/// Whose browser it is, if it is logged in.
pub(crate) async fn browser(edge: &Edge, parts: &Parts) -> Result<Option<Caller>, ApiError> {
    let Ok(Some(cookie)) = cookie(&parts.headers) else {
        return Ok(None);
    };
    match edge.app.authenticate_browser(cookie).await {
        Ok(caller) => Ok(Some(caller)),
        Err(skep_app::AppError::Denied(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// A change that a cookie authorizes has to come from a page of ours: others can make a browser send
/// the cookie, and cannot read what has to come beside it.
pub(crate) fn check_csrf(app: &App, caller: &Caller, headers: &HeaderMap) -> Result<(), ApiError> {
    if caller.kind() != CredentialKind::Browser {
        return Ok(());
    }
    let said = headers.get(CSRF).and_then(|value| value.to_str().ok());
    if own_page(app, headers)
        && said.is_some_and(|said| app.is_csrf_token(caller.credential(), said))
    {
        Ok(())
    } else {
        Err(forged())
    }
}

/// The same for a form, which has it in a field.
pub(crate) fn check_form(
    app: &App,
    caller: &Caller,
    headers: &HeaderMap,
    said: &str,
) -> Result<(), ApiError> {
    if own_page(app, headers) && app.is_csrf_token(caller.credential(), said) {
        Ok(())
    } else {
        Err(forged())
    }
}

/// Whether a browser does not say that the request comes from another page. Programs say nothing.
/// A proxy may have put its own name in `Host`, so the name that the daemon is known by counts too.
pub(crate) fn own_page(app: &App, headers: &HeaderMap) -> bool {
    let site = headers.get(SEC_FETCH_SITE).map(HeaderValue::as_bytes);
    let origin = headers
        .get(header::ORIGIN)
        .and_then(|value| value.to_str().ok());
    let host = headers
        .get(header::HOST)
        .and_then(|value| value.to_str().ok());
    let same = origin.is_none_or(|origin| {
        let named = origin.split_once("://").map(|(_, host)| host);
        (named.is_some() && named == host) || app.issuer() == Some(origin)
    });
    same && site.is_none_or(|site| site == b"same-origin" || site == b"none")
}

fn forged() -> ApiError {
    ApiError::new(
        skep_api::ErrorCode::PermissionDenied,
        "This has to be sent from a page of this Skep: reload it and try again.",
    )
}
