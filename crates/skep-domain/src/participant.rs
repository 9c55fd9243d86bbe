//! Who takes part in sessions, and which part of a session they may see.

use crate::memory::coded;

coded! {
    /// What a participant is.
    ParticipantKind {
        /// A person, with or without a credential here.
        Human = 0, "human";
        /// An AI.
        Agent = 1, "agent";
        /// Someone outside who is only named: a customer, another team's bot.
        Outside = 2, "outside";
    }
}

/// The turns of a session that a member may see: from an ordinal on, up to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// First ordinal.
    pub from: u64,
    /// One past the last; none while the member is in the session.
    pub to: Option<u64>,
}

impl Window {
    /// Whether a turn stands in the window.
    #[must_use]
    pub fn holds(&self, ordinal: u64) -> bool {
        self.from <= ordinal && self.to.is_none_or(|to| ordinal < to)
    }

    /// Whether two members were in the session at once. A window that closed where it opened met
    /// nobody.
    #[must_use]
    pub fn meets(&self, other: &Self) -> bool {
        let start = self.from.max(other.from);
        let open = |window: &Self| window.to.is_none_or(|to| start < to);
        open(self) && open(other)
    }
}

#[cfg(test)]
mod tests {
    use super::Window;

    #[test]
    fn windows_are_half_open_and_meet_only_where_both_are_open() {
        let window = |from, to| Window { from, to };
        let held: Vec<u64> = (0..9).filter(|n| window(2, Some(5)).holds(*n)).collect();
        assert_eq!(held, [2, 3, 4]);
        for (a, b, met) in [
            (window(0, None), window(7, None), true),
            (window(0, Some(3)), window(3, None), false),
            (window(0, Some(4)), window(3, None), true),
            (window(2, Some(2)), window(0, None), false),
            (window(2, Some(3)), window(2, Some(3)), true),
        ] {
            assert_eq!((a.meets(&b), b.meets(&a)), (met, met), "{a:?} {b:?}");
        }
    }
}
