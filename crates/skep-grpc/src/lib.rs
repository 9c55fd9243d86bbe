//! Auth over gRPC: the service `skep.auth.v1` on a Unix socket or behind TLS that demands a client
//! certificate, and asking another daemon that has it.
//!
//! Answering goes through the use cases of `skep-app` and nothing else: the same checks, the same
//! record of decisions, the same rate classes as over HTTP ([`Server`]). Asking ([`Remote`]) has a
//! deadline and a circuit breaker, and never lets anybody in because nobody answered.

mod breaker;
mod cache;
mod connect;
mod convert;
mod gate;
mod listen;
mod reflect;
mod refusal;
mod remote;
mod server;
mod service;
mod tls;
mod vouch;
mod wire;

pub use breaker::Breaker;
pub use connect::{Destination, ask};
pub use listen::Listener;
pub use remote::Remote;
pub use server::{Answering, Server};
pub use tls::{TlsError, TlsFiles};

#[doc(hidden)]
pub mod protocol {
    //! Messages and client as they are on the wire, for tests that speak it.
    pub use crate::wire::*;
}
