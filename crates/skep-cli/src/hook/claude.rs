//! Claude Code: what its events say, and the JSON that it takes.
//!
//! <https://code.claude.com/docs/en/hooks>, and the types of `@anthropic-ai/claude-agent-sdk`.

mod answer;

use serde::Serialize;
use serde_json::Value;
use skep_api::{Harness, Instant, Moment};

use super::Reply;
use super::heard::{Heard, Outcome, text, tool_use};
use crate::import::claude::said_by_user;

/// What an event means; `None` for one that is not ours to hear.
pub(super) fn hear(event: &str, said: &Value, at: Instant) -> Option<Heard> {
    // Cursor runs the hooks of Claude Code as well, and has its own.
    if said.get("cursor_version").is_some() {
        return None;
    }
    let mut heard = session(said, at)?;
    let prompt = text(said, "prompt_id");
    match event {
        "SessionStart" => {
            heard.moment = Some(match text(said, "source") {
                Some("compact") => Moment::Compacted,
                _ => Moment::SessionStart,
            });
        }
        "UserPromptSubmit" => {
            if let Some(typed) = typed(said) {
                heard.typed(prompt, typed);
            }
        }
        "PreToolUse" => heard.used(&tool_use(said), None),
        "PostToolUse" => {
            let outcome = Outcome::of(&said["tool_response"]);
            heard.used(&tool_use(said), Some(outcome));
        }
        "PostToolUseFailure" => {
            let outcome = Outcome::failed(text(said, "error").unwrap_or_default());
            heard.used(&tool_use(said), Some(outcome));
        }
        "Stop" => answered(&mut heard, said, "transcript_path"),
        "SubagentStop" => {
            answered(&mut heard, said, "agent_transcript_path");
            heard.ended = true;
        }
        "SessionEnd" => heard.ended = true,
        _ => {}
    }
    Some(heard)
}

/// What is printed; the order of fields is this one in every build.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    hook_specific_output: Option<Specific<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    system_message: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Specific<'a> {
    additional_context: &'a str,
    hook_event_name: &'a str,
}

/// Memories and a word to the user; nothing at all if there is neither.
pub(super) fn answer(event: &str, reply: &Reply) -> String {
    if reply.notice.is_none() && reply.context.is_none() {
        return String::new();
    }
    let specific = |context| Specific {
        additional_context: context,
        hook_event_name: event,
    };
    let answer = Answer {
        hook_specific_output: reply.context.as_deref().map(specific),
        system_message: reply.notice.as_deref(),
    };
    serde_json::to_string(&answer).unwrap_or_default()
}

/// A subagent has a session of its own, named as its transcript is.
fn session(said: &Value, at: Instant) -> Option<Heard> {
    let id = text(said, "session_id")?;
    let cwd = text(said, "cwd");
    Some(match text(said, "agent_id") {
        Some(agent) => {
            let id = format!("{id}/agent-{agent}");
            Heard::new(Harness::ClaudeCode, id, cwd, at).of_subagent()
        }
        None => Heard::new(Harness::ClaudeCode, id, cwd, at),
    })
}

/// What a person typed, as a transcript would say it.
fn typed(said: &Value) -> Option<String> {
    let is_machine = matches!(text(said, "source"), Some("system" | "poll_event"));
    let typed = said_by_user(text(said, "prompt")?).ok()?;
    (!is_machine && !is_command(&typed)).then_some(typed)
}

/// `/compact`, `/review 12`; not `/etc/hosts is wrong`.
pub(super) fn is_command(typed: &str) -> bool {
    let word = typed.split_whitespace().next().unwrap_or_default();
    word.strip_prefix('/')
        .is_some_and(|name| !name.is_empty() && !name.contains(['/', '.']))
}

fn answered(heard: &mut Heard, said: &Value, transcript: &str) {
    let message = text(said, "last_assistant_message");
    let recorded = text(said, transcript).and_then(|path| answer::last_answer(path, message));
    match (recorded, message) {
        (Some((id, text)), _) => heard.answered_as(id, &text),
        (None, Some(message)) => heard.answered(text(said, "prompt_id"), message),
        (None, None) => {}
    }
}
