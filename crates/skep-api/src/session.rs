//! Sessions and their turns as the API shows them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Instant;

/// One conversation of one harness.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Session {
    /// `ses_…`
    pub id: String,
    /// Which harness.
    pub harness: String,
    /// What a person would call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The project's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// `open` or `ended`.
    pub state: String,
    /// Turns kept.
    pub turns: u64,
    /// Memories distilled from it.
    pub memories: u64,
    /// First and last turn, by the client's clock.
    pub started_at: Instant,
    /// See `started_at`.
    pub last_at: Instant,
}

/// One kept event.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Turn {
    /// `trn_…`
    pub id: String,
    /// As captured.
    pub role: String,
    /// Who spoke or acted, `prt_…`; absent when that was not known, or they were deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// By the client's clock.
    pub at: Instant,
    /// By ours.
    pub recorded_at: Instant,
    /// The client's own id of the event: a commit id, a message uuid.
    pub client_event_id: String,
    /// Redacted text.
    pub text: String,
    /// The tool, for calls and results.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// Files it touches.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<String>,
}

/// `POST /sessions/{id}/end`: no turns are left to distil when this answers.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct EndResponse {
    /// The session.
    pub session: Session,
    /// Memories made by this call.
    pub memories: u32,
    /// Statements that were known already.
    pub known: u32,
}
