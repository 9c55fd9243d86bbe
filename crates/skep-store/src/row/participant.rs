//! Rows of participants, membership, consent and observations.

use skep_crypto::Sealed;
use skep_domain::{
    MemoryId, ParticipantId, ParticipantKind, Principal, SessionId, Timestamp, Window,
};

use super::{Fingerprint, StoredMemoryRow};

/// A participant.
#[derive(Clone, Debug)]
pub struct ParticipantRow {
    /// Its id.
    pub id: ParticipantId,
    /// What it is.
    pub kind: ParticipantKind,
    /// Whose credential speaks as it, if anybody's does.
    pub principal: Option<Principal>,
    /// Who added it, and answers for an agent.
    pub owner: Principal,
    /// The participant that it turned out to be.
    pub merged_into: Option<ParticipantId>,
    /// When it was first heard of.
    pub created_at: Timestamp,
    /// The name, sealed, and what must be unique of it.
    pub name: Option<NameRow>,
    /// What it says of itself, sealed.
    pub card: Option<Sealed>,
}

/// A name.
#[derive(Clone, Debug)]
pub struct NameRow {
    /// The name.
    pub name: Sealed,
    /// Of the two skeletons, each unique in the workspace.
    pub skeletons: [Fingerprint; 2],
}

/// One entry of the append-only history of a participant.
#[derive(Clone, Copy, Debug)]
pub struct ParticipantEventRow {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: Option<Principal>,
    /// 0 added, 1 named, 2 merged, 3 taken apart again, 4 deleted.
    pub action: u8,
    /// The other participant of a merge.
    pub other: Option<ParticipantId>,
}

/// One entry of the append-only history of consent.
#[derive(Clone, Debug)]
pub struct ConsentRow {
    /// About whom.
    pub subject: ParticipantId,
    /// As seen by whom; anybody if `None`.
    pub observer: Option<ParticipantId>,
    /// Given, or withdrawn.
    pub given: bool,
    /// When, by our clock.
    pub at: Timestamp,
    /// Who said so.
    pub actor: Option<Principal>,
    /// Why, or how it is known, sealed. Gone when the subject is deleted.
    pub note: Option<Sealed>,
}

/// Whom a memory is about, and who saw it so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AboutRow {
    /// About whom.
    pub subject: ParticipantId,
    /// As seen by whom.
    pub observer: ParticipantId,
    /// Concluded from observations, not one itself.
    pub derived: bool,
}

/// An observation as it is read back.
#[derive(Clone, Debug)]
pub struct StoredObservationRow {
    /// Whom it is about, and who saw it so.
    pub about: AboutRow,
    /// What it says.
    pub memory: StoredMemoryRow,
}

/// One stay of a participant in a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemberRow {
    /// Which session.
    pub session: SessionId,
    /// Who.
    pub participant: ParticipantId,
    /// The turns of the stay.
    pub window: Window,
    /// When it began, by our clock.
    pub joined_at: Timestamp,
    /// When it ended, by our clock.
    pub left_at: Option<Timestamp>,
}

/// A page of observations.
#[derive(Clone, Copy, Debug)]
pub struct ObservationPage {
    /// About whom.
    pub subject: ParticipantId,
    /// Only as seen by this one.
    pub observer: Option<ParticipantId>,
    /// Rows wanted.
    pub limit: u32,
    /// Only memories whose id is less.
    pub before: Option<MemoryId>,
}
