//! Rows of sinks: where entries of the ledger are delivered to, whose turn it is, and how far each has come.

use skep_crypto::Sealed;
use skep_domain::{Id, OrganizationId, Timestamp};

use super::LogKey;

/// Whose turn a sink of nobody's is kept under.
const NOBODY: [u8; 16] = [0; 16];

/// A sink that an organization has set.
#[derive(Clone, Debug)]
pub struct SinkRow {
    /// Whose.
    pub organization: OrganizationId,
    /// Its id, which no other sink has.
    pub id: [u8; 16],
    /// Its name, which no other of the organization has.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was set last.
    pub changed_at: Timestamp,
    /// Where it is, what it wants, and the keys that it is signed with.
    pub body: Sealed,
}

/// One sink.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SinkKey {
    /// Whose; nobody's for one of whoever runs the daemon, which is for every log.
    pub organization: Option<OrganizationId>,
    /// Its id.
    pub id: [u8; 16],
}

/// Whether a sink is delivered to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SinkState {
    /// It is.
    On = 0,
    /// It failed for too long: somebody has to say that it goes on.
    GivenUp = 1,
    /// It said that nothing should come any more.
    Gone = 2,
}

/// Whose turn it is to deliver to a sink, and how the last tries went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SinkTurnRow {
    /// Whether it is delivered to.
    pub state: SinkState,
    /// Who delivers.
    pub holder: Option<[u8; 16]>,
    /// Until when they have it for themselves.
    pub held_until: Timestamp,
    /// Tries in a row that failed.
    pub failures: u32,
    /// Since when.
    pub failing_since: Option<Timestamp>,
    /// Not tried before.
    pub not_before: Timestamp,
    /// When something was delivered last.
    pub delivered_at: Option<Timestamp>,
    /// Why the last try failed: never where the sink is, and nothing of what it answered.
    pub problem: Option<String>,
}

/// A log that a sink has not been given all of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BehindRow {
    /// Which.
    pub log: LogKey,
    /// The place of the first entry that it has not been given.
    pub next: u64,
    /// The place behind the last entry.
    pub end: u64,
}

impl SinkKey {
    /// As a column: zeros for nobody.
    #[must_use]
    pub fn owner(self) -> [u8; 16] {
        self.organization.map_or(NOBODY, Id::to_bytes)
    }
}

impl SinkState {
    /// The state of a stored number.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        let known = [Self::On, Self::GivenUp, Self::Gone];
        known.into_iter().find(|state| *state as u8 == code)
    }

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::On => "on",
            Self::GivenUp => "given_up",
            Self::Gone => "gone",
        }
    }
}

impl SinkTurnRow {
    /// Of a sink that was never delivered to, and waits for nothing.
    #[must_use]
    pub fn fresh(now: Timestamp) -> Self {
        Self {
            state: SinkState::On,
            holder: None,
            held_until: now,
            failures: 0,
            failing_since: None,
            not_before: now,
            delivered_at: None,
            problem: None,
        }
    }
}
