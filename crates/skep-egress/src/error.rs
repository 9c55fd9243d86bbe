//! Why a call was not made, or did not end well.

use std::io;

/// Named for what whoever asked can do about it. No variant holds a header, a body or an address
/// that a name was resolved to: who may name a URL shall not learn from us what is inside.
#[derive(Debug, thiserror::Error)]
pub enum EgressError {
    /// The URL as written: write it differently.
    #[error("this URL cannot be used: {0}")]
    Url(&'static str),
    /// The policy: it leads where calls may not go, or nowhere at all.
    #[error("{host} does not lead to a place that may be called: {advice}")]
    Forbidden {
        /// Its host.
        host: String,
        /// What to do.
        advice: &'static str,
    },
    /// A redirect that is not followed.
    #[error("the redirect was not followed: {0}")]
    Redirect(&'static str),
    /// A request that cannot be made: mend the caller.
    #[error("this request cannot be made: {0}")]
    Request(&'static str),
    /// Nobody answers there, or the connection broke: try again later.
    #[error("{host} cannot be reached: {source}")]
    Unreachable {
        /// Its host.
        host: String,
        /// Why.
        source: io::Error,
    },
    /// Whoever answers cannot be shown to be who was asked for: mend its certificate, or this
    /// machine's list of authorities.
    #[error("the TLS connection to {host} failed: {problem}")]
    Tls {
        /// Its host.
        host: String,
        /// What was wrong.
        problem: String,
    },
    /// It took too long: try again later.
    #[error("{host} took too long ({stage}): try again later")]
    Late {
        /// Its host.
        host: String,
        /// What it was late with.
        stage: Stage,
    },
    /// More than we take.
    #[error("the answer is larger than the {limit} bytes that are taken: ask for a smaller part")]
    TooLarge {
        /// The most that is taken.
        limit: usize,
    },
    /// What came is no answer that can be read.
    #[error("the answer cannot be read: {0}")]
    Answer(&'static str),
    /// Too many calls are under way: try again in a moment.
    #[error("too many calls are under way: try again in a moment")]
    Busy,
}

/// What a server was late with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Its name, its connection or its TLS handshake.
    Connect,
    /// The head of its answer.
    FirstByte,
    /// The next part of its answer.
    Idle,
    /// All of it.
    Whole,
}

impl std::fmt::Display for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Connect => "no connection yet",
            Self::FirstByte => "no answer yet",
            Self::Idle => "its answer stood still",
            Self::Whole => "its answer never ended",
        })
    }
}
