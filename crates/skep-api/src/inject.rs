//! Injection: what to put in front of a model, and the record of what was.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Instant;

/// `POST /inject`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InjectRequest {
    /// Which harness.
    pub harness: String,
    /// What the harness calls the session, at most 256 bytes.
    pub external_id: String,
    /// `session_start`, `prompt`, or `compacted` when the model's context was emptied.
    pub moment: String,
    /// What the human wrote; needed for `prompt`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub prompt: String,
    /// The project; the last part of `cwd` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// The working directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cwd: Option<String>,
    /// Tokens it may take: at most 1,200 for a prompt, 800 otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_budget: Option<u32>,
    /// Inject nothing after so many milliseconds; 1,000 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline_ms: Option<u32>,
}

/// The answer.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct InjectResponse {
    /// The exact text to inject; empty when there is nothing to say.
    pub text: String,
    /// `inj_…`, under which the text is recorded; absent when it is empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// `ses_…`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// The memories in it, in order.
    pub items: Vec<InjectedItem>,
    /// Why nothing that is said in the session is captured, and what to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uncaptured: Option<String>,
    /// Something was not at hand; there might have been more to say.
    pub degraded: bool,
    /// What was not at hand.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub degraded_reasons: Vec<String>,
}

/// One memory of an injection.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct InjectedItem {
    /// `mem_…`
    pub memory: String,
    /// What it scored, by name: `confidence`, `lexical`, `vector`, `fused`, `rank`.
    pub scores: BTreeMap<String, f32>,
}

/// What was put in front of a model.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Injection {
    /// `inj_…`
    pub id: String,
    /// `ses_…`
    pub session: String,
    /// Place among the session's, from 0.
    pub ordinal: u64,
    /// When.
    pub at: Instant,
    /// `session_start`, `prompt` or `compacted`.
    pub moment: String,
    /// It holds a memory that you may not see, or that is gone: what follows is empty.
    pub withheld: bool,
    /// The exact text.
    pub text: String,
    /// What was asked, redacted; empty at a session's start.
    pub query: String,
    /// The confidence that a memory had to reach.
    pub floor: f32,
    /// The memories in it, in order.
    pub items: Vec<InjectedItem>,
}
