//! The chunks of a chat completion as the events of a message.

use std::fmt::Write;

use serde_json::{Value, json};

use super::answer::{message_usage, stop};
use super::chat_events::name;
use super::{UNTOLD, Untold, fault, parsed};
use crate::{Dialect, Usage};

/// How far an answer has come. One block is open at a time; what is over is not gone back to.
#[derive(Debug, Default)]
pub(in crate::relay) struct MessageEvents {
    is_begun: bool,
    open: Option<Kind>,
    /// Blocks so far.
    blocks: u64,
    /// The last call of a tool, as its provider counts them.
    last_call: Option<u64>,
    refuses: bool,
    stop: Option<&'static str>,
    is_over: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Call,
}

const ORDER: Untold = Untold("its events are out of order");

impl MessageEvents {
    pub(super) const fn is_over(&self) -> bool {
        self.is_over
    }

    pub(super) fn turn(
        &mut self,
        data: &[u8],
        spent: Usage,
        out: &mut String,
    ) -> Result<(), Untold> {
        if self.is_over {
            return Err(ORDER);
        }
        if data == b"[DONE]" {
            return self.end(spent, out);
        }
        let chunk = parsed(data).ok_or(UNTOLD)?;
        if !chunk["error"].is_null() {
            self.is_over = true;
            event(
                out,
                "error",
                &fault::told(Dialect::Anthropic, &chunk, 500, ""),
            );
            return Ok(());
        }
        let choices = match &chunk["choices"] {
            Value::Array(choices) => choices.as_slice(),
            _ => &[],
        };
        let choice = match choices {
            // What only counts, or only keeps the connection alive.
            [] => return Ok(()),
            [choice] if choice["index"].as_u64().unwrap_or(0) == 0 => choice,
            _ => return Err(Untold("it has not one choice")),
        };
        self.begin(&chunk, out);
        let delta = &choice["delta"];
        if !delta["function_call"].is_null() {
            return Err(Untold("it calls a function in a way that has no equal"));
        }
        if let Some(text) = delta["content"].as_str() {
            self.text(text, out)?;
        }
        if let Some(text) = delta["refusal"].as_str() {
            self.refuses = true;
            self.text(text, out)?;
        }
        for call in delta["tool_calls"].as_array().into_iter().flatten() {
            self.call(call, out)?;
        }
        if let Some(finish) = choice["finish_reason"].as_str() {
            let said = stop(finish, self.last_call.is_some())?;
            self.stop = Some(if self.refuses { "refusal" } else { said });
        }
        Ok(())
    }

    fn begin(&mut self, chunk: &Value, out: &mut String) {
        if self.is_begun {
            return;
        }
        self.is_begun = true;
        // What was read is known at the end alone.
        let message = json!({
            "id": name(&chunk["id"]), "type": "message", "role": "assistant", "model": name(&chunk["model"]),
            "content": [], "stop_reason": null, "stop_sequence": null,
            "usage": { "input_tokens": 0, "output_tokens": 0 },
        });
        event(
            out,
            "message_start",
            &json!({ "type": "message_start", "message": message }),
        );
    }

    fn text(&mut self, text: &str, out: &mut String) -> Result<(), Untold> {
        if text.is_empty() {
            return Ok(());
        }
        if self.stop.is_some() {
            return Err(ORDER);
        }
        if self.open != Some(Kind::Text) {
            self.open(Kind::Text, &json!({ "type": "text", "text": "" }), out);
        }
        self.delta(&json!({ "type": "text_delta", "text": text }), out);
        Ok(())
    }

    fn call(&mut self, call: &Value, out: &mut String) -> Result<(), Untold> {
        if self.stop.is_some() {
            return Err(ORDER);
        }
        let (id, function) = (call["id"].as_str(), &call["function"]);
        let last = self.last_call;
        let next = last.map_or(Some(0), |last| last.checked_add(1));
        // Some servers leave the number out and send each call whole.
        let index = match (call["index"].as_u64(), id) {
            (Some(index), _) => index,
            (None, Some(_)) => next.ok_or(ORDER)?,
            (None, None) => last.ok_or(ORDER)?,
        };
        if last.is_none_or(|last| index > last) {
            let id = id.ok_or(Untold("a call has no id"))?;
            let name = function["name"]
                .as_str()
                .ok_or(Untold("a call has no name"))?;
            self.last_call = Some(index);
            let block = json!({ "type": "tool_use", "id": id, "name": name, "input": {} });
            self.open(Kind::Call, &block, out);
        } else if last != Some(index) || self.open != Some(Kind::Call) {
            return Err(Untold("it goes back to a call that was over"));
        }
        if let Some(part) = function["arguments"].as_str()
            && !part.is_empty()
        {
            self.delta(
                &json!({ "type": "input_json_delta", "partial_json": part }),
                out,
            );
        }
        Ok(())
    }

    fn end(&mut self, spent: Usage, out: &mut String) -> Result<(), Untold> {
        let stop = self.stop.ok_or(Untold("it ended without saying why"))?;
        self.is_over = true;
        self.close(out);
        event(
            out,
            "message_delta",
            &json!({
                "type": "message_delta", "delta": { "stop_reason": stop, "stop_sequence": null },
                "usage": message_usage(spent),
            }),
        );
        event(out, "message_stop", &json!({ "type": "message_stop" }));
        Ok(())
    }

    fn open(&mut self, kind: Kind, block: &Value, out: &mut String) {
        self.close(out);
        self.open = Some(kind);
        self.blocks += 1;
        let index = self.blocks - 1;
        event(
            out,
            "content_block_start",
            &json!({ "type": "content_block_start", "index": index, "content_block": block }),
        );
    }

    fn delta(&self, delta: &Value, out: &mut String) {
        let index = self.blocks.saturating_sub(1);
        event(
            out,
            "content_block_delta",
            &json!({ "type": "content_block_delta", "index": index, "delta": delta }),
        );
    }

    fn close(&mut self, out: &mut String) {
        if self.open.take().is_some() {
            let index = self.blocks.saturating_sub(1);
            event(
                out,
                "content_block_stop",
                &json!({ "type": "content_block_stop", "index": index }),
            );
        }
    }
}

fn event(out: &mut String, name: &str, data: &Value) {
    let _ = write!(out, "event: {name}\ndata: {data}\n\n");
}
