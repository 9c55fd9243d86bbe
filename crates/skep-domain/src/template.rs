//! How far a template has come, and a right to use one.

use crate::Timestamp;
use crate::memory::coded;

coded! {
    /// How far a version of a template has come.
    TemplateState {
        /// Somebody with the right has yet to read it.
        Waiting = 0, "waiting";
        /// It may be used; of each template at most one version is.
        Approved = 1, "approved";
        /// Nobody uses it.
        Rejected = 2, "rejected";
        /// Another version was approved in its place.
        Superseded = 3, "superseded";
        /// It was approved, and is no more.
        Withdrawn = 4, "withdrawn";
    }
}

impl TemplateState {
    /// Whether somebody may approve a version in this state.
    #[must_use]
    pub const fn may_be_approved(self) -> bool {
        matches!(self, Self::Waiting | Self::Superseded)
    }
}

coded! {
    /// How far a request of an agent for a template has come, or a right to use one.
    AccessState {
        /// Somebody with the right has yet to decide.
        Waiting = 0, "waiting";
        /// The template may be used, until the grant ends.
        Granted = 1, "granted";
        /// It was asked for in vain.
        Refused = 2, "refused";
        /// It was granted, and is no more.
        Revoked = 3, "revoked";
        /// Another grant took its place.
        Superseded = 4, "superseded";
    }
}

impl AccessState {
    /// Whether a grant in this state, which ends then, is in force now.
    #[must_use]
    pub fn is_in_force(self, until: Option<Timestamp>, now: Timestamp) -> bool {
        self == Self::Granted && until.is_none_or(|until| now < until)
    }
}

#[cfg(test)]
mod tests {
    use super::AccessState;
    use crate::Timestamp;

    #[test]
    fn x03_a_grant_ends_when_it_says() {
        let at = Timestamp::from_micros;
        let until = Some(at(10));
        assert!(AccessState::Granted.is_in_force(until, at(9)));
        assert!(!AccessState::Granted.is_in_force(until, at(10)));
        assert!(AccessState::Granted.is_in_force(None, at(i64::MAX)));
        for state in AccessState::ALL {
            let granted = *state == AccessState::Granted;
            assert_eq!(state.is_in_force(None, at(0)), granted, "{state:?}");
        }
    }
}
