//! Messages of the mock's.

use bytes::Bytes;
use serde_json::{Value, json};

use super::{Says, Turn, event, finish, pieces, said};
use crate::relay::Ask;

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

pub(super) fn whole(ask: &Ask, turn: &Turn, id: &str) -> Value {
    json!({
        "id": format!("msg_{id}"), "type": "message", "role": "assistant", "model": ask.model,
        "content": [block(&turn.says)], "stop_reason": stop(&turn.says), "stop_sequence": null,
        "usage": { "input_tokens": turn.spent.input, "output_tokens": turn.spent.output },
    })
}

pub(super) fn events(ask: &Ask, turn: &Turn, id: &str) -> Vec<Bytes> {
    let mut events = vec![event(
        "message_start",
        &json!({ "type": "message_start", "message": {
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
        &json!({ "type": "content_block_start", "index": 0, "content_block": begun }),
    ));
    let delta = |delta: Value| {
        event(
            "content_block_delta",
            &json!({ "type": "content_block_delta", "index": 0, "delta": delta }),
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
        &json!({ "type": "content_block_stop", "index": 0 }),
    ));
    events.push(event(
        "message_delta",
        &json!({ "type": "message_delta", "delta": { "stop_reason": stop(&turn.says), "stop_sequence": null },
                "usage": { "output_tokens": turn.spent.output } }),
    ));
    events.push(event("message_stop", &json!({ "type": "message_stop" })));
    events
}
