//! Where questions arrive: a Unix socket of one user, or TCP behind TLS that demands a certificate.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::tls::{self, TlsError, TlsFiles};

/// How long proving oneself may take.
const HANDSHAKE: Duration = Duration::from_secs(5);

/// Where questions arrive.
pub enum Listener {
    /// Processes of this user, as the kernel reports it, and nobody else.
    Unix(UnixListener, u32),
    /// Whoever has a certificate of our authority.
    Tls(TcpListener, TlsAcceptor),
}

/// The other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    Local { uid: u32 },
    Remote(SocketAddr),
}

/// A connection whose other end is proved.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// A connection whose other end may have to be proved.
pub(crate) enum Arrival {
    Proved(Box<dyn Stream>, Peer),
    Unproved(tokio::net::TcpStream, SocketAddr, TlsAcceptor),
}

impl Listener {
    /// Behind TLS 1.3, for clients with a certificate of the authority in `files`.
    ///
    /// # Errors
    /// [`TlsError`].
    pub fn tls(listener: TcpListener, files: &TlsFiles) -> Result<Self, TlsError> {
        Ok(Self::Tls(listener, tls::acceptor(files)?))
    }

    /// Waits for somebody who may ask; `None` for somebody who may not.
    pub(crate) async fn accept(&self) -> std::io::Result<Option<Arrival>> {
        match self {
            Self::Unix(listener, own) => {
                let (stream, _) = listener.accept().await?;
                let uid = stream.peer_cred()?.uid();
                if uid != *own {
                    tracing::warn!(uid, "a process of another user was turned away");
                    return Ok(None);
                }
                Ok(Some(Arrival::Proved(Box::new(stream), Peer::Local { uid })))
            }
            Self::Tls(listener, acceptor) => {
                let (stream, address) = listener.accept().await?;
                Ok(Some(Arrival::Unproved(stream, address, acceptor.clone())))
            }
        }
    }
}

impl Arrival {
    /// Lets the other end prove itself; `None` when it does not, in time.
    pub(crate) async fn prove(self) -> Option<(Box<dyn Stream>, Peer)> {
        match self {
            Self::Proved(stream, peer) => Some((stream, peer)),
            Self::Unproved(stream, address, acceptor) => {
                match timeout(HANDSHAKE, acceptor.accept(stream)).await {
                    Ok(Ok(stream)) => Some((Box::new(stream), Peer::Remote(address))),
                    Ok(Err(error)) => {
                        tracing::warn!(%address, %error, "a connection without a good certificate was turned away");
                        None
                    }
                    Err(_) => None,
                }
            }
        }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local { uid } => write!(f, "uid {uid}"),
            Self::Remote(address) => address.ip().fmt(f),
        }
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(listener, _) => f.debug_tuple("Unix").field(listener).finish(),
            Self::Tls(listener, _) => f.debug_tuple("Tls").field(listener).finish(),
        }
    }
}
