//! Memories as the API shows and takes them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Instant;
use crate::page::PageQuery;
use crate::session::Turn;

/// `POST /memories`: somebody says what to remember.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RememberRequest {
    /// The statement, at most 16 KiB.
    pub text: String,
    /// `fact` (if absent), `decision`, `convention`, `preference`, `gotcha`, `reference`, `procedure`; absent, or
    /// `note`, for a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The project's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// `workspace` (if absent), `own` or `private`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visibility: Option<String>,
    /// `agent` when an agent says it of its own accord: then it counts as an agent's conclusion, whoever's
    /// credential it comes with. Absent, whose word it is follows from the credential.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said_by: Option<String>,
    /// Where it stands as a file of whoever says it, such as `/memories/notes.txt`: then it is a `note`, kept
    /// as it was written and compared with nothing, at most 16 KiB and 500 files each. For its owner alone if
    /// `visibility` is absent, and for the workspace's people if it is an agent's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

/// What became of it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct RememberResponse {
    /// The memory: new, or the one that said the same.
    pub memory: Memory,
    /// It was known already; nothing was stored.
    pub known: bool,
    /// Secrets taken out before storing.
    pub redacted: u32,
    /// Memories whose place it took; they stay in its history.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub superseded: Vec<String>,
    /// Conflicts with what is known, for a human to resolve.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conflicts: Vec<String>,
}

/// `PATCH /memories/{id}`: a new version; what is absent stays as it was.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EditRequest {
    /// The statement, at most 16 KiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// What sort of statement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// `workspace`, `own` or `private`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visibility: Option<String>,
    /// Why, at most 1,024 bytes; kept sealed with the history.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// `agent` when an agent says it of its own accord: then it counts as an agent's conclusion, whoever's
    /// credential it comes with. Absent, whose word it is follows from the credential.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said_by: Option<String>,
    /// Of a file, where it stands from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

/// One distilled statement.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Memory {
    /// `mem_…`
    pub id: String,
    /// What sort of statement.
    pub kind: String,
    /// One keyword-dense line.
    pub key: String,
    /// The statement.
    pub text: String,
    /// Whose word it is: `user`, `agent`, `tool`, `external`.
    pub trust: String,
    /// `active`, `quarantined`, `superseded`, `forgotten`.
    pub state: String,
    /// `private`, `own`, `workspace`.
    pub visibility: String,
    /// The project's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// Since when it holds in the world.
    pub valid_from: Instant,
    /// Until when it held in the world; absent while it goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<Instant>,
    /// When we learned it.
    pub recorded_at: Instant,
    /// When we learned better; absent while it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub superseded_at: Option<Instant>,
    /// Of a file, where it stands among its owner's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Where it comes from.
    pub provenance: Provenance,
}

/// Where a memory comes from.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Provenance {
    /// What made it: `person` (said to be remembered), `rules`, `recap` (the rules, over a whole
    /// session) or `model`.
    #[serde(default)]
    pub derived_by: String,
    /// The harness, `cli` for what a person said to remember.
    pub harness: String,
    /// The session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// The turns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub turns: Vec<String>,
    /// The client's own ids of those turns: commit ids, message uuids.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<String>,
}

/// `GET /memories`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MemoryQuery {
    /// Rows, 1 to 200; 50 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Only this kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// As it was known then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<Instant>,
}

impl MemoryQuery {
    /// The part that pages.
    #[must_use]
    pub fn page(&self) -> PageQuery {
        PageQuery {
            limit: self.limit,
            cursor: self.cursor.clone(),
        }
    }
}

/// `POST /memories/{id}/forget`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ForgetRequest {
    /// Why, at most 1,024 bytes; kept sealed with the history.
    pub reason: String,
}

/// `POST /resolve`: from a memory's key line to the statement to the turns.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResolveRequest {
    /// `mem_…`
    pub id: String,
    /// `key`, `summary` (if absent) or `raw`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<String>,
}

/// The tier asked for.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ResolveResponse {
    /// `key`, `summary` or `raw`.
    pub tier: String,
    /// The memory, its text empty when only the key was asked for.
    pub memory: Memory,
    /// The turns, for `raw`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub turns: Vec<Turn>,
}
