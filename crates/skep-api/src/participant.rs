//! Participants, consent, observations and cards as the API shows and takes them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Instant;
use crate::memory::Memory;
use crate::session::{Session, Turn};

/// Whoever takes part in sessions.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Participant {
    /// `prt_…`
    pub id: String,
    /// `human`, `agent` or `outside`.
    pub kind: String,
    /// Absent for one that speaks with a credential and has not said its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The caller speaks as it.
    pub own: bool,
    /// Somebody's credential speaks as it.
    pub has_credential: bool,
    /// The participant that it turned out to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged_into: Option<String>,
    /// By our clock.
    pub created_at: Instant,
}

/// `GET /participants`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ParticipantQuery {
    /// Rows, 1 to 200; 50 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Only the one with exactly this name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Only the caller's own.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub own: bool,
}

/// `POST /participants`: somebody without a credential here.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddParticipantRequest {
    /// 1 to 128 letters, digits, `.`, `_` or `-`; none that looks like it may be there already.
    pub name: String,
    /// `human`, `agent` or `outside` (if absent).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
}

/// `POST /participants/self`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NameSelfRequest {
    /// As in [`AddParticipantRequest::name`].
    pub name: String,
}

/// `POST /participants/{id}/merge`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MergeRequest {
    /// The participant that it is: `prt_…`
    pub into: String,
}

/// What a deletion took with it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct DeleteResponse {
    /// The participant, and those merged into it.
    pub participants: u32,
    /// Observations about it, and memories derived from those.
    pub memories: u32,
}

/// `POST /participants/{id}/observations`. There is no field for the time: it is ours.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ObserveRequest {
    /// The statement, at most 16 KiB.
    pub text: String,
    /// As for a memory; `fact` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// `own` (if absent), `workspace` or `private`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visibility: Option<String>,
    /// Whose observation it is, for who may speak for others; the caller's if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observer: Option<String>,
}

/// What somebody said about a participant.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Observation {
    /// About whom.
    pub subject: String,
    /// As seen by whom.
    pub observer: String,
    /// Concluded from observations, not one itself.
    pub derived: bool,
    /// What it says.
    pub memory: Memory,
}

/// What became of an observation.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ObserveResponse {
    /// The observation: new, or the one that said the same.
    pub observation: Observation,
    /// It was known already; nothing was stored.
    pub known: bool,
    /// Secrets taken out before storing.
    pub redacted: u32,
}

/// `GET /participants/{id}/observations`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ObservationQuery {
    /// Rows, 1 to 200; 50 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Only as seen by this participant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observer: Option<String>,
}

/// A short profile, put together at every look.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Card {
    /// Whose.
    pub participant: Participant,
    /// Its own words first, then observations, newest first; at most 20 and about 600 tokens.
    pub facts: Vec<CardFact>,
    /// Observations that did not fit.
    pub cut: u32,
}

/// One fact of a card.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct CardFact {
    /// What it says.
    pub text: String,
    /// `self` or `observation`.
    pub source: String,
    /// The observation, `mem_…`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<String>,
    /// As seen by whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observer: Option<String>,
    /// Whose word it is: `user`, `agent`, `tool`, `external`.
    pub trust: String,
    /// When it was observed, by our clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Instant>,
}

/// `POST /participants/{id}/card`: takes the place of what was there.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CardRequest {
    /// What one says of oneself: at most 10 facts of 160 bytes.
    #[serde(default)]
    pub facts: Vec<String>,
    /// Observations to leave out, `mem_…`; at most 100.
    #[serde(default)]
    pub hidden: Vec<String>,
}

/// `POST /consents` and `POST /consents/revoke`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConsentRequest {
    /// About whom: the caller's own participant, or one that the caller added.
    pub subject: String,
    /// As seen by whom; anybody if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observer: Option<String>,
    /// Why, or how it is known, at most 1,024 bytes. Needed to record the consent of a person who
    /// has no credential here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// `GET /consents`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConsentQuery {
    /// About whom; the caller if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
}

/// One entry of a history to which entries are only added.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Consent {
    /// About whom.
    pub subject: String,
    /// As seen by whom; anybody if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observer: Option<String>,
    /// Given, or withdrawn.
    pub given: bool,
    /// By our clock.
    pub at: Instant,
    /// Why, or how it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// The history of consent of one participant.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Consents {
    /// Oldest first. The last entry about an observer, or about anybody, decides.
    pub history: Vec<Consent>,
}

/// `POST /sessions/{id}/participants`: lets somebody in.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JoinRequest {
    /// Who.
    pub participant: String,
    /// The first turn that they see; the next one if neither this nor `since` is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<u64>,
    /// The first turn that they see is the first recorded then or later, by our clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Instant>,
}

/// `POST /sessions/{id}/leave`: ends a stay.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LeaveRequest {
    /// Whose stay; the caller's own if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub participant: Option<String>,
    /// The first turn that they do not see any more; the next one if neither this nor `until` is
    /// there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<u64>,
    /// That turn is the first recorded then or later, by our clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Instant>,
}

/// One stay in a session.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Member {
    /// Who.
    pub participant: String,
    /// First turn of the stay.
    pub from_turn: u64,
    /// One past its last turn; absent while they are in the session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_turn: Option<u64>,
    /// By our clock.
    pub joined_at: Instant,
    /// By our clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_at: Option<Instant>,
}

/// The stays in a session.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Members {
    /// In the order they began.
    pub members: Vec<Member>,
}

/// `GET /sessions/{id}/recent`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecentQuery {
    /// Estimated tokens, 1 to 100,000; 2,000 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<u32>,
}

/// The last of a session, within a budget.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Recent {
    /// The session.
    pub session: Session,
    /// What came of it, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub summary: Vec<SummaryLine>,
    /// Its latest turns without a gap, oldest first.
    pub turns: Vec<Turn>,
    /// Estimated tokens of all that.
    pub tokens: u32,
    /// Turns before these that the caller may see.
    pub left_out: u64,
}

/// One line of what came of a session.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct SummaryLine {
    /// The memory whose key line it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<String>,
    /// The line.
    pub text: String,
}
