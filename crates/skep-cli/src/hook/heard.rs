//! What an event of a harness means here: whose session, what was said and done in it, and whether
//! its model may now be given memories.

use serde_json::Value;
use skep_api::capture::{Branch, CaptureRequest, Origin, SessionRef, TurnInput};
use skep_api::{Harness, Instant, Moment, TurnRole};

use super::printed::printed;
use crate::import::{
    Call, client_key, clipped_paths, describe_call, fit, project_name, result_id, spoken, spoken_id,
};

/// Names that the tools of our own MCP server have in the harnesses: what they answer is here already.
const OWN_TOOLS: [&str; 4] = ["mcp__skep__", "mcp_skep_", "skep_memory_", "MCP:skep"];

/// One event, understood.
#[derive(Debug)]
pub(super) struct Heard {
    harness: Harness,
    /// What the harness calls the session.
    pub(super) external_id: String,
    pub(super) cwd: Option<String>,
    branch: Branch,
    at: Instant,
    pub(super) turns: Vec<TurnInput>,
    /// Memories are wanted, if the harness takes any at this event.
    pub(super) moment: Option<Moment>,
    /// What a person typed, for [`Moment::Prompt`].
    pub(super) prompt: String,
    /// The session is over.
    pub(super) ended: bool,
    /// The harness empties the model's context and will not ask again when it has.
    pub(super) forgets: Option<Forgets>,
    /// The harness's own file of the conversation, where it tells what no event does.
    pub(super) chat: Option<String>,
}

/// How sure it is that a model's context is emptied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Forgets {
    /// Somebody asked for it.
    Surely,
    /// The harness looks whether it is time; its file shows whether it was.
    Perhaps,
}

/// A use of a tool, as a harness tells it.
pub(super) struct Use<'v> {
    /// The harness's own id of the call.
    pub(super) id: Option<&'v str>,
    pub(super) tool: &'v str,
    pub(super) input: &'v Value,
}

/// What a tool answered.
pub(super) struct Outcome {
    pub(super) text: String,
    pub(super) is_error: bool,
}

impl Outcome {
    /// Whatever it answered, as text.
    pub(super) fn of(response: &Value) -> Self {
        Self {
            text: printed(response),
            is_error: false,
        }
    }

    /// The same with another text.
    pub(super) fn map(self, to: impl FnOnce(String) -> String) -> Self {
        Self {
            text: to(self.text),
            ..self
        }
    }

    pub(super) fn failed(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            is_error: true,
        }
    }
}

impl Heard {
    pub(super) fn new(
        harness: Harness,
        external_id: impl Into<String>,
        cwd: Option<&str>,
        at: Instant,
    ) -> Self {
        Self {
            harness,
            external_id: client_key(external_id.into()),
            cwd: cwd.map(str::to_owned),
            branch: Branch::Main,
            at,
            turns: Vec::new(),
            moment: None,
            prompt: String::new(),
            ended: false,
            forgets: None,
            chat: None,
        }
    }

    /// All of it is beside the conversation.
    pub(super) fn of_subagent(mut self) -> Self {
        self.branch = Branch::Sidechain;
        self
    }

    /// A person typed something; `prompt` is the harness's id of it.
    pub(super) fn typed(&mut self, prompt: Option<&str>, text: String) {
        let id = self.spoken(prompt, TurnRole::User, &text);
        self.prompt.clone_from(&text);
        self.moment = Some(Moment::Prompt);
        self.push(spoken(id, TurnRole::User, self.at, text, self.branch));
    }

    /// The agent said something in answer to a prompt.
    pub(super) fn answered(&mut self, prompt: Option<&str>, text: &str) {
        let id = self.spoken(prompt, TurnRole::Assistant, text);
        self.answered_as(id, text);
    }

    /// As [`Heard::answered`], with an id that is known.
    pub(super) fn answered_as(&mut self, id: String, text: &str) {
        if !text.trim().is_empty() {
            let role = TurnRole::Assistant;
            self.push(spoken(id, role, self.at, text.to_owned(), self.branch));
        }
    }

    /// A tool was called, and answered if it did.
    pub(super) fn used(&mut self, used: &Use<'_>, outcome: Option<Outcome>) {
        if used.tool.is_empty() || is_own(used.tool) {
            return;
        }
        let Call { text, paths } = describe_call(used.tool, used.input);
        let id = match used.id {
            Some(id) => id.to_owned(),
            None => self.spoken(None, TurnRole::ToolCall, &text),
        };
        let paths = clipped_paths(paths.iter().map(String::as_str), self.cwd.as_deref());
        let answer = outcome.map(|outcome| TurnInput {
            tool: Some(used.tool.to_owned()),
            is_error: outcome.is_error,
            paths: paths.clone(),
            ..spoken(
                result_id(&id),
                TurnRole::ToolResult,
                self.at,
                outcome.text,
                self.branch,
            )
        });
        self.push(TurnInput {
            tool: Some(used.tool.to_owned()),
            paths,
            ..spoken(id, TurnRole::ToolCall, self.at, text, self.branch)
        });
        if let Some(answer) = answer {
            self.push(answer);
        }
    }

    /// For the daemon, if there is anything to tell it.
    pub(super) fn batch(&self) -> Option<CaptureRequest> {
        (self.ended || !self.turns.is_empty()).then(|| CaptureRequest {
            session: SessionRef {
                harness: self.harness().into(),
                external_id: self.external_id.clone(),
                title: None,
                project: self.project(),
                cwd: self.cwd.clone(),
            },
            turns: self.turns.clone(),
            cursor: None,
            origin: Origin::Live,
            spool: None,
            ended: self.ended,
        })
    }

    pub(super) const fn harness(&self) -> &'static str {
        self.harness.as_str()
    }

    pub(super) fn project(&self) -> Option<String> {
        self.cwd.as_deref().and_then(project_name)
    }

    /// Without an id of the harness's, the time tells one "go on" from the next.
    fn spoken(&self, prompt: Option<&str>, role: TurnRole, text: &str) -> String {
        match prompt {
            Some(prompt) => spoken_id(prompt, role, text),
            None => spoken_id(&self.at.to_string(), role, text),
        }
    }

    fn push(&mut self, turn: TurnInput) {
        self.turns.push(fit(turn));
    }
}

/// A text that is there and says something.
pub(super) fn text<'v>(said: &'v Value, name: &str) -> Option<&'v str> {
    said.get(name)?.as_str().filter(|text| !text.is_empty())
}

/// The use of a tool, in the words that most harnesses share.
pub(super) fn tool_use(said: &Value) -> Use<'_> {
    Use {
        id: text(said, "tool_use_id"),
        tool: text(said, "tool_name").unwrap_or_default(),
        input: &said["tool_input"],
    }
}

fn is_own(tool: &str) -> bool {
    OWN_TOOLS.iter().any(|own| tool.starts_with(own))
}
