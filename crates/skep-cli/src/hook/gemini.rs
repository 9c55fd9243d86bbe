//! Gemini CLI: what its events say, and the JSON that it takes, with nothing around it.
//!
//! <https://geminicli.com/docs/hooks/reference>, and what 0.61 was seen to do.

pub(super) mod chat;

use serde_json::Value;
use skep_api::{Harness, Instant, Moment};

use super::heard::{Forgets, Heard, Outcome, Use, text};
use super::{Reply, claude};

/// What an event means; `None` for one that is not ours to hear.
pub(super) fn hear(event: &str, said: &Value, now: Instant) -> Option<Heard> {
    // It has no ids of calls or prompts; the time of the event is the same when it is told twice.
    let told = text(said, "timestamp");
    let at = told.and_then(|at| at.parse().ok()).unwrap_or(now);
    let id = text(said, "session_id")?;
    let mut heard = Heard::new(Harness::GeminiCli, id, text(said, "cwd"), at);
    heard.chat = text(said, "transcript_path").map(str::to_owned);
    match event {
        "SessionStart" => heard.moment = Some(Moment::SessionStart),
        "BeforeAgent" => {
            let typed = text(said, "prompt").map(typed);
            if let Some(typed) = typed.filter(|typed| !claude::is_command(typed)) {
                heard.typed(told, typed.to_owned());
            }
        }
        "BeforeTool" => heard.used(&tool(said), None),
        "AfterTool" => {
            let response = &said["tool_response"];
            let failed = response.pointer("/error/message").and_then(Value::as_str);
            let outcome = failed.map_or_else(|| Outcome::of(response), Outcome::failed);
            heard.used(&tool(said), Some(outcome.map(trusted)));
        }
        "AfterAgent" => {
            if let Some(message) = text(said, "prompt_response") {
                let recorded = heard.chat.as_deref();
                match recorded.and_then(|chat| chat::last_answer(chat, message)) {
                    Some((id, text)) => heard.answered_as(id, &text),
                    None => heard.answered(told, message),
                }
            }
        }
        // Nothing can be put before the model here, and no event says that it is done. It comes before
        // every call of the model, and mostly nothing is compressed.
        "PreCompress" => {
            heard.forgets = Some(match text(said, "trigger") {
                Some("manual") => Forgets::Surely,
                _ => Forgets::Perhaps,
            });
        }
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

/// Without what a hook gave at the session's start: without a terminal it stands before the prompt, with
/// every angle bracket in it escaped.
fn typed(prompt: &str) -> &str {
    let mut rest = prompt;
    while let Some((given, behind)) = rest
        .strip_prefix("<hook_context>")
        .and_then(|rest| rest.split_once("</hook_context>"))
    {
        if given.contains('<') {
            break;
        }
        rest = behind.trim_start();
    }
    rest
}

/// What a tool of its own answered, without the marks that are for the model.
fn trusted(text: String) -> String {
    let inner = text.trim().strip_prefix("<untrusted_context>");
    let inner = inner.and_then(|rest| rest.strip_suffix("</untrusted_context>"));
    match inner {
        Some(inner) => inner.trim_matches('\n').to_owned(),
        None => text,
    }
}

fn tool(said: &Value) -> Use<'_> {
    Use {
        id: None,
        tool: text(said, "tool_name").unwrap_or_default(),
        input: &said["tool_input"],
    }
}

#[cfg(test)]
mod tests {
    use super::{trusted, typed};

    #[test]
    fn what_a_hook_gave_is_not_what_somebody_typed() {
        let cases = [
            ("go on", "go on"),
            (
                "<hook_context>&lt;skep-memory&gt;</hook_context>\n\ngo on",
                "go on",
            ),
            (
                "<hook_context>a</hook_context>\n\n<hook_context>b</hook_context>\n\ngo on",
                "go on",
            ),
            (
                "<hook_context>what is <b>this</hook_context> mark?",
                "<hook_context>what is <b>this</hook_context> mark?",
            ),
            ("<hook_context>never closed", "<hook_context>never closed"),
        ];
        for (prompt, said) in cases {
            assert_eq!(typed(prompt), said);
        }
    }

    #[test]
    fn marks_for_the_model_are_no_part_of_an_answer() {
        let marked = "<untrusted_context>\nOutput: a.rs\n</untrusted_context>";
        assert_eq!(trusted(marked.into()), "Output: a.rs");
        assert_eq!(trusted("a.rs\n".into()), "a.rs\n");
    }
}
