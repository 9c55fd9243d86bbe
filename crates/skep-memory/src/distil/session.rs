//! A session into exchanges, and their drafts into what the session leaves.

use super::draft::Draft;
use super::exchange::{Before, distil};
use super::passage::read;
use super::retract::taken_back;
use crate::normal::{NEAR_DUPLICATE, near_duplicate, normal_form};
use crate::turn::TurnView;
use skep_domain::{Harness, TurnRole};
use std::collections::BTreeSet;
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
///
/// The user's rules, wishes and decisions; causes, choices and places that the agent states; checks
/// that failed and what made them pass; and the outcome. What the exchange itself takes back is left out.
#[must_use]
pub fn distil_exchange(harness: Harness, turns: &[TurnView<'_>]) -> Vec<Draft> {
    distil(harness, turns, &mut Before::default())
}

/// How many drafts back a copy is looked for, and a claim can still be taken back.
const WINDOW: usize = 64;

/// The drafts of a whole session, in its order.
///
/// Beyond [`distil_exchange`]: a user's "yes" makes a decision of what was advised before, a later
/// message takes earlier claims back, and the same statement is kept once.
#[must_use]
pub fn distil_session(harness: Harness, turns: &[TurnView<'_>]) -> Vec<Draft> {
    let mut before = Before::default();
    let mut kept: Vec<Draft> = Vec::new();
    let mut known: BTreeSet<String> = BTreeSet::new();
    for range in split_exchanges(turns) {
        let exchange = &turns[range];
        for turn in exchange
            .iter()
            .filter(|turn| matches!(turn.role, TurnRole::User | TurnRole::Assistant))
        {
            let mut recent = kept.split_off(kept.len().saturating_sub(WINDOW));
            taken_back(&mut recent, turn.index, &read(turn.text));
            kept.append(&mut recent);
        }
        for draft in distil(harness, exchange, &mut before) {
            let is_near =
                |other: &Draft| near_duplicate(&other.text, &draft.text) >= NEAR_DUPLICATE;
            let is_copy = kept.iter().rev().take(WINDOW).any(is_near);
            if !is_copy && known.insert(normal_form(&draft.text)) {
                kept.push(draft);
            }
        }
    }
    kept
}
