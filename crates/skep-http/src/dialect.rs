//! Errors as the clients of model providers understand them, each in its own dialect.

use axum::http::HeaderMap;
use serde::Serialize;
pub(crate) use skep_app::Dialect;

use crate::error::ApiError;

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

/// The dialect of a path, whether there is such a route or not; `None` for what is our own.
pub(crate) fn of(path: &str, headers: &HeaderMap) -> Option<Dialect> {
    if !path.starts_with("/v1/") {
        return None;
    }
    let is_anthropic =
        path.starts_with("/v1/messages") || headers.contains_key("anthropic-version");
    Some(if is_anthropic {
        Dialect::Anthropic
    } else {
        Dialect::OpenAi
    })
}

/// The body of an error.
pub(crate) fn body(dialect: Dialect, error: &ApiError, request: &str) -> Vec<u8> {
    let (status, code) = (error.code.status(), error.code.as_str());
    let message = &error.message;
    let body = match dialect {
        Dialect::OpenAi => serde_json::to_vec(&OpenAi {
            error: OpenAiError {
                message,
                kind: dialect.fault_kind(status),
                param: error.details.first().map(|detail| detail.field.as_str()),
                code,
            },
        }),
        Dialect::Anthropic => serde_json::to_vec(&Anthropic {
            kind: "error",
            error: AnthropicError {
                kind: dialect.fault_kind(status),
                message,
                code,
            },
            request_id: request,
        }),
    };
    body.unwrap_or_default()
}
