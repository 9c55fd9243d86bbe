//! The embedded backend: one SQLite file per workspace beside a control file.
//!
//! ```text
//! <data directory>      0700, ours alone
//!   control.db          keys (wrapped), tenants, credentials
//!   ws/<32 hex>.db      one workspace's rows; only its own file is open in a connection
//! ```
//!
//! Each file has one writing connection and a few reading ones, in WAL mode: readers see a snapshot
//! and never wait for the writer. The files of the least recently used workspaces are closed.
//!
//! To add something that is stored: a numbered file in `migrations/`, a function in the module of
//! its table, a method in `transaction`. Every statement names `workspace_id`; every statement on
//! memories, sessions and turns that serves a caller carries the predicate of `ring`.

mod answer;
mod archive;
mod backend;
mod blocking;
mod capture;
mod column;
mod conflict;
mod connection;
mod consent;
mod control;
mod database;
mod directory;
mod distil;
mod erase;
mod exec;
mod failure;
mod index;
mod injection;
mod inventory;
mod known;
mod member;
mod memory;
mod migration;
mod model;
mod ontology;
mod options;
mod participant;
mod project;
mod removal;
mod review;
mod ring;
mod rows;
mod session;
mod skill;
mod source;
mod template;
mod time;
mod tombstone;
mod transaction;
mod turn;
mod upkeep;
mod workspaces;

pub use backend::SqliteBackend;
pub use options::Options;
