//! Who speaks, and to whom: what a lease is asked for, request by request.

use std::sync::Arc;

use hyper::body::Incoming;
use hyper::header::{HOST, HeaderValue, PROXY_AUTHORIZATION};
use hyper::{Method, Request, Response, Uri};
use skep_egress::{Origin, Scheme};

use crate::basic;
use crate::body::Answer;
use crate::exchange::Exchange;
use crate::guest::Guest;
use crate::head;
use crate::lease::Leased;
use crate::origin::Way;
use crate::record::Record;
use crate::refusal::{Reason, Refusal};
use crate::tunnel;

/// A request to the proxy itself.
pub(crate) async fn proxied(
    lease: &Arc<Leased>,
    guest: &Guest,
    request: Request<Incoming>,
) -> Response<Answer> {
    let uri = request.uri();
    let host = uri.authority().map_or("", |authority| authority.as_str());
    let record = lease.record(host, request.method().as_str());
    let outcome = if request.method() == Method::CONNECT {
        by_tunnel(lease, guest, &record, request).await
    } else if uri.scheme().is_some() {
        by_url(lease, guest, &record, request).await
    } else {
        by_base(lease, guest, &record, request).await
    };
    outcome.unwrap_or_else(|refusal| refusal.answer(&record))
}

/// A request inside a tunnel, whose program has shown its password when it made that.
pub(crate) async fn inside(
    lease: &Arc<Leased>,
    way: &Way,
    request: Request<Incoming>,
) -> Response<Answer> {
    let record = lease.record(&head::with_port(&way.origin), request.method().as_str());
    record.path(request.uri().path());
    let (parts, body) = request.into_parts();
    if let Err(refusal) = head::is_for(&parts, &way.origin) {
        return refusal.answer(&record);
    }
    let exchange = Exchange {
        lease,
        record: &record,
        way,
    };
    exchange.answer(Request::from_parts(parts, body)).await
}

async fn by_tunnel(
    lease: &Arc<Leased>,
    guest: &Guest,
    record: &Arc<Record>,
    request: Request<Incoming>,
) -> Result<Response<Answer>, Refusal> {
    look_at_password(lease, &request)?;
    guest.admit(lease)?;
    tunnel::connect(lease, record, request).await
}

/// A request with a whole URL: in clear, or, as some clients have it, over TLS that begins here.
async fn by_url(
    lease: &Arc<Leased>,
    guest: &Guest,
    record: &Arc<Record>,
    request: Request<Incoming>,
) -> Result<Response<Answer>, Refusal> {
    look_at_password(lease, &request)?;
    guest.admit(lease)?;
    let scheme = match request.uri().scheme_str() {
        Some("http") => Scheme::Http,
        Some("https") => Scheme::Https,
        _ => return Err(malformed("only http and https are called")),
    };
    let authority = request
        .uri()
        .authority()
        .map(hyper::http::uri::Authority::as_str);
    let origin = authority.and_then(|authority| head::origin_of(authority, scheme));
    let origin = origin.ok_or_else(|| malformed("its URL names no host that can be called"))?;
    record.path(request.uri().path());
    let (parts, body) = request.into_parts();
    head::is_for(&parts, &origin)?;
    let is_ours = lease.has_rules_for(&origin.host, origin.port);
    if !is_ours && !lease.tunnels_to(&origin.host, origin.port) && !names_default(lease, &origin) {
        return Err(tunnel::no_rule(&origin));
    }
    let way = Way::to(origin);
    let exchange = Exchange {
        lease,
        record,
        way: &way,
    };
    Ok(exchange.answer(Request::from_parts(parts, body)).await)
}

/// A host at port 80, where a rule or the terms name it at 443: the same host in clear, where no secret
/// goes.
fn names_default(lease: &Leased, origin: &Origin) -> bool {
    let (http, https) = (Scheme::Http.port(), Scheme::Https.port());
    origin.scheme == Scheme::Http
        && origin.port == http
        && (lease.has_rules_for(&origin.host, https) || lease.tunnels_to(&origin.host, https))
}

/// `/<path of the lease>/<base>/…`: a request to the origin of the base, its header set.
async fn by_base(
    lease: &Arc<Leased>,
    guest: &Guest,
    record: &Arc<Record>,
    mut request: Request<Incoming>,
) -> Result<Response<Answer>, Refusal> {
    let whole = request
        .uri()
        .path_and_query()
        .map_or("", |path| path.as_str());
    let mut parts = whole.strip_prefix('/').unwrap_or_default().splitn(2, '/');
    let is_lease = lease.is_path(parts.next().unwrap_or_default());
    if !is_lease || !head::is_this_machine(request.headers()) {
        return Err(unauthenticated());
    }
    guest.admit(lease)?;
    let rest = parts.next().unwrap_or_default();
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (name, path) = rest.split_at(end);
    let base = lease.bases.iter().find(|base| base.name == name);
    let base = base.ok_or_else(|| malformed("this lease has no base of that name"))?;
    let slash = if path.starts_with('/') { "" } else { "/" };
    let authority = base.origin.authority();
    let uri = format!("https://{authority}{slash}{path}").parse::<Uri>();
    *request.uri_mut() = uri.map_err(|_| malformed("its path cannot be sent on"))?;
    let host = HeaderValue::from_str(&authority);
    let host = host.map_err(|_| malformed("its host cannot be sent on"))?;
    request.headers_mut().insert(HOST, host);
    let headers = request.headers_mut();
    headers.insert(base.header.clone(), base.value.clone());
    record.path(request.uri().path());
    record.host(&head::with_port(&base.origin));
    let way = Way::to(base.origin.clone());
    let exchange = Exchange {
        lease,
        record,
        way: &way,
    };
    Ok(exchange.answer(request).await)
}

fn look_at_password(lease: &Leased, request: &Request<Incoming>) -> Result<(), Refusal> {
    let mut given = request.headers().get_all(PROXY_AUTHORIZATION).iter();
    let (Some(given), None) = (given.next(), given.next()) else {
        return Err(unauthenticated());
    };
    let credentials = basic::decoded(given.as_bytes()).ok_or_else(unauthenticated)?;
    let mut parts = credentials.splitn(2, |byte| *byte == b':');
    let (user, password) = (parts.next(), parts.next());
    if lease.is_password(user.unwrap_or_default(), password.unwrap_or_default()) {
        Ok(())
    } else {
        Err(unauthenticated())
    }
}

fn unauthenticated() -> Refusal {
    Refusal::new(
        Reason::Unauthenticated,
        "it has no password of this lease, and no base URL of it",
    )
}

fn malformed(what: &str) -> Refusal {
    Refusal::new(Reason::Malformed, what)
}
