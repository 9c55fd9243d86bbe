//! Gemini CLI: what its events say, and the JSON that it takes, with nothing around it.
//!
//! <https://geminicli.com/docs/hooks/reference>

use serde_json::Value;
use skep_api::{Harness, Instant, Moment};

use super::heard::{Heard, Outcome, Use, text};
use super::{Reply, claude};

/// What an event means; `None` for one that is not ours to hear.
pub(super) fn hear(event: &str, said: &Value, now: Instant) -> Option<Heard> {
    // It has no ids of calls or prompts; the time of the event is the same when it is told twice.
    let told = text(said, "timestamp");
    let at = told.and_then(|at| at.parse().ok()).unwrap_or(now);
    let id = text(said, "session_id")?;
    let mut heard = Heard::new(Harness::GeminiCli, id, text(said, "cwd"), at);
    match event {
        "SessionStart" => heard.moment = Some(Moment::SessionStart),
        "BeforeAgent" => {
            let typed = text(said, "prompt").filter(|typed| !claude::is_command(typed));
            if let Some(typed) = typed {
                heard.typed(told, typed.to_owned());
            }
        }
        "BeforeTool" => heard.used(&tool(said), None),
        "AfterTool" => {
            let response = &said["tool_response"];
            let failed = response.pointer("/error/message").and_then(Value::as_str);
            let outcome = failed.map_or_else(|| Outcome::of(response), Outcome::failed);
            heard.used(&tool(said), Some(outcome));
        }
        "AfterAgent" => {
            if let Some(message) = text(said, "prompt_response") {
                heard.answered(told, message);
            }
        }
        // Nothing can be put before the model here, and no event says that it is done.
        "PreCompress" => heard.forgets = true,
        "SessionEnd" => heard.ended = true,
        _ => {}
    }
    Some(heard)
}

/// As Claude Code takes it, but always an object.
pub(super) fn answer(event: &str, reply: &Reply) -> String {
    let answer = claude::answer(event, reply);
    if answer.is_empty() {
        return "{}".into();
    }
    answer
}

fn tool(said: &Value) -> Use<'_> {
    Use {
        id: None,
        tool: text(said, "tool_name").unwrap_or_default(),
        input: &said["tool_input"],
    }
}
