//! Background work: what it is for, and how far it is.

use crate::memory::coded;

coded! {
    /// What a job does.
    JobKind {
        /// Erases a workspace that was deleted.
        EraseWorkspace = 0, "erase_workspace";
        /// Counts what a workspace holds.
        Inventory = 1, "inventory";
    }
}

coded! {
    /// How far a job is.
    JobState {
        /// It waits for its turn.
        Queued = 0, "queued";
        /// Somebody works on it, or did until their lease ran out.
        Running = 1, "running";
        /// It is done.
        Done = 2, "done";
        /// It failed so often that nobody tries again.
        Failed = 3, "failed";
        /// Whoever asked for it may not any more.
        Refused = 4, "refused";
    }
}

impl JobKind {
    /// Which come first; a lower number is earlier.
    #[must_use]
    pub const fn priority(self) -> u8 {
        match self {
            Self::EraseWorkspace => 0,
            Self::Inventory => 1,
        }
    }

    /// Whether it was decided when it was accepted: the daemon owes it then, whatever becomes of who
    /// asked, and tries for as long as it takes.
    #[must_use]
    pub const fn is_owed(self) -> bool {
        matches!(self, Self::EraseWorkspace)
    }
}

impl JobState {
    /// Whether nothing more happens to it.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Done | Self::Failed | Self::Refused)
    }
}
