//! Erasing, and taking back a session or a source with all that came of it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Instant;
use crate::memory::Memory;

/// `POST /memories/{id}/erase` and `POST /sessions/{id}/erase`: what is left.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Erased {
    /// The id, which nothing has any more.
    pub id: String,
    /// When.
    pub erased_at: Instant,
    /// Whether the bytes are gone from the files already. If not, somebody still read what was
    /// there before; the daemon sees to it when they are done.
    pub scrubbed: bool,
    /// Versions of a memory that were erased: itself, and what it was edited from and to.
    #[serde(default)]
    pub versions: u64,
    /// Memories erased with a session.
    pub memories: u64,
    /// Memories that rest on something else too, and stay.
    pub kept: u64,
}

/// `POST /rewind`. One of `session` and `source` must be given.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RewindRequest {
    /// `ses_…`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// `src_…`, or the source of an import as its cursor names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Erase the memories instead of forgetting them.
    #[serde(default)]
    pub erase: bool,
    /// Change nothing, only say what would go.
    #[serde(default)]
    pub dry_run: bool,
    /// Why, at most 1,024 bytes; kept sealed with the histories.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What was, or would be, taken back.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct RewindResponse {
    /// Nothing was changed.
    pub dry_run: bool,
    /// Sessions and sources taken back.
    pub roots: u64,
    /// Memories that go.
    pub removed: u64,
    /// Memories that rest on something else too, and stay.
    pub kept: u64,
    /// Memories that are in recall again, because what had replaced them went.
    pub restored: u64,
    /// For a dry run, some of the memories that would go.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sample: Vec<Memory>,
}
