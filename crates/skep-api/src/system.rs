//! What the daemon says about itself.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Instant;
use crate::capture::CaptureHealth;
use crate::exec::ExecHealth;

/// `GET /healthz` and `/readyz`: the same two bytes of state for everyone, or an error for the second.
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
    /// The pass with a model over closed sessions; absent when it is off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelHealth>,
    /// How calls are counted; absent when they are not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<LimitsHealth>,
    /// How programs are run with secrets; absent where they are not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exec: Option<ExecHealth>,
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

/// How calls are counted.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct LimitsHealth {
    /// Where nodes count together, if they do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store: Option<String>,
    /// Whether that is up; while it is not, each node grants its part.
    #[serde(default)]
    pub store_up: bool,
    /// Nodes that share it.
    pub nodes: u32,
    /// How often it went away since the start.
    pub outages: u64,
    /// Calls counted by this node alone because it was away.
    pub counted_alone: u64,
    /// Calls refused because it was away.
    pub refused: u64,
    /// Keys that this node holds.
    pub keys: u64,
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

/// The pass with a model over the caller's workspace. Days are UTC; costs are in millionths of
/// whatever currency the configured prices are in.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct ModelHealth {
    /// Host and port of the endpoint.
    pub endpoint: String,
    /// `openai` or `anthropic`.
    pub dialect: String,
    /// The model's name there.
    pub model: String,
    /// Calls made today.
    pub calls: u64,
    /// Tokens read today.
    pub input_tokens: u64,
    /// Tokens written today.
    pub output_tokens: u64,
    /// Tokens set aside for calls under way, or that were cut off; they count as spent.
    pub reserved_tokens: u64,
    /// Tokens a day at most.
    pub daily_tokens: u64,
    /// Cost of today, with what is set aside.
    pub cost_micros: u64,
    /// Cost a day at most, where a cap is configured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub daily_cost_micros: Option<u64>,
    /// Sessions that wait to be read.
    pub sessions_waiting: u64,
    /// Sessions that were tried too often.
    pub sessions_given_up: u64,
    /// What was refused of today's answers, by reason.
    #[serde(default)]
    pub refused: BTreeMap<String, u64>,
    /// Until when no call is made, because the endpoint failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused_until: Option<Instant>,
    /// What went wrong last, if no call has succeeded since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// `POST /system/backup`. One of `passphrase` and `recovery_key`; the answer is the archive itself.
#[derive(Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BackupRequest {
    /// What the archive is closed with: 12 to 1024 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passphrase: Option<String>,
    /// A recovery key, as its file has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery_key: Option<String>,
    /// The one workspace, by name; everything if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace: Option<String>,
}

/// `GET /system/keys`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Rotation {
    /// Peppers that guard stored credentials, oldest first.
    pub peppers: Vec<PepperLife>,
    /// Keys of access tokens, oldest first.
    pub signing: Vec<SigningLife>,
    /// The key of this host's vault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vault: Option<VaultLife>,
}

/// The key that records of a vault are sealed with.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct VaultLife {
    /// Its number.
    pub number: u32,
    /// Whether an older one still counts, because records under it are being sealed anew.
    pub under_way: bool,
}

/// A pepper.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct PepperLife {
    /// Its number.
    pub number: u32,
    /// Whether new credentials are made under it.
    pub in_force: bool,
    /// Credentials under it that count.
    pub credentials: u64,
    /// When the last of them ends; absent for the one in force, and where one has no end but being
    /// revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retires_at: Option<Instant>,
}

/// A key that signs access tokens, did or will.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct SigningLife {
    /// Its `kid`.
    pub id: String,
    /// Whether it signs now.
    pub signs: bool,
    /// From when it signs.
    pub signs_from: Instant,
    /// When its last token has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retires_at: Option<Instant>,
}
