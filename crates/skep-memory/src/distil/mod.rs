//! Turns and commits into memories, by rule: the same input gives the same drafts.

mod admission;
mod cochange;
mod commit;
mod cue;
mod draft;
mod entity;
mod exchange;
mod harness;
mod key;
mod markdown;
mod message;
mod outcome;
mod passage;
mod paste;
mod phrase;
mod procedure;
mod proposal;
mod recap;
mod repair;
mod retract;
mod sentence;
mod session;
mod shell;
mod statement;
mod trivial;
mod window;

pub use admission::{Refused, Why};
pub use cochange::CoChange;
pub use commit::distil_commit;
pub use draft::Draft;
pub(crate) use entity::entities;
pub use procedure::{CommandRuns, Sequence};
pub use proposal::{
    NotKept, PROPOSED_KINDS, Proposal, STATEMENT_CHARS, judge_proposal, takes_back,
};
pub use recap::{KeptStatement, Recap};
pub use session::{Continued, distil_continued, distil_exchange, distil_session, split_exchanges};
pub use window::{Shown, Window, read_window};
