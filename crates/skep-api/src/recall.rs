//! Recall: a question, the memories that answer it, and why these.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Instant;
use crate::memory::Memory;

/// `POST /recall`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecallRequest {
    /// The question, at most 4 KiB.
    pub query: String,
    /// Items wanted, 1 to 50; 10 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub k: Option<u32>,
    /// Tokens that all items together may take; 4,000 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_budget: Option<u32>,
    /// Answer as of then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<Instant>,
    /// Only this project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// Only these kinds; all if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<String>,
    /// Names of what the asker has in front of them, at most 32: open files, symbols, error codes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hints: Vec<String>,
    /// Give up waiting for more after so many milliseconds and say so; 1,000 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline_ms: Option<u32>,
}

/// The answer.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct RecallResponse {
    /// `rcl_…`, for `/explain/recall`; absent when nothing was searched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explain_id: Option<String>,
    /// Best first.
    pub items: Vec<RecallItem>,
    /// Something was not at hand; the answer may be worse than it could be.
    pub degraded: bool,
    /// What was not at hand.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub degraded_reasons: Vec<String>,
    /// Candidates that the reading ring let through.
    pub visible: u32,
    /// Visible ones left out for the token budget or as repetitions.
    pub cut: u32,
    /// Where the time went.
    pub timing: RecallTiming,
}

/// One answer.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct RecallItem {
    /// The memory.
    pub memory: Memory,
    /// How it scored, per channel.
    pub scores: Scores,
    /// Estimated tokens.
    pub tokens: u32,
}

/// Scores of one item; nothing outside the workspace moves them.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Scores {
    /// BM25 of its words; what is a good one depends on the question.
    pub lexical: f32,
    /// Cosine between its vector and the question's; 0 while it waits for its vector.
    pub vector: f32,
    /// How strongly names of the question or its hints lead to it; 0 if none does.
    #[serde(default)]
    pub graph: f32,
    /// All of them, each divided by the best of this question and weighted by the question's nature,
    /// summed.
    pub fused: f32,
    /// After recency and trust: what the order follows.
    pub rank: f32,
}

/// Microseconds per stage.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct RecallTiming {
    /// Embedding the query.
    pub embed_us: u64,
    /// Bringing the index up to date.
    pub catch_up_us: u64,
    /// Searching it and fusing the channels.
    pub search_us: u64,
    /// Asking the store which candidates may be seen.
    pub authorize_us: u64,
    /// Loading and opening those.
    pub load_us: u64,
    /// Ranking and packing.
    pub rank_us: u64,
    /// All of it.
    pub total_us: u64,
}
