//! A server that answers as a test says: HTTP/1.1 over a Unix socket or TCP, one thread a connection.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::Arc;
use std::thread;

/// What a client sent.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Received {
    /// The first header of this name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

/// What a client gets.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// A status and a JSON body; the connection stays open.
    Json(u16, String),
    /// Bytes as they are, then the connection closes.
    Raw(Vec<u8>),
    /// As `Json`, then the connection closes without a word about it.
    ThenHangUp(u16, String),
}

pub(crate) type Script = Arc<dyn Fn(&Received) -> Reply + Send + Sync>;

/// Serves on a socket until the process ends.
pub(crate) fn serve_unix(path: &Path, script: Script) {
    let listener = UnixListener::bind(path).unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let script = script.clone();
            let reader = stream.try_clone().unwrap();
            thread::spawn(move || converse(reader, stream, &script));
        }
    });
}

/// Serves on a free loopback port until the process ends.
pub(crate) fn serve_tcp(script: Script) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let script = script.clone();
            let reader = stream.try_clone().unwrap();
            thread::spawn(move || converse(reader, stream, &script));
        }
    });
    address
}

fn converse(reader: impl Read, mut writer: impl Write, script: &Script) {
    let mut reader = BufReader::new(reader);
    while let Some(received) = receive(&mut reader) {
        let (status, body, close) = match script(&received) {
            Reply::Json(status, body) => (status, body, false),
            Reply::ThenHangUp(status, body) => (status, body, true),
            Reply::Raw(bytes) => {
                // A client that stops listening is part of some tests.
                let _hung_up = writer.write_all(&bytes);
                return;
            }
        };
        let head = format!(
            "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        if writer.write_all(head.as_bytes()).is_err() || writer.write_all(body.as_bytes()).is_err()
        {
            return;
        }
        if close {
            return;
        }
    }
}

fn receive(reader: &mut impl BufRead) -> Option<Received> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        headers.push((name.to_owned(), value.to_owned()));
    }
    let mut received = Received {
        method,
        target,
        headers,
        body: Vec::new(),
    };
    let length: usize = received
        .header("content-length")
        .map_or(0, |text| text.parse().unwrap());
    received.body.resize(length, 0);
    reader.read_exact(&mut received.body).ok()?;
    Some(received)
}
