//! Who may even speak to a loopback port: no foreign host names (DNS rebinding), no foreign pages.
//!
//! A browser on this machine can reach 127.0.0.1 on behalf of any web page. It cannot lie about
//! `Host`, `Origin` and `Sec-Fetch-Site`, so these are checked before anything is routed.

use axum::http::{HeaderMap, HeaderName, Uri, header};
use skep_api::ErrorCode;

use crate::error::ApiError;
use crate::mode::Trust;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Checks one request; `port` is our own on TCP. Where everybody needs a credential of their own,
/// the name in `Host` says nothing about anybody, so any will do.
pub(crate) fn check(
    trust: Trust,
    headers: &HeaderMap,
    uri: &Uri,
    port: Option<u16>,
) -> Result<(), ApiError> {
    if trust == Trust::Refused {
        return Err(refused("This daemon serves its own machine only."));
    }
    let mut hosts = headers.get_all(header::HOST).iter();
    let host = hosts.next().and_then(|value| value.to_str().ok());
    if hosts.next().is_some() || uri.authority().is_some() {
        return Err(refused("Send one Host header and a plain path."));
    }
    if trust == Trust::Team {
        return Ok(());
    }
    if !host.is_some_and(|host| is_own_host(host, port)) {
        return Err(refused(
            "The Host header must name this machine's loopback address.",
        ));
    }
    for origin in headers.get_all(header::ORIGIN) {
        let own = origin
            .to_str()
            .ok()
            .and_then(|text| text.strip_prefix("http://"));
        if !own.is_some_and(|host| is_own_host(host, port)) {
            return Err(refused("Requests from other origins are not served."));
        }
    }
    for site in headers.get_all(SEC_FETCH_SITE) {
        if !matches!(site.as_bytes(), b"none" | b"same-origin") {
            return Err(refused("Requests from other sites are not served."));
        }
    }
    Ok(())
}

/// `localhost`, `127.0.0.1` or `[::1]`, with our port or none.
fn is_own_host(host: &str, port: Option<u16>) -> bool {
    let name = ["localhost", "127.0.0.1", "[::1]"]
        .into_iter()
        .find_map(|name| {
            host.get(..name.len())
                .filter(|start| start.eq_ignore_ascii_case(name))
                .map(|_| &host[name.len()..])
        });
    match name {
        Some("") => true,
        Some(rest) => {
            rest.strip_prefix(':').and_then(|text| text.parse().ok()) == port && port.is_some()
        }
        None => false,
    }
}

fn refused(message: &str) -> ApiError {
    ApiError::new(ErrorCode::PermissionDenied, message)
}

#[cfg(test)]
mod tests {
    use super::{Trust, check};
    use axum::http::{HeaderMap, HeaderName, HeaderValue, Uri};

    #[test]
    fn n03_browsers_and_foreign_hosts_are_refused_before_routing() {
        let cases: &[(&str, &[(&str, &str)])] = &[
            ("ok", &[("host", "localhost:3850")]),
            ("ok", &[("host", "127.0.0.1:3850")]),
            ("ok", &[("host", "[::1]:3850")]),
            ("ok", &[("host", "LOCALHOST")]),
            (
                "ok",
                &[
                    ("host", "localhost:3850"),
                    ("origin", "http://localhost:3850"),
                    ("sec-fetch-site", "same-origin"),
                ],
            ),
            ("no", &[]),
            ("no", &[("host", "evil.example:3850")]),
            ("no", &[("host", "localhost.evil.example")]),
            ("no", &[("host", "127.0.0.1.nip.io")]),
            ("no", &[("host", "localhost:3851")]),
            ("no", &[("host", "localhost:")]),
            ("no", &[("host", "localhost"), ("host", "localhost")]),
            ("no", &[("host", "localhost"), ("origin", "null")]),
            (
                "no",
                &[("host", "localhost"), ("origin", "https://localhost:3850")],
            ),
            (
                "no",
                &[("host", "localhost"), ("origin", "http://evil.example")],
            ),
            (
                "no",
                &[("host", "localhost"), ("sec-fetch-site", "cross-site")],
            ),
            (
                "no",
                &[("host", "localhost"), ("sec-fetch-site", "same-site")],
            ),
        ];
        for (expected, headers) in cases {
            let mut map = HeaderMap::new();
            for (name, value) in *headers {
                map.append(
                    name.parse::<HeaderName>().unwrap(),
                    HeaderValue::from_str(value).unwrap(),
                );
            }
            let verdict = check(
                Trust::Local,
                &map,
                &Uri::from_static("/healthz"),
                Some(3850),
            );
            assert_eq!(
                if verdict.is_ok() { "ok" } else { "no" },
                *expected,
                "{headers:?}"
            );
        }
    }

    #[test]
    fn n03_an_absolute_uri_is_refused_and_any_name_will_do_where_names_mean_nothing() {
        let mut map = HeaderMap::new();
        map.insert("host", HeaderValue::from_static("localhost"));
        for trust in [Trust::Local, Trust::Team] {
            let uri = Uri::from_static("http://evil.example/healthz");
            assert!(check(trust, &map, &uri, None).is_err());
        }
        let plain = Uri::from_static("/healthz");
        assert!(check(Trust::Refused, &map, &plain, None).is_err());
        map.insert("host", HeaderValue::from_static("skep.example"));
        assert!(check(Trust::Team, &map, &plain, Some(1)).is_ok());
        assert!(check(Trust::Local, &map, &plain, Some(1)).is_err());
    }
}
