//! What a provider refuses, in the caller's dialect: its own words, in the other frame.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::Dialect;

const WORDLESS: &str = "The provider gave no reason.";

/// The body of an error in the caller's dialect, from one in the other.
#[must_use]
pub fn fault(to: Dialect, status: u16, body: &[u8], request: &str) -> Bytes {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    told(to, &body, status, request).to_string().into()
}

/// The same of an error that was read. Both dialects, and the servers that write a bare text, are understood.
pub(super) fn told(to: Dialect, body: &Value, status: u16, request: &str) -> Value {
    let error = &body["error"];
    let message = error["message"].as_str().or(error.as_str());
    let message = message.unwrap_or(WORDLESS);
    match to {
        Dialect::OpenAi => json!({ "error": {
            "message": message, "type": to.fault_kind(status), "param": error["param"], "code": error["code"],
        }}),
        Dialect::Anthropic => json!({
            "type": "error", "error": { "type": to.fault_kind(status), "message": message },
            "request_id": request,
        }),
    }
}
