//! One keep-alive HTTP/1.1 connection to the daemon.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{AUTHORIZATION, HOST, HeaderValue};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::{ClientError, Endpoint};

/// Larger answers are refused while they arrive.
const ANSWER_MAX: usize = 64 << 20;
/// A local connection is made at once or not at all.
const CONNECT_PATIENCE: Duration = Duration::from_secs(2);

/// An answer, whole.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Bytes,
    /// What the next proof has to carry.
    pub(crate) nonce: Option<String>,
}

/// A request that failed, and whether the daemon may have seen it.
pub(crate) enum SendError {
    /// It never left: safe to send again on a fresh connection.
    Unsent(Box<Request<Full<Bytes>>>),
    /// It may have arrived.
    Broken(io::Error),
    /// The answer is larger than we take.
    TooLarge,
}

/// The connection and the task that drives it, which ends with it.
pub(crate) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    _driver: JoinSet<()>,
}

impl Connection {
    pub(crate) async fn open(endpoint: &Endpoint) -> Result<Self, ClientError> {
        let opened = timeout(CONNECT_PATIENCE, Self::open_patiently(endpoint)).await;
        let late = || io::Error::from(io::ErrorKind::TimedOut);
        opened
            .unwrap_or_else(|_| Err(late()))
            .map_err(|source| ClientError::Unreachable {
                endpoint: endpoint.to_string(),
                source,
            })
    }

    async fn open_patiently(endpoint: &Endpoint) -> io::Result<Self> {
        match endpoint {
            Endpoint::Unix(path) => {
                let stream = UnixStream::connect(path).await?;
                // Whoever could put a socket here could read what we send.
                let peer = stream.peer_cred()?.uid();
                let ours = rustix::process::geteuid().as_raw();
                if peer != ours {
                    let problem = format!("the socket is served by user {peer}, not by you");
                    return Err(io::Error::new(io::ErrorKind::PermissionDenied, problem));
                }
                Self::over(stream).await
            }
            Endpoint::Tcp { address, .. } | Endpoint::Login { address, .. } => {
                Self::dial(*address).await
            }
        }
    }

    /// A connection that nobody has introduced themselves on.
    pub(crate) async fn open_address(address: SocketAddr) -> Result<Self, ClientError> {
        let opened = timeout(CONNECT_PATIENCE, Self::dial(address)).await;
        let late = || io::Error::from(io::ErrorKind::TimedOut);
        opened
            .unwrap_or_else(|_| Err(late()))
            .map_err(|source| ClientError::Unreachable {
                endpoint: format!("http://{address}"),
                source,
            })
    }

    async fn dial(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Self::over(stream).await
    }

    async fn over<S>(stream: S) -> io::Result<Self>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let (sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(io::Error::other)?;
        let mut driver = JoinSet::new();
        driver.spawn(async move {
            // Its errors reach the request that was under way.
            let _ended = connection.await;
        });
        Ok(Self {
            sender,
            _driver: driver,
        })
    }

    pub(crate) async fn send(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> Result<Answer, SendError> {
        if self.sender.ready().await.is_err() {
            return Err(SendError::Unsent(Box::new(request)));
        }
        let response = match self.sender.try_send_request(request).await {
            Ok(response) => response,
            Err(mut error) => {
                return Err(match error.take_message() {
                    Some(request) => SendError::Unsent(Box::new(request)),
                    None => SendError::Broken(io::Error::other(error.into_error())),
                });
            }
        };
        let (head, body) = response.into_parts();
        match Limited::new(body, ANSWER_MAX).collect().await {
            Ok(body) => Ok(Answer {
                nonce: head
                    .headers
                    .get("dpop-nonce")
                    .and_then(|nonce| nonce.to_str().ok())
                    .map(str::to_owned),
                status: head.status,
                body: body.to_bytes(),
            }),
            Err(error) if error.is::<http_body_util::LengthLimitError>() => {
                Err(SendError::TooLarge)
            }
            Err(error) => Err(SendError::Broken(io::Error::other(error))),
        }
    }
}

/// Adds what says whom we speak to and who we are.
pub(crate) fn introduce(
    endpoint: &Endpoint,
    headers: &mut hyper::HeaderMap,
) -> Result<(), ClientError> {
    let unusable = |_| ClientError::Protocol {
        endpoint: endpoint.to_string(),
        problem: "its address or token does not fit a header".into(),
    };
    match endpoint {
        Endpoint::Unix(_) => {
            headers.insert(HOST, HeaderValue::from_static("localhost"));
        }
        Endpoint::Tcp { address, token } => {
            let host = HeaderValue::from_str(&address.to_string()).map_err(unusable)?;
            let mut credential = HeaderValue::from_str(&token.header()).map_err(unusable)?;
            credential.set_sensitive(true);
            headers.insert(HOST, host);
            headers.insert(AUTHORIZATION, credential);
        }
        Endpoint::Login { address, .. } => {
            let host = HeaderValue::from_str(&address.to_string()).map_err(unusable)?;
            headers.insert(HOST, host);
        }
    }
    Ok(())
}
