//! The frame of every page: headers that let nothing in, and text that is escaped where it is put.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;

use crate::error::ApiError;
use crate::visit::Visit;

const STYLE: &str = include_str!("../../assets/skep.css");
const PASSKEY: &str = include_str!("../../assets/passkey.js");

/// Markup that is put together here. What people typed goes in by [`Html::text`] alone.
#[derive(Default)]
pub(crate) struct Html(String);

impl Html {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Markup of ours.
    pub(crate) fn raw(mut self, markup: &'static str) -> Self {
        self.0.push_str(markup);
        self
    }

    /// Markup that other code of ours made, such as a QR code.
    pub(crate) fn made(mut self, markup: &str) -> Self {
        self.0.push_str(markup);
        self
    }

    /// A text of anybody's.
    pub(crate) fn text(mut self, text: &str) -> Self {
        for c in text.chars() {
            match c {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                // Marks that turn the direction of what follows could make a name read as another.
                '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200b}'..='\u{200f}' => {
                    self.0.push('\u{fffd}');
                }
                c => self.0.push(c),
            }
        }
        self
    }

    /// Something only if it is so.
    pub(crate) fn when(self, so: bool, more: impl FnOnce(Self) -> Self) -> Self {
        if so { more(self) } else { self }
    }

    /// A field with its label.
    pub(crate) fn field(self, label: &'static str, name: &'static str, more: &'static str) -> Self {
        self.raw("<label for=\"")
            .raw(name)
            .raw("\">")
            .raw(label)
            .raw("</label><input id=\"")
            .raw(name)
            .raw("\" name=\"")
            .raw(name)
            .raw("\" ")
            .raw(more)
            .raw(">")
    }

    /// A field that is not shown.
    pub(crate) fn hidden(self, name: &'static str, value: &str) -> Self {
        self.raw("<input type=\"hidden\" name=\"")
            .raw(name)
            .raw("\" value=\"")
            .text(value)
            .raw("\">")
    }

    /// Something to read first.
    pub(crate) fn note(self, bad: bool, text: &str) -> Self {
        let class = if bad { "note bad" } else { "note" };
        self.raw("<p role=\"status\" class=\"")
            .raw(class)
            .raw("\">")
            .text(text)
            .raw("</p>")
    }
}

/// Nothing but our own style and script, no frame around it, forms to ourselves, and to one place
/// more where a page says so.
pub(crate) fn policy(leads_to: &str) -> String {
    format!(
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self' {leads_to}; frame-ancestors 'none'; base-uri 'none'"
    )
}

/// A whole page.
pub(crate) fn page(status: StatusCode, title: &'static str, wide: bool, body: &Html) -> Response {
    let html = Html::new()
        .raw("<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>")
        .raw(title)
        .raw(" · Skep</title><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><meta name=\"robots\" content=\"noindex\"><link rel=\"stylesheet\" href=\"/assets/skep.css\"><main")
        .when(wide, |html| html.raw(" class=\"wide\""))
        .raw("><p class=\"brand\">")
        .raw(HIVE)
        .raw("Skep</p>")
        .made(&body.0)
        .raw("</main></html>");
    let mut response = Response::new(Body::from(html.0));
    *response.status_mut() = status;
    put(
        &mut response,
        header::CONTENT_TYPE,
        "text/html; charset=utf-8",
    );
    if let Ok(policy) = HeaderValue::try_from(policy("")) {
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    put(&mut response, header::X_FRAME_OPTIONS, "DENY");
    // Others learn nothing of our addresses. With `no-referrer`, browsers would send `Origin: null`
    // with our own forms, which is what forms of nobody knows whom say.
    put(&mut response, header::REFERRER_POLICY, "same-origin");
    put(
        &mut response,
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    );
    response
}

/// A hive of straw.
const HIVE: &str = "<svg viewBox=\"0 0 24 24\" aria-hidden=\"true\"><path d=\"M12 2c-3 0-5 1.6-5.6 4h11.2C17 3.6 15 2 12 2zM5.7 7.5C5 8.3 4.6 9.2 4.4 10.2h15.2c-.2-1-.6-1.9-1.3-2.7zM4 11.7c-.3.9-.4 1.8-.4 2.7h16.8c0-.9-.1-1.8-.4-2.7zM3.5 15.9c-.1.9-.2 1.8-.2 2.6h6.2c.2-1.2 1.2-2.100 2.5-2.1s2.3.9 2.5 2.1h6.2c0-.8-.1-1.7-.2-2.6zM3 20v2h18v-2z\"/></svg>";

/// Elsewhere, by a fresh request.
pub(crate) fn go(to: &str) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    if let Ok(to) = HeaderValue::from_str(to) {
        response.headers_mut().insert(header::LOCATION, to);
    }
    response
}

/// Out of here, to a page of an issuer.
pub(super) fn leave(to: &str) -> Response {
    let mut response = go("/login");
    if let Ok(to) = HeaderValue::from_str(to) {
        response.headers_mut().insert(header::LOCATION, to);
    }
    // What is in the address of our page is nothing to those who come after.
    put(&mut response, header::REFERRER_POLICY, "no-referrer");
    response
}

pub(crate) async fn style(_: Visit) -> Result<Response, ApiError> {
    Ok(asset("text/css; charset=utf-8", STYLE))
}

pub(crate) async fn passkey_script(_: Visit) -> Result<Response, ApiError> {
    Ok(asset("text/javascript; charset=utf-8", PASSKEY))
}

fn asset(kind: &'static str, text: &'static str) -> Response {
    let mut response = Response::new(Body::from(text));
    put(&mut response, header::CONTENT_TYPE, kind);
    response
}

fn put(response: &mut Response, name: HeaderName, value: &'static str) {
    response
        .headers_mut()
        .insert(name, HeaderValue::from_static(value));
}

/// A form that was sent from a page of ours.
pub(crate) fn form(visit: &Visit) -> Result<crate::form::Form, ApiError> {
    if !crate::session::own_page(visit.app(), &visit.parts.headers) {
        return Err(ApiError::new(
            skep_api::ErrorCode::PermissionDenied,
            "Forms of other pages are not taken.",
        ));
    }
    crate::form::Form::parse(&visit.body)
        .ok_or_else(|| ApiError::field(".", "INVALID", "The form cannot be read."))
}

#[cfg(test)]
mod tests {
    use super::Html;

    #[test]
    fn a17_what_people_type_is_text() {
        let html = Html::new().hidden("a", "\"><script>'&").text("<b>\u{202e}");
        assert_eq!(
            html.0,
            "<input type=\"hidden\" name=\"a\" value=\"&quot;&gt;&lt;script&gt;&#39;&amp;\">&lt;b&gt;\u{fffd}"
        );
    }
}
