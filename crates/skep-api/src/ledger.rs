//! The ledger on the wire: checkpoints and proofs. An export is lines of JSON, which docs/ledger.md describes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Instant;

/// Which log, and which of its checkpoints.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckpointQuery {
    /// `audit` (if absent) or `usage`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<String>,
    /// At most so many, 1 to 200.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Only those of fewer entries: `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<u64>,
}

/// A page of a log's checkpoints, newest first.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Checkpoints {
    /// The log's name.
    pub origin: String,
    /// The key that signs its heads: name, id and key, as C2SP `signed-note` writes it.
    pub key: String,
    /// The place of the log's first entry.
    pub first: u64,
    /// The entries that it has now.
    pub size: u64,
    /// The checkpoints.
    pub items: Vec<Checkpoint>,
    /// `before` of the next page, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<u64>,
}

/// A signed head.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Checkpoint {
    /// The entries that it stands for.
    pub size: u64,
    /// When it was signed.
    pub at: Instant,
    /// The signed note (C2SP `tlog-checkpoint`).
    pub note: String,
}

/// Which log.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LogQuery {
    /// `audit` (if absent) or `usage`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<String>,
}

/// Which entries are to be erased, and why.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EraseEntriesRequest {
    /// `audit` (if absent) or `usage`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<String>,
    /// Their places, 1 to 200 of them.
    pub places: Vec<u64>,
    /// Why, in at most 1,000 bytes, as it is recorded for good. Never what the entries said.
    pub reason: String,
}

/// Entries that were erased: their hashes stay, and with them every proof.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ErasedEntries {
    /// The place of the entry that says so, in the log `audit`.
    pub entry: u64,
    /// The places of those that were erased now.
    pub erased: Vec<u64>,
    /// The places of those that had been erased before.
    pub already: Vec<u64>,
    /// Whether nothing of them is left in the store's files; else it goes as soon as nobody reads any more.
    pub scrubbed: bool,
}

/// What is to be proved: `entry` or `old`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProofQuery {
    /// `audit` (if absent) or `usage`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<String>,
    /// That the entry at this place is in the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<u64>,
    /// That the log begins with what it was when it had so many entries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old: Option<u64>,
    /// The entries of the log that the proof leads to; those of the last checkpoint if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
}

/// A proof as RFC 6962 has it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Proof {
    /// The log's name.
    pub origin: String,
    /// The key that signs its heads.
    pub key: String,
    /// The entries of the tree that it leads to.
    pub size: u64,
    /// The checkpoint of just this tree, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<String>,
    /// The index of the entry's leaf, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<u64>,
    /// The entry's leaf, in hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leaf: Option<String>,
    /// The hashes, the nearest first, in hexadecimal digits.
    pub hashes: Vec<String>,
}
