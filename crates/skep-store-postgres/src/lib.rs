//! The team backend: PostgreSQL with row-level security, for many nodes.
//!
//! ```text
//! skep_owner   owns the schema `skep`, runs migrations, serves nobody
//! skep_app     what a node logs in as: owns nothing, bypasses nothing, may not truncate
//! ```
//!
//! Every transaction says what it is about before its first statement, for itself alone: one workspace
//! (`skep.workspace`), or the installation's own tables (`skep.installation`). The policies of the tables let
//! it see that and nothing else, whatever a statement asks for; and every statement on a workspace's rows names
//! `workspace_id` besides. Content is sealed before it comes here.
//!
//! To add something that is stored: a numbered file in `migrations/`, a function in the module of its table, a
//! method in `transaction`. Statements stand in `statements!`: tests prepare each against the real schema, and
//! take the workspace out of each to see that the policies stand alone. Every one on memories, sessions and
//! turns that serves a caller carries the predicate of `ring`.

mod answer;
mod archive;
mod backend;
mod capture;
mod conflict;
mod consent;
mod control;
mod distil;
mod distributed;
mod erase;
mod exec;
mod failure;
mod given_up;
mod guard;
mod hearing;
mod index;
mod injection;
mod inventory;
mod lease;
mod member;
mod memory;
mod migrate;
mod model;
mod node;
mod ontology;
mod options;
mod participant;
mod planning;
mod pool;
mod project;
mod proof;
mod removal;
mod review;
mod rights;
mod ring;
mod row;
mod rows;
mod server;
mod session;
mod skill;
mod snapshot;
mod source;
mod statement;
mod template;
mod time;
mod transaction;
mod turn;
mod upkeep;
mod value;

pub use backend::PostgresBackend;
pub use migrate::{Migrated, migrate_at, schema};
pub use options::Options;
pub use server::{Server, Tls};
pub use statement::{Statement, all as statements};

#[cfg(test)]
mod tests;
