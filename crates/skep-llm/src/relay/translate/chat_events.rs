//! The events of a message as the chunks of a chat completion.

use std::fmt::Write;

use serde_json::{Value, json};

use super::answer::{chat_usage, finish};
use super::{UNTOLD, Untold, fault, parsed};
use crate::{Dialect, Usage};

/// How far a message has come. One block is open at a time, so that this is all there is to know.
#[derive(Debug)]
pub(in crate::relay) struct ChatEvents {
    tells_usage: bool,
    now: i64,
    id: Value,
    model: Value,
    stage: Stage,
    open: Option<Open>,
    /// Calls of tools so far.
    calls: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Waiting,
    Begun,
    /// Why it ended was said.
    Finished,
    Over,
}

/// The block that is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Open {
    index: u64,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    /// The number of the call, and whether arguments of it were said.
    Call(u64, bool),
    Thought,
}

const ORDER: Untold = Untold("its events are out of order");

impl ChatEvents {
    pub(super) fn new(tells_usage: bool, now: i64) -> Self {
        Self {
            tells_usage,
            now,
            id: Value::Null,
            model: Value::Null,
            stage: Stage::Waiting,
            open: None,
            calls: 0,
        }
    }

    pub(super) const fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Over)
    }

    pub(super) fn turn(
        &mut self,
        data: &[u8],
        spent: Usage,
        out: &mut String,
    ) -> Result<(), Untold> {
        let event = parsed(data).ok_or(UNTOLD)?;
        let kind = event["type"].as_str().unwrap_or_default();
        if self.is_over() {
            return Err(ORDER);
        }
        match kind {
            "ping" => Ok(()),
            "error" => {
                self.stage = Stage::Over;
                let error = fault::told(Dialect::OpenAi, &event, 500, "");
                line(out, &error);
                Ok(())
            }
            "message_start" if self.stage == Stage::Waiting => {
                self.stage = Stage::Begun;
                (self.id, self.model) = (
                    name(&event["message"]["id"]),
                    name(&event["message"]["model"]),
                );
                self.say(out, json!({ "role": "assistant", "content": "" }));
                Ok(())
            }
            _ if self.stage == Stage::Waiting => Err(ORDER),
            "content_block_start" => self.open(&event, out),
            "content_block_delta" => self.delta(&event, out),
            "content_block_stop" => self.close(&event, out),
            "message_delta" => self.end(&event, out),
            "message_stop" if self.stage == Stage::Finished => {
                self.stage = Stage::Over;
                if self.tells_usage {
                    let mut chunk = self.chunk(json!([]));
                    chunk["usage"] = chat_usage(spent);
                    line(out, &chunk);
                }
                out.push_str("data: [DONE]\n\n");
                Ok(())
            }
            "message_start" | "message_stop" => Err(ORDER),
            // Events that are yet to be invented may be passed over, as the dialect says.
            _ => Ok(()),
        }
    }

    fn open(&mut self, event: &Value, out: &mut String) -> Result<(), Untold> {
        let index = event["index"].as_u64().ok_or(ORDER)?;
        if self.open.is_some() || self.stage == Stage::Finished {
            return Err(ORDER);
        }
        let block = &event["content_block"];
        let kind = match block["type"].as_str() {
            Some("text") => Kind::Text,
            Some("thinking" | "redacted_thinking") => Kind::Thought,
            Some("tool_use") => {
                let id = block["id"].as_str().ok_or(Untold("a call has no id"))?;
                let name = block["name"].as_str().ok_or(Untold("a call has no name"))?;
                let number = self.calls;
                self.calls += 1;
                let call = json!({
                    "index": number, "id": id, "type": "function", "function": { "name": name, "arguments": "" },
                });
                self.say(out, json!({ "tool_calls": [call] }));
                Kind::Call(number, false)
            }
            _ => return Err(Untold("it has a block of a kind that has no equal")),
        };
        self.open = Some(Open { index, kind });
        if let (Kind::Text, Some(text)) = (kind, block["text"].as_str()) {
            self.text(out, text);
        }
        if let (Kind::Call(..), Value::Object(input)) = (kind, &block["input"])
            && !input.is_empty()
        {
            self.arguments(out, &block["input"].to_string());
        }
        Ok(())
    }

    fn delta(&mut self, event: &Value, out: &mut String) -> Result<(), Untold> {
        let delta = &event["delta"];
        let open = self
            .open
            .filter(|open| Some(open.index) == event["index"].as_u64());
        match (open.ok_or(ORDER)?.kind, delta["type"].as_str()) {
            (Kind::Text, Some("text_delta")) => {
                let text = delta["text"].as_str().ok_or(Untold("a text is none"))?;
                self.text(out, text);
            }
            (Kind::Call(..), Some("input_json_delta")) => {
                let part = delta["partial_json"].as_str();
                self.arguments(out, part.ok_or(Untold("the input of a call is none"))?);
            }
            (Kind::Thought, Some("thinking_delta" | "signature_delta")) => {}
            _ => return Err(Untold("it has a change of a kind that has no equal")),
        }
        Ok(())
    }

    fn close(&mut self, event: &Value, out: &mut String) -> Result<(), Untold> {
        let open = self.open.take().ok_or(ORDER)?;
        if Some(open.index) != event["index"].as_u64() {
            return Err(ORDER);
        }
        // A call without arguments has an empty object of them.
        if let Kind::Call(number, false) = open.kind {
            self.say(out, call_part(number, "{}"));
        }
        Ok(())
    }

    fn end(&mut self, event: &Value, out: &mut String) -> Result<(), Untold> {
        let Some(stop) = event["delta"]["stop_reason"].as_str() else {
            return Ok(());
        };
        if self.open.is_some() || self.stage == Stage::Finished {
            return Err(ORDER);
        }
        self.stage = Stage::Finished;
        let finish = finish(stop)?;
        let choice = json!({ "index": 0, "delta": {}, "logprobs": null, "finish_reason": finish });
        line(out, &self.chunk(json!([choice])));
        Ok(())
    }

    fn text(&mut self, out: &mut String, text: &str) {
        if !text.is_empty() {
            self.say(out, json!({ "content": text }));
        }
    }

    fn arguments(&mut self, out: &mut String, part: &str) {
        if let Some(Open {
            kind: Kind::Call(number, said),
            ..
        }) = &mut self.open
            && !part.is_empty()
        {
            *said = true;
            let said = call_part(*number, part);
            self.say(out, said);
        }
    }

    fn say(&self, out: &mut String, delta: Value) {
        let mut choice = json!({ "index": 0, "logprobs": null, "finish_reason": null });
        choice["delta"] = delta;
        line(out, &self.chunk(json!([choice])));
    }

    fn chunk(&self, choices: Value) -> Value {
        let mut chunk = json!({
            "id": self.id, "object": "chat.completion.chunk", "created": self.now, "model": self.model,
        });
        chunk["choices"] = choices;
        if self.tells_usage {
            chunk["usage"] = Value::Null;
        }
        chunk
    }
}

fn call_part(number: u64, arguments: &str) -> Value {
    json!({ "tool_calls": [{ "index": number, "function": { "arguments": arguments } }] })
}

/// A name that is kept and said with every event, and so has a bound.
pub(super) fn name(value: &Value) -> Value {
    match value.as_str() {
        Some(name) if name.len() <= 256 => name.into(),
        _ => "unnamed".into(),
    }
}

fn line(out: &mut String, data: &Value) {
    let _ = write!(out, "data: {data}\n\n");
}
