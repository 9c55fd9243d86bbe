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
    /// `live` (if absent): a harness at work, which needs a bound directory and stops at a pause.
    /// `import`: somebody asked for it, which is their consent.
    #[serde(default)]
    pub origin: Origin,
    /// What the client's spool says about itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spool: Option<SpoolReport>,
    /// The session is over: what is left of it is distilled soon. A later turn opens it again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ended: bool,
}

/// Whether a batch comes from work that is going on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// A harness at work.
    #[default]
    Live,
    /// Somebody ran an import.
    Import,
}

/// A client's spool and its losses; saying the same twice adds nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SpoolReport {
    /// Names the spool, at most 256 bytes; only a keyed fingerprint is stored.
    pub id: String,
    /// Turns that it had to drop since it exists.
    pub dropped: u64,
}

/// Names a session by what its harness calls it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SessionRef {
    /// `claude-code`, `codex`, `cursor`, `gemini-cli`, `opencode`, `chatgpt`, `git`, `cli` or `other`.
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
    /// Who spoke or acted, `prt_…`, for who may speak for others; whoever sends it if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
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
    /// The session's id; absent if nothing of the batch is stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// Turns stored now; they are durable.
    pub stored: u32,
    /// Turns that were there already.
    pub duplicates: u32,
    /// Secrets taken out before storing.
    pub redacted: u32,
    /// Turns whose body was too long and was cut.
    pub cut: u32,
    /// Turns of which a rule lets only the fact be stored that they happened.
    #[serde(default)]
    pub withheld: u32,
    /// Turns that are not stored because somebody decided so.
    #[serde(default)]
    pub refused: u32,
    /// What became of each turn, in order: `stored`, `redacted`, `cut`, `withheld`, `duplicate`,
    /// `refused: off`, `refused: paused`, `refused: session`, `refused: unbound`, `refused: rule`.
    #[serde(default)]
    pub outcomes: Vec<String>,
    /// Why the batch was refused, and what to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// `POST /capture/pause`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PauseRequest {
    /// For so long; until somebody resumes if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub for_seconds: Option<u64>,
    /// Everybody's capture in the workspace, not the caller's alone; needs `setting:write`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub everyone: bool,
    /// One session alone, captured before or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<NamedSession>,
}

/// `POST /capture/resume`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResumeRequest {
    /// Everybody's capture as well as the caller's; needs `setting:write`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub everyone: bool,
    /// One session alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<NamedSession>,
}

/// A session of the caller's by the harness's own name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NamedSession {
    /// `claude-code`, `codex`, `cursor`, `gemini-cli`, `opencode`, `chatgpt`, `git`, `cli` or `other`.
    pub harness: String,
    /// The harness's own id, at most 256 bytes.
    pub external_id: String,
}

/// `POST /sessions/{id}/capture`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SessionCaptureRequest {
    /// Whether nothing more of it is captured, imports included.
    pub off: bool,
}

/// What is paused now.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct PausesResponse {
    /// The pauses in force for the caller.
    pub pauses: Vec<PauseState>,
}

/// A pause in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PauseState {
    /// It stops everybody, not the caller alone.
    pub everyone: bool,
    /// It stops one session.
    pub session: bool,
    /// It ends by itself; somebody must resume if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Instant>,
}

/// `GET /capture/rules`: what is kept out.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct RulesResponse {
    /// Whether anything is captured at all.
    pub enabled: bool,
    /// Whether directories that are bound to no project are captured.
    pub unbound: bool,
    /// Paths whose content is withheld; `!` makes an exception.
    pub paths: Vec<String>,
    /// What is dropped of which tools; the first that fits counts.
    pub tools: Vec<ToolRule>,
}

/// What is dropped of a tool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ToolRule {
    /// Its name; `*` stands for anything.
    pub tool: String,
    /// `output`, `content` or `call`.
    pub drop: String,
}

/// A directory whose sessions are captured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Binding {
    /// The directory, absolute; what lies below it belongs to it.
    pub directory: String,
    /// The project that its sessions belong to.
    pub project: String,
}

/// `GET /projects`: the directories that the caller has bound.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct BindingsResponse {
    /// By directory.
    pub bindings: Vec<Binding>,
}

/// `POST /projects/unbind`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UnbindRequest {
    /// The directory.
    pub directory: String,
}

/// What became of it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct UnbindResponse {
    /// It was bound.
    pub was_bound: bool,
}

/// How capture stands.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct CaptureHealth {
    /// Whether anything is captured at all.
    pub enabled: bool,
    /// Whether directories that are bound to no project are captured.
    pub unbound: bool,
    /// The pauses in force for the caller.
    pub pauses: Vec<PauseState>,
    /// Turns received, and turns that a client had to drop.
    pub received: u64,
    /// How they ended; these add up to what was received.
    pub outcomes: std::collections::BTreeMap<String, u64>,
}
