//! Sinks: where entries of the ledger are delivered to, outside.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Instant;

/// `POST /sinks`: sets a sink, in the place of the one of its name, which goes on where it stands.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetSinkRequest {
    /// What it is called: 1 to 32 small letters, digits and `-`, a letter first.
    pub name: String,
    /// Where messages are sent to.
    pub url: String,
    /// `audit` and `usage`; both if there are none, and `audit` alone where events are named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub logs: Vec<String>,
    /// Actions of the record of decisions, such as `auth.login` or `alert.*`; all if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<String>,
    /// Where a log begins that the sink was not given before: `now`, or `start` for its first entry; `now` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
}

/// `POST /sinks/remove`, `/sinks/test`, `/sinks/resume` and `/sinks/key`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SinkRequest {
    /// Which one.
    pub name: String,
}

/// `GET /sinks`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Sinks {
    /// By name.
    pub items: Vec<Sink>,
}

/// A sink, and how it stands.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Sink {
    /// What the record of decisions calls it, `sink_…`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub mark: String,
    /// What it is called.
    pub name: String,
    /// Where messages are sent to.
    pub url: String,
    /// What it is given.
    pub logs: Vec<String>,
    /// Actions of the record of decisions; all if there are none.
    pub events: Vec<String>,
    /// `on`; `failing`: it is tried again; `given_up`: it failed for too long; `gone`: it answered 410. The last two wait
    /// for somebody to resume it. Nothing is lost meanwhile.
    pub state: String,
    /// Entries of its logs that come after what it was given, wanted or not.
    pub behind: u64,
    /// Tries in a row that failed.
    pub failures: u32,
    /// Since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failing_since: Option<Instant>,
    /// When it is tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<Instant>,
    /// When something was delivered last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivered_at: Option<Instant>,
    /// Why the last try failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// When it was made.
    pub created_at: Instant,
    /// When it was set last.
    pub changed_at: Instant,
}

/// A sink that was set, or has another key.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct SinkSet {
    /// As it is now.
    pub sink: Sink,
    /// The key that its messages are signed with, if it is a new one. It is not shown again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

/// Whether there was one.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
pub struct SinkRemoved {
    /// Whether there was one.
    pub removed: bool,
}

/// What came of a message that was sent to see whether it arrives.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct SinkTested {
    /// Whether it was taken.
    pub delivered: bool,
    /// The status of the answer, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Why it was not taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}
