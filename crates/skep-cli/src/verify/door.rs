//! The doors of a lease: raw requests through them, as any program could send.

use std::io;
use std::time::Duration;

use base64ct::{Base64, Encoding as _};
use skep_api::lease::BegunLease;
use skep_client::secure_with;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::failure::Failure;

/// Until something is heard: an answer on this machine comes at once, or not at all.
const PATIENCE: Duration = Duration::from_secs(10);
/// After what was heard last: not every door is shut behind an answer.
const MORE: Duration = Duration::from_secs(1);
/// An answer is read that far.
const MOST: u64 = 1 << 20;

/// Which way a request goes.
#[derive(Clone, Copy)]
pub(super) enum Way {
    /// To the base URL: no TLS, no certificate.
    Base,
    /// Through a tunnel to this host and port, with TLS to this name.
    Tunnel(&'static str, &'static str),
    /// To the proxy itself, in clear.
    Clear,
}

/// What a lease gives to a program.
pub(super) struct Doors {
    address: String,
    credential: String,
    base: String,
    certificates: String,
}

impl Doors {
    pub(super) fn of(begun: &BegunLease) -> Result<Self, Failure> {
        let odd = || {
            Failure::new(
                "PROTOCOL",
                "the daemon's lease has no proxy, or none that can be used",
            )
        };
        let proxy = begun
            .proxy
            .expose()
            .strip_prefix("http://")
            .ok_or_else(odd)?;
        let (login, address) = proxy
            .trim_end_matches('/')
            .split_once('@')
            .ok_or_else(odd)?;
        let base = begun.bases.first().ok_or_else(odd)?.url.expose();
        let base = base
            .strip_prefix("http://")
            .and_then(|rest| rest.split_once('/'));
        let (_, base) = base.ok_or_else(odd)?;
        let certificates = begun.certificates.as_deref().ok_or_else(odd)?;
        Ok(Self {
            address: address.to_owned(),
            credential: Base64::encode_string(login.as_bytes()),
            base: base.trim_end_matches('/').to_owned(),
            certificates: certificates.to_owned(),
        })
    }

    /// What comes back for a request whose `{address}`, `{base}` and `{login}` are those of this lease. A door
    /// that is shut gives nothing.
    pub(super) async fn say(&self, way: Way, request: &str) -> Vec<u8> {
        let request = request
            .replace("{address}", &self.address)
            .replace("{base}", &self.base)
            .replace("{login}", &self.credential);
        let mut heard = Vec::new();
        let _as_far_as_it_went =
            timeout(PATIENCE, self.said(way, request.as_bytes(), &mut heard)).await;
        heard
    }

    async fn said(&self, way: Way, request: &[u8], heard: &mut Vec<u8>) -> io::Result<()> {
        let mut stream = TcpStream::connect(&self.address).await?;
        let Way::Tunnel(to, name) = way else {
            return exchange(stream, request, heard).await;
        };
        let connect = format!(
            "CONNECT {to} HTTP/1.1\r\nHost: {to}\r\nProxy-Authorization: Basic {}\r\n\r\n",
            self.credential
        );
        stream.write_all(connect.as_bytes()).await?;
        // Byte by byte: what comes after the head belongs to the tunnel.
        while !heard.ends_with(b"\r\n\r\n") && heard.len() < 4_096 {
            heard.push(timeout(PATIENCE, stream.read_u8()).await??);
        }
        if !heard.starts_with(b"HTTP/1.1 200") {
            return listen(stream, heard).await;
        }
        heard.clear();
        let connect = secure_with(&self.certificates, name, stream);
        let secured = timeout(PATIENCE, connect).await??;
        exchange(secured, request, heard).await
    }
}

async fn exchange<S>(mut stream: S, request: &[u8], heard: &mut Vec<u8>) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    stream.write_all(request).await?;
    listen(stream, heard).await
}

/// To its end, or until nothing more comes.
async fn listen<S: AsyncRead + Unpin>(stream: S, heard: &mut Vec<u8>) -> io::Result<()> {
    let mut stream = stream.take(MOST);
    loop {
        let patience = if heard.is_empty() { PATIENCE } else { MORE };
        if timeout(patience, stream.read_buf(heard)).await?? == 0 {
            return Ok(());
        }
    }
}
