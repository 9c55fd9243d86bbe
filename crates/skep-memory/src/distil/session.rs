//! A session into exchanges, and their drafts into what the session leaves.

use super::admission::{Refused, Why};
use super::draft::Draft;
use super::exchange::{Before, distil};
use super::passage::read;
use super::retract::taken_back;
use crate::normal::{NEAR_DUPLICATE, Wording, normal_form};
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
    distil(harness, turns, &mut Before::default()).drafts
}

/// The drafts of a whole session, in its order.
///
/// Beyond [`distil_exchange`]: a user's "yes" makes a decision of what was advised before, a later
/// message takes earlier claims back, and the same statement is kept once.
#[must_use]
pub fn distil_session(harness: Harness, turns: &[TurnView<'_>]) -> Vec<Draft> {
    distil_continued(harness, turns, 0).drafts
}

/// What the continuation of a session brings.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Continued {
    /// The drafts of the new turns.
    pub drafts: Vec<Draft>,
    /// Drafts of the earlier turns that the new ones take back, word for word as they were made.
    pub withdrawn: Vec<Draft>,
    /// Candidates of the new turns that were not kept, each with its reason.
    pub refused: Vec<Refused>,
}

/// Distils `turns[from..]`, knowing what went before.
///
/// For sessions that are distilled while they go on: give the last exchange or two as context, with
/// `from` at the start of the first turn that is new. Drafts of the context are made again only
/// to be compared with; what is made of them is the same, so their normal forms find the memories.
/// An exchange that was distilled before it was complete is distilled again as a whole: what it
/// said then and does not say now is withdrawn.
#[must_use]
pub fn distil_continued(harness: Harness, turns: &[TurnView<'_>], from: usize) -> Continued {
    let mut before = Before::default();
    let mut kept = Kept::default();
    let mut half = Vec::new();
    for range in split_exchanges(turns) {
        let is_new = range.end > from;
        if is_new && range.start < from {
            let told = &turns[range.start..from];
            half = distil(harness, told, &mut before.clone()).drafts;
        }
        let exchange = &turns[range];
        for turn in exchange.iter().filter(|turn| is_speech(turn.role)) {
            kept.take_back(turn, is_new);
        }
        let sifted = distil(harness, exchange, &mut before);
        if is_new {
            kept.refused.extend(sifted.refused);
        }
        for draft in sifted.drafts {
            kept.put(draft, is_new);
        }
    }
    half.retain(|draft| !kept.known.contains(&normal_form(&draft.text)));
    kept.withdrawn.extend(half);
    let rows = kept.rows.into_iter().filter(|row| row.is_new);
    Continued {
        drafts: rows.map(|row| row.draft).collect(),
        withdrawn: kept.withdrawn,
        refused: kept.refused,
    }
}

const fn is_speech(role: TurnRole) -> bool {
    matches!(role, TurnRole::User | TurnRole::Assistant)
}

/// How many drafts back a copy is looked for, and a claim can still be taken back.
const WINDOW: usize = 64;

/// What a session has left so far.
#[derive(Default)]
struct Kept {
    rows: Vec<Row>,
    known: BTreeSet<String>,
    withdrawn: Vec<Draft>,
    refused: Vec<Refused>,
}

struct Row {
    draft: Draft,
    wording: Wording,
    is_new: bool,
}

impl Kept {
    fn take_back(&mut self, turn: &TurnView<'_>, is_new: bool) {
        let start = self.rows.len().saturating_sub(WINDOW);
        let recent: Vec<&Draft> = self.rows[start..].iter().map(|row| &row.draft).collect();
        let fallen = taken_back(&recent, turn, &read(turn.text));
        for at in fallen.into_iter().rev() {
            let row = self.rows.remove(start + at);
            if !is_new {
                continue;
            }
            self.refused
                .push(Refused::draft(&row.draft, Why::TakenBack));
            if !row.is_new {
                self.withdrawn.push(row.draft);
            }
        }
    }

    fn put(&mut self, draft: Draft, is_new: bool) {
        let wording = Wording::of(&draft.text);
        let is_near = |row: &Row| row.wording.similarity(&wording) >= NEAR_DUPLICATE;
        let is_copy = self.rows.iter().rev().take(WINDOW).any(is_near);
        if !is_copy && self.known.insert(normal_form(&draft.text)) {
            self.rows.push(Row {
                draft,
                wording,
                is_new,
            });
        }
    }
}
