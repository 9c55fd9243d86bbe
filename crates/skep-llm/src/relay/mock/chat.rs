//! Chat completions of the mock's.

use bytes::Bytes;
use serde_json::{Value, json};

use super::{Says, Turn, finish, pieces, said};
use crate::Usage;
use crate::relay::Ask;

fn usage(spent: Usage) -> Value {
    json!({
        "prompt_tokens": spent.input, "completion_tokens": spent.output,
        "total_tokens": spent.input + spent.output,
    })
}

pub(super) fn whole(ask: &Ask, turn: &Turn, id: &str, now: i64) -> Value {
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
        "usage": usage(turn.spent),
    })
}

pub(super) fn events(ask: &Ask, turn: &Turn, id: &str, now: i64) -> Vec<Bytes> {
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
        "choices": [], "usage": usage(turn.spent),
    });
    events.push(format!("data: {count}\n\n").into());
    events.push(Bytes::from_static(b"data: [DONE]\n\n"));
    events
}
