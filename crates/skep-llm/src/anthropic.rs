//! Anthropic messages. The schema is the input of a tool that the model has to call.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::dialect::{KeyHeader, Target};
use crate::prompt::{Prompt, Request};
use crate::reply::{Reply, Usage};

/// The version of the interface that is spoken here.
const VERSION: &str = "2023-06-01";

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    max_tokens: u32,
    system: &'a str,
    messages: [Message<'a>; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    tools: Option<[Value; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<Value>,
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    content: &'a str,
}

pub(crate) fn request(target: &Target, prompt: &Prompt) -> Request {
    let schema = &prompt.schema;
    let tool = || {
        [json!({
            "name": schema.name,
            "description": schema.purpose,
            "input_schema": schema.json,
        })]
    };
    let choice = || json!({ "type": "tool", "name": schema.name });
    let body = Body {
        model: &target.model,
        max_tokens: prompt.max_output,
        system: &prompt.system,
        messages: [Message {
            role: "user",
            content: &prompt.user,
        }],
        tools: target.structured.then(tool),
        tool_choice: target.structured.then(choice),
    };
    Request {
        path: "/v1/messages",
        headers: vec![
            ("content-type", "application/json"),
            ("anthropic-version", VERSION),
        ],
        key: KeyHeader {
            name: "x-api-key",
            prefix: "",
        },
        body: serde_json::to_vec(&body).unwrap_or_default(),
    }
}

#[derive(Deserialize)]
struct Answer {
    content: Vec<Block>,
    #[serde(default)]
    stop_reason: Option<String>,
    #[serde(default)]
    usage: Option<Value>,
}

#[derive(Deserialize)]
struct Block {
    #[serde(rename = "type")]
    sort: String,
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    input: Option<Value>,
}

pub(crate) fn read(body: &[u8]) -> Option<Reply> {
    let answer: Answer = serde_json::from_slice(body).ok()?;
    // What a model says beside its call of the tool is talk; of two calls neither is the answer.
    let mut calls = answer
        .content
        .iter()
        .filter(|block| block.sort == "tool_use");
    let text = match (calls.next(), calls.next()) {
        (Some(call), None) => call
            .input
            .as_ref()
            .map(Value::to_string)
            .unwrap_or_default(),
        (Some(_), Some(_)) => String::new(),
        (None, _) => answer
            .content
            .iter()
            .filter(|block| block.sort == "text")
            .filter_map(|block| block.text.as_deref())
            .collect(),
    };
    let stop = answer.stop_reason.as_deref();
    Some(Reply {
        is_whole: matches!(stop, Some("end_turn" | "tool_use" | "stop_sequence"))
            && !text.is_empty(),
        text,
        usage: answer.usage.as_ref().and_then(usage),
    })
}

/// What was read from a cache is read as well.
fn usage(value: &Value) -> Option<Usage> {
    let tokens = |name: &str| value.get(name).and_then(Value::as_u64);
    let cache_read = tokens("cache_read_input_tokens").unwrap_or(0);
    let cache_write = tokens("cache_creation_input_tokens").unwrap_or(0);
    let cached = cache_read.saturating_add(cache_write);
    Some(Usage {
        input: tokens("input_tokens")?.saturating_add(cached),
        output: tokens("output_tokens")?,
        cache_read,
        cache_write,
        reasoning: 0,
    })
}
