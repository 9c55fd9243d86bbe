//! Cursor: what its events say, and the JSON that it takes. It takes memories at a session's start
//! and at no prompt.
//!
//! <https://cursor.com/docs/agent/hooks>

use serde_json::{Value, json};
use skep_api::{Harness, Instant, Moment};

use super::Reply;
use super::heard::{Heard, Outcome, text, tool_use};

/// What an event means; `None` for one that is not ours to hear.
pub(super) fn hear(event: &str, said: &Value, at: Instant) -> Option<Heard> {
    let id = text(said, "conversation_id").or_else(|| text(said, "session_id"))?;
    let root = said.pointer("/workspace_roots/0").and_then(Value::as_str);
    let mut heard = Heard::new(Harness::Cursor, id, root.or(text(said, "cwd")), at);
    let generation = text(said, "generation_id");
    match event {
        "sessionStart" => heard.moment = Some(Moment::SessionStart),
        "beforeSubmitPrompt" => {
            if let Some(typed) = text(said, "prompt") {
                heard.typed(generation, typed.to_owned());
                heard.moment = None;
            }
        }
        "preToolUse" => heard.used(&tool_use(said), None),
        "postToolUse" => {
            let outcome = Outcome::of(&said["tool_output"]);
            heard.used(&tool_use(said), Some(outcome));
        }
        "postToolUseFailure" => {
            let outcome = Outcome::failed(text(said, "error_message").unwrap_or_default());
            heard.used(&tool_use(said), Some(outcome));
        }
        "afterAgentResponse" => {
            if let Some(message) = text(said, "text") {
                heard.answered(generation, message);
            }
        }
        "sessionEnd" => heard.ended = true,
        _ => {}
    }
    Some(heard)
}

/// Always an object; at a prompt, that it may go on. There is no field for a word to the user.
pub(super) fn answer(event: &str, reply: &Reply) -> String {
    let answer = match (event, &reply.context) {
        ("sessionStart", Some(context)) => json!({ "additional_context": context }),
        ("beforeSubmitPrompt", _) => json!({ "continue": true }),
        _ => json!({}),
    };
    answer.to_string()
}
