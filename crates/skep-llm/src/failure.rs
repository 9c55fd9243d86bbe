//! What can be wrong with a call, named for what can be done about it.

use serde::Deserialize;

use crate::reply::Response;

/// Why there is no answer. It holds no word of the endpoint's: see the crate's first lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The key is missing, wrong or not allowed to do this.
    #[error("the endpoint does not accept the key (status {0}): check the key")]
    Unauthorized(u16),
    /// There is no such model or no such address.
    #[error(
        "the endpoint knows no such model or path (status 404): check model.name and model.base_url"
    )]
    Unknown,
    /// Nobody pays for it.
    #[error("the endpoint's account has no credit left (status {0})")]
    Unpaid(u16),
    /// Too many calls; later is better.
    #[error("the endpoint takes no more calls for now (status 429)")]
    RateLimited {
        /// Seconds to wait, where the endpoint named them.
        retry_after: Option<u64>,
    },
    /// The prompt is longer than the model reads.
    #[error(
        "the prompt is longer than the model reads (status {0}): choose a model with at least 32k tokens"
    )]
    TooLong(u16),
    /// The endpoint does not understand the request.
    #[error(
        "the endpoint refused the request (status {0}): check model.dialect, model.structured and model.reasoning"
    )]
    Refused(u16),
    /// The endpoint is at fault; later may be better.
    #[error("the endpoint failed (status {status})")]
    Unavailable {
        /// The status.
        status: u16,
        /// Seconds to wait, where the endpoint named them.
        retry_after: Option<u64>,
    },
    /// It answered, but not in its dialect.
    #[error("the endpoint's answer is not of its dialect: check the base address and the dialect")]
    Unreadable,
}

impl Failure {
    /// Whether the prompt itself was at fault: another one may get through.
    #[must_use]
    pub const fn is_of_the_prompt(self) -> bool {
        matches!(self, Self::TooLong(_) | Self::Unreadable)
    }

    /// Seconds that the endpoint asked to wait.
    #[must_use]
    pub const fn retry_after(self) -> Option<u64> {
        match self {
            Self::RateLimited { retry_after } | Self::Unavailable { retry_after, .. } => {
                retry_after
            }
            _ => None,
        }
    }

    pub(crate) fn of(response: &Response) -> Self {
        let (status, retry_after) = (response.status, response.retry_after);
        let says = |codes: &[&str]| {
            let said = Said::read(&response.body);
            codes.iter().any(|code| said.is(code))
        };
        match status {
            401 | 403 => Self::Unauthorized(status),
            402 => Self::Unpaid(status),
            404 => Self::Unknown,
            413 => Self::TooLong(status),
            429 if says(&["insufficient_quota", "billing_error"]) => Self::Unpaid(status),
            429 => Self::RateLimited { retry_after },
            408 | 500..=599 => Self::Unavailable {
                status,
                retry_after,
            },
            400..=499 if says(&["context_length_exceeded", "request_too_large"]) => {
                Self::TooLong(status)
            }
            _ => Self::Refused(status),
        }
    }
}

/// Seconds of a `retry-after` header; a date there counts as nothing.
#[must_use]
pub fn retry_after(value: &str) -> Option<u64> {
    value.trim().parse().ok()
}

/// The error bodies of both dialects: `{"error": {"type": "…", "code": "…"}}`. Ollama writes a bare
/// text, of which nothing is read.
#[derive(Default, Deserialize)]
struct Said {
    #[serde(default)]
    error: Detail,
}

#[derive(Default, Deserialize)]
#[serde(untagged)]
enum Detail {
    Coded {
        #[serde(default, rename = "type")]
        sort: Option<String>,
        #[serde(default)]
        code: Option<serde_json::Value>,
    },
    #[default]
    Other,
}

impl Said {
    fn read(body: &[u8]) -> Self {
        serde_json::from_slice(body).unwrap_or_default()
    }

    fn is(&self, expected: &str) -> bool {
        let Detail::Coded { sort, code } = &self.error else {
            return false;
        };
        let code = code.as_ref().and_then(serde_json::Value::as_str);
        sort.as_deref() == Some(expected) || code == Some(expected)
    }
}
