//! A whole answer of one dialect in the other.

use serde_json::{Map, Value, json};

use super::Untold;
use super::to_messages::input;
use crate::Usage;

/// A message as a chat completion.
pub(super) fn to_chat(message: &Value, usage: Usage, now: i64) -> Result<Value, Untold> {
    let blocks = message["content"]
        .as_array()
        .ok_or(Untold("it has no content"))?;
    let (mut text, mut calls) = (None::<String>, Vec::new());
    for block in blocks {
        match block["type"].as_str() {
            Some("text") => {
                let said = block["text"].as_str().ok_or(Untold("a text is none"))?;
                text.get_or_insert_default().push_str(said);
            }
            Some("tool_use") => {
                let id = block["id"].as_str().ok_or(Untold("a call has no id"))?;
                let name = block["name"].as_str().ok_or(Untold("a call has no name"))?;
                let input = &block["input"];
                if !input.is_object() {
                    return Err(Untold("a call has no input"));
                }
                calls.push(json!({
                    "id": id, "type": "function",
                    "function": { "name": name, "arguments": input.to_string() },
                }));
            }
            // Thoughts are nobody's words, and nobody asked for them: a request that does is refused.
            Some("thinking" | "redacted_thinking") => {}
            _ => return Err(Untold("it has a block of a kind that has no equal")),
        }
    }
    let finish = finish(message["stop_reason"].as_str().unwrap_or_default())?;
    let mut said = json!({ "role": "assistant", "content": text, "refusal": null });
    if !calls.is_empty() {
        said["tool_calls"] = calls.into();
    }
    Ok(json!({
        "id": message["id"], "object": "chat.completion", "created": now, "model": message["model"],
        "choices": [{ "index": 0, "message": said, "logprobs": null, "finish_reason": finish }],
        "usage": chat_usage(usage),
    }))
}

/// A chat completion as a message.
pub(super) fn to_message(chat: &Value, usage: Usage) -> Result<Value, Untold> {
    let Some([choice]) = chat["choices"].as_array().map(Vec::as_slice) else {
        return Err(Untold("it has not one choice"));
    };
    let message = &choice["message"];
    if !message.is_object() || !message["function_call"].is_null() {
        return Err(Untold("its choice is no message"));
    }
    let mut blocks: Vec<Value> = Vec::new();
    let refusal = message["refusal"].as_str();
    for text in [message["content"].as_str(), refusal].into_iter().flatten() {
        if !text.is_empty() {
            blocks.push(json!({ "type": "text", "text": text }));
        }
    }
    let mut has_calls = false;
    for call in message["tool_calls"].as_array().into_iter().flatten() {
        let function = &call["function"];
        let id = call["id"].as_str().ok_or(Untold("a call has no id"))?;
        let name = function["name"]
            .as_str()
            .ok_or(Untold("a call has no name"))?;
        let arguments = function["arguments"].as_str().unwrap_or_default();
        let input = input(arguments).ok_or(Untold("the arguments of a call are no JSON object"))?;
        blocks.push(json!({ "type": "tool_use", "id": id, "name": name, "input": input }));
        has_calls = true;
    }
    let finish = choice["finish_reason"].as_str().unwrap_or_default();
    let stop = if refusal.is_some() {
        "refusal"
    } else {
        stop(finish, has_calls)?
    };
    Ok(json!({
        "id": chat["id"], "type": "message", "role": "assistant", "model": chat["model"], "content": blocks,
        "stop_reason": stop, "stop_sequence": null, "usage": message_usage(usage),
    }))
}

/// Why a message ended, as a chat says it.
pub(super) fn finish(stop: &str) -> Result<&'static str, Untold> {
    match stop {
        "end_turn" | "stop_sequence" => Ok("stop"),
        "max_tokens" | "model_context_window_exceeded" => Ok("length"),
        "tool_use" => Ok("tool_calls"),
        "refusal" => Ok("content_filter"),
        _ => Err(Untold("why it ended has no equal")),
    }
}

/// The same, the other way. Some servers say `stop` behind a call of a tool.
pub(super) fn stop(finish: &str, has_calls: bool) -> Result<&'static str, Untold> {
    match finish {
        "stop" | "tool_calls" if has_calls => Ok("tool_use"),
        "stop" => Ok("end_turn"),
        "length" => Ok("max_tokens"),
        "content_filter" => Ok("refusal"),
        _ => Err(Untold("why it ended has no equal")),
    }
}

pub(super) fn chat_usage(usage: Usage) -> Value {
    json!({
        "prompt_tokens": usage.input, "completion_tokens": usage.output, "total_tokens": usage.total(),
        "prompt_tokens_details": {
            "cached_tokens": usage.cache_read, "cache_write_tokens": usage.cache_write,
        },
        "completion_tokens_details": { "reasoning_tokens": usage.reasoning },
    })
}

pub(super) fn message_usage(usage: Usage) -> Value {
    let fresh = usage
        .input
        .saturating_sub(usage.cache_read)
        .saturating_sub(usage.cache_write);
    let mut said = Map::new();
    for (name, tokens) in [
        ("input_tokens", fresh),
        ("cache_read_input_tokens", usage.cache_read),
        ("cache_creation_input_tokens", usage.cache_write),
        ("output_tokens", usage.output),
    ] {
        said.insert(name.into(), tokens.into());
    }
    said.insert(
        "output_tokens_details".into(),
        json!({ "thinking_tokens": usage.reasoning }),
    );
    said.into()
}
