//! Heads of requests: read in one way only, or refused.

use hyper::header::{
    CONNECTION, CONTENT_LENGTH, COOKIE, EXPECT, HOST, HeaderMap, HeaderName, HeaderValue,
    PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use hyper::http::request::Parts;
use hyper::{Method, Uri, Version};
use skep_egress::{Host, Origin, Scheme, Target};

use crate::Limits;
use crate::refusal::{Reason, Refusal};
use crate::rule::named_in_connection;

/// Headers that are about one connection, whatever `connection` says.
const HOPS: [HeaderName; 5] = [
    CONNECTION,
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TRANSFER_ENCODING,
    UPGRADE,
];
const OLD_HOPS: [&str; 2] = ["keep-alive", "proxy-connection"];

/// The origin that an authority names: host and port, a default where it has none.
pub(crate) fn origin_of(authority: &str, scheme: Scheme) -> Option<Origin> {
    let name = match scheme {
        Scheme::Http => "http",
        Scheme::Https => "https",
    };
    // What is no authority would be read as a path.
    if authority.contains(['/', '?', '#']) {
        return None;
    }
    let target = Target::parse(&format!("{name}://{authority}")).ok()?;
    Some(target.origin().clone())
}

/// Host and port, the port always.
pub(crate) fn with_port(origin: &Origin) -> String {
    format!("{}:{}", origin.host, origin.port)
}

/// A request on a connection to `origin` is for that origin, in all the places that say so.
pub(crate) fn is_for(parts: &Parts, origin: &Origin) -> Result<(), Refusal> {
    let mismatch = || {
        Refusal::new(
            Reason::HostMismatch,
            "this connection is to another host than its request",
        )
    };
    let fits =
        |authority: &str| origin_of(authority, origin.scheme).is_some_and(|named| named == *origin);
    let scheme = match origin.scheme {
        Scheme::Http => "http",
        Scheme::Https => "https",
    };
    if parts.uri.scheme_str().is_some_and(|named| named != scheme) {
        return Err(mismatch());
    }
    let named = parts
        .uri
        .authority()
        .map(hyper::http::uri::Authority::as_str);
    let mut hosts = parts.headers.get_all(HOST).iter();
    let host = hosts.next();
    if hosts.next().is_some() {
        return Err(Refusal::new(Reason::Malformed, "it has two Host headers"));
    }
    let host = match host.map(HeaderValue::to_str) {
        None => None,
        Some(Ok(host)) => Some(host),
        Some(Err(_)) => return Err(mismatch()),
    };
    if named.is_none() && host.is_none() {
        return Err(Refusal::new(Reason::Malformed, "it names no host"));
    }
    if [named, host].into_iter().flatten().all(fits) {
        Ok(())
    } else {
        Err(mismatch())
    }
}

/// Methods that a proxy carries, in a head that is not too long.
pub(crate) fn look_at(parts: &Parts, limits: &Limits) -> Result<(), Refusal> {
    let method = &parts.method;
    let headers = parts.headers.iter();
    let lines = headers.map(|(name, value)| name.as_str().len() + value.len() + ": \r\n".len());
    let path = parts
        .uri
        .path_and_query()
        .map_or(0, |path| path.as_str().len());
    if lines.sum::<usize>() + path > limits.head || parts.headers.len() > limits.headers {
        return Err(Refusal::new(Reason::Head, "its head is too long"));
    }
    if matches!(*method, Method::TRACE | Method::CONNECT) {
        return Err(Refusal::new(
            Reason::Method,
            format!("{method} does not go through here"),
        ));
    }
    Ok(())
}

/// A handshake of WebSocket: the one upgrade that goes through.
pub(crate) fn is_websocket(parts: &Parts) -> bool {
    let says = |name: HeaderName, word: &str| {
        let values = parts.headers.get_all(name);
        let texts = values.iter().filter_map(|value| value.to_str().ok());
        let mut words = texts.flat_map(|text| text.split(','));
        words.any(|text| text.trim().eq_ignore_ascii_case(word))
    };
    parts.version == Version::HTTP_11
        && parts.method == Method::GET
        && says(UPGRADE, "websocket")
        && says(CONNECTION, "upgrade")
}

/// Takes out what is about one connection. `te: trailers` stays towards HTTP/2, where gRPC needs it.
pub(crate) fn strip_hops(headers: &mut HeaderMap, towards: Version) {
    for name in named_in_connection(headers) {
        if name != TE && name != HOST {
            headers.remove(name);
        }
    }
    for name in &HOPS {
        headers.remove(name);
    }
    for name in OLD_HOPS {
        headers.remove(name);
    }
    let trailers = headers.get(TE).is_some_and(|value| value == "trailers");
    headers.remove(TE);
    if trailers {
        headers.insert(TE, HeaderValue::from_static("trailers"));
    }
    if towards == Version::HTTP_2 {
        headers.remove(TRAILER);
    }
}

/// The head as it goes to the origin, but for its host and its URI.
pub(crate) fn outgoing_headers(headers: &mut HeaderMap, is_websocket: bool) {
    strip_hops(headers, Version::HTTP_11);
    for name in [HOST, CONTENT_LENGTH, EXPECT] {
        headers.remove(name);
    }
    if is_websocket {
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    }
}

/// Host, URI and version, as the protocol of the origin has them.
pub(crate) fn address(parts: &mut Parts, origin: &Origin, is_http2: bool) -> Result<(), Refusal> {
    let unreadable = |_| Refusal::new(Reason::Malformed, "its path cannot be sent on");
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let authority = origin.authority();
    if is_http2 {
        let whole = format!("https://{authority}{path}");
        parts.uri = whole.parse::<Uri>().map_err(unreadable)?;
        parts.version = Version::HTTP_2;
        parts.headers.remove(HOST);
        return Ok(());
    }
    parts.uri = path.parse::<Uri>().map_err(unreadable)?;
    parts.version = Version::HTTP_11;
    let host = HeaderValue::from_str(&authority)
        .map_err(|_| Refusal::new(Reason::Malformed, "its host cannot be sent on"))?;
    parts.headers.insert(HOST, host);
    join_cookies(&mut parts.headers);
    Ok(())
}

/// HTTP/2 may cut a cookie header into several, HTTP/1.1 has one.
fn join_cookies(headers: &mut HeaderMap) {
    let all: Vec<&[u8]> = headers
        .get_all(COOKIE)
        .iter()
        .map(HeaderValue::as_bytes)
        .collect();
    if all.len() < 2 {
        return;
    }
    if let Ok(mut joined) = HeaderValue::from_bytes(&all.join(&b"; "[..])) {
        joined.set_sensitive(true);
        headers.insert(COOKIE, joined);
    }
}

/// A host of this machine, as a base URL has it.
pub(crate) fn is_this_machine(headers: &HeaderMap) -> bool {
    let hosts: Vec<_> = headers.get_all(HOST).iter().collect();
    let [host] = hosts.as_slice() else {
        return false;
    };
    let origin = host
        .to_str()
        .ok()
        .and_then(|host| origin_of(host, Scheme::Http));
    match origin.map(|origin| origin.host) {
        Some(Host::Name(name)) => name == "localhost",
        Some(Host::Address(address)) => address.is_loopback(),
        None => false,
    }
}
