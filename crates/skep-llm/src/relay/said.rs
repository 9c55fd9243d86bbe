//! What a person said in a conversation that comes whole with each call, and a text put behind it.
//!
//! A text goes in as one more piece of what a person said: no other byte of the request changes, whatever it says.

use std::borrow::Cow;
use std::ops::Range;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::Format;
use super::ask::place;

/// One message in which a person says something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// What, its parts by lines.
    pub text: String,
    /// Where something behind it goes.
    behind: Behind,
}

/// Where a text goes, by the form that the caller chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Behind {
    /// In front of the quote that closes a string.
    Quote(usize),
    /// In front of the bracket that closes a list of parts, as a part of this kind.
    Bracket(usize, &'static str),
}

#[derive(Deserialize)]
struct Top<'a> {
    #[serde(borrow, default)]
    messages: Option<Vec<&'a RawValue>>,
    #[serde(borrow, default)]
    input: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    role: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    content: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Part<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    text: Option<Cow<'a, str>>,
}

/// What was said by a person, in order: messages of the role `user` with a text, but for those that carry what a tool
/// answered, since what stands beside that is mostly a program's. `None` for what cannot be read without doubt; into
/// that, nothing is put. In a format that [has no words](Format::writes) of a model, nobody says anything.
#[must_use]
pub fn said(format: Format, body: &[u8]) -> Option<Vec<Said>> {
    let text = std::str::from_utf8(body).ok()?;
    let top: Top<'_> = serde_json::from_str(text).ok()?;
    let (messages, part) = match (format, top.input) {
        (Format::Embeddings | Format::CountTokens, _) => return Some(Vec::new()),
        (Format::Chat | Format::Messages, _) => (top.messages?, "text"),
        // All of it is what a person says.
        (Format::Responses, Some(input)) if input.get().starts_with('"') => {
            let said = of_content(input.get(), &place(text, input.get()), "input_text")?;
            return Some(said.into_iter().collect());
        }
        (Format::Responses, input) => (serde_json::from_str(input?.get()).ok()?, "input_text"),
    };
    let mut all = Vec::new();
    for message in messages {
        let message: Message<'_> = serde_json::from_str(message.get()).ok()?;
        let is_other = format == Format::Responses
            && message
                .kind
                .as_deref()
                .is_some_and(|kind| kind != "message");
        if is_other || message.role.as_deref() != Some("user") {
            continue;
        }
        let Some(content) = message.content else {
            continue;
        };
        let at = place(text, content.get());
        if let Some(said) = of_content(content.get(), &at, part)? {
            all.push(said);
        }
    }
    Some(all)
}

/// The body with these texts behind what was said; all else of it byte for byte.
#[must_use]
pub fn with_behind(body: &Bytes, texts: &[(&Said, &str)]) -> Bytes {
    let mut texts: Vec<_> = texts
        .iter()
        .map(|(said, text)| (said.behind, *text))
        .collect();
    if texts.is_empty() {
        return body.clone();
    }
    texts.sort_by_key(|(behind, _)| behind.at());
    let more: usize = texts
        .iter()
        .map(|(_, text)| text.len() + text.len() / 8 + 64)
        .sum();
    let mut whole = Vec::with_capacity(body.len() + more);
    let mut from = 0;
    for (behind, text) in texts {
        whole.extend_from_slice(&body[from..behind.at()]);
        whole.extend_from_slice(behind.written(text).as_bytes());
        from = behind.at();
    }
    whole.extend_from_slice(&body[from..]);
    whole.into()
}

impl Behind {
    const fn at(self) -> usize {
        match self {
            Self::Quote(at) | Self::Bracket(at, _) => at,
        }
    }

    fn written(self, text: &str) -> String {
        match self {
            Self::Quote(_) => {
                let quoted = Value::from(format!("\n\n{text}")).to_string();
                quoted[1..quoted.len() - 1].to_owned()
            }
            Self::Bracket(_, part) => {
                format!(r#",{{"type":"{part}","text":{}}}"#, Value::from(text))
            }
        }
    }
}

/// What is said in a content whose texts are parts of this kind; `Some(None)` when nobody says anything in it.
#[expect(
    clippy::option_option,
    reason = "what cannot be read is not what has no text"
)]
fn of_content(content: &str, at: &Range<usize>, part: &'static str) -> Option<Option<Said>> {
    let last = at.end - 1;
    let (text, behind) = match content.as_bytes().first() {
        Some(b'"') => {
            let text: String = serde_json::from_str(content).ok()?;
            (text, Behind::Quote(last))
        }
        Some(b'[') => {
            let parts: Vec<&RawValue> = serde_json::from_str(content).ok()?;
            let mut texts = Vec::new();
            for one in parts {
                if !one.get().starts_with('{') {
                    return None;
                }
                let one: Part<'_> = serde_json::from_str(one.get()).ok()?;
                match one.kind.as_deref() {
                    Some("tool_result") => return Some(None),
                    Some(kind) if kind == part => texts.extend(one.text),
                    _ => {}
                }
            }
            (texts.join("\n"), Behind::Bracket(last, part))
        }
        _ => return Some(None),
    };
    Some((!text.trim().is_empty()).then_some(Said { text, behind }))
}

#[cfg(test)]
mod tests;
