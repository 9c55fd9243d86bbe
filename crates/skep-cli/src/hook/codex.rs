//! Codex: what its events say, and the JSON that it takes. A field that it does not know makes it
//! drop the whole answer.
//!
//! <https://developers.openai.com/codex/hooks>, and the schemas under `codex-rs/hooks/schema`.

use serde_json::Value;
use skep_api::{Harness, Instant, Moment};

use super::heard::{Heard, Outcome, text, tool_use};
use crate::import::codex::{read_output, said_by_user};

// The same words as Claude Code's, of which only those are used here that both know.
pub(super) use super::claude::answer;

/// What an event means; `None` for one that is not ours to hear.
pub(super) fn hear(event: &str, said: &Value, at: Instant) -> Option<Heard> {
    let mut heard = session(said, at)?;
    let turn = text(said, "turn_id");
    match event {
        "SessionStart" => {
            heard.moment = Some(match text(said, "source") {
                Some("compact") => Moment::Compacted,
                _ => Moment::SessionStart,
            });
        }
        "UserPromptSubmit" => {
            let typed = text(said, "prompt").and_then(|typed| said_by_user(typed).ok());
            if let Some(typed) = typed {
                heard.typed(turn, typed);
            }
        }
        "PreToolUse" => heard.used(&tool_use(said), None),
        "PostToolUse" => {
            let (text, is_error) = read_output(&said["tool_response"]);
            let outcome = if text.is_empty() {
                Outcome::of(&said["tool_response"])
            } else {
                Outcome { text, is_error }
            };
            heard.used(&tool_use(said), Some(outcome));
        }
        "Stop" | "SubagentStop" => {
            if let Some(message) = text(said, "last_assistant_message") {
                heard.answered(turn, message);
            }
            heard.ended = event == "SubagentStop";
        }
        "SessionEnd" => heard.ended = true,
        _ => {}
    }
    Some(heard)
}

/// A subagent is a thread of its own, and its transcript is named by it.
fn session(said: &Value, at: Instant) -> Option<Heard> {
    let cwd = text(said, "cwd");
    Some(match text(said, "agent_id") {
        Some(agent) => Heard::new(Harness::Codex, agent, cwd, at).of_subagent(),
        None => Heard::new(Harness::Codex, text(said, "session_id")?, cwd, at),
    })
}
