//! Capture itself: who has paused what, which directories may be captured.

use skep_domain::{Harness, Principal, Timestamp};

/// Somebody does not want to be captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pause {
    /// Whose capture stops; everybody's if `None`.
    pub holder: Option<Principal>,
    /// It is about one session.
    pub session: bool,
    /// Until then; until somebody resumes if `None`.
    pub until: Option<Timestamp>,
}

/// A session by the harness's own name, captured before or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PausedSession {
    /// Which harness.
    pub harness: Harness,
    /// What the harness calls it.
    pub external_id: String,
}

/// A directory that may be captured, and what its sessions belong to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The directory.
    pub directory: String,
    /// The project's name.
    pub project: String,
}
