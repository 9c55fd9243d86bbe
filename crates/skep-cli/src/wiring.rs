//! Putting `skep hook` and `skep mcp` into the harnesses of this machine, and taking them out again.

pub(crate) mod change;
mod edit;
pub(crate) mod place;
pub(crate) mod plan;
mod receipt;
mod server;
pub(crate) mod service;

pub(crate) use receipt::Receipt;
