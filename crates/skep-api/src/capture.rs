//! Capture: a batch of turns of one session, and how far an import has come.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Instant;

/// `POST /capture`: up to 1,000 turns of one session.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CaptureRequest {
    /// The session they belong to; made on first sight.
    pub session: SessionRef,
    /// The turns, oldest first.
    pub turns: Vec<TurnInput>,
    /// How far the importer has read; kept in the same transaction as the turns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<ImportCursor>,
}

/// Names a session by what its harness calls it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SessionRef {
    /// `claude-code`, `codex`, `git`, `cli` or `other`.
    pub harness: String,
    /// The harness's own id, at most 256 bytes.
    pub external_id: String,
    /// What a person would call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The project (repository) name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// The working directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cwd: Option<String>,
}

/// Where on the conversation's tree a turn stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Branch {
    /// On the path to the last message.
    #[default]
    Main,
    /// The user went back and took another way; kept, never distilled.
    Abandoned,
    /// A subagent's.
    Sidechain,
}

/// One event of a session.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TurnInput {
    /// The client's own id of the event, at most 256 bytes: a second one with the same id is a duplicate.
    pub client_event_id: String,
    /// `user`, `assistant`, `tool_call`, `tool_result`, `commit` or `summary`.
    pub role: String,
    /// When it happened, by the client's clock.
    pub at: Instant,
    /// What was said, or done, or printed. For a commit: its message.
    pub text: String,
    /// The tool, for calls and results.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// The tool failed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_error: bool,
    /// Files it touches.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<String>,
    /// Where on the tree it stands.
    #[serde(default)]
    pub branch: Branch,
}

/// How far an importer has read a source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportCursor {
    /// Names the source; only its keyed fingerprint is stored. At most 4,096 bytes.
    pub source: String,
    /// The importer's own position; stored sealed. At most 256 bytes.
    pub position: String,
}

/// `POST /imports/cursor`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CursorRequest {
    /// As in [`ImportCursor::source`].
    pub source: String,
}

/// The stored position, if any.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct CursorResponse {
    /// As it was captured last; absent for a source never seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<String>,
}

/// What became of a batch.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct CaptureResponse {
    /// The session's id.
    pub session: String,
    /// Turns stored now; they are durable.
    pub stored: u32,
    /// Turns that were there already.
    pub duplicates: u32,
    /// Secrets taken out before storing.
    pub redacted: u32,
    /// Turns whose body was too long and was cut.
    pub cut: u32,
}
