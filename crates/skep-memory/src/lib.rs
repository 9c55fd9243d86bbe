//! From captured text to memories and back: cleaning, redaction, distilling, ranking, packing; pure.
//!
//! The way in: [`clean`] → [`Redactor::redact`] → [`cut_middle`] → [`distil_session`] or
//! [`distil_commit`] → [`normal_form`] for exact copies, [`near_duplicate`] for near ones.
//! The way out: [`decide`], which is [`rerank`] → [`mmr`] → [`pack`], with [`estimate_tokens`] as the measure.
//! What leaves for a model goes through [`assemble`]; a session that a model reads, through
//! [`read_window`] and [`frame`], and what it makes of it, through [`judge_proposal`].
//! Nothing here does IO, reads a clock or draws a random number: the same input gives the same bytes.

mod chunk;
mod clean;
mod decide;
mod deny;
mod distil;
mod edge;
pub mod guard;
mod inject;
mod name;
mod normal;
mod pack;
mod rank;
mod redact;
mod relate;
mod skill;
mod tokens;
mod turn;

pub use chunk::{Chunk, TextForm, chunk};
pub use clean::{clean, cut_line, cut_middle};
pub use decide::{Choice, Decided, Decision, Outcome, decide};
pub use deny::{
    Awaited, DENIED_PATHS, DENIED_TOOLS, DenyRules, DenyView, Drop, PatternError, ToolRule, Verdict,
};
pub use distil::{
    CoChange, CommandRuns, Continued, Draft, KeptStatement, NotKept, PROPOSED_KINDS, Proposal,
    Recap, Refused, STATEMENT_CHARS, Sequence, Shown, Why, Window, distil_commit, distil_continued,
    distil_exchange, distil_session, judge_proposal, read_window, split_exchanges, takes_back,
};
pub use edge::{Edge, edge};
pub use inject::{
    Assembled, Block, Framed, FramedTurn, INJECTION_BYTES, Nonce, POLICY, POLICY_SHA256,
    POLICY_VERSION, Parsed, ParsedBlock, ParsedStanding, ReadTurn, Room, Standing, Unparsable,
    assemble, assemble_with, escaped, frame, framed_bytes, parse, read_transcript, standing_text,
};
pub use name::{NameKind, name_form, name_kind, name_tail, names};
pub use normal::{DIFFERENT, NEAR_DUPLICATE, Wording, near_duplicate, normal_form};
pub use pack::{CutReason, Form, PackItem, PackLimits, Packed, pack};
pub use rank::{
    RECENCY_WEIGHT, RankInput, Ranked, SECOND_HAND_WEIGHT, TRUST_WEIGHT, half_life_days, mmr,
    rerank,
};
pub use redact::{Finding, Redacted, Redactor};
pub use relate::{CLEARLY_NEWER_SECONDS, Relation, Statement, relation, topics};
pub use skill::{FrontMatter, front_matter};
pub use tokens::estimate_tokens;
pub use turn::{CommitAuthor, CommitView, FileChange, FileStatus, TurnView};
