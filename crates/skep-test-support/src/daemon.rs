//! The whole daemon in this process: real store, real listeners on loopback, two tenants.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use skep_app::{
    App, AuditDesk, CaptureSettings, Elsewhere, ExchangeDesk, Fetching, GatewaySettings, LeaseDesk,
    MeterDesk, PageOf, PeopleSettings, Settings, Upkeep, passkey,
};
use skep_authz::rights::{self, MemoryReview};
use skep_crypto::PasswordCost;
use skep_domain::{
    Harness, MemoryId, MemoryKind, MemoryState, Quota, RateClass, Trust, Validity, Visibility,
};
use skep_http::{Edge, Limits, Listeners, Serving, Site};
use skep_limit::{Limiter, Quotas};
use skep_store::{DoorTx, Kept, MemoryBody, Mode, NewMemory, Store};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::vault;
use crate::wire::Ways;
use crate::{
    ManualClock, MemoryRootKey, Request, Scratch, StoppedWatch, TeamStore, Tenant, open_store,
};

/// A running daemon with two tenants, so that leakage between them shows.
pub struct TestDaemon {
    /// The use cases, for looking behind the edge.
    pub app: Arc<App>,
    /// The store, for looking behind the use cases.
    pub store: Arc<Store>,
    /// The clock.
    pub clock: Arc<ManualClock>,
    /// Where TCP listens.
    pub address: SocketAddr,
    /// The first tenant; the socket's owner belongs to no tenant here.
    pub a: Tenant,
    /// The second.
    pub b: Tenant,
    scratch: Scratch,
    stop: Option<oneshot::Sender<()>>,
    jobs: JoinSet<()>,
}

impl TestDaemon {
    /// Starts one that captures whatever directory it is told of.
    pub async fn start() -> Self {
        Self::start_with(unbound()).await
    }

    /// Starts one whose upkeep happens when the test says so, and at no other time.
    pub async fn start_quiet() -> Self {
        Self::start_as(
            unbound(),
            false,
            Ways::default(),
            (limits(), Site::default()),
        )
        .await
    }

    /// Starts one whose doors stay open however often somebody knocks, for tests that try them all.
    pub async fn start_patient() -> Self {
        Self::start_as(
            unbound(),
            true,
            Ways::default(),
            (patience(), Site::default()),
        )
        .await
    }

    /// Starts one that captures whatever directory it is told of, and fetches from there.
    pub async fn start_fetching(fetching: Fetching) -> Self {
        Self::start_as(
            unbound(),
            true,
            fetching.into(),
            (limits(), Site::default()),
        )
        .await
    }

    /// Starts one that captures as it does for people: only what somebody bound.
    pub async fn start_bound() -> Self {
        Self::start_with(CaptureSettings::default()).await
    }

    /// Starts one that captures by these settings.
    pub async fn start_with(capture: CaptureSettings) -> Self {
        Self::start_as(capture, true, Ways::default(), (limits(), Site::default())).await
    }

    /// Starts one that counts calls like this.
    pub async fn start_limited(limits: Limits) -> Self {
        Self::start_as(unbound(), false, Ways::default(), (limits, Site::default())).await
    }

    /// Starts one that stands there; a public one listens on every address of the machine.
    pub async fn start_at(site: Site) -> Self {
        Self::start_as(unbound(), false, Ways::default(), (limits(), site)).await
    }

    /// Starts one in team mode, which others reach at a URL.
    pub async fn start_team(public_url: &str) -> Self {
        Self::start_at(Site {
            mode: skep_http::Mode::Team,
            public_url: Some(public_url.to_owned()),
            ..Site::default()
        })
        .await
    }

    /// Starts one that asks there who somebody is, by this clock.
    pub async fn start_asking(elsewhere: Arc<dyn Elsewhere>, clock: Arc<ManualClock>) -> Self {
        let parts = (limits(), Site::default(), people());
        let asked = (Some(elsewhere), clock);
        Self::start_whole(unbound(), false, Ways::default(), parts, asked).await
    }

    /// Starts two on one database, by one clock, known to programs by the address of the first. Tenants are of
    /// the one that made them; the database is there as long as the third is.
    ///
    /// # Panics
    /// When the database cannot be made or opened.
    #[expect(
        clippy::expect_used,
        reason = "a test without its daemons cannot go on"
    )]
    pub async fn start_two() -> (Self, Self, TeamStore) {
        let (place, root) = (TeamStore::new().await, MemoryRootKey::new(7));
        let clock = Arc::new(ManualClock::new());
        let start = async |site: Site| {
            let store = place.node(&root, Arc::clone(&clock) as _).await;
            let kept = (store.expect("a database that opens"), Scratch::new());
            let parts = (patience(), site, people());
            let asked = (None, Arc::clone(&clock));
            Self::start_over(kept, unbound(), false, Ways::default(), parts, asked).await
        };
        let first = start(Site::default()).await;
        let site = Site {
            public_url: Some(format!("http://{}", first.address)),
            ..Site::default()
        };
        let second = start(site).await;
        (first, second, place)
    }

    async fn start_as(
        capture: CaptureSettings,
        tends: bool,
        ways: Ways,
        (limits, site): (Limits, Site),
    ) -> Self {
        let asked = (None, Arc::new(ManualClock::new()));
        let parts = (limits, site, people());
        Self::start_whole(capture, tends, ways, parts, asked).await
    }

    /// Starts one that lets people in like this, and leaves its doors open.
    pub async fn start_people(people: PeopleSettings) -> Self {
        let parts = (patience(), Site::default(), people);
        let asked = (None, Arc::new(ManualClock::new()));
        Self::start_whole(unbound(), false, Ways::default(), parts, asked).await
    }

    #[expect(clippy::expect_used, reason = "a test without its daemon cannot go on")]
    pub(crate) async fn start_whole(
        capture: CaptureSettings,
        tends: bool,
        ways: Ways,
        (limits, site, people): (Limits, Site, PeopleSettings),
        asked: (Option<Arc<dyn Elsewhere>>, Arc<ManualClock>),
    ) -> Self {
        let scratch = Scratch::new();
        let root = MemoryRootKey::new(7);
        let clock = Arc::clone(&asked.1) as _;
        let store = open_store(&scratch.path().join("data"), &root, clock).await;
        let kept = (store.expect("a fresh store opens"), scratch);
        Self::start_over(kept, capture, tends, ways, (limits, site, people), asked).await
    }

    /// Starts one on a store that others may use as well.
    #[expect(clippy::expect_used, reason = "a test without its daemon cannot go on")]
    async fn start_over(
        (store, scratch): (Store, Scratch),
        capture: CaptureSettings,
        tends: bool,
        ways: Ways,
        (limits, site, people): (Limits, Site, PeopleSettings),
        (elsewhere, clock): (Option<Arc<dyn Elsewhere>>, Arc<ManualClock>),
    ) -> Self {
        let store = Arc::new(store);
        let a = Tenant::create(&store, "alpha")
            .await
            .expect("a fresh tenant");
        let b = Tenant::create(&store, "beta")
            .await
            .expect("a second tenant");
        let embedder = ways.embedder();
        let (own, watch) = (Arc::clone(&store), Arc::new(StoppedWatch));
        let app = App::new(own, embedder, watch, Settings::default());
        let app = app.with_capture(capture);
        let app = app.with_limits(Some(limits.clone()));
        let app = app.with_people(people).with_references(vault::references());
        let app = with_ways(app, ways, scratch.path());
        let app = Arc::new(match elsewhere {
            None => app,
            Some(elsewhere) => app.with_elsewhere(elsewhere),
        });
        let socket = UnixListener::bind(scratch.path().join("skepd.sock")).expect("a socket");
        let (tcp, address) = listen(&site).await;
        let issuer = site.public_url.clone();
        app.set_issuer(issuer.unwrap_or_else(|| format!("http://{address}")));
        let edge = Arc::new(Edge {
            app: Arc::clone(&app),
            version: "test",
            limits: Some(limits),
            site,
            listeners: OnceLock::new(),
        });
        let (stop, stopped) = oneshot::channel();
        let mut jobs = JoinSet::new();
        let upkeep = Upkeep::new(Arc::clone(&app)).run();
        if tends {
            jobs.spawn(upkeep);
        }
        jobs.spawn(AuditDesk::new(Arc::clone(&app)).run());
        jobs.spawn(LeaseDesk::new(Arc::clone(&app)).run());
        jobs.spawn(MeterDesk::new(Arc::clone(&app)).run());
        jobs.spawn(ExchangeDesk::new(Arc::clone(&app)).run());
        let listeners = Listeners {
            socket,
            tcp: Some(tcp),
        };
        jobs.spawn(Serving::new(edge).run(listeners, async {
            let _ = stopped.await;
        }));
        Self {
            app,
            store,
            clock,
            address,
            a,
            b,
            scratch,
            stop: Some(stop),
            jobs,
        }
    }

    /// Where its files are.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.scratch.path().join("data")
    }

    /// Where its socket is.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.scratch.path().join("skepd.sock")
    }

    /// A third tenant, of whoever runs the test: the program `skep` with the socket's directory as
    /// its home speaks for it.
    ///
    /// # Panics
    /// When the store does not take it.
    #[expect(clippy::expect_used, reason = "a test without its tenant cannot go on")]
    pub async fn socket_owner(&self) -> Tenant {
        Tenant::of_socket(&self.store)
            .await
            .expect("a third tenant")
    }

    /// What waits for a human's decision, as its kind and its text.
    ///
    /// # Panics
    /// When it cannot be read.
    #[expect(clippy::expect_used, reason = "a test without its rows cannot go on")]
    pub async fn held_back(&self, tenant: &Tenant) -> Vec<(MemoryKind, String)> {
        let caller = tenant.caller(&self.store, "owner").await;
        let right = caller
            .authorize::<MemoryReview>()
            .expect("the owner reviews");
        let mut tx = self.store.begin(right).await.expect("a transaction");
        let page = PageOf {
            limit: 200,
            before: None,
        };
        let held = tx.list_quarantined(page).await.expect("a page");
        held.into_iter()
            .map(|held| (held.memory.kind, held.memory.body.text))
            .collect()
    }

    /// Does the upkeep of a tenant now, instead of waiting for the background to do it.
    ///
    /// # Panics
    /// When upkeep fails.
    #[expect(
        clippy::expect_used,
        reason = "a test whose upkeep fails has found something"
    )]
    pub async fn tend(&self, tenant: &Tenant) {
        self.app
            .tend((tenant.organization, tenant.workspace))
            .await
            .expect("upkeep succeeds");
    }
}

/// With the ways out of a test, and the provider of models that is built in.
fn with_ways(app: App, ways: Ways, home: &Path) -> App {
    let app = app.with_fetching(ways.fetching);
    let app = app.with_gateway(GatewaySettings {
        mock: true,
        inside: ways.models,
        first_byte: Duration::from_secs(5),
        idle: Duration::from_secs(2),
        timer: Arc::new(ways.timer),
    });
    vault::with(app, ways.wired, home)
}

impl TestDaemon {
    /// Makes the owner of a tenant a user and a member, so that what they make for themselves counts.
    ///
    /// # Panics
    /// When the store refuses it.
    #[expect(clippy::expect_used, reason = "a test without its owner cannot go on")]
    pub async fn own(&self, tenant: &Tenant) {
        let owner = tenant.caller(&self.store, "owner").await;
        let made = self.app.ensure_owner(&owner).await;
        made.expect("the owner is one");
    }

    /// Has what waits written into the record.
    pub async fn record_now(&self) {
        AuditDesk::new(Arc::clone(&self.app)).write().await;
    }

    /// The whole record of decisions as whoever holds this token sees it, newest first.
    ///
    /// # Panics
    /// When it cannot be read.
    #[expect(clippy::expect_used, reason = "a test without its record cannot go on")]
    pub async fn record_whole(&self, token: &str) -> Vec<serde_json::Value> {
        self.record_now().await;
        let (mut whole, mut query) = (Vec::new(), String::new());
        loop {
            let path = format!("/api/v1/audit?limit=200{query}");
            let request = Request::new("GET", &path).bearer(token);
            let page = request.send(self.address).await.expect("an answer").json();
            whole.extend(page["items"].as_array().expect("a page").iter().cloned());
            let Some(next) = page["next"].as_str() else {
                return whole;
            };
            query = format!("&cursor={next}");
        }
    }

    /// Keeps everybody else from writing the installation's own rows, for as long as it is held.
    ///
    /// # Panics
    /// When the store refuses it.
    #[expect(
        clippy::expect_used,
        clippy::disallowed_methods,
        reason = "a test that stands in a door on purpose"
    )]
    pub async fn hold_the_record(&self) -> DoorTx {
        let mut tx = self
            .store
            .begin_door(Mode::Write)
            .await
            .expect("a transaction");
        let begun = tx.sweep_tickets(1).await;
        begun.expect("it has begun");
        tx
    }

    /// The record of decisions as whoever holds this token sees it, newest first.
    ///
    /// # Panics
    /// When it cannot be read.
    #[expect(clippy::expect_used, reason = "a test without its record cannot go on")]
    pub async fn record(&self, token: &str) -> Vec<serde_json::Value> {
        self.record_now().await;
        let request = Request::new("GET", "/api/v1/audit?limit=200").bearer(token);
        let reply = request.send(self.address).await.expect("an answer");
        let items = reply.json()["items"].take();
        items.as_array().expect("a page").clone()
    }

    /// Puts a memory in quarantine, whatever it says, for the owner of a tenant.
    ///
    /// # Panics
    /// When the store refuses it.
    #[expect(clippy::expect_used, reason = "a test without its memory cannot go on")]
    pub async fn hold(&self, tenant: &Tenant, text: &str, reasons: &[&str]) -> MemoryId {
        let owner = tenant.caller(&self.store, "owner").await;
        let right = owner.authorize::<rights::MemoryWrite>();
        let right = right.expect("an owner may write");
        let mut tx = self.store.begin(right).await.expect("a transaction");
        let now = self.store.now();
        let held = NewMemory {
            id: self.store.mint(),
            kind: MemoryKind::Fact,
            trust: Trust::External,
            state: MemoryState::Quarantined,
            validity: Validity::open(now, now),
            visibility: Visibility::Workspace,
            project: None,
            harness: Harness::Other,
            session: None,
            turns: Vec::new(),
            normal_form: text.into(),
            body: MemoryBody {
                key: text.into(),
                text: text.into(),
                ..MemoryBody::default()
            },
            origins: Vec::new(),
            topics: Vec::new(),
            reasons: reasons.iter().map(|reason| (*reason).into()).collect(),
        };
        let kept = tx.put_memory(held).await.expect("it is kept");
        tx.commit().await.expect("it is durable");
        let (Kept::New(id) | Kept::Known(id)) = kept;
        id
    }
}

/// A port on loopback, or on every address; and how to reach it over loopback.
#[expect(clippy::expect_used, reason = "a test without its port cannot go on")]
async fn listen(site: &Site) -> (TcpListener, SocketAddr) {
    let every = IpAddr::from(Ipv6Addr::UNSPECIFIED);
    let loopback = IpAddr::from(Ipv4Addr::LOCALHOST);
    let at = if site.is_public { every } else { loopback };
    let tcp = TcpListener::bind((at, 0)).await.expect("a port");
    let port = tcp.local_addr().expect("its address").port();
    (tcp, SocketAddr::from((loopback, port)))
}

/// Counts in this process, by the published defaults.
/// More calls than any test makes.
#[expect(clippy::expect_used, reason = "a quota that is written here is one")]
pub(crate) fn patience() -> Limits {
    let mut quotas = Quotas::default();
    let often = Quota::parse("1000000/s").expect("a quota");
    for rule in RateClass::ALL.into_iter().flat_map(RateClass::rules) {
        let _ = quotas.set(rule.name, often);
    }
    Limits {
        limiter: Arc::new(Limiter::local()),
        quotas,
    }
}

fn limits() -> Limits {
    Limits {
        limiter: Arc::new(Limiter::local()),
        quotas: Quotas::default(),
    }
}

/// Passwords that cost next to nothing, and passkeys for a browser on this machine.
#[must_use]
pub fn people() -> PeopleSettings {
    PeopleSettings {
        public_url: Some("http://localhost:3850".into()),
        party: passkey::RelyingParty::of("http://localhost:3850"),
        cost: PasswordCost::LEAST,
        ..PeopleSettings::default()
    }
}

/// Captures whatever directory it is told of.
pub(crate) fn unbound() -> CaptureSettings {
    CaptureSettings {
        unbound: true,
        ..CaptureSettings::default()
    }
}

impl Drop for TestDaemon {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        self.jobs.abort_all();
    }
}
