//! What waits for a human, and what happened to a memory: quarantine, conflicts, histories.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Instant;
use crate::memory::Memory;

/// A memory that may not be recalled until a human accepts it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Held {
    /// The memory.
    pub memory: Memory,
    /// What speaks against it.
    pub reasons: Vec<String>,
}

/// `POST /quarantine/{id}/accept` and `/reject`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReviewRequest {
    /// Why, at most 1,024 bytes; kept sealed with the history.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Two memories of which at most one can be true.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Conflict {
    /// `cnf_…`
    pub id: String,
    /// The one that holds from earlier on.
    pub older: Memory,
    /// The other.
    pub newer: Memory,
    /// When it was noticed.
    pub found_at: Instant,
    /// How it was resolved, if it was: `keep-older`, `keep-newer`, `keep-both`, `forget-both`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolution: Option<String>,
    /// When it was resolved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_at: Option<Instant>,
}

/// `POST /conflicts/{id}/resolve`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResolveConflictRequest {
    /// `keep-older`, `keep-newer`, `keep-both` or `forget-both`.
    pub resolution: String,
}

/// `GET /memories/{id}/history`: every version, the earliest first.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct History {
    /// The versions that the caller may see.
    pub versions: Vec<Version>,
    /// How many of them are this one memory, edited, and not another that took its place: they are
    /// erased together.
    #[serde(default)]
    pub edits: u64,
}

/// One version of a memory.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Version {
    /// The memory as it reads in this version.
    pub memory: Memory,
    /// What took its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub superseded_by: Option<String>,
    /// What happened to it, oldest first.
    pub entries: Vec<HistoryEntry>,
}

/// One entry of a history.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct HistoryEntry {
    /// When.
    pub at: Instant,
    /// `usr_…` or `agt_…`; absent for the daemon itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// Became what.
    pub state: String,
    /// Why.
    pub reasons: Vec<String>,
}
