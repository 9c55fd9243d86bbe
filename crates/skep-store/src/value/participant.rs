//! Participants, membership, consent and observations as callers give and get them.

use skep_authz::{Authorized, rights::MemberManage};
use skep_domain::{
    MemoryId, ParticipantId, ParticipantKind, Principal, SessionId, Timestamp, Window,
};

use super::Memory;

/// A participant to keep.
#[derive(Clone, Debug)]
pub struct NewParticipant {
    /// Id to use.
    pub id: ParticipantId,
    /// What it is.
    pub kind: ParticipantKind,
    /// Whose credential speaks as it, if anybody's does.
    pub principal: Option<Principal>,
    /// Its name; one that speaks with a credential may be nameless until it says one.
    pub name: Option<skep_domain::Name>,
    /// When.
    pub at: Timestamp,
}

/// A participant as it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Participant {
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
    /// Its name, if it has one.
    pub name: Option<String>,
    /// What it says of itself.
    pub card: Card,
}

/// What a participant says of itself, and which observations it does not want on its card.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Card {
    /// Facts, in its own order.
    pub facts: Vec<String>,
    /// Observations left out.
    pub hidden: Vec<MemoryId>,
}

/// Which participants somebody reaches: those they share a session with, own, or are. Whoever
/// manages members reaches all.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reach {
    pub(crate) everyone: bool,
}

impl Reach {
    /// The ordinary reach, or everyone for who proves that they manage members.
    #[must_use]
    pub fn of(manages: Option<&Authorized<MemberManage>>) -> Self {
        Self {
            everyone: manages.is_some(),
        }
    }

    /// Whether it holds everyone.
    #[must_use]
    pub fn is_everyone(&self) -> bool {
        self.everyone
    }
}

/// Consent to give or to withdraw.
#[derive(Clone, Debug)]
pub struct NewConsent {
    /// About whom.
    pub subject: ParticipantId,
    /// As seen by whom; anybody if `None`.
    pub observer: Option<ParticipantId>,
    /// Given, or withdrawn.
    pub given: bool,
    /// When, by our clock.
    pub at: Timestamp,
    /// Why, or how it is known.
    pub note: Option<String>,
}

/// An entry of the history of consent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consent {
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
    /// Why, or how it is known.
    pub note: Option<String>,
}

impl Consent {
    /// Whether a history, oldest first, allows an observer: the last entry that speaks of this
    /// observer or of anybody decides, and silence is a no.
    #[must_use]
    pub fn allows(history: &[Self], observer: ParticipantId) -> bool {
        history
            .iter()
            .rev()
            .find(|entry| entry.observer.is_none_or(|one| one == observer))
            .is_some_and(|entry| entry.given)
    }

    /// Whether a history allows anybody at all.
    #[must_use]
    pub fn allows_any(history: &[Self]) -> bool {
        let general = history.iter().rposition(|entry| entry.observer.is_none());
        if general.is_some_and(|at| history[at].given) {
            return true;
        }
        history[general.map_or(0, |at| at + 1)..]
            .iter()
            .filter_map(|entry| entry.observer)
            .any(|observer| Self::allows(history, observer))
    }
}

/// Whom a memory is about, and who saw it so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Observed {
    /// About whom.
    pub subject: ParticipantId,
    /// As seen by whom.
    pub observer: ParticipantId,
}

/// A memory about a participant.
#[derive(Clone, Debug)]
pub struct Observation {
    /// Whom it is about, and who saw it so.
    pub observed: Observed,
    /// Concluded from observations, not one itself.
    pub derived: bool,
    /// What it says.
    pub memory: Memory,
}

/// One stay of a participant in a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
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

#[cfg(test)]
mod tests {
    use skep_domain::{Id, ParticipantId, Timestamp};

    use super::Consent;

    #[test]
    fn the_last_word_that_speaks_of_an_observer_decides() {
        let [x, a, b] = [1, 2, 3].map(|n| ParticipantId::from_bytes([n; 16]));
        let history = |entries: &[(Option<ParticipantId>, bool)]| {
            let entry = |(observer, given): &(Option<ParticipantId>, bool)| Consent {
                subject: x,
                observer: *observer,
                given: *given,
                at: Timestamp::from_micros(0),
                actor: None,
                note: None,
            };
            entries.iter().map(entry).collect::<Vec<_>>()
        };
        let (yes, no) = (true, false);
        for (entries, for_a, for_b, any) in [
            (vec![], no, no, no),
            (vec![(None, yes)], yes, yes, yes),
            (vec![(Some(a), yes)], yes, no, yes),
            (vec![(None, yes), (Some(a), no)], no, yes, yes),
            (vec![(Some(a), yes), (None, no)], no, no, no),
            (vec![(None, no), (Some(b), yes)], no, yes, yes),
            (vec![(Some(a), yes), (Some(a), no)], no, no, no),
        ] {
            let history = history(&entries);
            let seen = (Consent::allows(&history, a), Consent::allows(&history, b));
            assert_eq!(seen, (for_a, for_b), "{entries:?}");
            assert_eq!(Consent::allows_any(&history), any, "{entries:?}");
        }
    }
}
