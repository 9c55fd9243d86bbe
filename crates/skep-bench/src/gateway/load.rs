//! Callers that ask again as soon as they are answered.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::upstream::request;
use crate::measure::Measure;

/// What a round came to.
pub(super) struct Round {
    pub(super) latencies: Vec<Duration>,
    pub(super) wall: Duration,
}

/// Asks so often, over so many connections that are kept.
pub(super) async fn ask(
    address: SocketAddr,
    message: &Arc<[u8]>,
    (connections, times): (usize, usize),
) -> Result<Round> {
    let mut callers = JoinSet::new();
    let each = times.div_ceil(connections);
    let begun = Measure::start();
    for _ in 0..connections {
        let message = Arc::clone(message);
        callers.spawn(caller(address, message, each));
    }
    let mut latencies = Vec::with_capacity(times);
    while let Some(caller) = callers.join_next().await {
        latencies.extend(caller??);
    }
    Ok(Round {
        latencies,
        wall: begun.wall(),
    })
}

async fn caller(address: SocketAddr, message: Arc<[u8]>, times: usize) -> Result<Vec<Duration>> {
    let mut caller = Caller::connect(address).await?;
    let mut latencies = Vec::with_capacity(times);
    for _ in 0..times {
        latencies.push(caller.call(&message).await?.0);
    }
    Ok(latencies)
}

/// Whoever calls over a connection that is kept.
pub(super) struct Caller {
    stream: TcpStream,
    held: Vec<u8>,
}

impl Caller {
    pub(super) async fn connect(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let held = Vec::with_capacity(8 << 10);
        Ok(Self { stream, held })
    }

    /// How long a call took, and what came back.
    pub(super) async fn call(&mut self, message: &[u8]) -> Result<(Duration, &[u8])> {
        self.held.clear();
        let begun = Measure::start();
        self.stream.write_all(message).await?;
        let end = request(&mut self.stream, &mut self.held).await?;
        let took = begun.wall();
        if !self.held.starts_with(b"HTTP/1.1 200") {
            bail!("{}", String::from_utf8_lossy(&self.held[..end]));
        }
        ensure!(self.held.len() == end, "more than what was asked for");
        Ok((took, &self.held))
    }
}

/// A stream that has begun.
pub(super) struct Listening(TcpStream);

/// Opens a stream and reads its first event.
pub(super) async fn listen(address: SocketAddr, message: &[u8]) -> Result<Listening> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(message).await?;
    let mut held = Vec::with_capacity(1 << 10);
    while memchr::memmem::find(&held, b"data: ").is_none() {
        ensure!(
            stream.read_buf(&mut held).await? > 0,
            "a stream that broke off"
        );
    }
    ensure!(
        held.starts_with(b"HTTP/1.1 200"),
        "{}",
        String::from_utf8_lossy(&held)
    );
    Ok(Listening(stream))
}

impl Listening {
    /// Reads it to its end.
    pub(super) async fn end(mut self) -> Result<()> {
        let mut held = Vec::new();
        let mut last = Vec::new();
        loop {
            held.clear();
            ensure!(
                self.0.read_buf(&mut held).await? > 0,
                "a stream that broke off"
            );
            last.extend_from_slice(&held);
            if memchr::memmem::find(&last, b"[DONE]").is_some() {
                return Ok(());
            }
            let from = last.len().saturating_sub(16);
            last.drain(..from);
        }
    }
}
