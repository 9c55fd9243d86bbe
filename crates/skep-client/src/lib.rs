//! Typed client for the API over a Unix socket, loopback TCP or HTTPS, and how to find the daemon.
//!
//! A client finds the daemon through a [`Home`] (the data directory) or a URL, both of which give
//! an [`Endpoint`]. [`Client`] has one method for each route of the table; paths come from the
//! table, never from here. [`daemon`] starts and stops the daemon of a home.
//!
//! For programs outside of this workspace there is the page that follows.
#![doc = include_str!("../README.md")]

mod approval;
mod client;
mod connection;
mod credentials;
pub mod daemon;
mod endpoint;
mod error;
mod home;
mod login;
mod origin;
mod private;
mod proof;
mod session;
mod spool;
mod target;
mod tls;
mod token;

pub use approval::{Approval, ApprovalError, ApprovalKey};
pub use client::Client;
pub use credentials::{Active, Login, Logins};
pub use endpoint::{Credential, Endpoint, EndpointError};
pub use error::ClientError;
pub use home::{Home, HomeProblem};
pub use login::{LoginFlow, Polled};
pub use origin::Origin;
pub use proof::{digest, nonce};
pub use session::Session;
pub use spool::{Drained, Spool};
pub use tls::secure_with;
pub use token::Token;
