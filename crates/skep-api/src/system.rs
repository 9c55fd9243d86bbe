//! What the daemon says about itself.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Instant;
use crate::capture::CaptureHealth;

/// `GET /healthz` and `/readyz`: the same two bytes of state for everyone.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Probe {
    /// `ok`.
    pub status: String,
}

/// `GET /api/v1/system/health`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Health {
    /// Version of the daemon.
    pub version: String,
    /// `local`.
    pub mode: String,
    /// `ok` or `degraded`.
    pub status: String,
    /// What is not as it should be.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
    /// Since when it runs.
    pub started_at: Instant,
    /// Process id.
    pub pid: u32,
    /// Where it listens.
    pub listeners: Vec<String>,
    /// `sqlite`.
    pub store: String,
    /// The model that embeds.
    pub embedder: String,
    /// The caller's workspace.
    pub workspace: WorkspaceHealth,
    /// What may be counted without naming anyone.
    pub index: IndexHealth,
}

/// Counts of one workspace.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct WorkspaceHealth {
    /// Its name.
    pub name: String,
    /// Sessions kept.
    pub sessions: u64,
    /// Turns kept.
    pub turns: u64,
    /// Memories that recall may return.
    pub memories: u64,
    /// Memories waiting for their vector.
    pub awaiting_vector: u64,
    /// Turns waiting to be distilled.
    pub awaiting_distil: u64,
    /// What became of the turns that were received, and what is paused.
    #[serde(default)]
    pub capture: CaptureHealth,
    /// Grows with every write.
    pub seq: u64,
}

/// The indexes held in memory.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct IndexHealth {
    /// Workspaces held.
    pub workspaces: u64,
    /// Bytes they take.
    pub bytes: u64,
    /// Bytes they may take.
    pub budget: u64,
}
