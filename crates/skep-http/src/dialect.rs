//! Errors as the clients of model providers understand them, each in its own dialect.

use axum::http::HeaderMap;
use serde::Serialize;

use crate::error::ApiError;

/// Whose clients are spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// OpenAI's.
    OpenAi,
    /// Anthropic's.
    Anthropic,
}

#[derive(Serialize)]
struct OpenAi<'a> {
    error: OpenAiError<'a>,
}

#[derive(Serialize)]
struct OpenAiError<'a> {
    message: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    param: Option<&'a str>,
    code: &'static str,
}

#[derive(Serialize)]
struct Anthropic<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    error: AnthropicError<'a>,
    request_id: &'a str,
}

#[derive(Serialize)]
struct AnthropicError<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    message: &'a str,
    code: &'static str,
}

impl Dialect {
    /// The dialect of a path, whether there is such a route or not; `None` for what is our own.
    pub(crate) fn of(path: &str, headers: &HeaderMap) -> Option<Self> {
        if !path.starts_with("/v1/") {
            return None;
        }
        let is_anthropic =
            path.starts_with("/v1/messages") || headers.contains_key("anthropic-version");
        Some(if is_anthropic {
            Self::Anthropic
        } else {
            Self::OpenAi
        })
    }

    /// The body of an error.
    pub(crate) fn body(self, error: &ApiError, request: &str) -> Vec<u8> {
        let (status, code) = (error.code.status(), error.code.as_str());
        let message = &error.message;
        let body = match self {
            Self::OpenAi => serde_json::to_vec(&OpenAi {
                error: OpenAiError {
                    message,
                    kind: openai(status),
                    param: error.details.first().map(|detail| detail.field.as_str()),
                    code,
                },
            }),
            Self::Anthropic => serde_json::to_vec(&Anthropic {
                kind: "error",
                error: AnthropicError {
                    kind: anthropic(status),
                    message,
                    code,
                },
                request_id: request,
            }),
        };
        body.unwrap_or_default()
    }
}

fn openai(status: u16) -> &'static str {
    match status {
        401 => "authentication_error",
        402 => "insufficient_quota",
        403 => "permission_error",
        429 => "rate_limit_error",
        500.. => "server_error",
        _ => "invalid_request_error",
    }
}

fn anthropic(status: u16) -> &'static str {
    match status {
        401 => "authentication_error",
        402 => "billing_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        503 => "overloaded_error",
        504 => "timeout_error",
        500.. => "api_error",
        _ => "invalid_request_error",
    }
}
