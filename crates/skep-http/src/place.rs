//! Where somebody was going when they had to log in first: a cookie of ten minutes, followed once.

use axum::http::{HeaderMap, HeaderValue, Uri, header};
use axum::response::Response;
use skep_app::App;

const OVER_TLS: &str = "__Host-skep-place";
const ON_LOOPBACK: &str = "skep-local-place";
/// Long enough for a password manager and a second factor.
const TEN_MINUTES: u32 = 600;
const MAX_BYTES: usize = 3_000;

fn name(app: &App) -> &'static str {
    if app.is_behind_tls() {
        OVER_TLS
    } else {
        ON_LOOPBACK
    }
}

/// Remembers a page of ours. What is too long is forgotten: it is asked for again then.
pub(crate) fn remember(app: &App, response: &mut Response, uri: &Uri) {
    let place = uri.path_and_query().map_or("", |place| place.as_str());
    if is_ours(place) {
        put(app, response, place, TEN_MINUTES);
    }
}

/// The place that was remembered, if it is one that we remember. The answer that leads there forgets
/// it: see [`forget`].
pub(crate) fn of(app: &App, headers: &HeaderMap) -> Option<String> {
    let cookies = headers.get_all(header::COOKIE).iter();
    let mut pairs = cookies.flat_map(|value| value.as_bytes().split(|byte| *byte == b';'));
    let place = pairs.find_map(|pair| {
        let value = pair.trim_ascii().strip_prefix(name(app).as_bytes())?;
        std::str::from_utf8(value.strip_prefix(b"=")?).ok()
    })?;
    is_ours(place).then(|| place.to_owned())
}

/// Forgets it.
pub(crate) fn forget(app: &App, response: &mut Response) {
    put(app, response, "", 0);
}

/// Pages that ask, and change nothing by being looked at: whoever plants the cookie gains a question.
fn is_ours(place: &str) -> bool {
    let path = place.split('?').next().unwrap_or_default();
    ["/oauth/device", "/oauth/authorize"].contains(&path)
        && place.len() <= MAX_BYTES
        && place
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !b";,\"\\".contains(&byte))
}

fn put(app: &App, response: &mut Response, value: &str, seconds: u32) {
    let secure = if app.is_behind_tls() { "; Secure" } else { "" };
    let name = name(app);
    let cookie =
        format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}");
    if let Ok(value) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
}

#[cfg(test)]
mod tests {
    use super::is_ours;

    #[test]
    fn a17_a_login_leads_to_pages_of_ours_alone() {
        for (place, ours) in [
            ("/oauth/device", true),
            ("/oauth/device?user_code=BCDF-GHJK", true),
            ("/oauth/authorize?client_id=x&state=%3B", true),
            ("/account", false),
            ("/oauth/token", false),
            ("//evil.example/oauth/device", false),
            ("https://evil.example/oauth/device", false),
            ("/oauth/device/../../logout", false),
            ("/oauth/device?a=b;Domain=evil", false),
            ("/oauth/device?a=b c", false),
            ("", false),
        ] {
            assert_eq!(is_ours(place), ours, "{place}");
        }
        assert!(!is_ours(&format!("/oauth/device?{}", "a".repeat(3_000))));
    }
}
