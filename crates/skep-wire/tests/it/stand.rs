//! All that a test needs: an origin, a way to it over public addresses, a vault, a lease.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use skep_crypto::{Plain, SystemRandom};
use skep_domain::{Clock, Timestamp};
use skep_wire::{
    Asked, Authority, Base, Environment, Event, Lease, Limits, Others, Outcome, Reason, Rule,
    Secrets, Sink, Terms, Why, Wire, Withheld,
};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::network::{Network, out};
use crate::origin::Origin;
use crate::values::{PLAIN, VALUE};

pub(crate) const KEY: &str = "__skep_key__";
pub(crate) const OTHER: &str = "__skep_other__";

pub(crate) struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "certificates hold at the time of the clients"
    )]
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        Timestamp::from_micros(since.unwrap().as_micros() as i64)
    }
}

/// Gives values, and remembers what it was asked.
#[derive(Default)]
pub(crate) struct Vault {
    pub(crate) values: Mutex<BTreeMap<String, String>>,
    pub(crate) asked: Mutex<Vec<(String, Why, String)>>,
    pub(crate) refuses: Mutex<Option<Withheld>>,
}

#[async_trait]
impl Secrets for Vault {
    async fn value(&self, asked: &Asked<'_>) -> Result<Plain<String>, Withheld> {
        let row = (asked.secret.to_owned(), asked.why, asked.host.to_owned());
        self.asked.lock().unwrap().push(row);
        if let Some(refused) = self.refuses.lock().unwrap().clone() {
            return Err(refused);
        }
        let values = self.values.lock().unwrap();
        let value = values.get(asked.secret).ok_or(Withheld::Unavailable)?;
        Ok(Plain::new(value.clone()))
    }
}

impl Vault {
    /// The hosts that values were given for to be sent.
    pub(crate) fn sent_to(&self) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        let sent = asked.iter().filter(|(_, why, _)| *why == Why::Send);
        sent.map(|(secret, _, host)| format!("{secret} to {host}"))
            .collect()
    }
}

#[derive(Default)]
pub(crate) struct Events(pub(crate) Mutex<Vec<Event>>, Notify);

impl Sink for Events {
    fn record(&self, event: Event) {
        self.0.lock().unwrap().push(event);
        self.1.notify_one();
    }
}

impl Events {
    /// Once there are so many. That of a tunnel comes when it has closed.
    pub(crate) async fn all(&self, count: usize) -> Vec<Event> {
        loop {
            let events = self.0.lock().unwrap().clone();
            if events.len() >= count {
                return events;
            }
            let more = tokio::time::timeout(Duration::from_secs(20), self.1.notified()).await;
            assert!(more.is_ok(), "only these: {events:?}");
        }
    }

    pub(crate) fn refused(&self) -> Vec<Reason> {
        let events = self.0.lock().unwrap();
        let reasons = events.iter().filter_map(|event| match event.outcome {
            Outcome::Refused(reason) => Some(reason),
            _ => None,
        });
        reasons.collect()
    }
}

pub(crate) struct Stand {
    pub(crate) origin: Origin,
    pub(crate) network: Arc<Network>,
    pub(crate) vault: Arc<Vault>,
    pub(crate) events: Arc<Events>,
    pub(crate) wire: Wire,
    pub(crate) lease: Lease,
    pub(crate) folder: TempDir,
}

/// The rules of most tests: one secret to `api.test`, in two headers, and another one elsewhere.
pub(crate) fn rules() -> Vec<Rule> {
    let key = Rule::new("key", &["api.test", "*.wild.test"]).unwrap();
    let other = Rule::new("other", &["other.test"]).unwrap();
    vec![
        key.headers(&["authorization", "x-api-key"]).unwrap(),
        other.headers(&["authorization"]).unwrap(),
    ]
}

pub(crate) fn terms(rules: Vec<Rule>) -> Terms {
    let base = Base::new(
        "api",
        "https://api.test",
        "authorization",
        "Bearer __skep_key__",
    );
    Terms::new("lease", rules, Duration::from_mins(5)).base(base.unwrap())
}

impl Stand {
    pub(crate) async fn new() -> Self {
        Self::with(terms(rules()), Limits::default()).await
    }

    pub(crate) async fn with_rules(rules: Vec<Rule>) -> Self {
        Self::with(
            Terms::new("lease", rules, Duration::from_mins(5)),
            Limits::default(),
        )
        .await
    }

    pub(crate) async fn with(terms: Terms, limits: Limits) -> Self {
        let origin = Origin::start().await;
        let (network, egress) = out(&origin);
        let authority = Authority::generate(SystemClock.now()).unwrap();
        let random = Arc::new(SystemRandom);
        let wire = Wire::new(
            Arc::new(egress),
            authority,
            Arc::new(SystemClock),
            random,
            limits,
        );
        let vault = Arc::new(Vault::default());
        for (secret, value) in [("key", VALUE), ("other", PLAIN)] {
            vault
                .values
                .lock()
                .unwrap()
                .insert(secret.into(), value.into());
        }
        let events = Arc::new(Events::default());
        let lease = wire
            .lease(terms, vault.clone(), events.clone())
            .await
            .unwrap();
        let folder = TempDir::new().unwrap();
        wire.write_bundle(&folder.path().join("bundle.pem"), &[])
            .unwrap();
        Self {
            origin,
            network,
            vault,
            events,
            wire,
            lease,
            folder,
        }
    }

    pub(crate) async fn with_others(others: Others) -> Self {
        Self::with(terms(rules()).others(others), Limits::default()).await
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.lease.address().unwrap()
    }

    pub(crate) fn environment(&self) -> Vec<(&'static str, String)> {
        let bundle = self.folder.path().join("bundle.pem");
        Environment::new(self.address(), &bundle).of(&self.lease)
    }

    /// `Proxy-Authorization`, as a client makes it of the URL.
    pub(crate) fn password(&self) -> String {
        use base64ct::Encoding;
        let url = self.lease.proxy_url(self.address());
        let credentials = url
            .strip_prefix("http://")
            .unwrap()
            .split('@')
            .next()
            .unwrap();
        format!(
            "Basic {}",
            base64ct::Base64::encode_string(credentials.as_bytes())
        )
    }

    pub(crate) async fn raw(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address()).await.unwrap();
        stream.set_nodelay(true).unwrap();
        stream
    }

    /// What the proxy answers to these bytes, until it closes.
    pub(crate) async fn say(&self, text: &str) -> String {
        let mut stream = self.raw().await;
        stream.write_all(text.as_bytes()).await.unwrap();
        read_all(&mut stream).await
    }

    /// A tunnel to a host, its TLS spoken with this name and protocol.
    pub(crate) async fn tunnel(
        &self,
        host: &str,
        sni: &str,
        alpn: &str,
    ) -> io::Result<TlsStream<TcpStream>> {
        let mut stream = self.raw().await;
        let password = self.password();
        let ask = format!(
            "CONNECT {host}:443 HTTP/1.1\r\nhost: {host}:443\r\nproxy-authorization: {password}\r\n\r\n"
        );
        stream.write_all(ask.as_bytes()).await?;
        let head = read_head(&mut stream).await;
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        self.connector(alpn)
            .connect(ServerName::try_from(sni.to_owned()).unwrap(), stream)
            .await
    }

    pub(crate) fn connector(&self, alpn: &str) -> TlsConnector {
        let pem = self.wire.authority().certificate().as_bytes();
        let mut roots = rustls::RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_slice(pem).unwrap())
            .unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![alpn.as_bytes().to_vec()];
        TlsConnector::from(Arc::new(config))
    }

    /// What comes back for these bytes inside a tunnel to `api.test`, until it closes.
    pub(crate) async fn inside(&self, text: &str) -> String {
        let mut stream = self
            .tunnel("api.test", "api.test", "http/1.1")
            .await
            .unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        read_all(&mut stream).await
    }

    /// A request to `api.test` with these lines of head, and what comes back.
    pub(crate) async fn ask(&self, line: &str, headers: &str, body: &str) -> String {
        let length = if body.is_empty() {
            String::new()
        } else {
            format!("content-length: {}\r\n", body.len())
        };
        let text = format!(
            "{line} HTTP/1.1\r\nhost: api.test\r\nconnection: close\r\n{headers}{length}\r\n{body}"
        );
        self.inside(&text).await
    }
}

pub(crate) async fn read_all(stream: &mut (impl AsyncReadExt + Unpin)) -> String {
    let mut read = Vec::new();
    let waited = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut read)).await;
    assert!(
        waited.is_ok(),
        "it was not closed after {:?}",
        String::from_utf8_lossy(&read)
    );
    String::from_utf8_lossy(&read).into_owned()
}

pub(crate) async fn read_head(stream: &mut (impl AsyncReadExt + Unpin)) -> String {
    let mut read = Vec::new();
    while !read.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => read.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8_lossy(&read).into_owned()
}
