//! What a backend stores about capture itself: counters, pauses, bound directories.

use skep_crypto::Sealed;
use skep_domain::{Principal, Timestamp};

use super::Fingerprint;

/// Somebody does not want to be captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PauseRow {
    /// Whose capture stops; everybody's if `None`.
    pub holder: Option<Principal>,
    /// Of this session alone; of every one if `None`.
    pub session: Option<Fingerprint>,
    /// Until then; until somebody resumes if `None`.
    pub until: Option<Timestamp>,
}

/// A directory that may be captured.
#[derive(Clone, Debug)]
pub struct BindingRow {
    /// Of the directory.
    pub directory: Fingerprint,
    /// The directory and its project's name.
    pub body: Sealed,
}

/// Turns by what became of them; code 0 counts all that were received.
pub type OutcomeCount = (u8, u64);
