//! The records of a Codex transcript, as far as they matter here.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// A line: a payload in an envelope, or, in older files, the payload itself.
#[derive(Debug, Deserialize)]
pub(super) struct Envelope<'a> {
    #[serde(default)]
    pub(super) timestamp: Option<String>,
    #[serde(rename = "type", default)]
    pub(super) kind: Option<String>,
    #[serde(borrow, default)]
    pub(super) payload: Option<&'a RawValue>,
    /// Older files keep bookkeeping in records of their own.
    #[serde(default)]
    pub(super) record_type: Option<String>,
    /// Of the first line of an older file.
    #[serde(default)]
    pub(super) id: Option<String>,
}

/// The first line: whose session it is.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Meta {
    #[serde(default)]
    pub(super) id: Option<String>,
    #[serde(default)]
    pub(super) timestamp: Option<String>,
    #[serde(default)]
    pub(super) cwd: Option<String>,
    /// `"cli"` and the like, or an object that names the agent it was spawned by.
    #[serde(default)]
    pub(super) source: Value,
    #[serde(default)]
    pub(super) git: Option<Git>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Git {
    #[serde(default)]
    pub(super) repository_url: Option<String>,
}

/// One thing said or done.
#[derive(Debug, Deserialize)]
pub(super) struct Item {
    #[serde(rename = "type", default)]
    pub(super) kind: Option<String>,
    #[serde(default)]
    pub(super) role: Option<String>,
    #[serde(default)]
    pub(super) content: Value,
    #[serde(default)]
    pub(super) name: Option<String>,
    /// JSON in a text.
    #[serde(default)]
    pub(super) arguments: Option<String>,
    #[serde(default)]
    pub(super) input: Option<String>,
    #[serde(default)]
    pub(super) action: Value,
    #[serde(default)]
    pub(super) call_id: Option<String>,
    #[serde(default)]
    pub(super) output: Value,
    #[serde(default)]
    internal_chat_message_metadata_passthrough: Option<InTurn>,
}

impl Item {
    /// The prompt that it belongs to, by the id that hooks are told as well.
    pub(super) fn turn_id(&self) -> Option<&str> {
        let within = self.internal_chat_message_metadata_passthrough.as_ref();
        within?.turn_id.as_deref()
    }
}

/// What belongs to a prompt, or begins one.
#[derive(Debug, Deserialize)]
pub(super) struct InTurn {
    #[serde(default)]
    pub(super) turn_id: Option<String>,
}

/// What the harness tells its own interface.
#[derive(Debug, Deserialize)]
pub(super) struct Event {
    #[serde(rename = "type", default)]
    pub(super) kind: Option<String>,
    #[serde(default)]
    pub(super) num_turns: Option<u64>,
}

/// The harness's own summary of what it dropped.
#[derive(Debug, Deserialize)]
pub(super) struct Compacted {
    #[serde(default)]
    pub(super) message: Option<String>,
}

/// All texts of a message's or an output's content.
pub(super) fn text_of(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let texts = items.iter().filter_map(|item| match item.get("text") {
                Some(Value::String(text)) => Some(text.as_str()),
                _ => item
                    .get("type")?
                    .as_str()?
                    .contains("image")
                    .then_some("[image]"),
            });
            texts.collect::<Vec<_>>().join("\n")
        }
        Value::Object(fields) => fields
            .get("content")
            .or(fields.get("output"))
            .map_or_else(String::new, text_of),
        _ => String::new(),
    }
}
