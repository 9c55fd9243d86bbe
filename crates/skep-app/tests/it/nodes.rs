//! Two stores on one database, as two nodes have them: what one does counts for the other.

use std::sync::Arc;

use skep_app::{App, Nodes, Remember, Settings};
use skep_authz::{Authorized, Survey, rights};
use skep_domain::{MemoryKind, Timestamp, Visibility};
use skep_index::StaticEmbedder;
use skep_store::{Announcement, Heard, Hold, Revocation, Store, Work};
use skep_test_support::{ManualClock, MemoryRootKey, StoppedWatch, TeamStore, Tenant};

struct Two {
    place: TeamStore,
    nodes: [Arc<Store>; 2],
    tenant: Tenant,
}

impl Two {
    async fn start() -> Self {
        let (place, root) = (TeamStore::new().await, MemoryRootKey::new(3));
        let clock = Arc::new(ManualClock::new());
        let one = Arc::new(place.node(&root, Arc::clone(&clock) as _).await.unwrap());
        let tenant = Tenant::create(&one, "alpha").await.unwrap();
        let two = Arc::new(place.node(&root, clock).await.unwrap());
        Self {
            place,
            nodes: [one, two],
            tenant,
        }
    }

    fn id(&self) -> (skep_domain::OrganizationId, skep_domain::WorkspaceId) {
        (self.tenant.organization, self.tenant.workspace)
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "what the daemon's own work on a workspace takes"
    )]
    fn survey(&self) -> Authorized<Survey> {
        skep_authz::survey(self.tenant.organization, self.tenant.workspace)
    }

    async fn hold(&self, node: usize, work: Work) -> Option<Box<dyn Hold>> {
        self.nodes[node].hold(self.survey(), work).await.unwrap()
    }

    /// Until a node gets a piece of work that the other one gives back.
    async fn gets(&self, node: usize, work: Work) -> Box<dyn Hold> {
        loop {
            // A connection that was cut shows as an error first.
            if let Ok(Some(held)) = self.nodes[node].hold(self.survey(), work).await {
                return held;
            }
            tokio::task::yield_now().await;
        }
    }

    fn app(&self, node: usize) -> Arc<App> {
        let embedder = Arc::new(StaticEmbedder::built_in());
        let (store, watch) = (Arc::clone(&self.nodes[node]), Arc::new(StoppedWatch));
        Arc::new(App::new(store, embedder, watch, Settings::default()))
    }

    async fn caller(&self, node: usize) -> skep_authz::Caller {
        self.tenant.caller(&self.nodes[node], "owner").await
    }

    async fn waits_for_vectors(&self, app: &App) -> u64 {
        let right = self.caller(0).await.authorize().unwrap();
        app.status(right).await.unwrap().counts.awaiting_vector
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn f07_work_on_a_workspace_is_one_nodes_at_a_time_and_is_free_when_its_node_is_gone() {
    let two = Two::start().await;
    let held = two.hold(0, Work::Upkeep).await;
    assert!(held.is_some());
    assert!(two.hold(1, Work::Upkeep).await.is_none());
    assert!(
        two.hold(1, Work::Model).await.is_some(),
        "another piece of work"
    );
    drop(held);
    let held = two.gets(1, Work::Upkeep).await;
    assert!(two.hold(0, Work::Upkeep).await.is_none());
    // As a server sees the end of a node: its connection is gone.
    two.place.database().run(
        "SELECT pg_terminate_backend(pid, 20000) FROM pg_stat_activity
         WHERE datname = current_database() AND application_name = 'skepd node'",
    );
    two.gets(0, Work::Upkeep).await;
    drop(held);
}

#[tokio::test(flavor = "multi_thread")]
async fn f07_upkeep_leaves_a_workspace_alone_while_another_node_tends_it() {
    let two = Two::start().await;
    let (one, other) = (two.app(0), two.app(1));
    let statement = Remember {
        text: "The tide gauge is read at noon.".into(),
        kind: MemoryKind::Fact,
        project: None,
        visibility: Visibility::Workspace,
        by_agent: false,
        path: None,
    };
    let right: Authorized<rights::MemoryWrite> = two.caller(0).await.authorize().unwrap();
    one.remember(right, statement).await.unwrap();
    let held = two.hold(0, Work::Upkeep).await;
    other.tend(two.id()).await.unwrap();
    assert_eq!(
        two.waits_for_vectors(&other).await,
        1,
        "somebody else is at it"
    );
    drop(held);
    while two.waits_for_vectors(&other).await > 0 {
        other.tend(two.id()).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn n07_a_proof_used_on_one_node_is_used_on_every_node() {
    let two = Two::start().await;
    let [one, other] = &two.nodes;
    let until = Timestamp::from_micros(one.now().as_micros() + 60_000_000);
    assert!(one.spend_proof([1; 32], until).await.unwrap());
    assert!(!other.spend_proof([1; 32], until).await.unwrap());
    assert!(!one.spend_proof([1; 32], until).await.unwrap());
    // Of many at once, on both, one is the first.
    let at_once = (0..16).map(|n| {
        let store = Arc::clone(&two.nodes[n % 2]);
        tokio::task::spawn_blocking(move || {
            tokio::runtime::Handle::current().block_on(store.spend_proof([2; 32], until))
        })
    });
    let mut first = 0;
    for spent in at_once.collect::<Vec<_>>() {
        first += u32::from(spent.await.unwrap().unwrap());
    }
    assert_eq!(first, 1);
    let past = Timestamp::from_micros(one.now().as_micros());
    assert!(one.spend_proof([3; 32], past).await.unwrap());
    assert_eq!(
        other.sweep_proofs(10).await.unwrap(),
        1,
        "what is too old is forgotten"
    );
    assert!(
        !other.spend_proof([2; 32], until).await.unwrap(),
        "the rest is not"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn x09_signing_keys_and_peppers_changed_on_one_node_are_in_force_on_the_other() {
    let two = Two::start().await;
    let [one, other] = &two.nodes;
    let mut told = other.revocations();
    let mut listening = tokio::task::JoinSet::new();
    listening.spawn(Nodes::new(two.app(1)).run());
    let before = other.signing();
    one.raise_signing().await.unwrap();
    while other.signing() == before {
        tokio::task::yield_now().await;
    }
    assert_eq!(other.signing(), one.signing());
    // Nothing was missed on the way there.
    assert!(!matches!(told.try_recv(), Ok(Revocation::Of(_))));
    other.raise_signing().await.unwrap();
    assert_eq!(other.signing().0, one.signing().0 + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_rolled_back_is_announced_to_nobody() {
    let two = Two::start().await;
    let [one, other] = &two.nodes;
    // From here on it listens.
    while one.raise_pepper().await.is_ok() {
        let heard = tokio::time::timeout(std::time::Duration::from_millis(200), other.hear()).await;
        if let Ok(heard) = heard {
            assert!(matches!(
                heard,
                Some(Heard::Told(Announcement::Keys) | Heard::Missed)
            ));
            break;
        }
    }
    let number = || two.place.database().query("SELECT news FROM skep.instance");
    let before = number();
    let mut door = begin_door(one).await;
    suspend(&mut door, two.tenant.organization).await;
    drop(door);
    assert_eq!(number(), before);
    let mut door = begin_door(one).await;
    suspend(&mut door, two.tenant.organization).await;
    door.commit().await.unwrap();
    loop {
        match other.hear().await {
            Some(Heard::Told(Announcement::Revoked(skep_store::Revoked::Organization))) => break,
            Some(Heard::Told(Announcement::Keys) | Heard::Missed) => {}
            heard => panic!("{heard:?}"),
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "what whoever runs the daemon does"
)]
async fn begin_door(store: &Store) -> skep_store::DoorTx {
    store.begin_door(skep_store::Mode::Write).await.unwrap()
}

async fn suspend(door: &mut skep_store::DoorTx, organization: skep_domain::OrganizationId) {
    let standing = skep_domain::Standing::Suspended;
    door.set_organization_standing(organization, standing)
        .await
        .unwrap();
}
