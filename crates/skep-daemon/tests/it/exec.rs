//! Approved programs that a real daemon runs with secrets: what comes back, in which order, and what of it
//! outlives a kill.

mod attacks;
mod queue;
mod stand;
mod writings;
