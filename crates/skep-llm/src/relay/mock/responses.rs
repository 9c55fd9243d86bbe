//! Responses of the mock's, with each event that a stream of one has.

use bytes::Bytes;
use serde_json::{Value, json};

use super::{Says, Turn, event, finish, pieces, said};
use crate::relay::Ask;

pub(super) fn whole(ask: &Ask, turn: &Turn, id: &str, now: i64) -> Value {
    let status = finish(&turn.says, "incomplete", "completed");
    response(ask, turn, (id, now), status)
}

/// The answer as it stands at one moment of it.
fn response(ask: &Ask, turn: &Turn, (id, now): (&str, i64), status: &str) -> Value {
    let spent = turn.spent;
    let is_over = status != "in_progress";
    let output = is_over.then(|| item(&turn.says, id, "completed"));
    let usage = is_over.then(|| {
        json!({
            "input_tokens": spent.input,
            "input_tokens_details": { "cache_write_tokens": 0, "cached_tokens": 0 },
            "output_tokens": spent.output, "output_tokens_details": { "reasoning_tokens": 0 },
            "total_tokens": spent.input + spent.output,
        })
    });
    let why = (status == "incomplete").then(|| json!({ "reason": "max_output_tokens" }));
    json!({
        "id": format!("resp_{id}"), "object": "response", "created_at": now, "status": status, "error": null,
        "incomplete_details": why, "instructions": null, "max_output_tokens": ask.output, "model": ask.model,
        "output": output.into_iter().collect::<Vec<_>>(), "parallel_tool_calls": true,
        "previous_response_id": null, "store": false, "temperature": null, "text": { "format": { "type": "text" } },
        "tool_choice": "auto", "tools": [], "top_p": null, "truncation": "disabled", "usage": usage,
        "metadata": {},
    })
}

/// What it says, as an item of the output.
fn item(says: &Says, id: &str, status: &str) -> Value {
    let is_over = status == "completed";
    match says {
        Says::Call { name, arguments } => json!({
            "type": "function_call", "id": format!("fc_{id}"), "call_id": "call_mock", "name": name,
            "arguments": if is_over { arguments.to_string() } else { String::new() }, "status": status,
        }),
        says => json!({
            "type": "message", "id": format!("msg_{id}"), "role": "assistant", "status": status,
            "content": if is_over { vec![part(&said(says))] } else { Vec::new() },
        }),
    }
}

fn part(text: &str) -> Value {
    json!({ "type": "output_text", "text": text, "annotations": [], "logprobs": [] })
}

pub(super) fn events(ask: &Ask, turn: &Turn, id: &str, now: i64) -> Vec<Bytes> {
    let begun = response(ask, turn, (id, now), "in_progress");
    let (last, status) = match finish(&turn.says, "incomplete", "completed") {
        "incomplete" => ("response.incomplete", "incomplete"),
        whole => ("response.completed", whole),
    };
    let mut all = vec![
        ("response.created", json!({ "response": begun })),
        ("response.in_progress", json!({ "response": begun })),
        (
            "response.output_item.added",
            json!({ "output_index": 0, "item": item(&turn.says, id, "in_progress") }),
        ),
    ];
    match &turn.says {
        Says::Call { name, arguments } => all.extend(called(name, arguments, id)),
        says => all.extend(spoken(says, id)),
    }
    all.extend([
        (
            "response.output_item.done",
            json!({ "output_index": 0, "item": item(&turn.says, id, "completed") }),
        ),
        (
            last,
            json!({ "response": response(ask, turn, (id, now), status) }),
        ),
    ]);
    let numbered = all
        .into_iter()
        .enumerate()
        .map(|(number, (name, mut data))| {
            data["type"] = json!(name);
            data["sequence_number"] = json!(number);
            event(name, &data)
        });
    numbered.collect()
}

fn called(name: &str, arguments: &Value, id: &str) -> Vec<(&'static str, Value)> {
    let (item, arguments) = (format!("fc_{id}"), arguments.to_string());
    vec![
        (
            "response.function_call_arguments.delta",
            json!({ "item_id": item, "output_index": 0, "delta": arguments }),
        ),
        (
            "response.function_call_arguments.done",
            json!({ "item_id": item, "output_index": 0, "name": name, "arguments": arguments }),
        ),
    ]
}

fn spoken(says: &Says, id: &str) -> Vec<(&'static str, Value)> {
    let at = |mut data: Value| {
        data["item_id"] = json!(format!("msg_{id}"));
        (data["output_index"], data["content_index"]) = (json!(0), json!(0));
        data
    };
    let mut all = vec![(
        "response.content_part.added",
        at(json!({ "part": part("") })),
    )];
    all.extend(pieces(says).map(|piece| {
        (
            "response.output_text.delta",
            at(json!({ "delta": piece, "logprobs": [] })),
        )
    }));
    all.extend([
        (
            "response.output_text.done",
            at(json!({ "text": said(says), "logprobs": [] })),
        ),
        (
            "response.content_part.done",
            at(json!({ "part": part(&said(says)) })),
        ),
    ]);
    all
}
