//! Chat completions.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::dialect::{KeyHeader, Target};
use crate::prompt::{Prompt, Request};
use crate::reply::{Reply, Usage};

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    messages: [Message<'a>; 2],
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_completion_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_format: Option<Value>,
    stream: bool,
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    content: &'a str,
}

pub(crate) fn request(target: &Target, prompt: &Prompt) -> Request {
    let limit = Some(prompt.max_output);
    let schema = &prompt.schema;
    let format = || {
        json!({
            "type": "json_schema",
            "json_schema": { "name": schema.name, "strict": true, "schema": schema.json },
        })
    };
    let body = Body {
        model: &target.model,
        messages: [
            Message {
                role: "system",
                content: &prompt.system,
            },
            Message {
                role: "user",
                content: &prompt.user,
            },
        ],
        max_tokens: limit.filter(|_| !target.reasoning),
        max_completion_tokens: limit.filter(|_| target.reasoning),
        temperature: (!target.reasoning).then_some(0),
        response_format: target.structured.then(format),
        stream: false,
    };
    Request {
        path: "/chat/completions",
        headers: vec![("content-type", "application/json")],
        key: KeyHeader {
            name: "authorization",
            prefix: "Bearer ",
        },
        body: serde_json::to_vec(&body).unwrap_or_default(),
    }
}

#[derive(Deserialize)]
struct Completion {
    choices: Vec<Choice>,
    #[serde(default)]
    usage: Option<Value>,
}

#[derive(Deserialize)]
struct Choice {
    message: Said,
    #[serde(default)]
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Said {
    #[serde(default)]
    content: Option<String>,
    #[serde(default)]
    refusal: Option<String>,
}

pub(crate) fn read(body: &[u8]) -> Option<Reply> {
    let completion: Completion = serde_json::from_slice(body).ok()?;
    let usage = completion.usage.as_ref().and_then(usage);
    let choice = completion.choices.into_iter().next()?;
    let said = choice.message;
    let came_to_its_end = matches!(choice.finish_reason.as_deref(), None | Some("stop"));
    Some(Reply {
        is_whole: came_to_its_end && said.refusal.is_none() && said.content.is_some(),
        text: said.content.unwrap_or_default(),
        usage,
    })
}

/// Counts that are none, negative or broken are not counts.
fn usage(value: &Value) -> Option<Usage> {
    let part = |of: &str, name: &str| value.get(of)?.get(name)?.as_u64();
    Some(Usage {
        input: value.get("prompt_tokens")?.as_u64()?,
        output: value.get("completion_tokens")?.as_u64()?,
        cache_read: part("prompt_tokens_details", "cached_tokens").unwrap_or(0),
        cache_write: 0,
        reasoning: part("completion_tokens_details", "reasoning_tokens").unwrap_or(0),
    })
}
