//! Approved programs that a real daemon runs with secrets: what comes back, in which order, where they send,
//! and what of it outlives a kill.

mod attacks;
mod ends;
mod outside;
mod poller;
mod queue;
mod sending;
pub(crate) mod stand;
mod writings;
