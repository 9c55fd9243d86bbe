//! The provider that is built in: no model, so that a gateway can be tried, and tested, without a key.
//!
//! It says back what it was told, in words of a known number. `call NAME {…}` makes it call a tool, `fail 429` makes it
//! fail so. The same request gets the same answer.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Ask, Format};
use crate::Usage;

/// Words of what it was told that it says back at most.
const ECHO: usize = 256;
/// What stands in front of them.
const PREFACE: &str = "You said:";

/// An answer of the mock's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mocked {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Bytes,
}

#[derive(Deserialize)]
struct Told {
    #[serde(default)]
    messages: Vec<Message>,
    #[serde(default)]
    tools: Vec<Value>,
}

#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    role: String,
    #[serde(default)]
    content: Value,
}

/// What it says.
enum Says {
    Words { words: Vec<String>, is_cut: bool },
    Call { name: String, arguments: Value },
    Fails(u16),
}

/// What it says, and what that cost.
struct Turn {
    says: Says,
    spent: Usage,
}

/// An answer in one piece, with an id and the time in seconds.
#[must_use]
pub fn mocked(ask: &Ask, body: &[u8], id: &str, now: i64) -> Mocked {
    let turn = turn(ask, body);
    if let Says::Fails(status) = turn.says {
        return failed(ask.format, status);
    }
    let body = match ask.format {
        Format::Chat => chat(ask, &turn, id, now),
        Format::Messages => messages(ask, &turn, id),
    };
    Mocked {
        status: 200,
        body: body.to_string().into(),
    }
}

/// An answer as a stream: its events, in order.
///
/// # Errors
/// The answer that is none, where it was told to fail.
pub fn mocked_stream(ask: &Ask, body: &[u8], id: &str, now: i64) -> Result<Vec<Bytes>, Mocked> {
    let turn = turn(ask, body);
    if let Says::Fails(status) = turn.says {
        return Err(failed(ask.format, status));
    }
    Ok(match ask.format {
        Format::Chat => chat_events(ask, &turn, id, now),
        Format::Messages => messages_events(ask, &turn, id),
    })
}

fn turn(ask: &Ask, body: &[u8]) -> Turn {
    let told: Option<Told> = serde_json::from_slice(body).ok();
    let (messages, tools) = told.map_or_else(Default::default, |told| (told.messages, told.tools));
    let input: usize = messages
        .iter()
        .map(|message| words(&text(&message.content)).len())
        .sum();
    let last = messages.iter().rfind(|message| message.role == "user");
    let last = last
        .map(|message| text(&message.content))
        .unwrap_or_default();
    let says = says(&last, &tools, ask.output);
    let output = match &says {
        Says::Words { words, .. } => words.len(),
        Says::Call { arguments, .. } => 1 + arguments.to_string().len().div_ceil(4),
        Says::Fails(_) => 0,
    };
    Turn {
        says,
        spent: Usage {
            input: input as u64,
            output: output as u64,
            ..Usage::default()
        },
    }
}

fn says(last: &str, tools: &[Value], most: Option<u64>) -> Says {
    if let Some(status) = last
        .strip_prefix("fail ")
        .and_then(|rest| rest.trim().parse().ok())
        && (400..=599).contains(&status)
    {
        return Says::Fails(status);
    }
    if let Some((name, arguments)) = called(last, tools) {
        return Says::Call { name, arguments };
    }
    let mut words: Vec<String> = PREFACE.split(' ').map(str::to_owned).collect();
    words.extend(last.split_whitespace().take(ECHO).map(str::to_owned));
    let most = usize::try_from(most.unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
    let is_cut = words.len() > most;
    words.truncate(most);
    Says::Words { words, is_cut }
}

/// The tool that it was told to call, if that one is offered.
fn called(last: &str, tools: &[Value]) -> Option<(String, Value)> {
    let rest = last.strip_prefix("call ")?.trim();
    let (name, arguments) = rest.split_once(' ').unwrap_or((rest, "{}"));
    let offered = tools.iter().any(|tool| {
        let named = tool.get("function").unwrap_or(tool).get("name");
        named.and_then(Value::as_str) == Some(name)
    });
    let arguments: Value = serde_json::from_str(arguments)
        .ok()
        .filter(Value::is_object)?;
    offered.then(|| (name.to_owned(), arguments))
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

fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}

fn failed(format: Format, status: u16) -> Mocked {
    let message = "The mock was told to fail.";
    let body = match format {
        Format::Chat => {
            json!({ "error": { "message": message, "type": "mock_error", "param": null, "code": null } })
        }
        Format::Messages => {
            json!({ "type": "error", "error": { "type": "mock_error", "message": message } })
        }
    };
    Mocked {
        status,
        body: body.to_string().into(),
    }
}

fn chat_usage(spent: Usage) -> Value {
    json!({
        "prompt_tokens": spent.input, "completion_tokens": spent.output,
        "total_tokens": spent.input + spent.output,
    })
}

fn chat(ask: &Ask, turn: &Turn, id: &str, now: i64) -> Value {
    let (message, finish) = match &turn.says {
        Says::Call { name, arguments } => (
            json!({ "role": "assistant", "content": null, "tool_calls": [{
                "id": "call_mock", "type": "function",
                "function": { "name": name, "arguments": arguments.to_string() },
            }]}),
            "tool_calls",
        ),
        says => (
            json!({ "role": "assistant", "content": said(says), "refusal": null }),
            finish(says, "length", "stop"),
        ),
    };
    json!({
        "id": format!("chatcmpl-{id}"), "object": "chat.completion", "created": now, "model": ask.model,
        "choices": [{ "index": 0, "message": message, "logprobs": null, "finish_reason": finish }],
        "usage": chat_usage(turn.spent),
    })
}

fn said(says: &Says) -> String {
    match says {
        Says::Words { words, .. } => words.join(" "),
        Says::Call { .. } | Says::Fails(_) => String::new(),
    }
}

fn finish(says: &Says, cut: &'static str, whole: &'static str) -> &'static str {
    match says {
        Says::Words { is_cut: true, .. } => cut,
        _ => whole,
    }
}

fn chat_events(ask: &Ask, turn: &Turn, id: &str, now: i64) -> Vec<Bytes> {
    let chunk = |delta: Value, finish: Option<&str>| {
        let chunk = json!({
            "id": format!("chatcmpl-{id}"), "object": "chat.completion.chunk", "created": now, "model": ask.model,
            "choices": [{ "index": 0, "delta": delta, "finish_reason": finish }],
        });
        Bytes::from(format!("data: {chunk}\n\n"))
    };
    let mut events = vec![chunk(json!({ "role": "assistant", "content": "" }), None)];
    let finish = match &turn.says {
        Says::Call { name, arguments } => {
            events.push(chunk(
                json!({ "tool_calls": [{
                    "index": 0, "id": "call_mock", "type": "function",
                    "function": { "name": name, "arguments": arguments.to_string() },
                }]}),
                None,
            ));
            "tool_calls"
        }
        says => {
            events.extend(pieces(says).map(|piece| chunk(json!({ "content": piece }), None)));
            finish(says, "length", "stop")
        }
    };
    events.push(chunk(json!({}), Some(finish)));
    let count = json!({
        "id": format!("chatcmpl-{id}"), "object": "chat.completion.chunk", "created": now, "model": ask.model,
        "choices": [], "usage": chat_usage(turn.spent),
    });
    events.push(format!("data: {count}\n\n").into());
    events.push(Bytes::from_static(b"data: [DONE]\n\n"));
    events
}

/// The words, each with what stands before it.
fn pieces(says: &Says) -> impl Iterator<Item = String> {
    let words = match says {
        Says::Words { words, .. } => words.as_slice(),
        Says::Call { .. } | Says::Fails(_) => &[],
    };
    let piece = |(at, word): (usize, &String)| {
        if at == 0 {
            word.clone()
        } else {
            format!(" {word}")
        }
    };
    words.iter().enumerate().map(piece)
}

fn block(says: &Says) -> Value {
    match says {
        Says::Call { name, arguments } => {
            json!({ "type": "tool_use", "id": "toolu_mock", "name": name, "input": arguments })
        }
        says => json!({ "type": "text", "text": said(says) }),
    }
}

fn stop(says: &Says) -> &'static str {
    match says {
        Says::Call { .. } => "tool_use",
        says => finish(says, "max_tokens", "end_turn"),
    }
}

fn messages(ask: &Ask, turn: &Turn, id: &str) -> Value {
    json!({
        "id": format!("msg_{id}"), "type": "message", "role": "assistant", "model": ask.model,
        "content": [block(&turn.says)], "stop_reason": stop(&turn.says), "stop_sequence": null,
        "usage": { "input_tokens": turn.spent.input, "output_tokens": turn.spent.output },
    })
}

fn messages_events(ask: &Ask, turn: &Turn, id: &str) -> Vec<Bytes> {
    let event = |name: &str, data: Value| Bytes::from(format!("event: {name}\ndata: {data}\n\n"));
    let mut events = vec![event(
        "message_start",
        json!({ "type": "message_start", "message": {
            "id": format!("msg_{id}"), "type": "message", "role": "assistant", "model": ask.model, "content": [],
            "stop_reason": null, "stop_sequence": null,
            "usage": { "input_tokens": turn.spent.input, "output_tokens": 1 },
        }}),
    )];
    let begun = match &turn.says {
        Says::Call { name, .. } => {
            json!({ "type": "tool_use", "id": "toolu_mock", "name": name, "input": {} })
        }
        _ => json!({ "type": "text", "text": "" }),
    };
    events.push(event(
        "content_block_start",
        json!({ "type": "content_block_start", "index": 0, "content_block": begun }),
    ));
    let delta = |delta: Value| {
        event(
            "content_block_delta",
            json!({ "type": "content_block_delta", "index": 0, "delta": delta }),
        )
    };
    match &turn.says {
        Says::Call { arguments, .. } => {
            events.push(delta(
                json!({ "type": "input_json_delta", "partial_json": arguments.to_string() }),
            ));
        }
        says => events.extend(
            pieces(says).map(|piece| delta(json!({ "type": "text_delta", "text": piece }))),
        ),
    }
    events.push(event(
        "content_block_stop",
        json!({ "type": "content_block_stop", "index": 0 }),
    ));
    events.push(event(
        "message_delta",
        json!({ "type": "message_delta", "delta": { "stop_reason": stop(&turn.says), "stop_sequence": null },
                "usage": { "output_tokens": turn.spent.output } }),
    ));
    events.push(event("message_stop", json!({ "type": "message_stop" })));
    events
}
