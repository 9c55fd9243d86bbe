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
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut latencies = Vec::with_capacity(times);
    let mut held = Vec::with_capacity(8 << 10);
    for _ in 0..times {
        let begun = Measure::start();
        stream.write_all(&message).await?;
        let end = request(&mut stream, &mut held).await?;
        latencies.push(begun.wall());
        if !held.starts_with(b"HTTP/1.1 200") {
            bail!("{}", String::from_utf8_lossy(&held[..end]));
        }
        held.drain(..end);
    }
    Ok(latencies)
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
