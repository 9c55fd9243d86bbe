//! Serving: store, application, upkeep and listeners put together, until a signal.

use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::Context;
use skep_app::{
    AnswerDesk, App, AuditDesk, ExchangeDesk, ExecDesk, KeyDesk, LeaseDesk, LedgerDesk, MailDesk,
    MeterDesk, ModelPass, Nodes, Settings, SinkDesk, Upkeep, Vault, VaultDesk, Worker,
};
use skep_grpc::Remote;
use skep_http::{Edge, Limits, Listeners, Mode, Serving, Site};
use skep_index::SentenceEmbedder;
use skep_store::Store;
use tokio::net::{TcpListener, UnixListener};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinSet;

use crate::clock::Monotonic;
use crate::config::{Config, Standing};
use crate::key::Root;
use crate::key::organization::Places;
use crate::model::Endpoint;
use crate::telemetry::Collector;
use crate::{exec, files, grpc, limits, local, process, telemetry, vault, wire};

/// How long calls that go on without a caller are waited for, once nobody else is served.
const LAST_CALLS: Duration = Duration::from_secs(5);

/// Runs until SIGTERM or SIGINT. Whoever calls holds the lock of the data directory.
pub(crate) async fn serve(home: &Path, config: &Config) -> anyhow::Result<()> {
    let terminate = signal(SignalKind::terminate())?;
    let interrupt = signal(SignalKind::interrupt())?;
    let root = Root::of(home, config)?;
    let opened = local::open(home, config, &root).await?;
    let remote = grpc::remote(home, config)?;
    let vault = vault::open(home, &root, &opened.store)?;
    let key_provider = root.shown();
    // It is needed no more, and wiped.
    drop(root);
    let store = opened
        .store
        .with_organization_keys(Places::of(home, config));
    let limits = limits::open(home, &config.limits)?;
    let mut collector = telemetry::open(config)?;
    let app = application(
        (home, config),
        Arc::new(store),
        (remote.clone(), vault),
        limits.clone(),
    )?;
    let app = Arc::new(watched(app, collector.as_ref()));
    let own = rustix::process::geteuid().as_raw();
    app.ensure_owner(&app.authenticate_peer(own, own).await?)
        .await?;
    let standing = config.server.standing()?;
    let listeners = listen(home, &standing).await?;
    if let Some(limits) = &limits {
        limits::meet(&limits.limiter).await;
    }
    take_over(&app).await?;
    let (mode, drain) = (standing.mode, standing.drain);
    let service = grpc::open(home, config, &app, limits.clone(), mode).await?;
    let ledger = ledger(home, config, &app)?;
    let also = service.as_ref().map(|service| service.shown.clone());
    let site = site(config, standing, opened.shown, key_provider);
    let edge = edge(&app, &listeners, also, limits, site)?;
    files::write_pid(home)?;
    announce(home, &edge);
    offer_setup(home, &edge).await?;

    let mut jobs = jobs(&app, &edge, service, remote);
    jobs.spawn(ledger().run());
    if let Some(sender) = collector.as_mut().and_then(Collector::sender) {
        jobs.spawn(sender.run());
    }
    let stop = until_stopped(&app, &mut jobs, (terminate, interrupt), drain);
    // What is under way needs those who record decisions, so they go on until it is done.
    Serving::new(edge).run(listeners, stop).await;
    app.end_calls(LAST_CALLS).await;
    if let Some(collector) = collector {
        collector.end().await;
    }
    jobs.shutdown().await;
    write_what_waits(&app, ledger()).await;
    files::remove_traces(home);
    tracing::info!("skepd has stopped");
    Ok(())
}

fn watched(app: App, collector: Option<&Collector>) -> App {
    match collector {
        Some(collector) => app.with_call_watch(collector.watch()),
        None => app,
    }
}

/// Waits for somebody to stop the daemon, and then for whoever is in front to notice.
async fn until_stopped(
    app: &App,
    jobs: &mut JoinSet<()>,
    (mut terminate, mut interrupt): (Signal, Signal),
    drain: Duration,
) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        ended = jobs.join_next() => tracing::error!(?ended, "upkeep ended on its own; stopping"),
    }
    app.begin_stop();
    // Whoever is in front sees that and sends what comes elsewhere; asked again, it stops at once.
    tokio::select! {
        () = tokio::time::sleep(drain) => {}
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

/// Whoever signs the heads of logs and tells the witnesses.
fn ledger(home: &Path, config: &Config, app: &Arc<App>) -> anyhow::Result<impl Fn() -> LedgerDesk> {
    let (app, file) = (Arc::clone(app), config.ledger.witness(home));
    let hook = config.ledger.hook(home)?.map(Arc::new);
    Ok(move || LedgerDesk::new(Arc::clone(&app), file.clone()).with_hook(hook.clone()))
}

/// Takes up what an earlier run of this daemon left.
async fn take_over(app: &Arc<App>) -> anyhow::Result<()> {
    MeterDesk::new(Arc::clone(app)).take_over().await?;
    SinkDesk::new(Arc::clone(app)).take_over().await?;
    Ok(())
}

/// What nobody waits for any more, and is to be kept all the same.
async fn write_what_waits(app: &Arc<App>, ledger: LedgerDesk) {
    MeterDesk::new(Arc::clone(app)).write().await;
    ExchangeDesk::new(Arc::clone(app)).write().await;
    AuditDesk::new(Arc::clone(app)).write().await;
    ledger.turn().await;
    if let Err(error) = app.keep_snapshots().await {
        tracing::warn!(%error, "an index snapshot could not be kept; the next start takes longer");
    }
}

/// What runs beside the listeners.
fn jobs(
    app: &Arc<App>,
    edge: &Edge,
    service: Option<grpc::Service>,
    remote: Option<Arc<Remote>>,
) -> JoinSet<()> {
    let mut jobs = JoinSet::new();
    jobs.spawn(Upkeep::new(Arc::clone(app)).run());
    jobs.spawn(Nodes::new(Arc::clone(app)).run());
    jobs.spawn(ModelPass::new(Arc::clone(app)).run());
    jobs.spawn(Worker::new(Arc::clone(app)).run());
    jobs.spawn(ExecDesk::new(Arc::clone(app)).run());
    jobs.spawn(AuditDesk::new(Arc::clone(app)).run());
    jobs.spawn(MeterDesk::new(Arc::clone(app)).run());
    jobs.spawn(AnswerDesk::new(Arc::clone(app)).run());
    jobs.spawn(SinkDesk::new(Arc::clone(app)).run());
    jobs.spawn(ExchangeDesk::new(Arc::clone(app)).run());
    jobs.spawn(VaultDesk::new(Arc::clone(app)).run());
    jobs.spawn(LeaseDesk::new(Arc::clone(app)).run());
    jobs.spawn(KeyDesk::new(Arc::clone(app)).run());
    jobs.spawn(MailDesk::new(Arc::clone(app)).run());
    if let Some(limits) = &edge.limits {
        let limiter = Arc::clone(&limits.limiter);
        jobs.spawn(async move { limiter.run().await });
    }
    if let Some(service) = service {
        jobs.spawn(service.run());
    }
    if let Some(remote) = remote {
        jobs.spawn(async move { remote.watch().await });
    }
    jobs
}

/// The application with everything that is configured.
fn application(
    (home, config): (&Path, &Config),
    store: Arc<Store>,
    (remote, vault): (Option<Arc<Remote>>, Arc<Vault>),
    limits: Option<Limits>,
) -> anyhow::Result<App> {
    let embedder = Arc::new(SentenceEmbedder::built_in());
    let settings = Settings {
        index_budget: config.index.budget_mib << 20,
    };
    let app = App::new(store, embedder, Arc::new(Monotonic::start()), settings);
    let app = app.with_capture(config.capture.settings()?);
    let app = app.with_limits(limits);
    let app = app.with_reads(config.ledger.reads());
    let app = app.with_alerts(config.alerts.settings()?);
    let app = app.with_sinks(config.sinks.settings(home)?);
    let app = app.with_wire(wire::open(home, config, &vault)?);
    let app = app.with_vault(vault);
    let app = app.with_references(config.references.open(home, &config.files(home))?);
    let app = exec::with(app, home, config)?;
    let app = app.with_fetching(config.sources.fetching()?);
    let standing = config.server.standing()?;
    let app = app.with_gateway(config.gateway.settings(standing.mode)?);
    let public_url = standing.public_url;
    let mut app = app.with_people(config.auth.settings(public_url, &config.mail, home)?);
    if let Some(remote) = remote {
        app = app.with_elsewhere(remote);
    }
    Ok(match config.model.settings()? {
        None => app,
        Some(settings) => {
            tracing::info!(
                endpoint = settings.endpoint,
                "closed sessions are read by a model"
            );
            app.with_model(settings, Arc::new(Endpoint::open(home, &config.model)?))
        }
    })
}

async fn listen(home: &Path, standing: &Standing) -> anyhow::Result<Listeners> {
    let path = files::socket_path(home)?;
    let socket =
        UnixListener::bind(&path).with_context(|| format!("listening on {}", path.display()))?;
    files::close_to_others(&path)?;
    let tcp = match standing.tcp {
        None => None,
        Some(address) => Some(TcpListener::bind(address).await.with_context(|| {
            format!("listening on {address}: set server.tcp to another port, or to \"off\"")
        })?),
    };
    Ok(Listeners { socket, tcp })
}

/// Where this daemon stands, for the edge and the posture report.
fn site(config: &Config, standing: Standing, store: String, key_provider: String) -> Site {
    Site {
        store,
        stores_in_the_clear: config.store.is_unverified(),
        mode: standing.mode,
        is_public: standing.is_public(),
        public_url: standing.public_url,
        proxies: standing.proxies,
        key_provider,
        describes_itself: config.auth.grpc.reflection,
    }
}

/// Says in which mode it runs and where, whatever the level of the log.
fn announce(home: &Path, edge: &Edge) {
    let listeners = edge.listeners.get().cloned().unwrap_or_default();
    let mode = edge.site.mode.as_str();
    let places = listeners.join(", ");
    process::complain(&format!("skepd: {mode} mode, listening on {places}"));
    tracing::info!(home = %home.display(), mode, ?listeners, "skepd is ready");
}

/// Lets whoever runs a daemon for many make its first administrator. The token goes into a file of
/// theirs, never to where logs go.
async fn offer_setup(home: &Path, edge: &Edge) -> anyhow::Result<()> {
    if edge.app.is_set_up().await? {
        files::remove_setup_token(home);
        return Ok(());
    }
    if edge.site.mode == Mode::Local {
        return Ok(());
    }
    if let Some(token) = edge.app.issue_setup_token().await? {
        files::write_setup_token(home, &token)?;
    }
    if let Some(path) = files::setup_token(home) {
        let at = edge.site.public_url.as_deref().unwrap_or_default();
        let path = path.display();
        process::complain(&format!(
            "skepd: nobody can log in yet: enter the token in {path} at {at}/setup"
        ));
    }
    Ok(())
}

fn edge(
    app: &Arc<App>,
    listeners: &Listeners,
    also: Option<String>,
    limits: Option<Limits>,
    site: Site,
) -> anyhow::Result<Arc<Edge>> {
    let mut shown = vec!["unix:skepd.sock".to_owned()];
    if let Some(tcp) = &listeners.tcp {
        shown.push(format!("tcp:{}", tcp.local_addr()?));
    }
    shown.extend(also);
    // What tokens name as their issuer is what clients reach us at, never what a request says.
    let own = match &listeners.tcp {
        Some(tcp) => Some(format!("http://{}", tcp.local_addr()?)),
        None => None,
    };
    if let Some(issuer) = site.public_url.clone().or(own) {
        app.set_issuer(issuer);
    }
    Ok(Arc::new(Edge {
        app: Arc::clone(app),
        version: env!("CARGO_PKG_VERSION"),
        limits,
        site,
        listeners: OnceLock::from(shown),
    }))
}
