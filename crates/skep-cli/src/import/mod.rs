//! Importers: what agents and people already did, read as streams and handed to the daemon.
//!
//! Memories that others made become memories: see `keeper`. Of the rest, each source is one session.
//! The place up to which a source was read is stored by the daemon in the same transaction as the
//! turns before it, so an import that was killed goes on where it stopped, and a second one finds
//! nothing to do. Nothing is held but a batch and a line.

mod backward;
mod batch;
mod branches;
mod chatgpt;
pub(crate) mod claude;
mod clip;
pub(crate) mod codex;
mod cursor;
mod elements;
mod exports;
mod files;
mod git;
mod keeper;
mod lines;
mod notes;
mod own;
mod progress;
mod report;
mod sender;
mod tools;
mod transcript;
mod zip;

pub(crate) use batch::Batcher;
pub(crate) use chatgpt::run as import_chatgpt;
pub(crate) use claude::CLAUDE;
pub(crate) use clip::{client_key, paths as clipped_paths, project as project_name};
pub(crate) use codex::CODEX;
pub(crate) use cursor::{BASIS, fold};
pub(crate) use exports::{CLAUDE_MEM, Export, MEM0, run as import_memories};
pub(crate) use files::run as import_files;
pub(crate) use git::run as import_git;
pub(crate) use keeper::Keeper;
pub(crate) use lines::Pieces;
pub(crate) use notes::run as import_notes;
pub(crate) use own::{Line, MemoryLine, VERSION as EXPORT_VERSION, run as import_own};
pub(crate) use progress::{Progress, Unit};
pub(crate) use report::Report;
pub(crate) use sender::{Sender, wait_for};
pub(crate) use tools::{Call, describe as describe_call};
pub(crate) use transcript::{Kind, fit, result_id, spoken, spoken_id};
