//! A request for a chat completion as one for a message.

use serde_json::{Map, Value, json};

use super::fields::{Fields, unknown};
use super::{Lossy, Saying, tools};

pub(super) fn request(body: Value, saying: Saying<'_>) -> Result<Value, Lossy> {
    let mut body = Fields::of("", body)?;
    let mut said = Map::new();
    body.take("model");
    said.insert("model".into(), saying.model.into());
    let output = match (body.take("max_completion_tokens"), body.take("max_tokens")) {
        (Some(one), Some(other)) if one != other => {
            return Err(Lossy::of(
                "max_tokens",
                "and max_completion_tokens are not the same",
            ));
        }
        (one, other) => one.or(other),
    };
    said.insert("max_tokens".into(), output.unwrap_or(saying.output.into()));
    let temperature = body.number("temperature")?;
    if temperature.is_some_and(|temperature| temperature > 1.0) {
        return Err(Lossy::of(
            "temperature",
            "is at most 1 for a provider of Anthropic's dialect",
        ));
    }
    if let Some(temperature) = temperature {
        said.insert("temperature".into(), temperature.into());
    }
    body.hand("top_p", &mut said, "top_p");
    body.hand("stream", &mut said, "stream");
    match body.take("stop") {
        Some(Value::String(stop)) => said.insert("stop_sequences".into(), json!([stop])),
        Some(stops) => said.insert("stop_sequences".into(), stops),
        None => None,
    };
    if let Some(user) = body.text("user")? {
        said.insert("metadata".into(), json!({ "user_id": user }));
    }
    if let Some(offered) = body.list("tools")? {
        let each = offered
            .into_iter()
            .enumerate()
            .map(|(at, tool)| tools::to_message_tool(&format!("tools[{at}]"), tool));
        said.insert("tools".into(), each.collect::<Result<_, _>>()?);
    }
    let parallel = body.flag("parallel_tool_calls")?;
    if let Some(choice) = tools::to_message_choice(body.take("tool_choice"), parallel)? {
        said.insert("tool_choice".into(), choice);
    }
    let messages = body.list("messages")?.unwrap_or_default();
    let (system, messages) = conversation(messages)?;
    if let Some(system) = system {
        said.insert("system".into(), system);
    }
    said.insert("messages".into(), messages.into());
    defaults(&mut body)?;
    body.end()?;
    Ok(Value::Object(said))
}

/// What may be said as long as it is what the other dialect does anyway.
fn defaults(body: &mut Fields) -> Result<(), Lossy> {
    if let Some(options) = body.take("stream_options") {
        let mut options = Fields::of("stream_options", options)?;
        // Done here, not there.
        options.flag("include_usage")?;
        options.flag("include_obfuscation")?;
        options.end()?;
    }
    body.only("n", &[json!(1)])?;
    body.only("logprobs", &[json!(false)])?;
    body.only("store", &[json!(false)])?;
    body.only("frequency_penalty", &[json!(0), json!(0.0)])?;
    body.only("presence_penalty", &[json!(0), json!(0.0)])?;
    body.only("logit_bias", &[json!({})])?;
    body.only("response_format", &[json!({ "type": "text" })])?;
    body.only("modalities", &[json!(["text"])])?;
    body.only("service_tier", &[json!("auto")])
}

/// What stands in front of a conversation, and the conversation.
fn conversation(all: Vec<Value>) -> Result<(Option<Value>, Vec<Value>), Lossy> {
    let (mut system, mut said): (Vec<Value>, Vec<Value>) = (Vec::new(), Vec::new());
    let mut results = false;
    let mut last = String::new();
    for (at, message) in all.into_iter().enumerate() {
        let mut message = Fields::of(&format!("messages[{at}]"), message)?;
        let role = message.need_text("role")?;
        match role.as_str() {
            "system" | "developer" if said.is_empty() => {
                system.push(texts(&message.at("content"), message.need("content")?)?);
            }
            "system" | "developer" => {
                return Err(Lossy::of(
                    message.at("role"),
                    "must stand in front of all others, for a provider of Anthropic's dialect",
                ));
            }
            "user" => said.push(json!({ "role": "user", "content": user(&mut message)? })),
            "assistant" => {
                said.push(json!({ "role": "assistant", "content": assistant(&mut message)? }));
            }
            "tool" => {
                let result = result(&mut message)?;
                // All that tools answered to one turn stands in one message.
                match said
                    .last_mut()
                    .and_then(|last| last["content"].as_array_mut())
                {
                    Some(content) if results => content.push(result),
                    _ => said.push(json!({ "role": "user", "content": [result] })),
                }
            }
            _ => return Err(unknown(message.at("role"))),
        }
        results = role == "tool";
        message.end()?;
        last = role;
    }
    if last == "assistant" {
        return Err(Lossy::of(
            "messages",
            "ends with the assistant's words, which a provider of Anthropic's dialect would go on with",
        ));
    }
    Ok((together(system), said))
}

/// A text, or texts as parts; one as it is, several as parts.
fn together(mut all: Vec<Value>) -> Option<Value> {
    if all.len() < 2 {
        return all.pop();
    }
    let parts = all.into_iter().flat_map(|one| match one {
        Value::Array(parts) => parts,
        text => vec![json!({ "type": "text", "text": text })],
    });
    Some(parts.collect())
}

/// Text, or parts that are nothing else.
fn texts(at: &str, content: Value) -> Result<Value, Lossy> {
    parts(at, content, |part, kind| match kind {
        "text" => Ok(json!({ "type": "text", "text": part.need_text("text")? })),
        _ => Err(unknown(part.at("type"))),
    })
}

fn parts(
    at: &str,
    content: Value,
    each: impl Fn(&mut Fields, &str) -> Result<Value, Lossy>,
) -> Result<Value, Lossy> {
    match content {
        Value::String(text) => Ok(text.into()),
        Value::Array(parts) => {
            let said = parts.into_iter().enumerate().map(|(number, part)| {
                let mut part = Fields::of(&format!("{at}[{number}]"), part)?;
                let kind = part.need_text("type")?;
                let said = each(&mut part, &kind)?;
                part.end()?;
                Ok(said)
            });
            said.collect()
        }
        _ => Err(Lossy::of(at, "must be text or an array of parts")),
    }
}

fn user(message: &mut Fields) -> Result<Value, Lossy> {
    let content = message.need("content")?;
    parts(&message.at("content"), content, |part, kind| match kind {
        "text" => Ok(json!({ "type": "text", "text": part.need_text("text")? })),
        "image_url" => {
            let image = part.need("image_url")?;
            tools::to_message_image(&part.at("image_url"), image)
        }
        _ => Err(unknown(part.at("type"))),
    })
}

fn assistant(message: &mut Fields) -> Result<Value, Lossy> {
    let content = message.take("content");
    let calls = message.list("tool_calls")?.unwrap_or_default();
    let said = content
        .map(|content| texts(&message.at("content"), content))
        .transpose()?;
    if calls.is_empty() {
        return said.ok_or_else(|| Lossy::of(message.at("content"), "is missing"));
    }
    let mut blocks = match said {
        Some(Value::Array(parts)) => parts,
        Some(Value::String(text)) if !text.is_empty() => {
            vec![json!({ "type": "text", "text": text })]
        }
        _ => Vec::new(),
    };
    for (number, call) in calls.into_iter().enumerate() {
        let mut call = Fields::of(&message.at(&format!("tool_calls[{number}]")), call)?;
        if call.need_text("type")? != "function" {
            return Err(unknown(call.at("type")));
        }
        let id = call.need_text("id")?;
        let mut function = Fields::of(&call.at("function"), call.need("function")?)?;
        let name = function.need_text("name")?;
        let arguments = function.need_text("arguments")?;
        let input = input(&arguments)
            .ok_or_else(|| Lossy::of(function.at("arguments"), "must be a JSON object"))?;
        function.end()?;
        call.end()?;
        blocks.push(json!({ "type": "tool_use", "id": id, "name": name, "input": input }));
    }
    Ok(blocks.into())
}

/// The arguments of a call as an object; none are an empty one.
pub(super) fn input(arguments: &str) -> Option<Value> {
    if arguments.trim().is_empty() {
        return Some(json!({}));
    }
    serde_json::from_str(arguments)
        .ok()
        .filter(Value::is_object)
}

fn result(message: &mut Fields) -> Result<Value, Lossy> {
    let id = message.need_text("tool_call_id")?;
    let content = message.need("content")?;
    let content = texts(&message.at("content"), content)?;
    Ok(json!({ "type": "tool_result", "tool_use_id": id, "content": content }))
}
