//! Where the daemon is to be found, and what to show it.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use crate::Home;
use crate::origin::Origin;
use crate::session::Session;
use crate::token::Token;

/// A way to reach a daemon.
#[derive(Clone, Debug)]
pub enum Endpoint {
    /// A Unix socket; the daemon knows us by our user id.
    Unix(PathBuf),
    /// HTTP, as whoever the token or the login says.
    Http {
        /// Where.
        origin: Origin,
        /// Who.
        credential: Credential,
    },
}

/// What shows a daemon who we are.
#[derive(Clone, Debug)]
pub enum Credential {
    /// A token that is sent as it is.
    Token(Token),
    /// The login of `skep login`: an access token, and a proof with each request.
    Login(Arc<Session>),
}

impl Endpoint {
    /// The socket of a home.
    #[must_use]
    pub fn socket(home: &Home) -> Self {
        Self::Unix(home.socket())
    }

    /// This machine's daemon over TCP, with the token that the home keeps.
    ///
    /// # Errors
    /// [`EndpointError`] when the origin is on another machine, or the token file is not ours alone.
    pub fn install(home: &Home, origin: Origin) -> Result<Self, EndpointError> {
        if !origin.is_local() {
            return Err(EndpointError::NotLoopback(origin.to_string()));
        }
        let token = Token::read_install(&home.install_token())?;
        Ok(Self::key(origin, token))
    }

    /// A daemon anywhere, with a key or a personal access token.
    #[must_use]
    pub const fn key(origin: Origin, token: Token) -> Self {
        Self::Http {
            origin,
            credential: Credential::Token(token),
        }
    }

    /// Remembers what the next proof has to carry.
    pub(crate) fn note(&self, nonce: Option<&String>) {
        if let Self::Http {
            credential: Credential::Login(session),
            ..
        } = self
        {
            session.note(nonce);
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "{}", path.display()),
            Self::Http { origin, .. } => write!(f, "{origin}"),
        }
    }
}

/// Why there is no way to the daemon.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// Not a URL we take.
    #[error(
        "{0:?} is not a daemon's URL: expected something like https://skep.example.com or http://127.0.0.1:3850"
    )]
    Url(String),
    /// Not on this machine.
    #[error(
        "{0} is not a loopback address: what proves who you are goes to another machine over https:// alone, and the install token to none"
    )]
    NotLoopback(String),
    /// The token cannot be used.
    #[error("cannot use the token in {}: {problem}", path.display())]
    Token {
        /// Its file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
}

impl From<EndpointError> for io::Error {
    fn from(error: EndpointError) -> Self {
        Self::other(error)
    }
}
