//! Listeners: accept, ask the kernel who it is, guard, route, and stop gracefully.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Request};
use axum::response::Response;
use futures_util::FutureExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use skep_domain::Limits;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tower::ServiceExt;
use tracing::Instrument;

use crate::dialect::{self, Dialect};
use crate::error::ApiError;
use crate::mount::Edge;
use crate::peer::Peer;
use crate::request_id::{HEADER, RequestId};
use crate::{guard, router};

/// Where to listen.
#[derive(Debug)]
pub struct Listeners {
    /// The Unix socket.
    pub socket: UnixListener,
    /// Loopback TCP, if wanted.
    pub tcp: Option<TcpListener>,
}

/// A server that runs until it is told to stop.
pub struct Serving {
    edge: Arc<Edge>,
    router: Router,
    slots: Arc<Semaphore>,
    graceful: GracefulShutdown,
    connections: JoinSet<()>,
}

/// Connections served at a time; more wait in the kernel's queue.
const CONNECTIONS: usize = 512;
/// How long requests in flight may take to end after a stop.
const GRACE: Duration = Duration::from_secs(10);

impl Serving {
    /// A server for this edge.
    #[must_use]
    pub fn new(edge: Arc<Edge>) -> Self {
        let router = router(&edge);
        let slots = Arc::new(Semaphore::new(CONNECTIONS));
        Self {
            edge,
            router,
            slots,
            graceful: GracefulShutdown::new(),
            connections: JoinSet::new(),
        }
    }

    /// Serves until `stop` is done, then lets requests in flight end.
    pub async fn run(mut self, listeners: Listeners, stop: impl Future<Output = ()>) {
        let port = listeners
            .tcp
            .as_ref()
            .and_then(|tcp| tcp.local_addr().ok())
            .map(|address| address.port());
        tokio::pin!(stop);
        loop {
            // However many are there, a stop is heard.
            let slot = tokio::select! {
                () = &mut stop => break,
                slot = Arc::clone(&self.slots).acquire_owned() => slot,
            };
            let Ok(slot) = slot else { return };
            tokio::select! {
                () = &mut stop => break,
                accepted = listeners.socket.accept() => match accepted {
                    Ok((stream, _)) => match stream.peer_cred() {
                        Ok(peer) => self.serve(stream, Peer::Socket { uid: peer.uid() }, None, slot),
                        Err(error) => tracing::warn!(%error, "a socket peer without credentials was turned away"),
                    },
                    Err(error) => pause(&error).await,
                },
                accepted = accept(listeners.tcp.as_ref()) => match accepted {
                    Ok((stream, address)) => self.serve(stream, Peer::Tcp(address), port, slot),
                    Err(error) => pause(&error).await,
                },
                Some(_) = self.connections.join_next(), if !self.connections.is_empty() => {}
            }
        }
        drop(listeners);
        if tokio::time::timeout(GRACE, self.graceful.shutdown())
            .await
            .is_err()
        {
            tracing::warn!("requests still in flight after the grace period were cut off");
        }
        self.connections.shutdown().await;
    }

    fn serve<S>(&mut self, stream: S, peer: Peer, port: Option<u16>, slot: OwnedSemaphorePermit)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let (edge, router) = (Arc::clone(&self.edge), self.router.clone());
        let service = service_fn(move |request| {
            answer(Arc::clone(&edge), router.clone(), peer, port, request)
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(Duration::from_secs(Limits::HEADER_READ_SECONDS))
            .max_header_size(Limits::HEADERS)
            .serve_connection(TokioIo::new(stream), service);
        let watched = self.graceful.watch(connection);
        self.connections.spawn(async move {
            if let Err(error) = watched.await {
                tracing::debug!(%error, "a connection ended early");
            }
            drop(slot);
        });
    }
}

/// A listener that is not there accepts nobody.
async fn accept(tcp: Option<&TcpListener>) -> std::io::Result<(tokio::net::TcpStream, SocketAddr)> {
    match tcp {
        Some(tcp) => tcp.accept().await,
        None => std::future::pending().await,
    }
}

/// Out of file descriptors, most likely: wait a moment instead of spinning.
async fn pause(error: &std::io::Error) {
    tracing::warn!(%error, "accepting a connection failed");
    tokio::time::sleep(Duration::from_millis(50)).await;
}

/// One request: id, guard, router; a panic is a 500 with the id.
async fn answer(
    edge: Arc<Edge>,
    router: Router,
    peer: Peer,
    port: Option<u16>,
    request: Request<Incoming>,
) -> Result<Response, Infallible> {
    let mut request = request.map(Body::new);
    let id = RequestId::of(request.headers(), &edge.app);
    let span = tracing::info_span!("request", id = %id.0, method = %request.method());
    let trust = edge.site.mode.trust(Some(&peer), request.headers());
    let dialect = dialect::of(request.uri().path(), request.headers());
    let verdict = guard::check(trust, request.headers(), request.uri(), port);
    let mut response = if let Err(refused) = verdict {
        refused.respond_in(dialect, &id)
    } else {
        request.extensions_mut().insert(id.clone());
        request.extensions_mut().insert(peer);
        request.extensions_mut().insert(trust);
        match AssertUnwindSafe(router.oneshot(request))
            .catch_unwind()
            .instrument(span)
            .await
        {
            Ok(Ok(response)) => response,
            Ok(Err(never)) => match never {},
            // The panic hook has logged it; its text may hold content, so none of it goes out.
            Err(_) => ApiError::internal().respond_in(dialect, &id),
        }
    };
    response
        .headers_mut()
        .insert(HeaderName::from_static(HEADER), id.header());
    if dialect == Some(Dialect::Anthropic) {
        // Its clients know the same by this name.
        response.headers_mut().insert("request-id", id.header());
    }
    response.headers_mut().insert(
        "x-content-type-options",
        HeaderValue::from_static("nosniff"),
    );
    Ok(response)
}

impl std::fmt::Debug for Serving {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Serving")
            .field("edge", &self.edge)
            .finish_non_exhaustive()
    }
}
