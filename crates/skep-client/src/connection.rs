//! One keep-alive HTTP/1.1 connection to the daemon.

use std::fmt;
use std::io;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{AUTHORIZATION, HOST, HeaderMap, HeaderValue};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::endpoint::Credential;
use crate::origin::Origin;
use crate::{ClientError, Endpoint, tls};

/// Larger answers are refused while they arrive.
const ANSWER_MAX: usize = 64 << 20;
/// A local connection is made at once or not at all.
const CONNECT_PATIENCE: Duration = Duration::from_secs(2);
/// A name is looked up and a certificate checked before one to another machine stands.
const DISTANT_PATIENCE: Duration = Duration::from_secs(10);

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
        match endpoint {
            Endpoint::Unix(path) => within(CONNECT_PATIENCE, endpoint, Self::join(path)).await,
            Endpoint::Http { origin, .. } => Self::open_http(origin).await,
        }
    }

    /// A connection that nobody has introduced themselves on.
    pub(crate) async fn open_http(origin: &Origin) -> Result<Self, ClientError> {
        let patience = if origin.is_local() {
            CONNECT_PATIENCE
        } else {
            DISTANT_PATIENCE
        };
        within(patience, origin, Self::dial(origin)).await
    }

    async fn join(path: &Path) -> io::Result<Self> {
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

    async fn dial(origin: &Origin) -> io::Result<Self> {
        let stream = TcpStream::connect(origin.addresses().await?.as_slice()).await?;
        stream.set_nodelay(true)?;
        if origin.is_local() {
            Self::over(stream).await
        } else {
            Self::over(tls::secure(origin, stream).await?).await
        }
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
        let (head, body) = self.begin(request).await?.into_parts();
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

    /// The head of an answer, whose body is still to come.
    pub(crate) async fn begin(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, SendError> {
        if self.sender.ready().await.is_err() {
            return Err(SendError::Unsent(Box::new(request)));
        }
        match self.sender.try_send_request(request).await {
            Ok(response) => Ok(response),
            Err(mut error) => Err(match error.take_message() {
                Some(request) => SendError::Unsent(Box::new(request)),
                None => SendError::Broken(io::Error::other(error.into_error())),
            }),
        }
    }
}

async fn within(
    patience: Duration,
    end: &impl fmt::Display,
    opening: impl Future<Output = io::Result<Connection>>,
) -> Result<Connection, ClientError> {
    let late = || io::Error::from(io::ErrorKind::TimedOut);
    let opened = timeout(patience, opening).await;
    opened
        .unwrap_or_else(|_| Err(late()))
        .map_err(|source| ClientError::Unreachable {
            endpoint: end.to_string(),
            source,
        })
}

/// Adds what says whom we speak to and who we are, for one request.
pub(crate) fn introduce(
    endpoint: &Endpoint,
    method: &str,
    target: &str,
    headers: &mut HeaderMap,
) -> io::Result<()> {
    let (origin, credential) = match endpoint {
        Endpoint::Unix(_) => {
            headers.insert(HOST, HeaderValue::from_static("localhost"));
            return Ok(());
        }
        Endpoint::Http { origin, credential } => (origin, credential),
    };
    let host = HeaderValue::from_str(&origin.authority()).map_err(io::Error::other)?;
    headers.insert(HOST, host);
    match credential {
        Credential::Token(token) => {
            let mut value = HeaderValue::from_str(&token.header()).map_err(io::Error::other)?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
            Ok(())
        }
        Credential::Login(session) => session.introduce(method, target, headers),
    }
}
