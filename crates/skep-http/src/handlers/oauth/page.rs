//! The pages of OAuth: a card as every page has it, and where its form may lead.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;

use crate::pages::layout::{Html, page, policy};

/// A page under construction.
pub(super) struct Page {
    title: &'static str,
    body: Html,
    /// Where a form may lead beside ourselves: the place that a client's browser goes back to.
    leads_to: Option<String>,
}

impl Page {
    pub(super) fn new(title: &'static str) -> Self {
        Self {
            title,
            body: Html::new()
                .raw("<section class=\"card\"><h1>")
                .raw(title)
                .raw("</h1>"),
            leads_to: None,
        }
    }

    /// Markup of ours.
    pub(super) fn html(mut self, markup: &'static str) -> Self {
        self.body = self.body.raw(markup);
        self
    }

    /// A text of somebody's.
    pub(super) fn text(mut self, text: &str) -> Self {
        self.body = self.body.text(text);
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
    pub(super) fn hidden(mut self, name: &'static str, value: &str) -> Self {
        self.body = self.body.hidden(name, value);
        self
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
        let mut response = page(status, self.title, false, &self.body.raw("</section>"));
        // What does not fit a header leads nowhere: the policy that is there stays.
        if let Some(Ok(policy)) = self.leads_to.map(|to| HeaderValue::try_from(policy(&to))) {
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_SECURITY_POLICY, policy);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;

    use super::Page;

    #[test]
    fn a17_a_page_is_framed_by_nobody_and_leads_where_it_says() {
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
