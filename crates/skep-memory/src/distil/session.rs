//! A session into exchanges, and each exchange into drafts.

use super::draft::Draft;
use crate::turn::TurnView;
use skep_domain::{Harness, TurnRole};
use std::ops::Range;

/// Where each exchange of a session begins and ends: it opens at a user message and closes at the next.
///
/// What stands before the first user message is an exchange of its own.
#[must_use]
pub fn split_exchanges(turns: &[TurnView<'_>]) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let mut start = 0;
    for (at, turn) in turns.iter().enumerate() {
        if turn.role == TurnRole::User && at > start {
            ranges.push(start..at);
            start = at;
        }
    }
    if start < turns.len() {
        ranges.push(start..turns.len());
    }
    ranges
}

/// The drafts of one exchange, best first.
#[must_use]
pub fn distil_exchange(_harness: Harness, _turns: &[TurnView<'_>]) -> Vec<Draft> {
    Vec::new()
}

/// The drafts of a whole session, in its order: what a later exchange takes back is left out.
#[must_use]
pub fn distil_session(harness: Harness, turns: &[TurnView<'_>]) -> Vec<Draft> {
    split_exchanges(turns)
        .into_iter()
        .flat_map(|range| distil_exchange(harness, &turns[range]))
        .collect()
}
