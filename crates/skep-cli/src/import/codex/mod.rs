//! Transcripts of Codex: `~/.codex/sessions/YYYY/MM/DD/rollout-*.jsonl`, with or without envelopes.

mod output;
mod record;
mod rollback;
mod wording;

pub(crate) use output::read as read_output;
pub(crate) use wording::said_by_user;

use std::path::Path;

use serde_json::Value;
use serde_json::value::RawValue;
use skep_api::capture::{Branch, SessionRef, TurnInput};
use skep_api::{Harness, Instant, TurnRole};

use self::record::{Compacted, Envelope, InTurn, Item, Meta, text_of};
use self::rollback::Rollback;
use super::branches::Trail;
use super::clip;
use super::tools::{self, Call};
use super::transcript::{
    Found, Kind, Place, Recent, Transcript, json_problem, result_id, spoken, spoken_id,
};

/// How the files are found and read.
pub(crate) const CODEX: Kind = Kind {
    harness: Harness::Codex,
    fits: |path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("rollout-") && name.ends_with(".jsonl")
    },
    reader: |path, at| Box::new(Codex::new(path, at)),
};

/// Calls whose results are still expected, and things said that may be said again.
const RECENT: usize = 1_024;

/// The reader of one file.
struct Codex {
    stem: String,
    meta: Option<Meta>,
    title: Option<String>,
    /// For records without a time: the last one seen.
    at: Instant,
    /// Tools by the ids of their calls.
    calls: Recent<String>,
    /// The prompt that is being answered, where records do not say theirs.
    turn: Option<String>,
    /// How often the same was said to one prompt, by its id.
    said: Recent<u32>,
}

impl Codex {
    fn new(path: &Path, at: Instant) -> Self {
        Self {
            stem: path
                .file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned(),
            meta: None,
            title: None,
            at,
            calls: Recent::new(RECENT),
            turn: None,
            said: Recent::new(RECENT),
        }
    }

    fn branch(&self, place: Place) -> Branch {
        let source = self.meta.as_ref().map(|meta| &meta.source);
        if source.is_some_and(|source| source.get("subagent").is_some()) {
            Branch::Sidechain
        } else if place.abandoned {
            Branch::Abandoned
        } else {
            Branch::Main
        }
    }

    fn item(&mut self, item: Item, place: Place, found: &mut Found) {
        match item.kind.as_deref() {
            Some("message") => self.message(&item, place, found),
            Some("function_call" | "custom_tool_call" | "local_shell_call" | "web_search_call") => {
                self.call(item, place, found);
            }
            Some("function_call_output" | "custom_tool_call_output") => {
                self.output(item, place, found);
            }
            Some("reasoning") => found.skip("thinking"),
            Some(other) => found.skip_type(other),
            None => found.skip("item without a type"),
        }
    }

    fn message(&mut self, item: &Item, place: Place, found: &mut Found) {
        let text = text_of(&item.content);
        let (role, text) = match item.role.as_deref() {
            Some("user") => match wording::said_by_user(&text) {
                Ok(said) => (TurnRole::User, said),
                Err(reason) => return found.skip(reason),
            },
            Some("assistant") if !text.trim().is_empty() => (TurnRole::Assistant, text),
            Some("assistant") => return found.skip("empty"),
            _ => return found.skip("message of the harness"),
        };
        let id = match item.turn_id().or(self.turn.as_deref()) {
            Some(turn) => self.told(spoken_id(turn, role, &text)),
            None => format!("L{}", place.number),
        };
        found.turn(spoken(id, role, self.at, text, self.branch(place)));
    }

    /// As a hook would name it; what is said once more to the same prompt has a number besides.
    fn told(&mut self, id: String) -> String {
        let times = self.said.get(&id).copied().unwrap_or_default();
        self.said.put(id.clone(), times + 1);
        match times {
            0 => id,
            times => format!("{id}.{times}"),
        }
    }

    /// Of the records around what was said: which prompt comes next.
    fn begin(&mut self, payload: &str) {
        let begun = serde_json::from_str::<InTurn>(payload).ok();
        self.turn = begun.and_then(|begun| begun.turn_id).or(self.turn.take());
    }

    fn call(&mut self, item: Item, place: Place, found: &mut Found) {
        let tool = item
            .name
            .clone()
            .unwrap_or_else(|| match item.kind.as_deref() {
                Some("local_shell_call") => "shell".into(),
                Some("web_search_call") => "web_search".into(),
                _ => "unknown".into(),
            });
        let call = described(&tool, &item);
        let id = item.call_id.unwrap_or_else(|| format!("L{}", place.number));
        self.calls.put(id.clone(), tool.clone());
        let cwd = self.meta.as_ref().and_then(|meta| meta.cwd.as_deref());
        found.turn(TurnInput {
            author: None,
            tool: Some(tool),
            paths: clip::paths(call.paths.iter().map(String::as_str), cwd),
            ..spoken(
                id,
                TurnRole::ToolCall,
                self.at,
                call.text,
                self.branch(place),
            )
        });
    }

    fn output(&mut self, item: Item, place: Place, found: &mut Found) {
        let (text, is_error) = output::read(&item.output);
        let tool = item
            .call_id
            .as_deref()
            .and_then(|id| self.calls.get(id).cloned());
        let id = match item.call_id {
            Some(id) => result_id(&id),
            None => format!("L{}", place.number),
        };
        found.turn(TurnInput {
            author: None,
            tool,
            is_error,
            ..spoken(id, TurnRole::ToolResult, self.at, text, self.branch(place))
        });
    }

    /// The first line that says whose session it is, in either form.
    fn meet_meta(&mut self, envelope: &Envelope<'_>, line: &str) {
        let text = match (envelope.kind.as_deref(), envelope.payload) {
            (Some("session_meta"), Some(payload)) => payload.get(),
            (None, None) if envelope.id.is_some() => line,
            _ => return,
        };
        self.meta = serde_json::from_str(text).ok();
    }
}

impl Transcript for Codex {
    fn meet(&mut self, line: &str) {
        let Ok(envelope) = serde_json::from_str::<Envelope<'_>>(line) else {
            return;
        };
        if self.meta.is_none() {
            self.meet_meta(&envelope, line);
            let began = self
                .meta
                .as_ref()
                .and_then(|meta| meta.timestamp.as_deref()?.parse().ok());
            self.at = began.unwrap_or(self.at);
        }
        if self.title.is_none() {
            let item =
                serde_json::from_str::<Item>(envelope.payload.map_or(line, RawValue::get)).ok();
            let asked = item.filter(|item| item.role.as_deref() == Some("user"));
            let said = asked.and_then(|item| wording::said_by_user(&text_of(&item.content)).ok());
            self.title = said.and_then(|said| clip::title(&said));
        }
    }

    fn session(&self) -> SessionRef {
        let meta = self.meta.as_ref();
        let cwd = meta.and_then(|meta| meta.cwd.clone());
        let remote = meta.and_then(|meta| meta.git.as_ref()?.repository_url.as_deref());
        let id = meta.and_then(|meta| meta.id.clone());
        SessionRef {
            harness: Harness::Codex.as_str().into(),
            external_id: clip::client_key(id.unwrap_or_else(|| self.stem.clone())),
            title: self.title.clone(),
            project: remote.or(cwd.as_deref()).and_then(clip::project),
            cwd,
        }
    }

    fn trail(&self) -> Option<Box<dyn Trail>> {
        Some(Box::new(Rollback::default()))
    }

    fn read(&mut self, line: &str, place: Place, found: &mut Found) -> Result<(), String> {
        let problem = |error: serde_json::Error| json_problem(&error);
        let envelope: Envelope<'_> = serde_json::from_str(line).map_err(problem)?;
        let time = envelope
            .timestamp
            .as_deref()
            .and_then(|time| time.parse().ok());
        self.at = time.unwrap_or(self.at);
        let payload = envelope.payload.map(RawValue::get);
        match (envelope.kind.as_deref(), payload) {
            (Some("response_item"), Some(payload)) => {
                self.item(
                    serde_json::from_str(payload).map_err(problem)?,
                    place,
                    found,
                );
            }
            (Some("compacted"), Some(payload)) => {
                let compacted: Compacted = serde_json::from_str(payload).map_err(problem)?;
                let text = compacted.message.unwrap_or_default();
                if text.trim().is_empty() {
                    found.skip("empty");
                } else {
                    let id = format!("L{}", place.number);
                    found.turn(spoken(
                        id,
                        TurnRole::Summary,
                        self.at,
                        text,
                        self.branch(place),
                    ));
                }
            }
            (Some("session_meta"), Some(_)) => found.skip("session record"),
            (Some(other), Some(payload)) => {
                if matches!(other, "turn_context" | "event_msg") {
                    self.begin(payload);
                }
                found.skip_type(other);
            }
            (None, None) if envelope.record_type.is_some() => found.skip("harness notice"),
            (None, None) if envelope.id.is_some() => found.skip("session record"),
            (Some(_), None) => {
                // An older file: the line is the item.
                self.item(serde_json::from_str(line).map_err(problem)?, place, found);
            }
            (None, _) => return Err("a record without a type".into()),
        }
        Ok(())
    }
}

fn described(tool: &str, item: &Item) -> Call {
    if let Some(input) = &item.input {
        return match tool {
            "apply_patch" => tools::patch(input),
            _ => tools::describe(tool, &Value::String(input.clone())),
        };
    }
    let Some(arguments) = &item.arguments else {
        return tools::describe(tool, &item.action);
    };
    match serde_json::from_str::<Value>(arguments) {
        Ok(Value::Object(fields)) if tool == "apply_patch" => tools::patch(
            fields
                .get("input")
                .and_then(Value::as_str)
                .unwrap_or(arguments),
        ),
        Ok(value) => tools::describe(tool, &value),
        // A call that the model wrote wrongly is still what it did.
        Err(_) => tools::describe(tool, &Value::String(arguments.clone())),
    }
}
