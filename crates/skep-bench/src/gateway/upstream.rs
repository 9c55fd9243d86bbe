//! A provider that answers at once, and one whose streams take their time.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// The longest request.
const MOST: usize = 64 << 10;

/// Serves until it is dropped.
pub(super) struct Upstream {
    pub(super) address: SocketAddr,
    _serving: JoinSet<()>,
}

/// How a stream goes on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// Events of a stream.
    pub(super) events: usize,
    /// Between two of them.
    pub(super) pause: Duration,
}

impl Upstream {
    pub(super) async fn start(pace: Pace) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(async move {
                    let _ = serve(stream, pace).await;
                });
                while connections.try_join_next().is_some() {}
            }
        });
        Ok(Self {
            address,
            _serving: serving,
        })
    }
}

async fn serve(mut stream: TcpStream, pace: Pace) -> Result<()> {
    stream.set_nodelay(true)?;
    let whole = whole();
    let mut held = Vec::with_capacity(4 << 10);
    loop {
        let end = request(&mut stream, &mut held).await?;
        let is_stream = memchr::memmem::find(&held[..end], b"\"stream\":true").is_some();
        held.drain(..end);
        if is_stream {
            streamed(&mut stream, pace).await?;
        } else {
            stream.write_all(&whole).await?;
        }
    }
}

/// Reads until a request is whole, and says where it ends.
pub(super) async fn request(stream: &mut TcpStream, held: &mut Vec<u8>) -> Result<usize> {
    loop {
        if let Some(end) = end_of(held) {
            return Ok(end);
        }
        anyhow::ensure!(held.len() < MOST, "a message without an end");
        let read = stream.read_buf(held).await?;
        anyhow::ensure!(read > 0, "the other side left");
    }
}

/// Where a message with a length ends, if all of it is there.
pub(super) fn end_of(bytes: &[u8]) -> Option<usize> {
    let head = memchr::memmem::find(bytes, b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(&bytes[..head]).ok()?;
    let length = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse::<usize>().ok())?
    });
    let end = head + length.unwrap_or(0);
    (bytes.len() >= end).then_some(end)
}

fn whole() -> Vec<u8> {
    let body = serde_json::json!({
        "id": "chatcmpl-bench", "object": "chat.completion", "created": 1, "model": "bench",
        "choices": [{
            "index": 0, "finish_reason": "stop",
            "message": { "role": "assistant", "content": "All hands are on deck and the tide is with us. ".repeat(8) },
        }],
        "usage": { "prompt_tokens": 180, "completion_tokens": 90, "total_tokens": 270 },
    })
    .to_string();
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    (head + &body).into_bytes()
}

async fn streamed(stream: &mut TcpStream, pace: Pace) -> Result<()> {
    let head =
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).await?;
    let event = "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"the tide is with us \"}}]}\n\n";
    for at in 0..pace.events {
        if at > 0 {
            tokio::time::sleep(pace.pause).await;
        }
        chunk(stream, event).await?;
    }
    let last = "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":180,\"completion_tokens\":90,\"total_tokens\":270}}\n\ndata: [DONE]\n\n";
    chunk(stream, last).await?;
    stream
        .write_all(b"0\r\n\r\n")
        .await
        .context("the end of a stream")
}

async fn chunk(stream: &mut TcpStream, text: &str) -> Result<()> {
    let chunk = format!("{:x}\r\n{text}\r\n", text.len());
    Ok(stream.write_all(chunk.as_bytes()).await?)
}
