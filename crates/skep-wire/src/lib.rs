//! The local proxy through which a program uses secrets that it never holds.
//!
//! A program is given placeholders, `__skep_<name>__`, where it would hold secrets, and this proxy as
//! its way out. Where a [`Rule`] of its [`Lease`] says so, a placeholder is replaced by the value on
//! the way to the origin, and the value by the placeholder on the way back. Whoever keeps the values
//! is asked for one at each use ([`Secrets`]), and told what was done ([`Sink`]).
//!
//! ```no_run
//! # use std::sync::Arc; use std::time::Duration;
//! # use skep_wire::{Authority, Base, Environment, Limits, Others, Rule, Secrets, Sink, Terms, Wire};
//! # async fn run(secrets: Arc<dyn Secrets>, sink: Arc<dyn Sink>, clock: Arc<dyn skep_domain::Clock>)
//! # -> Result<(), Box<dyn std::error::Error>> {
//! // Once for each installation: kept sealed as `authority.key()` and `authority.certificate()`.
//! let authority = Authority::generate(clock.now())?;
//! // Once for each daemon.
//! let egress = skep_egress::Egress::new(skep_egress::Reach::PublicAnd(vec![]));
//! let random = Arc::new(skep_crypto::SystemRandom);
//! let wire = Wire::new(Arc::new(egress), authority, clock, random, Limits::default());
//! wire.write_bundle("/run/skep/ca.pem".as_ref(), &[])?; // the system's authorities, and ours
//!
//! // Once for each program that runs.
//! let github = Rule::new("github", &["api.github.com", "*.githubusercontent.com"])?
//!     .headers(&["authorization"])?
//!     .methods(&["GET", "POST"])?
//!     .paths(&["/repos/"])?;
//! let base = Base::new("github", "https://api.github.com", "authorization", "Bearer __skep_github__")?;
//! let terms = Terms::new("lease 17", vec![github], Duration::from_secs(3600))
//!     .others(Others::Refuse)
//!     .base(base);
//! let lease = wire.lease(terms, secrets, sink).await?;
//! let address = lease.address().ok_or("it listens on TCP")?;
//! let environment: Vec<(&str, String)> = Environment::new(address, "/run/skep/ca.pem".as_ref()).of(&lease);
//! let base_url = lease.base_url("github", address);
//! // … start the program with `environment`; it calls with `Authorization: Bearer __skep_github__` …
//! lease.end(); // or dropped: nothing of it works any more
//! # Ok(()) }
//! ```
#![warn(missing_docs)]

mod answer;
mod authority;
mod basic;
mod body;
mod bundle;
mod environment;
mod exchange;
mod forms;
mod front;
mod guest;
mod head;
mod lease;
mod matcher;
mod origin;
mod pump;
mod record;
mod refusal;
mod rule;
mod secrets;
mod socket;
mod substitute;
mod tasks;
mod terms;
mod trial;
mod tunnel;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use skep_crypto::Random;
use skep_domain::Clock;
use skep_egress::Egress;
use tokio::sync::Semaphore;

use guest::Waiting;

pub use authority::Authority;
pub use environment::Environment;
pub use lease::Lease;
pub use record::{Event, Outcome, Sink};
pub use refusal::Reason;
pub use rule::{Body, Hosts, Rule};
pub use secrets::{Asked, Secrets, Why, Withheld};
pub use terms::{Base, Listen, Others, Terms};
pub use trial::Trial;

/// Why something could not be set up. What goes wrong with a request is an answer to its program, and
/// an [`Event`].
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// A rule, a base or terms that cannot be: write them differently.
    #[error("{0}")]
    Terms(String),
    /// A certificate authority that cannot be used: make a new one.
    #[error("the certificate authority cannot be used: {0}")]
    Authority(String),
    /// As many leases as there may be: end one, or try again later.
    #[error(
        "{0} leases are under way, which is as many as there may be: try again when one has ended"
    )]
    Full(usize),
    /// A socket or a file that could not be made.
    #[error("{what}: {source}")]
    Io {
        /// What was being made.
        what: String,
        /// Why it failed.
        source: std::io::Error,
    },
}

/// How much of everything there may be.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Leases at a time.
    pub leases: usize,
    /// Connections of one lease at a time; requests of the next one are refused.
    pub connections: usize,
    /// Connections of one lease that have not shown yet that they know it; when one more comes, the oldest goes.
    pub strangers: usize,
    /// The same of all leases together.
    pub strangers_together: usize,
    /// How long such a one may take to show it.
    pub stranger_time: Duration,
    /// Connections of all leases together, so that programs do not take the daemon's last descriptors.
    pub connections_together: usize,
    /// Requests at a time on one connection of HTTP/2.
    pub streams: u32,
    /// Bytes of the head of a request or an answer.
    pub head: usize,
    /// Headers of a request or an answer.
    pub headers: usize,
    /// Bytes of a body that is replaced in and whose length is known: so much is held in memory, so
    /// that its new length can be said. A longer one is sent in chunks.
    pub held_body: usize,
    /// Bytes of a lease, both ways together.
    pub bytes: u64,
    /// How long a head or a TLS handshake of the program may take.
    pub head_time: Duration,
    /// How long an origin may take to begin its answer.
    pub answer_time: Duration,
    /// How long a body or a tunnel may stand still.
    pub idle_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            leases: 64,
            connections: 128,
            strangers: 32,
            strangers_together: 256,
            stranger_time: Duration::from_secs(5),
            connections_together: 1_024,
            streams: 64,
            head: 64 << 10,
            headers: 100,
            held_body: 8 << 20,
            bytes: 64 << 30,
            head_time: Duration::from_secs(15),
            answer_time: Duration::from_mins(10),
            idle_time: Duration::from_mins(10),
        }
    }
}

/// The proxy of a daemon: what its leases have in common.
pub struct Wire {
    egress: Arc<Egress>,
    authority: Arc<Authority>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    limits: Limits,
    leases: Arc<Semaphore>,
    connections: Arc<Semaphore>,
    strangers: Arc<Waiting>,
}

impl Wire {
    /// Over this way out, which says where programs may get at all.
    #[must_use]
    pub fn new(
        egress: Arc<Egress>,
        authority: Authority,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        limits: Limits,
    ) -> Self {
        Self {
            egress,
            authority: Arc::new(authority),
            clock,
            random,
            limits,
            leases: Arc::new(Semaphore::new(limits.leases)),
            connections: Arc::new(Semaphore::new(limits.connections_together)),
            strangers: Arc::new(Waiting::new(limits.strangers_together)),
        }
    }

    /// The authority that signs what programs are shown.
    #[must_use]
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// Writes what programs are to trust: the authorities of this system, ours, and these, in DER, for
    /// hosts that they get through to unread.
    ///
    /// # Errors
    /// [`WireError::Io`].
    pub fn write_bundle(&self, path: &Path, also: &[Vec<u8>]) -> Result<(), WireError> {
        bundle::write(path, self.authority.certificate(), also).map_err(|source| WireError::Io {
            what: format!("writing {}", path.display()),
            source,
        })
    }
}
