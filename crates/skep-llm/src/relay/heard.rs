//! What a model said, as text: for whoever keeps conversations. Nothing of it goes anywhere from here.

use std::borrow::Cow;

use bytes::Bytes;
use serde::Deserialize;

use super::{Format, events};

/// The text of an answer as it comes, up to a bound.
#[derive(Clone, Debug)]
pub struct Heard {
    format: Format,
    most: usize,
    text: String,
}

#[derive(Deserialize)]
struct Chat<'a> {
    #[serde(borrow, default)]
    choices: Vec<Choice<'a>>,
}

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(default)]
    index: u64,
    #[serde(borrow, default)]
    message: Option<Words<'a>>,
    #[serde(borrow, default)]
    delta: Option<Words<'a>>,
}

#[derive(Deserialize)]
struct Words<'a> {
    #[serde(borrow, default)]
    content: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow, default)]
    content: Vec<Part<'a>>,
}

#[derive(Deserialize)]
struct Response<'a> {
    #[serde(borrow, default)]
    output: Vec<Item<'a>>,
}

#[derive(Deserialize)]
struct Item<'a> {
    #[serde(rename = "type", borrow, default)]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    content: Option<Vec<Part<'a>>>,
}

/// An event of a response.
#[derive(Deserialize)]
struct Told<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    delta: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(rename = "type", borrow, default)]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    delta: Option<Part<'a>>,
}

#[derive(Deserialize)]
struct Part<'a> {
    #[serde(rename = "type", borrow, default)]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    text: Option<Cow<'a, str>>,
}

impl Heard {
    /// Of a format, at most so many bytes of it.
    #[must_use]
    pub const fn new(format: Format, most: usize) -> Self {
        Self {
            format,
            most,
            text: String::new(),
        }
    }

    /// Takes an answer that is there. What is none says nothing.
    pub fn whole(&mut self, body: &[u8]) {
        match self.format {
            Format::Chat => {
                if let Ok(chat) = serde_json::from_slice::<Chat<'_>>(body) {
                    self.first(chat, |choice| choice.message);
                }
            }
            Format::Messages => {
                if let Ok(message) = serde_json::from_slice::<Message<'_>>(body) {
                    self.parts(message.content, "text");
                }
            }
            Format::Responses => {
                let response = serde_json::from_slice::<Response<'_>>(body);
                for item in response.into_iter().flat_map(|response| response.output) {
                    if item.kind.as_deref() == Some("message") {
                        self.parts(item.content.unwrap_or_default(), "output_text");
                    }
                }
            }
            Format::Embeddings | Format::CountTokens => {}
        }
    }

    /// Takes events of a stream, each whole.
    pub fn events(&mut self, came: &Bytes) {
        for event in events::each(came.clone()) {
            let Some(data) = events::data(&event) else {
                continue;
            };
            match self.format {
                Format::Chat => {
                    if let Ok(chat) = serde_json::from_slice::<Chat<'_>>(&data) {
                        self.first(chat, |choice| choice.delta);
                    }
                }
                Format::Messages => {
                    if let Ok(event) = serde_json::from_slice::<Event<'_>>(&data)
                        && event.kind.as_deref() == Some("content_block_delta")
                        && let Some(delta) = event.delta
                        && delta.kind.as_deref() == Some("text_delta")
                    {
                        self.add(delta.text);
                    }
                }
                Format::Responses => {
                    if let Ok(event) = serde_json::from_slice::<Told<'_>>(&data)
                        && event.kind == "response.output_text.delta"
                    {
                        self.add(event.delta);
                    }
                }
                Format::Embeddings | Format::CountTokens => {}
            }
        }
    }

    /// What was said so far.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Of several answers, the first is the one that a conversation goes on with.
    fn first<'a>(&mut self, chat: Chat<'a>, words: impl Fn(Choice<'a>) -> Option<Words<'a>>) {
        let first = chat.choices.into_iter().find(|choice| choice.index == 0);
        self.add(first.and_then(words).and_then(|words| words.content));
    }

    fn parts(&mut self, parts: Vec<Part<'_>>, kind: &str) {
        for part in parts {
            if part.kind.as_deref() == Some(kind) {
                self.add(part.text);
            }
        }
    }

    fn add(&mut self, text: Option<Cow<'_, str>>) {
        let text = text.unwrap_or_default();
        let room = self.most.saturating_sub(self.text.len());
        self.text.push_str(&text[..text.floor_char_boundary(room)]);
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::{Format, Heard};

    fn stream(format: Format, events: &[&str]) -> String {
        let mut heard = Heard::new(format, 1_000);
        for event in events {
            heard.events(&Bytes::from(format!("event: x\ndata: {event}\n\n")));
        }
        heard.text().to_owned()
    }

    #[test]
    fn what_was_said_is_heard_whole_and_as_it_comes() {
        let mut heard = Heard::new(Format::Chat, 1_000);
        heard.whole(br#"{"choices":[{"index":1,"message":{"content":"no"}},{"index":0,"message":{"content":"a\u00e9"}}]}"#);
        assert_eq!(heard.text(), "a\u{e9}");
        let mut heard = Heard::new(Format::Messages, 1_000);
        heard.whole(br#"{"content":[{"type":"thinking","text":"no"},{"type":"text","text":"a"},{"type":"tool_use","input":{}},{"type":"text","text":"b"}]}"#);
        assert_eq!(heard.text(), "ab");
        let chat = [
            r#"{"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}"#,
            r#"{"choices":[{"index":0,"delta":{"content":"a"}},{"index":1,"delta":{"content":"no"}}]}"#,
            "[DONE]",
            r#"{"choices":[{"index":0,"delta":{"content":null,"tool_calls":[]}}]}"#,
            r#"{"choices":[{"index":0,"delta":{"content":"b\n"}}],"usage":null}"#,
            r#"{"choices":[]}"#,
        ];
        assert_eq!(stream(Format::Chat, &chat), "ab\n");
        let messages = [
            r#"{"type":"message_start","message":{"content":[]}}"#,
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"no"}}"#,
            r#"{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"a"}}"#,
            r#"{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{}"}}"#,
            r#"{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"b"}}"#,
            "{",
        ];
        assert_eq!(stream(Format::Messages, &messages), "ab");
    }

    #[test]
    fn a_response_is_heard_without_its_thoughts_and_calls() {
        let mut heard = Heard::new(Format::Responses, 1_000);
        heard.whole(br#"{"object":"response","output":[{"type":"reasoning","summary":[],"content":[{"type":"reasoning_text","text":"no"}]},{"type":"message","content":[{"type":"output_text","text":"a","annotations":[]},{"type":"refusal","refusal":"no"}]},{"type":"function_call","arguments":"{}"},{"type":"message","content":[{"type":"output_text","text":"b"}]}]}"#);
        assert_eq!(heard.text(), "ab");
        let events = [
            r#"{"type":"response.created","sequence_number":0,"response":{"output":[]}}"#,
            r#"{"type":"response.reasoning_summary_text.delta","delta":"no"}"#,
            r#"{"type":"response.output_text.delta","item_id":"i","delta":"a"}"#,
            r#"{"type":"response.function_call_arguments.delta","delta":"{}"}"#,
            r#"{"type":"response.output_text.delta","delta":"b\u00e9"}"#,
            r#"{"type":"response.output_text.done","text":"ab"}"#,
            r#"{"type":"response.completed","response":{"output":[{"type":"message","content":[{"type":"output_text","text":"ab"}]}]}}"#,
        ];
        assert_eq!(stream(Format::Responses, &events), "ab\u{e9}");
        for format in [Format::Embeddings, Format::CountTokens] {
            assert_eq!(stream(format, &events), "");
        }
    }

    #[test]
    fn m10_no_more_is_heard_than_may_be() {
        let mut heard = Heard::new(Format::Chat, 5);
        for _ in 0..3 {
            let event = "data: {\"choices\":[{\"delta\":{\"content\":\"\u{e9}\u{e9}\"}}]}\n\n";
            heard.events(&Bytes::from_static(event.as_bytes()));
        }
        assert_eq!(heard.text(), "\u{e9}\u{e9}");
    }
}
