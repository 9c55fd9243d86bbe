//! Transcripts of Claude Code: `~/.claude/projects/<slug>/<session>.jsonl`, and those of its
//! subagents in `<session>/subagents/agent-*.jsonl`.
//!
//! What a hook hears as well has the id that the hook gives it: calls and results that of the call,
//! what a person typed that of the prompt, what the agent says that of the record.

mod chain;
mod record;
mod wording;

pub(crate) use wording::said_by_user;

use std::path::Path;

use serde_json::Value;
use skep_api::capture::{Branch, SessionRef, TurnInput};
use skep_api::{Harness, Instant, TurnRole};

use self::chain::Chain;
use self::record::{Attached, Block, Body, Content, Head, Message, Titled};
use super::branches::Trail;
use super::transcript::{
    Found, Kind, Place, Recent, Transcript, json_problem, result_id, spoken, spoken_id,
};
use super::{clip, tools};

/// How the files are found and read.
pub(crate) const CLAUDE: Kind = Kind {
    harness: Harness::ClaudeCode,
    fits: |path| path.extension().is_some_and(|end| end == "jsonl"),
    reader: |path, at| Box::new(Claude::new(path, at)),
};

/// Calls whose results are still expected, and records that something may hang on.
const RECENT: usize = 1_024;

/// The reader of one file.
struct Claude {
    /// The file's name without its ending.
    stem: String,
    /// A subagent's: all of it is beside the conversation.
    is_subagent: bool,
    session_id: Option<String>,
    cwd: Option<String>,
    /// A name somebody gave it; else what was asked first.
    title: Option<String>,
    first_words: Option<String>,
    /// For records without a time: the last one seen.
    at: Instant,
    /// Tools by the ids of their calls.
    calls: Recent<String>,
    /// Whether recent records were abandoned.
    abandoned: Recent<bool>,
}

/// What the turns of one record share.
struct Setting {
    uuid: String,
    prompt_id: Option<String>,
    at: Instant,
    branch: Branch,
}

impl Setting {
    /// The record's own id for its first block, numbered ones for the rest.
    fn id(&self, block: usize) -> String {
        match block {
            0 => self.uuid.clone(),
            block => format!("{}#{block}", self.uuid),
        }
    }

    fn turn(&self, block: usize, role: TurnRole, text: String) -> TurnInput {
        spoken(self.id(block), role, self.at, text, self.branch)
    }
}

impl Claude {
    fn new(path: &Path, at: Instant) -> Self {
        let stem = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        Self {
            is_subagent: stem.starts_with("agent-"),
            stem,
            session_id: None,
            cwd: None,
            title: None,
            first_words: None,
            at,
            calls: Recent::new(RECENT),
            abandoned: Recent::new(RECENT),
        }
    }

    /// Resumed sessions repeat records of older ones, ids and all; the file's own name is its own.
    fn external_id(&self) -> String {
        let of_record = self.session_id.clone().unwrap_or_else(|| self.stem.clone());
        if self.is_subagent {
            format!("{of_record}/{}", self.stem)
        } else if looks_like_uuid(&self.stem) {
            self.stem.clone()
        } else {
            of_record
        }
    }

    fn branch(&mut self, head: &Head, place: Place, only_results: bool) -> Branch {
        let mut abandoned = place.abandoned;
        // Of calls made at once, the conversation goes on from one result alone; the others hang
        // off it, and stand where their calls stand.
        if abandoned && only_results {
            let parent = head
                .parent_uuid
                .as_deref()
                .and_then(|parent| self.abandoned.get(parent));
            abandoned = parent.copied().unwrap_or_default();
        }
        if let Some(uuid) = &head.uuid {
            self.abandoned.put(uuid.clone(), abandoned);
        }
        if self.is_subagent || head.is_sidechain == Some(true) {
            Branch::Sidechain
        } else if abandoned {
            Branch::Abandoned
        } else {
            Branch::Main
        }
    }

    fn message(
        &mut self,
        head: &Head,
        body: &Body,
        message: Message,
        place: Place,
        found: &mut Found,
    ) {
        let only_results = match &message.content {
            Content::Blocks(blocks) => blocks
                .iter()
                .all(|block| block.kind.as_deref() == Some("tool_result")),
            Content::Text(_) => false,
        };
        let setting = self.setting(head, place, only_results);
        let by_user = head.kind.as_deref() == Some("user");
        let blocks = match message.content {
            Content::Blocks(blocks) => blocks,
            Content::Text(text) => vec![text_block(text)],
        };
        let is_summary = body.is_compact_summary == Some(true);
        for (at, block) in blocks.into_iter().enumerate() {
            match block.kind.as_deref() {
                Some("text") if by_user => user_text(&setting, at, block, is_summary, found),
                Some("text") => assistant_text(&setting, at, block, found),
                Some("tool_use" | "server_tool_use" | "mcp_tool_use") => {
                    self.call(&setting, at, block, found);
                }
                Some("tool_result") => self.result(&setting, at, block, found),
                Some("thinking" | "redacted_thinking") => found.skip("thinking"),
                Some(other) => found.skip(format!("block type {}", clip::head(other, 40))),
                None => found.skip("block without a type"),
            }
        }
    }

    /// What a person typed while the agent was busy; other attachments are the harness's own.
    fn queued(&mut self, head: &Head, line: &str, place: Place, found: &mut Found) {
        let attached = serde_json::from_str::<Attached>(line).ok();
        let time = attached
            .as_ref()
            .and_then(|attached| attached.timestamp.as_deref()?.parse().ok());
        self.at = time.unwrap_or(self.at);
        let prompt = attached
            .and_then(|attached| attached.attachment)
            .filter(|attachment| attachment.kind.as_deref() == Some("queued_command"))
            .map(|attachment| attachment.prompt.into_text());
        match prompt.as_deref().map(wording::said_by_user) {
            Some(Ok(said)) => {
                let setting = self.setting(head, place, false);
                found.turn(setting.turn(0, TurnRole::User, said));
            }
            Some(Err(reason)) => found.skip(reason),
            None => found.skip_type("attachment"),
        }
    }

    fn setting(&mut self, head: &Head, place: Place, only_results: bool) -> Setting {
        Setting {
            uuid: head
                .uuid
                .clone()
                .unwrap_or_else(|| format!("L{}", place.number)),
            prompt_id: head.prompt_id.clone(),
            at: self.at,
            branch: self.branch(head, place, only_results),
        }
    }

    fn call(&mut self, setting: &Setting, at: usize, block: Block, found: &mut Found) {
        let tool = block.name.unwrap_or_else(|| "unknown".into());
        let call = tools::describe(&tool, &block.input);
        let paths = clip::paths(call.paths.iter().map(String::as_str), self.cwd.as_deref());
        let turn = setting.turn(at, TurnRole::ToolCall, call.text);
        found.turn(TurnInput {
            author: None,
            client_event_id: block.id.clone().unwrap_or(turn.client_event_id),
            tool: Some(tool.clone()),
            paths,
            ..turn
        });
        if let Some(id) = block.id {
            self.calls.put(id, tool);
        }
    }

    fn result(&mut self, setting: &Setting, at: usize, block: Block, found: &mut Found) {
        let text = block.content.into_text();
        let is_error = block.is_error == Some(true);
        let said = wording::said_on_refusal(&text)
            .filter(|_| is_error)
            .map(str::to_owned);
        let answered = block.tool_use_id.as_deref();
        let tool = answered.and_then(|id| self.calls.get(id).cloned());
        let turn = setting.turn(at, TurnRole::ToolResult, text);
        found.turn(TurnInput {
            author: None,
            client_event_id: answered.map_or(turn.client_event_id, result_id),
            tool,
            is_error,
            ..turn
        });
        if let Some(said) = said {
            let mut turn = setting.turn(at, TurnRole::User, said);
            turn.client_event_id.push_str("#said");
            found.turn(turn);
        }
    }
}

impl Transcript for Claude {
    fn meet(&mut self, line: &str) {
        let Ok(head) = serde_json::from_str::<Head>(line) else {
            return;
        };
        self.session_id = self.session_id.take().or(head.session_id);
        self.cwd = self.cwd.take().or(head.cwd);
        match head.kind.as_deref() {
            Some("summary" | "custom-title" | "ai-title") => {
                let titled = serde_json::from_str::<Titled>(line).ok();
                let name = titled.and_then(|titled| clip::title(&titled.summary?));
                self.title = name.or(self.title.take());
            }
            Some("user") if self.first_words.is_none() => {
                let body = serde_json::from_str::<Body>(line).ok();
                let asked = body.filter(|body| body.is_meta != Some(true));
                let said = asked.and_then(|body| first_words(body.message?));
                self.first_words = said.and_then(|said| clip::title(&said));
            }
            _ => {}
        }
    }

    fn session(&self) -> SessionRef {
        SessionRef {
            harness: Harness::ClaudeCode.as_str().into(),
            external_id: clip::client_key(self.external_id()),
            title: self.title.clone().or_else(|| self.first_words.clone()),
            project: self.cwd.as_deref().and_then(clip::project),
            cwd: self.cwd.clone(),
        }
    }

    fn trail(&self) -> Option<Box<dyn Trail>> {
        (!self.is_subagent).then(|| Box::new(Chain::new()) as Box<dyn Trail>)
    }

    fn read(&mut self, line: &str, place: Place, found: &mut Found) -> Result<(), String> {
        let head: Head = serde_json::from_str(line).map_err(|error| json_problem(&error))?;
        match head.kind.as_deref() {
            Some("user" | "assistant") => {}
            Some("attachment") => {
                self.queued(&head, line, place, found);
                return Ok(());
            }
            Some(other) => {
                found.skip_type(other);
                return Ok(());
            }
            None => return Err("a record without a type".into()),
        }
        let mut body: Body = serde_json::from_str(line).map_err(|error| json_problem(&error))?;
        let time = body.timestamp.as_deref().and_then(|time| time.parse().ok());
        self.at = time.unwrap_or(self.at);
        let Some(message) = body.message.take() else {
            return Err("a message without content".into());
        };
        let synthetic = message.model.as_deref() == Some("<synthetic>");
        if body.is_meta == Some(true) {
            found.skip("meta");
        } else if synthetic || body.is_api_error_message == Some(true) {
            found.skip("harness notice");
        } else {
            self.message(&head, &body, message, place, found);
        }
        Ok(())
    }
}

fn user_text(setting: &Setting, at: usize, block: Block, is_summary: bool, found: &mut Found) {
    let text = block.text.unwrap_or_default();
    if is_summary {
        return found.turn(setting.turn(at, TurnRole::Summary, text));
    }
    match wording::said_by_user(&text) {
        Ok(said) => {
            let id = setting.prompt_id.as_deref();
            let id = id.map(|prompt| spoken_id(prompt, TurnRole::User, &said));
            let turn = setting.turn(at, TurnRole::User, said);
            found.turn(TurnInput {
                client_event_id: id.unwrap_or(turn.client_event_id),
                ..turn
            });
        }
        Err(reason) => found.skip(reason),
    }
}

fn assistant_text(setting: &Setting, at: usize, block: Block, found: &mut Found) {
    let text = block.text.unwrap_or_default();
    if text.trim().is_empty() {
        found.skip("empty");
    } else {
        found.turn(setting.turn(at, TurnRole::Assistant, text));
    }
}

fn text_block(text: String) -> Block {
    Block {
        kind: Some("text".into()),
        text: Some(text),
        id: None,
        name: None,
        input: Value::Null,
        tool_use_id: None,
        content: Content::default(),
        is_error: None,
    }
}

/// The first of its texts that a person typed.
fn first_words(message: Message) -> Option<String> {
    match message.content {
        Content::Text(text) => wording::said_by_user(&text).ok(),
        Content::Blocks(blocks) => {
            let mut texts = blocks.into_iter().filter_map(|block| block.text);
            texts.find_map(|text| wording::said_by_user(&text).ok())
        }
    }
}

fn looks_like_uuid(text: &str) -> bool {
    let groups: Vec<usize> = text.split('-').map(str::len).collect();
    groups == [8, 4, 4, 4, 12]
        && text
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}
