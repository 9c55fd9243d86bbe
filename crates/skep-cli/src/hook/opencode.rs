//! `OpenCode`: what our plugin says of its events, and what the plugin takes.
//!
//! <https://opencode.ai/docs/plugins>, and the types of `@opencode-ai/plugin`.

use serde_json::{Value, json};
use skep_api::{Harness, Instant, Moment};

use super::Reply;
use super::heard::{Heard, Outcome, Use, text};

/// The plugin: `~/.config/opencode/plugins/skep.js`. `"skep"` stands for the program's path.
pub const PLUGIN: &str = include_str!("opencode.js");

/// What an event means; `None` for one that is not ours to hear.
pub(super) fn hear(event: &str, said: &Value, at: Instant) -> Option<Heard> {
    let id = text(said, "sessionID")?;
    let mut heard = Heard::new(Harness::OpenCode, id, text(said, "directory"), at);
    if text(said, "parentID").is_some() {
        heard = heard.of_subagent();
    }
    let message = text(said, "messageID");
    match event {
        "session.created" => heard.moment = Some(Moment::SessionStart),
        "session.compacted" => heard.moment = Some(Moment::Compacted),
        "chat.message" => {
            if let Some(typed) = text(said, "text") {
                heard.typed(message, typed.to_owned());
            }
        }
        "tool.execute.before" => heard.used(&tool(said), None),
        "tool.execute.after" => {
            let outcome = Outcome::of(&said["output"]);
            heard.used(&tool(said), Some(outcome));
        }
        "session.idle" => {
            if let Some(answer) = text(said, "text") {
                heard.answered(message, answer);
            }
        }
        "session.deleted" | "dispose" => heard.ended = true,
        _ => {}
    }
    Some(heard)
}

/// What the plugin reads: always an object.
pub(super) fn answer(_event: &str, reply: &Reply) -> String {
    let mut answer = json!({});
    if let Some(context) = &reply.context {
        answer["context"] = json!(context);
    }
    if let Some(notice) = &reply.notice {
        answer["notice"] = json!(notice);
    }
    answer.to_string()
}

fn tool(said: &Value) -> Use<'_> {
    Use {
        id: text(said, "callID"),
        tool: text(said, "tool").unwrap_or_default(),
        input: &said["args"],
    }
}
