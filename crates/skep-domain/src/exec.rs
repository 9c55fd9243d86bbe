//! How far a run of a program with secrets has come.

use crate::memory::coded;

coded! {
    /// How far a run has come.
    ExecState {
        /// It waits for its turn.
        Queued = 0, "queued";
        /// Its program runs.
        Running = 1, "running";
        /// Its program has ended, however it did.
        Ended = 2, "ended";
        /// Whoever asked for it may not any more, or what was approved is another thing now.
        Refused = 3, "refused";
        /// Its program could not be started.
        Failed = 4, "failed";
        /// It was cancelled before its program started.
        Cancelled = 5, "cancelled";
        /// The daemon ended while its program ran. Nobody runs it again: what it does may be done.
        Interrupted = 6, "interrupted";
        /// Its host never came back to it.
        Expired = 7, "expired";
    }
}

impl ExecState {
    /// Whether nothing more happens to it.
    #[must_use]
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Queued | Self::Running)
    }
}
