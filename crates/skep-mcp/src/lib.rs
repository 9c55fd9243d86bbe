//! The Model Context Protocol over the API: which tools there are, how they are described, and what of
//! an answer a model is shown.
//!
//! The protocol itself is `rmcp`'s ([ADR 0015](../../../docs/adr/0015-mcp-on-rmcp.md)). What a tool does is
//! one or two questions to the daemon through [`Daemon`], which is HTTP for the program `skep` and the
//! daemon's own router inside the daemon: nothing here decides who may do what.

mod arguments;
mod daemon;
mod frame;
#[cfg(feature = "http")]
pub mod http;
mod profile;
mod prompts;
mod resources;
mod schema;
mod server;
#[cfg(feature = "stdio")]
pub mod stdio;
mod tools;
mod view;

pub use daemon::{Ask, Daemon, Refusal};
pub use profile::Profile;
pub use server::Server;
