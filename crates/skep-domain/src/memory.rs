//! What a memory is: its kind, trust, state, tier and validity.

use crate::Timestamp;

macro_rules! coded {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $code:literal, $text:literal;)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$doc])* $variant = $code,)* }

        impl $name {
            /// Every value, in order of its code.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The stable number that storage keeps.
            #[must_use]
            pub const fn code(self) -> u8 { self as u8 }

            /// Reads a stored number; `None` for one this version does not know.
            #[must_use]
            pub const fn from_code(code: u8) -> Option<Self> {
                match code { $($code => Some(Self::$variant),)* _ => None }
            }

            /// The name used in the API and on the command line.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// Reads the name back.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$variant),)* _ => None }
            }
        }
    };
}
pub(crate) use coded;

coded! {
    /// What sort of statement a memory makes.
    MemoryKind {
        /// Something that is so.
        Fact = 0, "fact";
        /// A choice, with its reason when one was given.
        Decision = 1, "decision";
        /// How things are done here.
        Convention = 2, "convention";
        /// What a person wants.
        Preference = 3, "preference";
        /// A trap, and the way round it.
        Gotcha = 4, "gotcha";
        /// Where something is to be found.
        Reference = 5, "reference";
        /// Steps that worked.
        Procedure = 6, "procedure";
        /// A file that somebody keeps for themselves: no statement, and compared with none.
        Note = 7, "note";
    }
}

impl MemoryKind {
    /// Those of statements: what a text may be remembered as.
    pub const STATEMENTS: &'static [Self] = Self::ALL.split_at(7).0;
}

coded! {
    /// Whose word it is, weakest first: a derived memory has the minimum of its lineage.
    Trust {
        /// The web, or any source outside the workspace.
        External = 0, "external";
        /// What a tool printed.
        Tool = 1, "tool";
        /// What an agent concluded.
        Agent = 2, "agent";
        /// What a human said.
        User = 3, "user";
    }
}

coded! {
    /// Whether a memory takes part in recall.
    MemoryState {
        /// It does.
        Active = 0, "active";
        /// Held back until a human accepts it.
        Quarantined = 1, "quarantined";
        /// A newer statement took its place.
        Superseded = 2, "superseded";
        /// Somebody asked for it to be forgotten; the history stays, sealed.
        Forgotten = 3, "forgotten";
    }
}

coded! {
    /// How much of a memory is wanted.
    Tier {
        /// One keyword-dense line.
        Key = 0, "key";
        /// The statement.
        Summary = 1, "summary";
        /// The turns it came from.
        Raw = 2, "raw";
    }
}

coded! {
    /// What a memory can rest on. Each of the first three is enough by itself; what was derived from
    /// other memories needs all of them.
    OriginKind {
        /// Somebody said it; the id is the principal's.
        Said = 0, "said";
        /// It was distilled from a session.
        Session = 1, "session";
        /// It was read in a source.
        Source = 2, "source";
        /// It was derived from another memory.
        Memory = 3, "memory";
    }
}

coded! {
    /// How thoroughly something is taken back; a later one does all that an earlier one does.
    RemovalMode {
        /// What came of it is forgotten.
        Forget = 0, "forget";
        /// What came of it is erased.
        Erase = 1, "erase";
        /// It is erased itself, and what came of it.
        EraseAll = 2, "erase-all";
    }
}

coded! {
    /// How a conflict between two memories was settled.
    Resolution {
        /// The older one holds; the newer one is forgotten.
        KeepOlder = 0, "keep-older";
        /// The newer one holds, and takes the older one's place.
        KeepNewer = 1, "keep-newer";
        /// Both hold.
        KeepBoth = 2, "keep-both";
        /// Neither holds; both are forgotten.
        ForgetBoth = 3, "forget-both";
    }
}

coded! {
    /// What made a memory.
    #[derive(Default)]
    DerivedBy {
        /// Somebody said it to be remembered.
        #[default]
        Person = 0, "person";
        /// The rules of the distiller.
        Rules = 1, "rules";
        /// The rules, over a session as a whole.
        Recap = 2, "recap";
        /// A model that was asked.
        Model = 3, "model";
    }
}

impl MemoryState {
    /// Whether recall may return it.
    #[must_use]
    pub const fn is_recallable(self) -> bool {
        matches!(self, Self::Active)
    }

    /// The state after a `forget`; `None` when it is forgotten already.
    #[must_use]
    pub const fn forget(self) -> Option<Self> {
        match self {
            Self::Forgotten => None,
            Self::Active | Self::Quarantined | Self::Superseded => Some(Self::Forgotten),
        }
    }
}

/// When a statement holds in the world (`from`, `to`) and in the system (`recorded`, `superseded`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// Start in the world.
    pub from: Timestamp,
    /// End in the world; open when `None`.
    pub to: Option<Timestamp>,
    /// When we learned it.
    pub recorded: Timestamp,
    /// When we learned better.
    pub superseded: Option<Timestamp>,
}

impl Validity {
    /// A statement that holds from `from` on and was learned at `recorded`.
    #[must_use]
    pub const fn open(from: Timestamp, recorded: Timestamp) -> Self {
        Self {
            from,
            to: None,
            recorded,
            superseded: None,
        }
    }

    /// Whether it was true in the world, as far as the system knew, at `at`.
    ///
    /// The end of a superseded statement was learned when it was superseded: until then it was
    /// taken to go on, so its end in the world does not count before that.
    #[must_use]
    pub fn holds_at(&self, at: Timestamp) -> bool {
        let goes_on = match self.superseded {
            Some(end) => at < end,
            None => self.to.is_none_or(|end| at < end),
        };
        self.recorded <= at && self.from <= at && goes_on
    }
}

#[cfg(test)]
mod tests {
    use super::{MemoryKind, MemoryState, Trust, Validity};
    use crate::Timestamp;

    #[test]
    fn codes_and_names_read_back() {
        for kind in MemoryKind::ALL {
            assert_eq!(MemoryKind::from_code(kind.code()), Some(*kind));
            assert_eq!(MemoryKind::parse(kind.as_str()), Some(*kind));
        }
        assert_eq!(MemoryKind::from_code(200), None);
        assert!(
            Trust::External < Trust::Tool
                && Trust::Tool < Trust::Agent
                && Trust::Agent < Trust::User
        );
    }

    #[test]
    fn every_kind_but_a_file_is_a_statement() {
        let others = MemoryKind::ALL
            .iter()
            .filter(|kind| **kind != MemoryKind::Note);
        assert!(others.eq(MemoryKind::STATEMENTS));
    }

    #[test]
    fn forgetting_twice_is_not_a_transition() {
        assert_eq!(MemoryState::Active.forget(), Some(MemoryState::Forgotten));
        assert_eq!(MemoryState::Forgotten.forget(), None);
    }

    #[test]
    fn validity_is_half_open_in_both_times() {
        let at = Timestamp::from_micros;
        let row = Validity {
            from: at(10),
            to: Some(at(20)),
            recorded: at(12),
            superseded: Some(at(18)),
        };
        let holds: Vec<i64> = (8..24).filter(|t| row.holds_at(at(*t))).collect();
        assert_eq!(holds, (12..18).collect::<Vec<_>>());
    }
}
