//! Requests byte by byte: what no well-behaved client would send.

use std::net::SocketAddr;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A request to send as it stands.
#[derive(Clone, Debug)]
pub struct Request {
    head: String,
    body: Vec<u8>,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The header block, names as sent.
    pub head: String,
    /// The body.
    pub body: Vec<u8>,
}

impl Request {
    /// A request with the headers that a well-behaved client sends.
    #[must_use]
    pub fn new(method: &str, path: &str) -> Self {
        Self {
            head: format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"),
            body: Vec::new(),
        }
    }

    /// A request whose first lines are the caller's business.
    #[must_use]
    pub fn verbatim(head: &str) -> Self {
        Self {
            head: head.to_owned(),
            body: Vec::new(),
        }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.head.push_str(&format!("{name}: {value}\r\n"));
        self
    }

    /// Adds a bearer token.
    #[must_use]
    pub fn bearer(self, token: &str) -> Self {
        self.header("Authorization", &format!("Bearer {token}"))
    }

    /// Adds a JSON body.
    #[must_use]
    pub fn json(self, body: &Value) -> Self {
        self.bytes(body.to_string().as_bytes())
    }

    /// Adds a body that claims to be JSON.
    #[must_use]
    pub fn bytes(mut self, body: &[u8]) -> Self {
        self.body = body.to_vec();
        let length = self.body.len().to_string();
        self.header("Content-Type", "application/json")
            .header("Content-Length", &length)
    }

    /// Adds a form.
    #[must_use]
    pub fn form(mut self, fields: &[(&str, &str)]) -> Self {
        let encoded: Vec<_> = fields
            .iter()
            .map(|(name, value)| format!("{name}={}", percent(value)))
            .collect();
        self.body = encoded.join("&").into_bytes();
        let length = self.body.len().to_string();
        self.header("Content-Type", "application/x-www-form-urlencoded")
            .header("Content-Length", &length)
    }

    /// Adds a body of another kind.
    #[must_use]
    pub fn body(mut self, kind: &str, body: &[u8]) -> Self {
        self.body = body.to_vec();
        let length = self.body.len().to_string();
        self.header("Content-Type", kind)
            .header("Content-Length", &length)
    }

    /// The same with another first line.
    #[must_use]
    pub fn at(&self, first_line: &str) -> Self {
        let (_, rest) = self.head.split_once("\r\n").unwrap_or_default();
        Self {
            head: format!("{first_line}\r\n{rest}"),
            body: self.body.clone(),
        }
    }

    /// Its method and path.
    #[must_use]
    pub fn first_line(&self) -> String {
        self.head.lines().next().unwrap_or_default().to_owned()
    }

    /// Sends it and reads until the other side closes.
    ///
    /// # Errors
    /// When the connection breaks before a status line came.
    pub async fn send(&self, address: SocketAddr) -> std::io::Result<Reply> {
        let mut stream = TcpStream::connect(address).await?;
        let (mut reader, mut writer) = stream.split();
        let request = [self.head.as_bytes(), b"\r\n", &self.body].concat();
        // A server that refuses early closes while we still write; its answer is what counts.
        let write = async { writer.write_all(&request).await.ok() };
        let mut bytes = Vec::new();
        let read = async { reader.read_to_end(&mut bytes).await };
        let (_, read) = tokio::join!(write, read);
        Reply::parse(&bytes).ok_or_else(|| {
            read.err()
                .unwrap_or_else(|| std::io::ErrorKind::InvalidData.into())
        })
    }
}

impl Reply {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let status = head.split(' ').nth(1)?.parse().ok()?;
        Some(Self {
            status,
            head,
            body: bytes[end + 4..].to_vec(),
        })
    }

    /// The body as JSON; `Null` if it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// The value of a header; empty if it is not there.
    #[must_use]
    pub fn header(&self, name: &str) -> String {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines
            .filter(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.to_owned())
            .next()
            .unwrap_or_default()
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The code in the envelope.
    #[must_use]
    pub fn code(&self) -> String {
        self.json()["error"]["code"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }
}

fn percent(value: &str) -> String {
    let mut out = String::new();
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
