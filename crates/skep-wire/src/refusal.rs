//! Why a request is refused, and what its program is told.

use std::sync::Arc;

use bytes::Bytes;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, PROXY_AUTHENTICATE};
use hyper::{Response, StatusCode};

use crate::body::{Answer, full};
use crate::record::Record;

/// Why a request was refused, or broken off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// No password of a lease that holds, or a base URL that is none.
    Unauthenticated,
    /// A request that cannot be read in one way only.
    Malformed,
    /// A head of more bytes or headers than there may be.
    Head,
    /// `TRACE`, or `CONNECT` where there is a tunnel already.
    Method,
    /// The request is for another host than its connection, or its TLS names another one.
    HostMismatch,
    /// No rule names the host.
    Host,
    /// The host leads to a private, link-local or otherwise forbidden address.
    Address,
    /// A placeholder in the request line.
    PlaceholderInUrl,
    /// A placeholder in a header where it may not stand.
    PlaceholderInHeader,
    /// A placeholder in a body where it may not stand.
    PlaceholderInBody,
    /// A placeholder of a secret that the lease has no rule for.
    UnknownPlaceholder,
    /// A placeholder of a secret that does not go to this host.
    PlaceholderToHost,
    /// A placeholder of a secret that does not go with this method, or to this path.
    PlaceholderToPath,
    /// A placeholder over a connection in clear.
    InClear,
    /// Whoever keeps the secret refuses it.
    Withheld,
    /// Whoever keeps the secret cannot be asked.
    Unavailable,
    /// The value cannot stand in a header, or is too short to be kept out of answers.
    UnusableValue,
    /// The origin cannot be reached, or shown to be who it is.
    Origin,
    /// The origin did not answer in time.
    Late,
    /// The origin's answer cannot be looked through.
    Answer,
    /// The lease has used up its bytes, or its connections.
    Exhausted,
    /// The program or the origin broke off, or stood still for too long.
    BrokenOff,
}

/// What a program is told, and what is recorded.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) reason: Reason,
    /// What is wrong, of which nothing is secret.
    pub(crate) what: String,
}

impl Reason {
    /// In one word, as the answer has it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unauthenticated => "unauthenticated",
            Self::Malformed => "malformed",
            Self::Head => "head",
            Self::Method => "method",
            Self::HostMismatch => "host_mismatch",
            Self::Host => "host",
            Self::Address => "address",
            Self::PlaceholderInUrl => "placeholder_in_url",
            Self::PlaceholderInHeader => "placeholder_in_header",
            Self::PlaceholderInBody => "placeholder_in_body",
            Self::UnknownPlaceholder => "unknown_placeholder",
            Self::PlaceholderToHost => "placeholder_to_host",
            Self::PlaceholderToPath => "placeholder_to_path",
            Self::InClear => "in_clear",
            Self::Withheld => "withheld",
            Self::Unavailable => "unavailable",
            Self::UnusableValue => "unusable_value",
            Self::Origin => "origin",
            Self::Late => "late",
            Self::Answer => "answer",
            Self::Exhausted => "exhausted",
            Self::BrokenOff => "broken_off",
        }
    }

    fn status(self) -> StatusCode {
        match self {
            Self::Unauthenticated => StatusCode::PROXY_AUTHENTICATION_REQUIRED,
            Self::Malformed => StatusCode::BAD_REQUEST,
            Self::Head => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::HostMismatch => StatusCode::MISDIRECTED_REQUEST,
            Self::Unavailable | Self::Exhausted => StatusCode::SERVICE_UNAVAILABLE,
            Self::Origin | Self::Answer | Self::BrokenOff => StatusCode::BAD_GATEWAY,
            Self::Late => StatusCode::GATEWAY_TIMEOUT,
            _ => StatusCode::FORBIDDEN,
        }
    }

    /// What to do about it.
    fn advice(self) -> &'static str {
        match self {
            Self::Unauthenticated => {
                "use the proxy with the user and the password of HTTPS_PROXY; they end with the lease"
            }
            Self::Malformed | Self::Method => "send a plain request of HTTP",
            Self::Head => "send fewer and shorter headers",
            Self::HostMismatch => "open a connection for each host",
            Self::Host => "ask for a grant that names this host",
            Self::Address => {
                "only what is public is called; let whoever runs this machine name the others"
            }
            Self::PlaceholderInUrl => "put the placeholder into a header that the grant names",
            Self::PlaceholderInHeader => {
                "put the placeholder into a header that the grant names, or ask for one that names this header"
            }
            Self::PlaceholderInBody => {
                "put the placeholder into a header, or ask for a grant that allows it in the body"
            }
            Self::UnknownPlaceholder => {
                "write the placeholder as it was given, or ask for a grant of this secret"
            }
            Self::PlaceholderToHost => "ask for a grant of this secret that names this host",
            Self::PlaceholderToPath => {
                "ask for a grant of this secret that names this method and path"
            }
            Self::InClear => "use https",
            Self::Withheld => "ask for a grant",
            Self::Unavailable | Self::Late => "try again later",
            Self::UnusableValue => "let whoever keeps the secret put it in anew",
            Self::Origin => "see whether the address is right, and its certificate",
            Self::Answer => "ask for the whole of it, not compressed",
            Self::Exhausted => "try again later, or ask for a new lease",
            Self::BrokenOff => "try again",
        }
    }
}

impl Refusal {
    pub(crate) fn new(reason: Reason, what: impl Into<String>) -> Self {
        let what = what.into();
        Self { reason, what }
    }

    /// The answer to the program, recorded.
    pub(crate) fn answer(&self, record: &Arc<Record>) -> Response<Answer> {
        record.refused(self.reason);
        let status = self.reason.status();
        record.status(status.as_u16());
        self.page(status)
    }

    fn page(&self, status: StatusCode) -> Response<Answer> {
        let text = format!(
            "{{\"error\":\"skep refused this request: {}\",\"reason\":\"{}\",\"advice\":\"{}\"}}\n",
            json_escaped(&self.what),
            self.reason.as_str(),
            self.reason.advice()
        );
        let mut answer = Response::new(full(Bytes::from(text)));
        *answer.status_mut() = status;
        let headers = answer.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        let reason = HeaderValue::from_static(self.reason.as_str());
        headers.insert(HeaderName::from_static("x-skep-refused"), reason);
        if self.reason == Reason::Unauthenticated {
            let how = HeaderValue::from_static("Basic realm=\"skep\"");
            headers.insert(PROXY_AUTHENTICATE, how);
        }
        answer
    }
}

pub(crate) fn json_escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out
}
