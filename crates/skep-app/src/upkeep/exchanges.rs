//! Which turns of a session make the next step: the exchanges that are complete, with as much of
//! what went before as the rules look back.

use skep_domain::Harness;
use skep_memory::{Draft, TurnView, distil_continued, split_exchanges};
use skep_store::{Branch, Turn};

use super::distil::Step;

/// Turns before the new ones that the rules may look back on: a later message takes an earlier
/// claim back, a "yes" answers the advice before it, a check passes that failed an hour ago.
pub(crate) const CONTEXT: u64 = 192;

/// What was read of a session.
pub(super) struct Read {
    pub(super) harness: Harness,
    /// From some turns before `from` on.
    pub(super) turns: Vec<Turn>,
    /// The first ordinal that is not distilled.
    pub(super) from: u64,
    /// Whether `turns` reach the session's end.
    pub(super) is_all: bool,
    /// Whether nothing is expected to follow: it has ended, or stood still for long.
    pub(super) is_closed: bool,
}

impl Read {
    /// A step over the exchanges that are complete: followed by another, or the session is closed,
    /// or one alone fills the whole batch and is taken in pieces.
    pub(super) fn step(self) -> Option<Step> {
        let Self {
            harness,
            turns,
            from,
            is_all,
            is_closed,
        } = self;
        let first = turns.iter().position(|turn| turn.ordinal >= from)?;
        let mut views: Vec<TurnView<'_>> = turns.iter().enumerate().filter_map(view).collect();
        let new = views.partition_point(|view| view.index < first);
        let mut ranges = split_exchanges(&views[new..]);
        let keeps_open = !((is_all && is_closed) || (ranges.len() <= 1 && !is_all));
        let open = if keeps_open { ranges.pop() } else { None };
        let to = match open {
            Some(range) => {
                let begins = new + range.start;
                let ordinal = turns.get(views.get(begins)?.index)?.ordinal;
                views.truncate(begins);
                ordinal
            }
            None => turns.last()?.ordinal + 1,
        };
        if to == from {
            return None;
        }
        let before = context(&views, new);
        let done = distil_continued(harness, &views[before..], new - before);
        Some(Step {
            from,
            drafts: done.drafts,
            withdrawn: done.withdrawn,
            refused: done.refused.len() as u32,
            finishes: is_all && is_closed,
            turns,
            to,
        })
    }
}

/// Where the context begins: at a message of the user, or else there is none.
fn context(views: &[TurnView<'_>], new: usize) -> usize {
    views[..new]
        .iter()
        .position(|view| view.role == skep_domain::TurnRole::User)
        .unwrap_or(new)
}

/// The view of a turn; none of a way that was not taken.
pub(crate) fn view((index, turn): (usize, &Turn)) -> Option<TurnView<'_>> {
    let turn = &turn.turn;
    (turn.branch != Branch::Abandoned).then_some(TurnView {
        index,
        role: turn.role,
        at: turn.at,
        text: &turn.text,
        tool: turn.tool.as_deref(),
        is_error: turn.is_error,
        paths: &turn.paths,
    })
}

/// A draft of the context is made of turns that are distilled already.
pub(super) fn cited<'a>(turns: &'a [Turn], draft: &Draft) -> Vec<&'a Turn> {
    draft
        .turns
        .iter()
        .filter_map(|index| turns.get(*index))
        .collect()
}
