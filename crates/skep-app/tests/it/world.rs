//! A store with two tenants, and applications over it that come and go like daemons do.

use std::sync::Arc;

use skep_app::{App, Question, Recalled, Remember, Settings};
use skep_authz::{Right, rights};
use skep_domain::{Clock, MemoryKind, Visibility};
use skep_index::{Embedder, StaticEmbedder};
use skep_store::Store;
use skep_test_support::{ManualClock, MemoryRootKey, Scratch, StoppedWatch, Tenant, open_store};

pub(crate) struct World {
    pub(crate) scratch: Scratch,
    pub(crate) store: Arc<Store>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) a: Tenant,
    pub(crate) b: Tenant,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with_clock(|clock| clock).await
    }

    /// A world that tells the time by another clock, made of the one that the test turns.
    pub(crate) async fn with_clock<C: Clock + 'static>(
        of: impl FnOnce(Arc<ManualClock>) -> Arc<C>,
    ) -> Self {
        let scratch = Scratch::new();
        let data = scratch.path().join("data");
        let clock = Arc::new(ManualClock::new());
        let telling = of(Arc::clone(&clock)) as Arc<dyn Clock>;
        let store = open_store(&data, &MemoryRootKey::new(3), telling)
            .await
            .unwrap();
        let store = Arc::new(store);
        let a = Tenant::create(&store, "alpha").await.unwrap();
        let b = Tenant::create(&store, "beta").await.unwrap();
        Self {
            scratch,
            store,
            clock,
            a,
            b,
        }
    }

    /// An application with nothing in memory, as after a start.
    pub(crate) fn start(&self) -> App {
        self.start_with(Arc::new(StaticEmbedder::built_in()), Settings::default())
    }

    pub(crate) fn start_with(&self, embedder: Arc<dyn Embedder>, settings: Settings) -> App {
        App::new(
            Arc::clone(&self.store),
            embedder,
            Arc::new(StoppedWatch),
            settings,
        )
    }

    pub(crate) async fn may<P: Right>(&self, tenant: &Tenant) -> skep_authz::Authorized<P> {
        tenant
            .caller(&self.store, "owner")
            .await
            .authorize()
            .unwrap()
    }

    pub(crate) async fn remember(&self, app: &App, tenant: &Tenant, text: &str) {
        self.remember_for(app, tenant, text, Visibility::Workspace)
            .await;
    }

    pub(crate) async fn remember_for(
        &self,
        app: &App,
        tenant: &Tenant,
        text: &str,
        visibility: Visibility,
    ) {
        let statement = Remember {
            text: text.into(),
            kind: MemoryKind::Fact,
            project: None,
            visibility,
            by_agent: false,
            path: None,
        };
        app.remember(self.may::<rights::MemoryWrite>(tenant).await, statement)
            .await
            .unwrap();
    }

    pub(crate) async fn recall(&self, app: &App, tenant: &Tenant, query: &str) -> Recalled {
        self.ask(app, tenant, "owner", question(query)).await
    }

    pub(crate) async fn ask(
        &self,
        app: &App,
        tenant: &Tenant,
        persona: &str,
        question: Question,
    ) -> Recalled {
        let caller = tenant.caller(&self.store, persona).await;
        app.recall(caller.authorize().unwrap(), question)
            .await
            .unwrap()
    }
}

pub(crate) fn question(query: &str) -> Question {
    Question {
        query: query.into(),
        items: 10,
        tokens: 4_000,
        as_of: None,
        project: None,
        kinds: Vec::new(),
        hints: Vec::new(),
        deadline_ms: 60_000,
    }
}

/// Texts and scores, to compare answers.
pub(crate) fn shape(recalled: &Recalled) -> Vec<(String, u32)> {
    recalled
        .items
        .iter()
        .map(|item| (item.memory.body.text.clone(), item.rank.to_bits()))
        .collect()
}

/// Texts alone: one more memory moves every score a little.
pub(crate) fn texts(recalled: &Recalled) -> Vec<String> {
    recalled
        .items
        .iter()
        .map(|item| item.memory.body.text.clone())
        .collect()
}
