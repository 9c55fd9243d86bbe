//! Pages for humans: plain HTML, escaped once in one place, with headers that let nothing in.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;

const STYLE: &str = "body{font:1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:3rem auto;padding:0 1rem}fieldset,dl{margin:1rem 0}dt{font-weight:600}button{font:inherit;padding:.4rem 1rem;margin-right:.5rem}code{font-size:1.2rem;letter-spacing:.1em}";
/// SHA-256 of the style, which alone may stand in a page; `printf %s "$STYLE" | openssl dgst
/// -sha256 -binary | base64` gives it.
const STYLE_HASH: &str = "fC2ApAicwsKzmbcQUqVphtZ0FhmdOluKml1pOQyuhlI=";

/// A page under construction. Texts are escaped as they are put in.
pub(super) struct Page {
    title: &'static str,
    body: String,
    /// Where a form may lead beside ourselves: the place that a client's browser goes back to.
    leads_to: Option<String>,
}

impl Page {
    pub(super) fn new(title: &'static str) -> Self {
        Self {
            title,
            body: String::new(),
            leads_to: None,
        }
    }

    /// Markup of ours.
    pub(super) fn html(mut self, markup: &'static str) -> Self {
        self.body.push_str(markup);
        self
    }

    /// A text of somebody's.
    pub(super) fn text(mut self, text: &str) -> Self {
        escape(&mut self.body, text);
        self
    }

    /// A term and what it is.
    pub(super) fn term(self, term: &'static str, text: &str) -> Self {
        self.html("<dt>")
            .html(term)
            .html("</dt><dd>")
            .text(text)
            .html("</dd>")
    }

    /// A field that is not shown.
    pub(super) fn hidden(self, name: &'static str, value: &str) -> Self {
        self.html("<input type=\"hidden\" name=\"")
            .html(name)
            .html("\" value=\"")
            .text(value)
            .html("\">")
    }

    /// Lets the browser follow a redirect of a form to there: browsers hold forms to that as well.
    pub(super) fn leading_to(mut self, uri: &str) -> Self {
        let end = uri.find("://").map(|at| at + 3);
        let origin = end.map_or_else(
            || uri.split_inclusive(':').next().unwrap_or_default(),
            |at| &uri[..at + uri[at..].find(['/', '?']).unwrap_or(uri.len() - at)],
        );
        self.leads_to = Some(origin.to_owned());
        self
    }

    pub(super) fn respond(self, status: StatusCode) -> Response {
        let title = self.title;
        let body = self.body;
        let html = format!(
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>{title} - Skep</title><style>{STYLE}</style></head><body><main><h1>{title}</h1>{body}</main></body></html>"
        );
        let leads_to = self.leads_to.unwrap_or_default();
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{STYLE_HASH}'; form-action 'self' {leads_to}; frame-ancestors 'none'; base-uri 'none'"
        );
        let mut response = Response::new(Body::from(html));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/html; charset=utf-8"),
        );
        let policy = HeaderValue::try_from(policy);
        headers.insert(
            header::CONTENT_SECURITY_POLICY,
            policy.unwrap_or(HeaderValue::from_static(
                "default-src 'none'; frame-ancestors 'none'",
            )),
        );
        for (name, value) in [
            ("x-frame-options", "DENY"),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
        ] {
            headers.insert(
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            );
        }
        response
    }
}

fn escape(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // Marks that turn the direction of what follows could make a name read as another.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200b}'..='\u{200f}' => {
                out.push('\u{fffd}');
            }
            other => out.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;

    use super::Page;

    #[test]
    fn a17_a_name_is_a_text_and_no_markup() {
        let page = Page::new("t").text("<script>\"'&\u{202e}").body;
        assert_eq!(page, "&lt;script&gt;&quot;&#39;&amp;\u{fffd}");
    }

    #[test]
    fn a17_a_page_is_framed_by_nobody() {
        let page = Page::new("t").leading_to("http://127.0.0.1:5/cb?x");
        let response = page.respond(StatusCode::OK);
        let policy = response.headers()["content-security-policy"]
            .to_str()
            .unwrap();
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
        assert!(
            policy.contains("form-action 'self' http://127.0.0.1:5;"),
            "{policy}"
        );
        assert_eq!(response.headers()["x-frame-options"], "DENY");
    }
}
