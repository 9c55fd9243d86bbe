//! A request for a message as one for a chat completion.

use serde_json::{Map, Value, json};

use super::fields::{Fields, unknown};
use super::{Lossy, Saying, tools};

pub(super) fn request(body: Value, saying: Saying<'_>) -> Result<Value, Lossy> {
    let mut body = Fields::of("", body)?;
    let mut said = Map::new();
    body.take("model");
    said.insert("model".into(), saying.model.into());
    let bound = if saying.newer {
        "max_completion_tokens"
    } else {
        "max_tokens"
    };
    let output = body.need("max_tokens")?;
    said.insert(bound.into(), output);
    body.hand("temperature", &mut said, "temperature");
    body.hand("top_p", &mut said, "top_p");
    body.hand("stop_sequences", &mut said, "stop");
    if body.flag("stream")? == Some(true) {
        said.insert("stream".into(), Value::Bool(true));
        said.insert("stream_options".into(), json!({ "include_usage": true }));
    }
    if let Some(metadata) = body.take("metadata") {
        let mut metadata = Fields::of("metadata", metadata)?;
        metadata.hand("user_id", &mut said, "user");
        metadata.end()?;
    }
    if let Some(offered) = body.list("tools")? {
        let each = offered
            .into_iter()
            .enumerate()
            .map(|(at, tool)| tools::to_chat_tool(&format!("tools[{at}]"), tool));
        said.insert("tools".into(), each.collect::<Result<_, _>>()?);
    }
    if let Some(choice) = body.take("tool_choice") {
        tools::to_chat_choice(choice, &mut said)?;
    }
    let mut messages = Vec::new();
    if let Some(system) = body.take("system") {
        let content = match system {
            Value::String(text) => text.into(),
            Value::Array(blocks) => texts("system", blocks)?,
            _ => return Err(Lossy::of("system", "must be text or an array of blocks")),
        };
        messages.push(json!({ "role": "system", "content": content }));
    }
    conversation(body.list("messages")?.unwrap_or_default(), &mut messages)?;
    said.insert("messages".into(), messages.into());
    body.only("thinking", &[json!({ "type": "disabled" })])?;
    body.only("service_tier", &[json!("auto")])?;
    body.end()?;
    Ok(Value::Object(said))
}

fn conversation(all: Vec<Value>, said: &mut Vec<Value>) -> Result<(), Lossy> {
    let mut last = String::new();
    for (at, message) in all.into_iter().enumerate() {
        let mut message = Fields::of(&format!("messages[{at}]"), message)?;
        let role = message.need_text("role")?;
        let (content, content_at) = (message.need("content")?, message.at("content"));
        match (role.as_str(), content) {
            ("user" | "assistant", Value::String(text)) => {
                said.push(json!({ "role": role, "content": text }));
            }
            ("user", Value::Array(blocks)) => user(&content_at, blocks, said)?,
            ("assistant", Value::Array(blocks)) => said.push(assistant(&content_at, blocks)?),
            ("user" | "assistant", _) => {
                return Err(Lossy::of(content_at, "must be text or an array of blocks"));
            }
            _ => return Err(unknown(message.at("role"))),
        }
        message.end()?;
        last = role;
    }
    if last == "assistant" {
        return Err(Lossy::of(
            "messages",
            "ends with words to go on with, which a provider of OpenAI's dialect does not do",
        ));
    }
    Ok(())
}

/// A block, with what it is.
fn block(at: &str, number: usize, block: Value) -> Result<(Fields, String), Lossy> {
    let mut block = Fields::of(&format!("{at}[{number}]"), block)?;
    let kind = block.need_text("type")?;
    Ok((block, kind))
}

fn text(block: &mut Fields) -> Result<Value, Lossy> {
    Ok(json!({ "type": "text", "text": block.need_text("text")? }))
}

fn texts(at: &str, blocks: Vec<Value>) -> Result<Value, Lossy> {
    let said = blocks.into_iter().enumerate().map(|(number, one)| {
        let (mut one, kind) = block(at, number, one)?;
        if kind != "text" {
            return Err(unknown(one.at("type")));
        }
        let said = text(&mut one)?;
        one.end()?;
        Ok(said)
    });
    said.collect()
}

/// What tools answered stands in front, each in a message of its own; what the user says comes behind.
fn user(at: &str, blocks: Vec<Value>, said: &mut Vec<Value>) -> Result<(), Lossy> {
    let mut parts = Vec::new();
    for (number, one) in blocks.into_iter().enumerate() {
        let (mut one, kind) = block(at, number, one)?;
        match kind.as_str() {
            "text" => parts.push(text(&mut one)?),
            "image" => {
                let source = one.need("source")?;
                parts.push(tools::to_chat_image(&one.at("source"), source)?);
            }
            "tool_result" if parts.is_empty() => said.push(result(&mut one)?),
            "tool_result" => {
                return Err(Lossy::of(
                    one.at("type"),
                    "must stand in front of what the user says",
                ));
            }
            _ => return Err(unknown(one.at("type"))),
        }
        one.end()?;
    }
    if !parts.is_empty() {
        said.push(json!({ "role": "user", "content": parts }));
    }
    Ok(())
}

fn result(block: &mut Fields) -> Result<Value, Lossy> {
    let id = block.need_text("tool_use_id")?;
    block.only("is_error", &[json!(false)])?;
    let content = match block.take("content") {
        None => Value::String(String::new()),
        Some(Value::String(text)) => text.into(),
        Some(Value::Array(blocks)) => texts(&block.at("content"), blocks)?,
        Some(_) => {
            return Err(Lossy::of(
                block.at("content"),
                "must be text or an array of blocks",
            ));
        }
    };
    Ok(json!({ "role": "tool", "tool_call_id": id, "content": content }))
}

fn assistant(at: &str, blocks: Vec<Value>) -> Result<Value, Lossy> {
    let (mut parts, mut calls) = (Vec::new(), Vec::new());
    for (number, one) in blocks.into_iter().enumerate() {
        let (mut one, kind) = block(at, number, one)?;
        match kind.as_str() {
            "text" if calls.is_empty() => parts.push(text(&mut one)?),
            "text" => {
                return Err(Lossy::of(
                    one.at("type"),
                    "must stand in front of calls of tools, for a provider of OpenAI's dialect",
                ));
            }
            "tool_use" => {
                let (id, name) = (one.need_text("id")?, one.need_text("name")?);
                let input = one.need("input")?;
                calls.push(json!({
                    "id": id, "type": "function",
                    "function": { "name": name, "arguments": input.to_string() },
                }));
            }
            _ => return Err(unknown(one.at("type"))),
        }
        one.end()?;
    }
    let mut said = json!({ "role": "assistant" });
    said["content"] = if parts.is_empty() {
        Value::Null
    } else {
        parts.into()
    };
    if !calls.is_empty() {
        said["tool_calls"] = calls.into();
    }
    Ok(said)
}
