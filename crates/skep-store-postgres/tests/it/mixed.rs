//! T05: requests of many workspaces on four connections, given up, cut and cancelled at any moment, with
//! words of another left on a connection: whoever comes next sees nothing of anybody else.
//!
//! No statement names its workspace here, so that nothing but a transaction's own words keeps it apart.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::{FutureExt as _, StreamExt as _, stream};
use skep_authz::rights::{MemoryRead, SessionCapture, SessionRead};
use skep_conformance::{Harness, Persona, Tenant, World, new_memory, new_session, new_turn};
use skep_domain::{MemoryId, SessionId};
use skep_store::backend::Backend;
use skep_store::{Kept, MemoryFilter, PageOf, StoreError, Tx};
use skep_store_postgres::{Options, PostgresBackend};

use crate::between::{Between, Ear, Fate};
use crate::dice::Dice;
use crate::place::{Place, Session, tls};
use crate::predicate::{predicates, without_all};

const SEED: u64 = 0x7_05;
const AT_ONCE: usize = 8;
const HUMAN: Persona = Persona::Human;

/// Leaves words of a transaction that ended, and cuts connections.
struct Unruly {
    dice: Mutex<Dice>,
    calm: Mutex<bool>,
    poison: Vec<String>,
    /// Connections with words on them.
    poisoned: Mutex<BTreeSet<u32>>,
    served: AtomicU64,
    cuts: AtomicU64,
}

impl Ear for Unruly {
    fn hears(&self, connection: u32, text: &str) -> Fate {
        if !predicates(text).is_empty() {
            return Fate::Becomes(without_all(text));
        }
        let mut poisoned = self.poisoned.lock().unwrap();
        // One that could not even begin may begin again, to be looked at again.
        if text == "COMMIT" && poisoned.contains(&connection) {
            self.served.fetch_add(1, Ordering::Relaxed);
        }
        let mut dice = self.dice.lock().unwrap();
        if *self.calm.lock().unwrap() {
            return Fate::Passes;
        }
        if (text == "COMMIT" || text == "ROLLBACK") && dice.one_in(20) {
            poisoned.insert(connection);
            let words = dice.pick(&self.poison);
            return Fate::Becomes(format!("{text}; {words}"));
        }
        match dice.below(2_000) {
            0 => self.cut(Fate::Falls),
            1 => self.cut(Fate::IsNotAnswered),
            _ => Fate::Passes,
        }
    }
}

impl Unruly {
    fn cut(&self, fate: Fate) -> Fate {
        self.cuts.fetch_add(1, Ordering::Relaxed);
        fate
    }
}

struct Node {
    place: Arc<Place>,
    between: Between,
}

impl Harness for Node {
    async fn fresh() -> Self {
        panic!("it needs its ear")
    }

    async fn open(&self) -> Arc<dyn Backend> {
        let options = Options {
            connections: 4,
            patience: Duration::from_secs(2),
            statement_timeout: Duration::from_millis(300),
        };
        let server = self.between.server(self.place.server());
        Arc::new(PostgresBackend::open(server, tls(), options).await.unwrap())
    }
}

/// Gives up after so many polls, or panics.
struct Impatient<F> {
    work: Pin<Box<F>>,
    left: u64,
    panics: bool,
}

impl<F: Future> Future for Impatient<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.left == 0 {
            if self.panics {
                // Without a word on the terminal.
                std::panic::resume_unwind(Box::new("given up"));
            }
            return Poll::Ready(None);
        }
        self.left -= 1;
        self.work.as_mut().poll(context).map(Some)
    }
}

/// A tenant, and what became of what was written there.
struct Side {
    tenant: Tenant,
    mark: String,
    known: Mutex<Vec<(SessionId, MemoryId)>>,
    certain: Mutex<BTreeSet<String>>,
    never: Mutex<BTreeSet<String>>,
}

impl Side {
    fn new((number, tenant): (usize, Tenant)) -> Self {
        Self {
            tenant,
            mark: format!("side {number}:"),
            known: Mutex::default(),
            certain: Mutex::default(),
            never: Mutex::default(),
        }
    }
}

struct Stage {
    world: World<Node>,
    sides: Vec<Side>,
    admin: Session,
    seen: AtomicU64,
}

impl Stage {
    async fn request(&self, number: u64) -> Result<(), StoreError> {
        let mut dice = Dice::new(SEED ^ number << 20);
        let at = dice.below(self.sides.len() as u64) as usize;
        let (side, other) = (&self.sides[at], &self.sides[(at + 1) % self.sides.len()]);
        match dice.below(10) {
            0..3 => self.write(side, number, &mut dice).await,
            3..6 => self.read(side).await,
            6..8 => self.reach(side, other).await,
            8 => self.cursor(side, &mut dice).await,
            _ => self.survey(side).await,
        }
    }

    async fn write(&self, side: &Side, number: u64, dice: &mut Dice) -> Result<(), StoreError> {
        let name = format!("{} {number}", side.mark);
        let store = self.world.store();
        let mut tx: Tx<SessionCapture> = self.world.try_begin(&side.tenant, HUMAN).await?;
        let commits = !dice.one_in(4);
        if !commits {
            side.never.lock().unwrap().insert(name.clone());
        }
        let session = tx.put_session(&new_session(store, &name)).await?;
        tx.append_turns(session, &[new_turn(store, &name)]).await?;
        let mut memory = new_memory(store, &name);
        memory.session = Some(session);
        let kept = tx.put_memory(memory).await?;
        if commits {
            tx.commit().await?;
            side.certain.lock().unwrap().insert(name);
            if let Kept::New(memory) = kept {
                side.known.lock().unwrap().push((session, memory));
            }
        }
        Ok(())
    }

    async fn read(&self, side: &Side) -> Result<(), StoreError> {
        let mut tx: Tx<SessionRead> = self.world.try_begin(&side.tenant, HUMAN).await?;
        let page = PageOf {
            limit: 10,
            before: None,
        };
        for session in tx.list_sessions(page).await? {
            self.is_of(side, &session.external_id);
        }
        drop(tx);
        let mut tx: Tx<MemoryRead> = self.world.try_begin(&side.tenant, HUMAN).await?;
        let page = PageOf {
            limit: 10,
            before: None,
        };
        for memory in tx.list_memories(&MemoryFilter::default(), page).await? {
            self.is_of(side, &memory.body.key);
        }
        Ok(())
    }

    /// For what is there, but elsewhere.
    async fn reach(&self, side: &Side, other: &Side) -> Result<(), StoreError> {
        let known = other.known.lock().unwrap().last().copied();
        let Some((session, memory)) = known else {
            return Ok(());
        };
        let mut tx: Tx<SessionRead> = self.world.try_begin(&side.tenant, HUMAN).await?;
        assert!(tx.get_session(session).await?.is_none(), "{}", side.mark);
        assert!(
            tx.list_turns(session, 0, 9).await?.is_empty(),
            "{}",
            side.mark
        );
        drop(tx);
        let mut tx: Tx<MemoryRead> = self.world.try_begin(&side.tenant, HUMAN).await?;
        assert!(tx.get_memory(memory).await?.is_none(), "{}", side.mark);
        Ok(())
    }

    async fn cursor(&self, side: &Side, dice: &mut Dice) -> Result<(), StoreError> {
        let mut tx: Tx<SessionCapture> = self.world.try_begin(&side.tenant, HUMAN).await?;
        if let Some(mark) = tx.get_cursor("source").await? {
            self.is_of(side, &mark);
        }
        tx.put_cursor("source", &side.mark).await?;
        if dice.one_in(2) {
            tx.commit().await?;
        }
        Ok(())
    }

    async fn survey(&self, side: &Side) -> Result<(), StoreError> {
        let spaces = self.world.store().workspaces().await?;
        // Beside ours, those two that every world has.
        assert_eq!(spaces.len(), self.sides.len() + 2);
        let mut tx: Tx<SessionRead> = self.world.try_begin(&side.tenant, HUMAN).await?;
        tx.seq().await.map(|_| ())
    }

    fn is_of(&self, side: &Side, text: &str) {
        self.seen.fetch_add(1, Ordering::Relaxed);
        assert!(text.starts_with(&side.mark), "`{text}` in {}", side.mark);
    }

    /// What whoever runs the database may do meanwhile.
    async fn disturb(&self, dice: &mut Dice) {
        let theirs =
            "FROM pg_stat_activity WHERE usename = 'skep_app' AND datname = current_database()";
        let script = match dice.below(3) {
            // Only who waits: words that are being left on a connection are to be left whole.
            0 => format!("SELECT pg_cancel_backend(pid) {theirs} AND wait_event_type = 'Lock'"),
            1 => format!("SELECT pg_terminate_backend(pid) {theirs} ORDER BY random() LIMIT 1"),
            // Longer than a statement may take.
            _ => "SELECT FROM workspace_state FOR UPDATE; SELECT pg_sleep(0.4)".to_owned(),
        };
        self.admin.batch_execute(&script).await.unwrap();
    }

    /// What is there in the end: all that was acknowledged, nothing that was given up before its commit.
    async fn settle(&self) {
        for side in &self.sides {
            let mut tx: Tx<SessionRead> = self.world.begin(&side.tenant, HUMAN).await;
            let (mut there, mut before) = (BTreeSet::new(), None);
            loop {
                let page = tx
                    .list_sessions(PageOf { limit: 200, before })
                    .await
                    .unwrap();
                let Some(last) = page.last() else { break };
                before = Some(last.id);
                for session in page {
                    self.is_of(side, &session.external_id);
                    assert_eq!((session.turns, session.memories), (1, 1));
                    assert!(there.insert(session.external_id));
                }
            }
            let certain = side.certain.lock().unwrap();
            assert!(!certain.is_empty() && certain.is_subset(&there));
            assert!(side.never.lock().unwrap().is_disjoint(&there));
        }
    }
}

/// How the requests ended.
#[derive(Debug, Default)]
struct Ends {
    done: u64,
    given_up: u64,
    panicked: u64,
    refused: BTreeMap<String, u64>,
}

async fn mixed(requests: u64) {
    println!("seed {SEED:#x}");
    let place = Arc::new(Place::new().await);
    let tenants: Vec<Tenant> = (100..104).map(Tenant::from_seed).collect();
    let unruly = Arc::new(Unruly {
        dice: Mutex::new(Dice::new(SEED)),
        calm: Mutex::new(true),
        poison: tenants
            .iter()
            .map(words)
            .chain(["SET skep.installation = 'on'".to_owned()])
            .collect(),
        poisoned: Mutex::default(),
        served: AtomicU64::new(0),
        cuts: AtomicU64::new(0),
    });
    let between = Between::new(&place.server(), Arc::clone(&unruly) as Arc<dyn Ear>);
    let admin = place.session("postgres").await;
    let world = World::create(Node { place, between }, 1).await;
    for tenant in &tenants {
        world.put_workspace(tenant).await.unwrap();
    }
    let stage = Stage {
        world,
        sides: tenants.into_iter().enumerate().map(Side::new).collect(),
        admin,
        seen: AtomicU64::new(0),
    };
    *unruly.calm.lock().unwrap() = false;
    let ends = ask(&stage, requests).await;
    *unruly.calm.lock().unwrap() = true;
    // Connections that still have words on them serve nobody, and are closed at the first look.
    for _ in 0..8 {
        let _ = stage.world.store().workspaces().await;
    }
    stage.settle().await;
    let (poisoned, cuts) = (
        unruly.poisoned.lock().unwrap().len(),
        unruly.cuts.load(Ordering::Relaxed),
    );
    let seen = stage.seen.load(Ordering::Relaxed);
    println!(
        "{ends:#?}, {poisoned} connections with words left on them, {cuts} cut, {seen} rows looked at"
    );
    assert_eq!(
        unruly.served.load(Ordering::Relaxed),
        0,
        "a connection with words on it was served"
    );
    assert!(poisoned > 10 && ends.given_up > 10 && ends.panicked > 10 && seen > 100);
    assert!(ends.done > requests / 3, "hardly anything was done");
}

async fn ask(stage: &Stage, requests: u64) -> Ends {
    let mut ends = Ends::default();
    let one = |number: u64| async move {
        let mut dice = Dice::new(SEED ^ number << 32);
        if dice.one_in(400) {
            stage.disturb(&mut dice).await;
        }
        let left = if dice.one_in(3) {
            dice.below(40)
        } else {
            u64::MAX
        };
        let work = Impatient {
            work: Box::pin(stage.request(number)),
            left,
            panics: dice.one_in(3),
        };
        AssertUnwindSafe(work).catch_unwind().await
    };
    let mut all = stream::iter(0..requests).map(one).buffer_unordered(AT_ONCE);
    while let Some(ended) = all.next().await {
        match ended {
            Ok(Some(Ok(()))) => ends.done += 1,
            Ok(Some(Err(error))) => *ends.refused.entry(error.to_string()).or_default() += 1,
            Ok(None) => ends.given_up += 1,
            Err(what) if what.is::<&str>() && what.downcast_ref() == Some(&"given up") => {
                ends.panicked += 1;
            }
            Err(what) => std::panic::resume_unwind(what),
        }
    }
    ends
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t05_a_connection_brings_nothing_of_its_last_request() {
    mixed(2_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes many minutes"]
async fn t05_a_hundred_thousand_requests_bring_nothing_of_each_other() {
    mixed(100_000).await;
}

fn words(tenant: &Tenant) -> String {
    use skep_domain::Id as _;
    let hex = tenant
        .workspace
        .to_bytes()
        .map(|byte| format!("{byte:02x}"));
    format!("SET skep.workspace = '{}'", hex.concat())
}
