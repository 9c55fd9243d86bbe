//! A lease: what one program may do through its own listener, until it ends.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use skep_crypto::{Plain, Random};
use skep_domain::Clock;
use skep_egress::{Egress, Host};
use subtle::ConstantTimeEq;
use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::sleep;
use zeroize::Zeroizing;

use crate::guest::Waiting;
use crate::matcher::Patterns;
use crate::record::Record;
use crate::tasks::Tasks;
use crate::{
    Authority, Base, Limits, Listen, Others, Rule, Secrets, Sink, Terms, Wire, WireError, rule,
    socket,
};

/// The user of the proxy's password.
const USER: &str = "skep";
/// Requests of a lease whose bodies are held at a time.
const HOLDING: usize = 16;

/// What all connections of a lease share.
pub(crate) struct Leased {
    pub(crate) name: String,
    pub(crate) rules: Vec<Rule>,
    pub(crate) others: Others,
    pub(crate) bases: Vec<Base>,
    /// The names of the secrets that the rules are about, each once.
    pub(crate) names: Vec<String>,
    pub(crate) placeholders: Arc<[String]>,
    /// What a placeholder looks like, by its number among the names.
    pub(crate) patterns: Arc<Patterns>,
    pub(crate) secrets: Arc<dyn Secrets>,
    pub(crate) sink: Arc<dyn Sink>,
    pub(crate) egress: Arc<Egress>,
    pub(crate) authority: Arc<Authority>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) limits: Limits,
    pub(crate) tasks: Arc<Tasks>,
    pub(crate) connections: Arc<Semaphore>,
    /// Those of all leases.
    pub(crate) together: Arc<Semaphore>,
    /// Connections that nobody knows yet, of this lease and of all.
    pub(crate) strangers: [Arc<Waiting>; 2],
    pub(crate) holding: Semaphore,
    password: Plain<String>,
    path: Plain<String>,
    bytes: AtomicU64,
    sent: Mutex<BTreeSet<usize>>,
}

/// What one program may do, until it ends: when its time is over, or this is dropped.
pub struct Lease {
    shared: Arc<Leased>,
    address: Option<SocketAddr>,
    socket: Option<PathBuf>,
    _slot: OwnedSemaphorePermit,
}

impl Wire {
    /// Begins a lease, with a listener and a password of its own.
    ///
    /// # Errors
    /// [`WireError`].
    pub async fn lease(
        &self,
        terms: Terms,
        secrets: Arc<dyn Secrets>,
        sink: Arc<dyn Sink>,
    ) -> Result<Lease, WireError> {
        terms.check()?;
        let full = |_| WireError::Full(self.limits.leases);
        let slot = Arc::clone(&self.leases).try_acquire_owned().map_err(full)?;
        let lasts = terms.lasts;
        let listen = terms.listen.clone();
        let shared = Arc::new(self.shared(terms, secrets, sink));
        let mut lease = Lease {
            shared: Arc::clone(&shared),
            address: None,
            socket: None,
            _slot: slot,
        };
        if matches!(listen, Listen::Tcp | Listen::Both(_)) {
            let io = |source| WireError::Io {
                what: "listening on 127.0.0.1".into(),
                source,
            };
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
                .await
                .map_err(io)?;
            lease.address = Some(listener.local_addr().map_err(io)?);
            socket::serve_tcp(&shared, listener);
        }
        if let Listen::Unix(path) | Listen::Both(path) = listen {
            let listener = socket::bind_unix(&path).map_err(|source| WireError::Io {
                what: format!("listening on {}", path.display()),
                source,
            })?;
            lease.socket = Some(path);
            socket::serve_unix(&shared, listener);
        }
        let ending = Arc::clone(&shared.tasks);
        shared.tasks.spawn(async move {
            sleep(lasts).await;
            ending.end();
        });
        Ok(lease)
    }

    fn shared(&self, terms: Terms, secrets: Arc<dyn Secrets>, sink: Arc<dyn Sink>) -> Leased {
        let names: BTreeSet<&str> = terms.rules.iter().map(Rule::secret).collect();
        let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
        let placeholders: Arc<[String]> =
            names.iter().map(|name| rule::placeholder(name)).collect();
        let patterns = placeholders.iter().enumerate();
        let patterns = patterns.map(|(nth, text)| (Zeroizing::new(text.as_bytes().to_vec()), nth));
        Leased {
            name: terms.name,
            rules: terms.rules,
            others: terms.others,
            bases: terms.bases,
            patterns: Patterns::new(patterns.collect()),
            names,
            placeholders,
            secrets,
            sink,
            egress: Arc::clone(&self.egress),
            authority: Arc::clone(&self.authority),
            clock: Arc::clone(&self.clock),
            random: Arc::clone(&self.random),
            limits: self.limits,
            tasks: Tasks::new(),
            connections: Arc::new(Semaphore::new(self.limits.connections)),
            together: Arc::clone(&self.connections),
            strangers: [
                Arc::new(Waiting::new(self.limits.strangers)),
                Arc::clone(&self.strangers),
            ],
            holding: Semaphore::new(HOLDING),
            password: hex(&*self.random),
            path: hex(&*self.random),
            bytes: AtomicU64::new(0),
            sent: Mutex::new(BTreeSet::new()),
        }
    }
}

impl Lease {
    /// Where it listens on this machine, if it does on TCP.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// Where it listens, if it does on a Unix socket.
    #[must_use]
    pub fn socket(&self) -> Option<&Path> {
        self.socket.as_deref()
    }

    /// The URL of the proxy, password and all, for a program that finds it at this address.
    #[must_use]
    pub fn proxy_url(&self, address: SocketAddr) -> String {
        format!("http://{USER}:{}@{address}", self.shared.password.expose())
    }

    /// The URL of a base, for a program that finds the lease at this address.
    #[must_use]
    pub fn base_url(&self, name: &str, address: SocketAddr) -> Option<String> {
        let base = self.shared.bases.iter().find(|base| base.name == name)?;
        let path = self.shared.path.expose();
        Some(format!("http://{address}/{path}/{}", base.name))
    }

    /// Ends it: its listener, its connections, its password. Dropping it does the same.
    pub fn end(&self) {
        self.shared.tasks.end();
        if let Some(path) = &self.socket {
            let _absent = std::fs::remove_file(path);
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.end();
    }
}

impl Leased {
    pub(crate) fn is_password(&self, user: &[u8], password: &[u8]) -> bool {
        let user = user.ct_eq(USER.as_bytes());
        let password = password.ct_eq(self.password.expose().as_bytes());
        bool::from(user & password)
    }

    pub(crate) fn is_path(&self, part: &str) -> bool {
        bool::from(part.as_bytes().ct_eq(self.path.expose().as_bytes()))
    }

    pub(crate) fn has_rules_for(&self, host: &Host, port: u16) -> bool {
        self.rules.iter().any(|rule| rule.names_host(host, port))
    }

    pub(crate) fn tunnels_to(&self, host: &Host, port: u16) -> bool {
        match &self.others {
            Others::Refuse => false,
            Others::Tunnel(hosts) => hosts.iter().any(|hosts| hosts.fits(host, port)),
            Others::TunnelAll => true,
        }
    }

    /// Whether so many more bytes may go through.
    pub(crate) fn take_bytes(&self, bytes: usize) -> bool {
        let bytes = bytes as u64;
        let before = self.bytes.fetch_add(bytes, Ordering::Relaxed);
        before.saturating_add(bytes) <= self.limits.bytes
    }

    /// A value of this secret has left: answers are looked through for it from now on, whoever gives
    /// them.
    pub(crate) fn has_sent(&self, nth: usize) {
        self.sent
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(nth);
    }

    pub(crate) fn all_sent(&self) -> BTreeSet<usize> {
        self.sent
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(crate) fn record(&self, host: &str, method: &str) -> Arc<Record> {
        Record::new(Arc::clone(&self.sink), &self.name, host, method)
    }
}

/// 128 bits that nobody guesses.
fn hex(random: &dyn Random) -> Plain<String> {
    let bytes = Zeroizing::new(random.array::<16>());
    let mut text = String::with_capacity(32);
    for byte in bytes.iter() {
        for digit in [byte >> 4, byte & 15] {
            text.extend(char::from_digit(u32::from(digit), 16));
        }
    }
    Plain::new(text)
}
