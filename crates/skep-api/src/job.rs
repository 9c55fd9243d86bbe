//! Background work.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Instant;

/// A job. Of an erasure that is done, this is the receipt: what was erased, when that was accepted and
/// when it was finished, who asked.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Job {
    /// `job_…`
    pub id: String,
    /// What it does: `erase_workspace` or `inventory`.
    pub kind: String,
    /// `queued`, `running`, `done`, `failed` (nobody tries again) or `refused` (whoever asked may not any
    /// more).
    pub state: String,
    /// `ws_…`, what it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace: Option<String>,
    /// Who asked: `usr_…`, or `agt_…` of the caller's workspace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// `key_…`, with what they asked.
    pub credential: String,
    /// When it was accepted.
    pub accepted_at: Instant,
    /// When it came to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Instant>,
    /// Attempts in a row that failed.
    pub failures: u32,
    /// Not tried before, while it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Instant>,
    /// The node that works on it, or did last: a number that it gives itself at its start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// Until when that node has it for itself, while it works.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease_until: Option<Instant>,
    /// Why it failed or was refused, or failed the last time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Rows by table, erased or counted so far. Lists of jobs leave it out.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub rows: BTreeMap<String, u64>,
    /// All of them together.
    pub rows_total: u64,
}

/// `DELETE /workspaces/{id}` and `POST /workspaces/inventory`: accepted, and done later.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Accepted {
    /// `job_…`: `GET /jobs/{id}` says how far it is.
    pub job: String,
}
