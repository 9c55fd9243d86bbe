//! Per-workspace search in memory: lexical and vector channels to ids, fusion, embedder, snapshot.
//!
//! Everything is a function of what was put in and of nothing else: no IO, no clock, no shared
//! statistics. Two indexes have nothing in common, so one workspace cannot move the scores of
//! another. Answers are ids; content is loaded elsewhere, after authorization.

mod analyze;
mod codec;
mod confidence;
mod embed;
mod error;
mod fuse;
mod graph;
mod growth;
mod hash;
mod index;
mod lexical;
mod lexicon;
mod meaning;
mod postings;
mod quantised;
mod sample;
mod search;
mod sketch;
mod slots;
mod snapshot;
mod threads;
mod top;
mod transformer;
mod vector;
mod wordpiece;

pub use analyze::analyze;
pub use embed::{Embedder, SentenceEmbedder, StaticEmbedder};
pub use error::IndexError;
pub use graph::NameRules;
pub use index::{Aids, Candidate, Entry, Query, WorkspaceIndex};
pub use quantised::Quantised;
pub use threads::Said;
