//! Explanations: why a recall answered what it did.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Instant;
use crate::recall::Scores;

/// `POST /explain/recall`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExplainRequest {
    /// `rcl_…`, from the answer; the caller's last recall if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What this one would have been answered: `usr_…` or `agt_…`. For others than oneself, and for
    /// the recalls of others, `audit:read` is needed.
    #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
}

/// Why.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Explanation {
    /// `rcl_…`
    pub id: String,
    /// When it was asked.
    pub at: Instant,
    /// By whom: `usr_…` or `agt_…`.
    pub asker: String,
    /// For whom it is explained.
    pub subject: String,
    /// The question.
    pub query: String,
    /// The instant asked about, if not the present.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<Instant>,
    /// The project asked about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// Items wanted.
    pub k: u32,
    /// Tokens that all items together might take.
    pub token_budget: u32,
    /// The write that the index was at.
    pub seq: u64,
    /// What search proposed and the caller may see, best first.
    pub candidates: Vec<ExplainedCandidate>,
    /// Proposed, but the caller may not see them, or they are erased; only with `audit:read`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hidden: Option<u32>,
    /// The recall worked out again; absent when it is explained for somebody else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replay: Option<Replay>,
}

/// One candidate.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ExplainedCandidate {
    /// Place among what search proposed and the caller may see, from 1.
    pub place: u32,
    /// `mem_…`
    pub id: String,
    /// Its key line.
    pub key: String,
    /// Scores per channel; `rank` is 0 for what was not ranked.
    pub scores: Scores,
    /// 1 when it became true now, ½ after one half-life of its kind; for what was ranked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recency: Option<f32>,
    /// 1 for a human's word, 0 for an outside source; for what was ranked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust: Option<f32>,
    /// `answered`, `answered by its key line`, `a repetition of a better one`, `below the floor`,
    /// `over the token budget`, `over the count`, `not among the best that were loaded`,
    /// `hidden by the reading ring`, `quarantined`, `superseded`, `forgotten`, `of another kind`,
    /// `of another project`, `not valid then`.
    pub decision: String,
    /// Whether it was answered.
    pub answered: bool,
    /// The store decided otherwise then: the memory or the reader has changed since.
    pub changed_since: bool,
}

/// What came of working it out again.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Replay {
    /// Search proposes the same; absent when the workspace was written to since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search_is_the_same: Option<bool>,
    /// The reference model of the reading ring and of the filter says what the store said.
    pub ring_is_the_same: bool,
    /// The same is answered, in the same order and form.
    pub decision_is_the_same: bool,
}
