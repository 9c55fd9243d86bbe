//! Listeners and connections of a lease.

use std::convert::Infallible;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use skep_egress::Origin;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, UnixListener};
use tokio::time::sleep;

use crate::front;
use crate::guest::Guest;
use crate::lease::Leased;
use crate::origin::Way;
use crate::tasks::Spawner;

/// Between two tries to accept, when the system is out of descriptors.
const PAUSE: Duration = Duration::from_millis(100);
/// Between two questions whether a connection of HTTP/2 is still there.
const PING: Duration = Duration::from_secs(30);

/// Whose requests a connection has.
#[derive(Clone)]
pub(crate) enum Speaker {
    /// A program inside a tunnel, which has shown its password when it made that.
    Inside(Arc<Way>),
    /// Somebody who speaks to the proxy itself.
    Outside(Arc<Guest>),
}

impl Speaker {
    pub(crate) fn to(origin: Origin) -> Self {
        Self::Inside(Arc::new(Way::to(origin)))
    }
}

/// A new socket for its owner alone.
pub(crate) fn bind_unix(path: &Path) -> io::Result<UnixListener> {
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

pub(crate) fn serve_tcp(lease: &Arc<Leased>, listener: TcpListener) {
    let shared = Arc::clone(lease);
    lease.tasks.spawn(async move {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    let _slower = stream.set_nodelay(true);
                    accepted(&shared, stream);
                }
                Err(_) => sleep(PAUSE).await,
            }
        }
    });
}

pub(crate) fn serve_unix(lease: &Arc<Leased>, listener: UnixListener) {
    let shared = Arc::clone(lease);
    lease.tasks.spawn(async move {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => accepted(&shared, stream),
                Err(_) => sleep(PAUSE).await,
            }
        }
    });
}

/// A stranger has a place of the lease when it has shown that it knows it, and goes if it does not.
fn accepted<T>(lease: &Arc<Leased>, stream: T)
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let guest = Arc::new(Guest::default());
    for strangers in &lease.strangers {
        strangers.take_in(&guest);
    }
    let stream = Counted {
        stream,
        _guest: Arc::clone(&guest),
    };
    let shared = Arc::clone(lease);
    lease.tasks.spawn(async move {
        tokio::select! {
            () = serve_http1(&shared, stream, Speaker::Outside(Arc::clone(&guest))) => {}
            () = guest.overstays(shared.limits.stranger_time) => {}
        }
    });
}

/// A connection of HTTP/1.1: to the proxy, or inside a tunnel to an origin.
///
/// Boxed, since what is served on it may be a tunnel in which the same is served again.
pub(crate) fn serve_http1<'a, T>(
    lease: &'a Arc<Leased>,
    stream: T,
    speaker: Speaker,
) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>>
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    Box::pin(async move {
        let service = service_fn(|request| {
            let (lease, speaker) = (Arc::clone(lease), speaker.clone());
            async move {
                Ok::<_, Infallible>(match speaker {
                    Speaker::Inside(way) => front::inside(&lease, &way, request).await,
                    Speaker::Outside(guest) => front::proxied(&lease, &guest, request).await,
                })
            }
        });
        let limits = &lease.limits;
        let _ended = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.head_time)
            .max_buf_size(limits.head.max(8 << 10))
            .max_headers(limits.headers)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades()
            .await;
    })
}

/// A connection of HTTP/2, inside a tunnel to an origin.
pub(crate) async fn serve_http2<T>(lease: &Arc<Leased>, stream: T, origin: Origin)
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let way = Arc::new(Way::to(origin));
    let service = service_fn(|request| {
        let (lease, way) = (Arc::clone(lease), Arc::clone(&way));
        async move { Ok::<_, Infallible>(front::inside(&lease, &way, request).await) }
    });
    let limits = &lease.limits;
    let _ended = http2::Builder::new(Spawner(Arc::clone(&lease.tasks)))
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.streams)
        .max_header_list_size(u32::try_from(limits.head).unwrap_or(u32::MAX))
        .keep_alive_interval(PING)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

/// A connection that counts for as long as anybody has it, as a tunnel too.
struct Counted<T> {
    stream: T,
    _guest: Arc<Guest>,
}

/// A connection whose first byte was read already.
pub(crate) struct Begun<T> {
    first: Option<u8>,
    stream: T,
}

impl<T> Begun<T> {
    pub(crate) fn new(first: u8, stream: T) -> Self {
        Self {
            first: Some(first),
            stream,
        }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Begun<T> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if buffer.remaining() > 0
            && let Some(first) = this.first.take()
        {
            buffer.put_slice(&[first]);
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut this.stream).poll_read(context, buffer)
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Counted<T> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(context, buffer)
    }
}

/// Writing, which neither of them has a part in.
macro_rules! writes_as_its_stream {
    ($name:ident) => {
        impl<T: AsyncWrite + Unpin> AsyncWrite for $name<T> {
            fn poll_write(
                self: Pin<&mut Self>,
                context: &mut Context<'_>,
                bytes: &[u8],
            ) -> Poll<io::Result<usize>> {
                Pin::new(&mut self.get_mut().stream).poll_write(context, bytes)
            }

            fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
                Pin::new(&mut self.get_mut().stream).poll_flush(context)
            }

            fn poll_shutdown(
                self: Pin<&mut Self>,
                context: &mut Context<'_>,
            ) -> Poll<io::Result<()>> {
                Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
            }
        }
    };
}

writes_as_its_stream!(Begun);
writes_as_its_stream!(Counted);
