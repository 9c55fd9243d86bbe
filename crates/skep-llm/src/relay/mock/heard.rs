//! What the mock was told, in whichever form it was said.

use serde::Deserialize;
use serde_json::Value;

/// What it was told.
#[derive(Default)]
pub(super) struct Heard {
    /// What was said last: by a user, or by a tool.
    pub(super) last: String,
    /// Whether that is what a tool answered.
    pub(super) is_result: bool,
    /// Words in all.
    pub(super) words: u64,
    /// Tools that are offered.
    pub(super) tools: Vec<Value>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Told {
    messages: Vec<Value>,
    input: Value,
    instructions: Value,
    tools: Vec<Value>,
}

impl Heard {
    /// Of a request in any of the forms; nothing, if it is none.
    pub(super) fn of(body: &[u8]) -> Self {
        let told: Told = serde_json::from_slice(body).unwrap_or_default();
        let mut heard = Self {
            tools: told.tools,
            words: count(&text(&told.instructions)),
            ..Self::default()
        };
        for message in &told.messages {
            heard.hear(message);
        }
        match &told.input {
            Value::Array(items) => items.iter().for_each(|item| heard.hear(item)),
            said @ Value::String(_) => heard.take(text(said), false),
            _ => {}
        }
        heard
    }

    fn hear(&mut self, message: &Value) {
        let part = |name: &str| message.get(name).unwrap_or(&Value::Null);
        let (role, kind) = (part("role").as_str(), part("type").as_str());
        let answered = tool_results(part("content"));
        match (role, kind) {
            (Some("tool"), _) => self.take(text(part("content")), true),
            (_, Some("function_call_output")) => self.take(text(part("output")), true),
            (Some("user"), _) if answered.is_some() => {
                self.take(answered.unwrap_or_default(), true);
            }
            (Some("user"), _) => self.take(text(part("content")), false),
            // A text to be embedded.
            (None, None) if message.is_string() => self.words += count(&text(message)),
            _ => self.words += count(&text(part("content"))),
        }
    }

    fn take(&mut self, said: String, is_result: bool) {
        self.words += count(&said);
        (self.last, self.is_result) = (said, is_result);
    }
}

/// What tools answered, in the form of messages.
fn tool_results(content: &Value) -> Option<String> {
    let results: Vec<_> = content
        .as_array()?
        .iter()
        .filter(|part| part.get("type").and_then(Value::as_str) == Some("tool_result"))
        .map(|part| text(part.get("content").unwrap_or(&Value::Null)))
        .collect();
    (!results.is_empty()).then(|| results.join(" "))
}

/// The text of a message: as it is, or of its parts.
fn text(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            let texts = parts.iter().filter_map(|part| part.get("text")?.as_str());
            texts.collect::<Vec<_>>().join(" ")
        }
        _ => String::new(),
    }
}

fn count(text: &str) -> u64 {
    text.split_whitespace().count() as u64
}
