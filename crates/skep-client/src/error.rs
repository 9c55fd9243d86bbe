//! What can go wrong between a client and the daemon.

use std::io;

use skep_api::{ErrorCode, ErrorEnvelope};

/// Named for what the caller can do about it. No variant ever holds a credential.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody answers: start the daemon.
    #[error("no daemon answers at {endpoint} ({source})")]
    Unreachable {
        /// Where we tried.
        endpoint: String,
        /// Why the connection failed.
        source: io::Error,
    },
    /// The daemon answered and said no: read its envelope.
    #[error("{}", .0.error.message)]
    Refused(ErrorEnvelope),
    /// Whoever answered does not speak this interface: compare versions.
    #[error("unexpected answer from {endpoint}: {problem}")]
    Protocol {
        /// Who answered.
        endpoint: String,
        /// What was wrong with it.
        problem: String,
    },
    /// The daemon is known by another name, and proofs for this one would not hold.
    #[error("the daemon at {endpoint} calls itself {name}")]
    Name {
        /// Where we asked.
        endpoint: String,
        /// Its own name.
        name: String,
    },
    /// The login has ended: it was revoked, used by another, or is over.
    #[error("your login at {endpoint} has ended")]
    LoginEnded {
        /// The server.
        endpoint: String,
    },
    /// The connection broke, or no answer came in time: what became of the request is unknown.
    #[error("the connection to {endpoint} failed: {source}")]
    Io {
        /// The other end.
        endpoint: String,
        /// Why.
        source: io::Error,
    },
}

impl ClientError {
    /// The daemon's code, when it gave one.
    #[must_use]
    pub fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::Refused(envelope) => Some(envelope.error.code),
            _ => None,
        }
    }

    /// The id under which the daemon logged the request, when it gave one.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        match self {
            Self::Refused(envelope) => Some(&envelope.error.request_id),
            _ => None,
        }
    }
}
