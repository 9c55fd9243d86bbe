//! The body for upstream: the caller's own bytes, but for what has to change.

use std::ops::Range;

use bytes::Bytes;
use serde_json::{Map, Value};

use super::{Ask, Format};

/// The body that goes upstream: under the name that the model has there, and with the count of tokens at the
/// end of a stream, if the caller did not ask for that; a response is not kept by its provider. Whatever else it holds stays as it is, byte for byte;
/// nothing is copied when nothing changes.
#[must_use]
pub fn for_upstream(ask: &Ask, body: &Bytes, model: &str) -> Bytes {
    let mut edits: Vec<(Range<usize>, String)> = Vec::new();
    if model != ask.model {
        edits.push((ask.model_at.clone(), Value::from(model).to_string()));
    }
    if ask.wants_usage_added() {
        match &ask.options_at {
            Some(at) => edits.push((at.clone(), with_usage(&body[at.clone()]))),
            // At the end, so that whatever stands before is where it was.
            None => edits.push((
                ask.close_at..ask.close_at,
                r#","stream_options":{"include_usage":true}"#.into(),
            )),
        }
    }
    if ask.format == Format::Responses {
        match &ask.store_at {
            Some(at) => edits.push((at.clone(), "false".into())),
            None => edits.push((ask.close_at..ask.close_at, r#","store":false"#.into())),
        }
        edits.retain(|(at, text)| body[at.clone()] != *text.as_bytes());
    }
    if edits.is_empty() {
        return body.clone();
    }
    edits.sort_by_key(|(at, _)| at.start);
    let mut whole = Vec::with_capacity(body.len() + 64);
    let mut from = 0;
    for (at, text) in edits {
        whole.extend_from_slice(&body[from..at.start]);
        whole.extend_from_slice(text.as_bytes());
        from = at.end;
    }
    whole.extend_from_slice(&body[from..]);
    whole.into()
}

impl Ask {
    /// Whether the count at the end of the stream is ours alone to read.
    #[must_use]
    pub fn wants_usage_added(&self) -> bool {
        self.format == Format::Chat && self.stream && !self.tells_usage
    }
}

/// The caller's own options and the one that is ours.
fn with_usage(options: &[u8]) -> String {
    let mut known: Map<String, Value> = serde_json::from_slice(options).unwrap_or_default();
    known.insert("include_usage".into(), Value::Bool(true));
    Value::Object(known).to_string()
}
