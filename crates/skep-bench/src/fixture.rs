//! An application over a store in a scratch directory, filled with real text.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Result;
use skep_app::{App, Settings, Stopwatch};
use skep_authz::{Caller, Right};
use skep_domain::{
    Harness, Limits, MemoryKind, MemoryState, Timestamp, Trust, Validity, Visibility,
};
use skep_index::{Embedder, SentenceEmbedder, StaticEmbedder};
use skep_memory::{Redactor, clean, cut_line, normal_form};
use skep_store::{MemoryBody, NewMemory, Store};
use skep_store_postgres::Options;
use skep_test_support::{ManualClock, MemoryRootKey, Scratch, TeamStore, Tenant, open_store};

/// How many candidates a recall asks the index for.
pub(crate) const CANDIDATES: usize = Limits::RECALL_CANDIDATES;

/// A store, an application and somebody who may do everything.
pub(crate) struct Fixture {
    pub(crate) scratch: Scratch,
    pub(crate) store: Arc<Store>,
    pub(crate) app: Arc<App>,
    pub(crate) tenant: Tenant,
    pub(crate) caller: Caller,
}

/// A stopwatch that runs.
struct Running(Instant);

impl Stopwatch for Running {
    fn micros(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}

impl Fixture {
    /// With vectors as [`application`] makes them.
    pub(crate) async fn new() -> Result<Self> {
        Self::with(drafting()).await
    }

    /// With an embedder of one's own.
    pub(crate) async fn with(embedder: Arc<dyn Embedder>) -> Result<Self> {
        let scratch = Scratch::new();
        let store = open(scratch.path()).await?;
        Self::over(store, scratch, embedder).await
    }

    /// On a team's store.
    pub(crate) async fn on(place: &TeamStore) -> Result<Self> {
        let (root, clock) = (MemoryRootKey::new(7), Arc::new(ManualClock::new()));
        let store = place.open(&root, clock, Options::default()).await?;
        Self::over(Arc::new(store), Scratch::new(), drafting()).await
    }

    async fn over(
        store: Arc<Store>,
        scratch: Scratch,
        embedder: Arc<dyn Embedder>,
    ) -> Result<Self> {
        let tenant = Tenant::create(&store, "bench").await?;
        let caller = tenant.caller(&store, "owner").await;
        Ok(Self {
            app: application_with(&store, embedder),
            scratch,
            store,
            tenant,
            caller,
        })
    }

    /// A right, for one transaction.
    pub(crate) fn may<P: Right>(&self) -> Result<skep_authz::Authorized<P>> {
        Ok(self.caller.authorize()?)
    }

    /// Makes a memory of each text, through the same cleaning and redaction as any other, then
    /// embeds them.
    pub(crate) async fn fill(&self, texts: &[String]) -> Result<()> {
        let redactor = Redactor::new();
        for batch in texts.chunks(1_000) {
            let mut tx = self
                .store
                .begin(self.may::<skep_authz::rights::MemoryWrite>()?)
                .await?;
            for text in batch {
                let clean = clean(text);
                let text = redactor.redact(&clean).text.into_owned();
                tx.put_memory(memory(&self.store, text)).await?;
            }
            tx.commit().await?;
        }
        self.app
            .tend((self.tenant.organization, self.tenant.workspace))
            .await?;
        Ok(())
    }
}

/// Opens the store in a directory, as a daemon does at its start.
pub(crate) async fn open(directory: &Path) -> Result<Arc<Store>> {
    let clock = Arc::new(ManualClock::new());
    Ok(Arc::new(
        open_store(&directory.join("data"), &MemoryRootKey::new(7), clock).await?,
    ))
}

/// The embedder that a daemon has.
pub(crate) fn embedder() -> Arc<dyn Embedder> {
    Arc::new(SentenceEmbedder::built_in())
}

/// An application with nothing in memory yet. Its vectors are drafts, as wide as a daemon's and found
/// in the same way: a hundred thousand in full would take most of an hour.
pub(crate) fn application(store: &Arc<Store>) -> Arc<App> {
    application_with(store, drafting())
}

fn drafting() -> Arc<dyn Embedder> {
    Arc::new(StaticEmbedder::built_in())
}

#[expect(
    clippy::disallowed_methods,
    reason = "measuring time is what a benchmark does"
)]
fn application_with(store: &Arc<Store>, embedder: Arc<dyn Embedder>) -> Arc<App> {
    let watch = Arc::new(Running(Instant::now()));
    let store = Arc::clone(store);
    Arc::new(App::new(store, embedder, watch, Settings::default()))
}

/// A memory that says this, as many are made.
pub(crate) fn memory(store: &Store, text: String) -> NewMemory {
    let now: Timestamp = store.now();
    NewMemory {
        id: store.mint(),
        kind: MemoryKind::Fact,
        trust: Trust::External,
        state: MemoryState::Active,
        validity: Validity::open(now, now),
        visibility: Visibility::Workspace,
        project: None,
        harness: Harness::Other,
        session: None,
        turns: Vec::new(),
        normal_form: normal_form(&text),
        body: MemoryBody {
            key: cut_line(&text, 120).into_owned(),
            text,
            ..MemoryBody::default()
        },
        origins: Vec::new(),
        topics: Vec::new(),
        reasons: Vec::new(),
    }
}
