//! A commit into a draft.

use super::draft::Draft;
use crate::turn::CommitView;

/// The drafts of one commit: one at most when its message is worth keeping, none otherwise.
#[must_use]
pub fn distil_commit(_commit: &CommitView<'_>) -> Vec<Draft> {
    Vec::new()
}
