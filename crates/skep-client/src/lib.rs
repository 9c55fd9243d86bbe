//! Typed client for the API over a Unix socket or loopback TCP, and how to find the daemon.
//!
//! A client finds the daemon through a [`Home`] (the data directory) or a URL, both of which give
//! an [`Endpoint`]. [`Client`] has one method for each route of the table; paths come from the
//! table, never from here. [`daemon`] starts and stops the daemon of a home.

mod client;
mod connection;
mod credentials;
pub mod daemon;
mod endpoint;
mod error;
mod home;
mod login;
mod proof;
mod spool;
mod target;

pub use client::Client;
pub use credentials::Credentials;
pub use endpoint::{Endpoint, EndpointError, InstallToken};
pub use error::ClientError;
pub use home::{Home, HomeProblem};
pub use login::{LoginFlow, Polled, Session};
pub use proof::ProofKey;
pub use spool::{Drained, Spool};
