//! How each stored row is read from its columns, in the order in which statements name them.

mod access;
mod answer;
mod credential;
mod directive;
mod exec;
mod memory;
mod meter;
mod participant;
mod session;
mod sink;
mod skill;
mod source;
mod template;

pub use access::{organization_member, ticket};
pub use credential::{credential, key_columns, policy, policy_columns, proof_columns};
pub use source::{pause_holder, pause_session};
