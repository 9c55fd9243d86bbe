//! Tunnels: `CONNECT`, what is spoken inside, and bytes that go through unread.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hyper::body::Incoming;
use hyper::header::HOST;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use skep_egress::{Host, Origin, Scheme};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf, split};
use tokio::time::timeout;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::rustls::server::Acceptor;

use crate::answer::Scrub;
use crate::body::{Answer, empty};
use crate::head;
use crate::lease::Leased;
use crate::origin::refused;
use crate::record::Record;
use crate::refusal::{Reason, Refusal};
use crate::socket::{Begun, Speaker, serve_http1, serve_http2};

/// What TLS begins with.
const HANDSHAKE: u8 = 0x16;
/// Bytes that are carried at a time.
const PART: usize = 16 << 10;

/// Answers `CONNECT`, and does what follows.
pub(crate) async fn connect(
    lease: &Arc<Leased>,
    record: &Arc<Record>,
    request: Request<Incoming>,
) -> Result<Response<Answer>, Refusal> {
    let origin = origin_of(&request)?;
    let is_ours = lease.has_rules_for(&origin.host, origin.port);
    if !is_ours && !lease.tunnels_to(&origin.host, origin.port) {
        return Err(no_rule(&origin));
    }
    let upgrade = hyper::upgrade::on(request);
    let (shared, record) = (Arc::clone(lease), Arc::clone(record));
    if is_ours {
        lease.tasks.spawn(async move {
            if let Ok(program) = upgrade.await {
                inside(&shared, &record, TokioIo::new(program), origin).await;
            }
        });
    } else {
        let wire = lease
            .egress
            .tunnel(&origin)
            .await
            .map_err(|error| refused(&error))?;
        record.tunnelled();
        lease.tasks.spawn(async move {
            if let Ok(program) = upgrade.await {
                let program = TokioIo::new(program);
                let ends = Ends {
                    program,
                    origin: wire,
                };
                ferry(ends, &shared, &record, None).await;
            }
        });
    }
    Ok(Response::new(empty()))
}

fn origin_of(request: &Request<Incoming>) -> Result<Origin, Refusal> {
    let malformed = || {
        Refusal::new(
            Reason::Malformed,
            "CONNECT is for one host and port, named once",
        )
    };
    let authority = request.uri().authority().ok_or_else(malformed)?;
    if authority.port_u16().is_none() {
        return Err(malformed());
    }
    let origin = head::origin_of(authority.as_str(), Scheme::Https).ok_or_else(malformed)?;
    // Some programs leave the port out there.
    let mut hosts = request.headers().get_all(HOST).iter();
    let fits = hosts.all(|host| {
        let host = host.to_str().ok();
        let named = host.and_then(|host| head::origin_of(host, Scheme::Https));
        named.is_some_and(|named| named.host == origin.host)
    });
    if fits { Ok(origin) } else { Err(malformed()) }
}

pub(crate) fn no_rule(origin: &Origin) -> Refusal {
    Refusal::new(
        Reason::Host,
        format!("no rule of this lease names {}", head::with_port(origin)),
    )
}

/// The program speaks TLS to us, or plain HTTP: some clients make a tunnel for that too.
async fn inside<T>(lease: &Arc<Leased>, record: &Arc<Record>, mut program: T, origin: Origin)
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    record.status(200);
    let mut first = [0];
    let read = timeout(lease.limits.head_time, program.read_exact(&mut first)).await;
    if !matches!(read, Ok(Ok(_))) {
        return;
    }
    let program = Begun::new(first[0], program);
    if first[0] == HANDSHAKE {
        if let Err(refusal) = over_tls(lease, program, origin).await {
            record.refused(refusal.reason);
        }
        return;
    }
    let origin = Origin {
        scheme: Scheme::Http,
        ..origin
    };
    serve_http1(lease, program, Speaker::to(origin)).await;
}

async fn over_tls<T>(lease: &Arc<Leased>, program: T, origin: Origin) -> Result<(), Refusal>
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let limit = lease.limits.head_time;
    let broken = || Refusal::new(Reason::BrokenOff, "its TLS handshake broke off");
    let begun = LazyConfigAcceptor::new(Acceptor::default(), program);
    let begun = timeout(limit, begun).await.map_err(|_| broken())?;
    let begun = begun.map_err(|_| broken())?;
    let named = begun
        .client_hello()
        .server_name()
        .map(str::to_ascii_lowercase);
    let fits = match (&named, &origin.host) {
        (None, _) => true,
        (Some(named), Host::Name(name)) => named == name,
        (Some(named), address @ Host::Address(_)) => *named == address.to_string(),
    };
    if !fits {
        return Err(Refusal::new(
            Reason::HostMismatch,
            "its TLS names another host than its tunnel",
        ));
    }
    let now = lease.clock.now();
    let config = lease.authority.config(&origin.host, now, &*lease.random);
    let config = config.map_err(|_| broken())?;
    let stream = timeout(limit, begun.into_stream(config))
        .await
        .map_err(|_| broken())?;
    let stream = stream.map_err(|_| broken())?;
    if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
        serve_http2(lease, stream, origin).await;
    } else {
        serve_http1(lease, stream, Speaker::to(origin)).await;
    }
    Ok(())
}

/// The two who speak through a tunnel.
pub(crate) struct Ends<P, O> {
    pub(crate) program: P,
    pub(crate) origin: O,
}

/// Carries bytes both ways until both have ended, one breaks off, or nothing moves for too long.
pub(crate) async fn ferry<P, O>(
    ends: Ends<P, O>,
    lease: &Leased,
    record: &Record,
    scrub: Option<Scrub>,
) where
    P: AsyncRead + AsyncWrite + Send,
    O: AsyncRead + AsyncWrite + Send,
{
    let moved = AtomicU64::new(0);
    let (from_program, to_program) = split(ends.program);
    let (from_origin, to_origin) = split(ends.origin);
    let out = Carrying {
        lease,
        moved: &moved,
        counter: &record.sent,
    };
    let back = Carrying {
        counter: &record.received,
        ..out
    };
    let ended = tokio::try_join!(
        out.carry(from_program, to_origin, None),
        back.carry(from_origin, to_program, scrub)
    );
    if let Err(reason) = ended {
        record.refused(reason);
    }
}

#[derive(Clone, Copy)]
struct Carrying<'a> {
    lease: &'a Leased,
    moved: &'a AtomicU64,
    counter: &'a AtomicU64,
}

impl Carrying<'_> {
    async fn carry<F, T>(
        self,
        mut from: ReadHalf<F>,
        mut to: WriteHalf<T>,
        mut scrub: Option<Scrub>,
    ) -> Result<(), Reason>
    where
        F: AsyncRead,
        T: AsyncWrite,
    {
        let mut part = vec![0; PART];
        loop {
            let length = self.read(&mut from, &mut part).await?;
            if length == 0 {
                break;
            }
            self.counter.fetch_add(length as u64, Ordering::Relaxed);
            self.moved.fetch_add(1, Ordering::Relaxed);
            if !self.lease.take_bytes(length) {
                return Err(Reason::Exhausted);
            }
            let written = match &mut scrub {
                Some(scrub) => self.write(&mut to, &scrub.feed(&part[..length])).await,
                None => self.write(&mut to, &part[..length]).await,
            };
            written?;
        }
        if let Some(scrub) = &mut scrub {
            self.write(&mut to, &scrub.end()).await?;
        }
        let _closed = to.shutdown().await;
        Ok(())
    }

    async fn read<F: AsyncRead>(
        self,
        from: &mut ReadHalf<F>,
        part: &mut [u8],
    ) -> Result<usize, Reason> {
        loop {
            let before = self.moved.load(Ordering::Relaxed);
            match timeout(self.lease.limits.idle_time, from.read(part)).await {
                Ok(read) => return read.map_err(|_| Reason::BrokenOff),
                // The other way may well be busy.
                Err(_) if self.moved.load(Ordering::Relaxed) != before => {}
                Err(_) => return Err(Reason::BrokenOff),
            }
        }
    }

    async fn write<T: AsyncWrite>(self, to: &mut WriteHalf<T>, bytes: &[u8]) -> Result<(), Reason> {
        let written = async {
            to.write_all(bytes).await?;
            to.flush().await
        };
        match timeout(self.lease.limits.idle_time, written).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(Reason::BrokenOff),
        }
    }
}
