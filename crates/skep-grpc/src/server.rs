//! Serving: HTTP/2 on each proved connection, everything bounded, until it is told to stop.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use skep_app::App;
use skep_limit::Limits;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tonic::Status;
use tonic::body::Body;
use tonic::server::NamedService;
use tower::ServiceExt;

use crate::gate::Gate;
use crate::listen::{Listener, Peer, Stream};
use crate::reflect::Reflection;
use crate::service::Service;
use crate::wire::auth_service_server::AuthServiceServer;

/// Connections at a time; more wait in the kernel's queue.
const CONNECTIONS: usize = 64;
/// Questions of one connection under way at a time.
const STREAMS: u32 = 256;
/// Bytes of a question.
const QUESTION: usize = 64 << 10;
/// Bytes of what goes before a question.
const HEADERS: u32 = 16 << 10;
/// Whoever is silent for this long is asked whether they are there.
const SILENCE: Duration = Duration::from_secs(20);

/// What is answered, and how.
#[derive(Debug)]
pub struct Answering {
    /// The use cases.
    pub app: Arc<App>,
    /// How questions are counted; not at all if absent.
    pub limits: Option<Limits>,
    /// Whether the credentials of the installation count for making and revoking keys.
    pub trusts_installation: bool,
    /// Whether the service describes itself to whoever may connect.
    pub reflection: bool,
}

/// The service at its listener.
pub struct Server {
    services: Services,
    slots: Arc<Semaphore>,
    connections: JoinSet<()>,
}

#[derive(Clone)]
struct Services {
    auth: AuthServiceServer<Service>,
    reflection: Option<Reflection>,
}

impl Server {
    /// A server that answers so.
    #[must_use]
    pub fn new(answering: Answering) -> Self {
        let gate = Gate {
            app: answering.app,
            limits: answering.limits.map(Arc::new),
            trusts: answering.trusts_installation,
        };
        let auth = AuthServiceServer::new(Service { gate }).max_decoding_message_size(QUESTION);
        Self {
            services: Services {
                auth,
                reflection: answering.reflection.then(Reflection::new),
            },
            slots: Arc::new(Semaphore::new(CONNECTIONS)),
            connections: JoinSet::new(),
        }
    }

    /// Serves as long as it is polled. Dropping it ends every connection.
    pub async fn run(mut self, listener: Listener) {
        loop {
            let Ok(slot) = Arc::clone(&self.slots).acquire_owned().await else {
                return;
            };
            tokio::select! {
                arrived = listener.accept() => match arrived {
                    Ok(Some(arrival)) => {
                        let services = self.services.clone();
                        self.connections.spawn(async move {
                            if let Some((stream, peer)) = arrival.prove().await {
                                serve(services, stream, peer).await;
                            }
                            drop(slot);
                        });
                    }
                    Ok(None) => {}
                    Err(error) => {
                        // Out of file descriptors, most likely: wait a moment instead of spinning.
                        tracing::warn!(%error, "accepting a connection failed");
                        tokio::time::sleep(Duration::from_millis(50)).await;
                    }
                },
                Some(_) = self.connections.join_next(), if !self.connections.is_empty() => {}
            }
        }
    }
}

async fn serve(services: Services, stream: Box<dyn Stream>, peer: Peer) {
    let answer = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
        let answer = AssertUnwindSafe(services.clone().answer(request)).catch_unwind();
        async move {
            // The panic hook has logged it; its text may hold content, so none of it goes out.
            let answer = answer.await;
            let broken = |_| Status::internal("Something went wrong here.").into_http();
            Ok::<_, Infallible>(answer.unwrap_or_else(broken))
        }
    });
    let served = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(HEADERS)
        .keep_alive_interval(SILENCE)
        .serve_connection(TokioIo::new(stream), answer)
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "a connection ended early");
    }
}

impl Services {
    async fn answer(self, request: Request<Incoming>) -> Response<Body> {
        let path = request.uri().path();
        let named = path.strip_prefix('/').and_then(|path| path.split_once('/'));
        let name = named.map_or("", |(service, _)| service);
        if name == AuthServiceServer::<Service>::NAME {
            return match self.auth.oneshot(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            };
        }
        if let Some(reflection) = self.reflection
            && Reflection::is(name)
        {
            return reflection.answer(request).await;
        }
        Status::unimplemented("There is no such service.").into_http()
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").finish_non_exhaustive()
    }
}
