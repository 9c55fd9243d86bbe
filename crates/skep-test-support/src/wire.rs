//! The proxy of a daemon under test, over a network of the test's.

use std::net::SocketAddr;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use skep_app::{Fetching, Proxy, Timer, Vault, wire_authority};
use skep_crypto::SystemRandom;
use skep_domain::{Clock, Timestamp};
use skep_egress::{Egress, Origin, Target};
use skep_http::Site;
use skep_index::{Embedder, StaticEmbedder};
use skep_wire::{Limits, Wire};

use crate::daemon::{patience, people, unbound};
use crate::{ManualClock, TestDaemon};

/// How much there is of the proxy, and the way out of it.
pub struct Wired {
    /// The way out.
    pub egress: Egress,
    /// Leases at a time.
    pub leases: usize,
    /// Leases of one credential at a time.
    pub each: usize,
}

/// The ways out of a daemon.
#[derive(Default)]
pub(crate) struct Ways {
    pub(crate) fetching: Fetching,
    pub(crate) wired: Option<Wired>,
    /// Servers inside that model calls may go to.
    pub(crate) models: Vec<Origin>,
    /// When model calls have waited long enough for memories.
    pub(crate) timer: TestTimer,
    /// What makes vectors; words alone if absent.
    pub(crate) embedder: Option<Arc<dyn Embedder>>,
}

/// Time for memories that is over at once, or never, as the test says.
#[derive(Clone, Default)]
pub struct TestTimer(Arc<AtomicBool>);

impl TestTimer {
    /// From now on it is over at once, or never again.
    pub fn set_over(&self, is_over: bool) {
        self.0.store(is_over, Ordering::SeqCst);
    }
}

impl Timer for TestTimer {
    fn after(&self, _time: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        if self.0.load(Ordering::SeqCst) {
            Box::pin(std::future::ready(()))
        } else {
            Box::pin(std::future::pending())
        }
    }
}

impl Ways {
    pub(crate) fn embedder(&self) -> Arc<dyn Embedder> {
        let own = self.embedder.clone();
        own.unwrap_or_else(|| Arc::new(StaticEmbedder::built_in()))
    }
}

impl From<Fetching> for Ways {
    fn from(fetching: Fetching) -> Self {
        Self {
            fetching,
            ..Self::default()
        }
    }
}

impl TestDaemon {
    /// Starts one whose programs use secrets over this way out, and whose doors stay open.
    pub async fn start_wired(wired: Wired) -> Self {
        let parts = (patience(), Site::default(), people());
        let asked = (None, Arc::new(ManualClock::new()));
        let ways = Ways {
            wired: Some(wired),
            ..Ways::default()
        };
        Self::start_whole(unbound(), false, ways, parts, asked).await
    }
}

impl TestDaemon {
    /// Starts one whose organizations may name servers on these addresses as providers of models, and whose doors
    /// stay open.
    pub async fn start_gateway(servers: &[SocketAddr]) -> Self {
        Self::start_gateway_limited(servers, patience()).await
    }

    /// The same, counting calls like this.
    pub async fn start_gateway_limited(servers: &[SocketAddr], limits: skep_limit::Limits) -> Self {
        Self::start_gateway_with(servers, limits, Ways::default()).await
    }

    /// The same, with memories that are late when the test says so.
    pub async fn start_gateway_by(servers: &[SocketAddr], timer: &TestTimer) -> Self {
        let ways = Ways {
            timer: timer.clone(),
            ..Ways::default()
        };
        Self::start_gateway_with(servers, patience(), ways).await
    }

    /// The same, with vectors of these, and memories that are never late.
    pub async fn start_gateway_embedding(
        servers: &[SocketAddr],
        limits: skep_limit::Limits,
        embedder: Arc<dyn Embedder>,
    ) -> Self {
        let ways = Ways {
            embedder: Some(embedder),
            ..Ways::default()
        };
        Self::start_gateway_with(servers, limits, ways).await
    }

    #[expect(clippy::expect_used, reason = "a test without its daemon cannot go on")]
    async fn start_gateway_with(
        servers: &[SocketAddr],
        limits: skep_limit::Limits,
        ways: Ways,
    ) -> Self {
        let origin = |server: &SocketAddr| {
            let url = format!("http://{server}");
            Target::parse(&url).expect("an address").origin().clone()
        };
        let ways = Ways {
            models: servers.iter().map(origin).collect(),
            ..ways
        };
        let parts = (limits, Site::default(), people());
        let asked = (None, Arc::new(ManualClock::new()));
        Self::start_whole(unbound(), false, ways, parts, asked).await
    }
}

impl Wired {
    /// With this way out, and the usual bounds.
    #[must_use]
    pub fn over(egress: Egress) -> Self {
        Self {
            egress,
            leases: 256,
            each: 64,
        }
    }

    /// How long a lease goes on without being renewed.
    pub const RENEWED: Duration = Duration::from_mins(3);

    #[expect(clippy::expect_used, reason = "a test without its daemon cannot go on")]
    pub(crate) fn proxy(self, home: &Path, vault: &Vault) -> Proxy {
        let authority = wire_authority(vault, SystemClock.now()).expect("a fresh authority");
        let limits = Limits {
            // One more than callers may have: that of a run.
            leases: self.leases + 1,
            ..Limits::default()
        };
        let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandom));
        let wire = Wire::new(Arc::new(self.egress), authority, clock, random, limits);
        let bundle = home.join("wire-authorities.pem");
        wire.write_bundle(&bundle, &[]).expect("a bundle");
        Proxy {
            wire,
            bundle,
            leases: self.leases,
            each: self.each,
            renewed: Self::RENEWED,
        }
    }
}

/// The daemon's clock stands still in tests; certificates hold at the time of the programs that look at them.
struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "certificates hold at the time of real programs"
    )]
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let micros = since.unwrap_or_default().as_micros();
        Timestamp::from_micros(i64::try_from(micros).unwrap_or(i64::MAX))
    }
}
