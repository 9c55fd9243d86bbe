//! Importers: what agents and people already did, read as streams and handed to the daemon.
//!
//! Each source is one session. The place up to which a source was read is stored by the daemon in
//! the same transaction as the turns before it, so an import that was killed goes on where it
//! stopped, and a second one finds nothing to do. Nothing is held but a batch and a line.

mod backward;
mod batch;
mod branches;
pub(crate) mod claude;
mod clip;
pub(crate) mod codex;
mod cursor;
mod files;
mod git;
mod lines;
mod progress;
mod report;
mod sender;
mod tools;
mod transcript;

pub(crate) use batch::Batcher;
pub(crate) use claude::CLAUDE;
pub(crate) use clip::{client_key, paths as clipped_paths, project as project_name};
pub(crate) use codex::CODEX;
pub(crate) use files::run as import_files;
pub(crate) use git::run as import_git;
pub(crate) use lines::Pieces;
pub(crate) use report::Report;
pub(crate) use sender::Sender;
pub(crate) use tools::{Call, describe as describe_call};
pub(crate) use transcript::{Kind, fit, result_id, spoken, spoken_id};
