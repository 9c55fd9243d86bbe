//! Capture: how each turn that arrives ends, and what a person may have switched off.

use crate::memory::coded;

coded! {
    /// How one turn that was received ended: in exactly one of these, and in one counter.
    TurnOutcome {
        /// Stored as it came.
        Stored = 1, "stored";
        /// Stored after a secret, or a span marked private, was taken out.
        Redacted = 2, "redacted";
        /// Stored without its middle, which was too long.
        Cut = 3, "cut";
        /// Stored as the fact that it happened: a rule keeps what it said out.
        Withheld = 4, "withheld";
        /// There already, by the client's own id.
        Duplicate = 5, "duplicate";
        /// Not stored: capture is switched off.
        Off = 6, "refused: off";
        /// Not stored: somebody paused capture.
        Paused = 7, "refused: paused";
        /// Not stored: this session opted out.
        SessionOff = 8, "refused: session";
        /// Not stored: its directory is bound to no project.
        Unbound = 9, "refused: unbound";
        /// Not stored: a rule keeps this tool out.
        Rule = 10, "refused: rule";
        /// Not stored: storage failed, and the client was told so.
        Failed = 11, "failed";
        /// Never came: the client had no room to keep it while the daemon was away.
        Overflow = 12, "overflow";
    }
}

impl TurnOutcome {
    /// Whether there is a stored turn now that was not there before.
    #[must_use]
    pub const fn is_new(self) -> bool {
        matches!(
            self,
            Self::Stored | Self::Redacted | Self::Cut | Self::Withheld
        )
    }

    /// Whether somebody decided that it is not to be stored.
    #[must_use]
    pub const fn is_refused(self) -> bool {
        matches!(
            self,
            Self::Off | Self::Paused | Self::SessionOff | Self::Unbound | Self::Rule
        )
    }
}

coded! {
    /// Whether a batch comes from work that is going on, or from somebody who asked for it.
    CaptureOrigin {
        /// A harness at work: needs a bound directory, and stops at a pause.
        Live = 0, "live";
        /// Somebody ran an import, which is their consent.
        Import = 1, "import";
        /// A model call that asks for it, or whose agent is set to: it has no directory, and stops at a pause.
        Call = 2, "call";
    }
}

#[cfg(test)]
mod tests {
    use super::TurnOutcome;

    #[test]
    fn an_outcome_is_new_or_refused_or_neither_and_never_both() {
        for outcome in TurnOutcome::ALL {
            assert!(!(outcome.is_new() && outcome.is_refused()));
            assert_eq!(
                outcome.as_str().starts_with("refused: "),
                outcome.is_refused(),
                "{outcome:?}"
            );
            assert_ne!(outcome.code(), 0, "0 is what was received");
        }
    }
}
