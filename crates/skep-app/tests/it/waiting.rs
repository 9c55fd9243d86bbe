//! Nobody waits for upkeep: whoever writes or asks is answered while upkeep stands still in the
//! middle of what takes it long.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use skep_app::{App, AppError, Branch, Capture, Question, Rewind, Settings, Target, TurnIn};
use skep_authz::rights;
use skep_domain::{CaptureOrigin, Clock, Harness, SessionId, Timestamp, TurnRole};
use skep_index::{Embedder, StaticEmbedder};
use skep_test_support::ManualClock;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::world::{World, question};

/// For a failure alone: long enough for a slow machine, shorter than the store's own patience times
/// the writes below.
const FOREVER: Duration = Duration::from_mins(1);

/// A place where the next one to pass is held until the test lets it go on.
#[derive(Default)]
struct Gate {
    /// What to do with the next that passes; once.
    shut: Mutex<Option<(oneshot::Sender<()>, Receiver<()>)>>,
}

/// The test's side of a gate that is shut.
struct Shut {
    arrived: oneshot::Receiver<()>,
    /// Dropped, it lets go.
    hold: Sender<()>,
}

impl Gate {
    /// Holds whoever passes next.
    fn shut(&self) -> Shut {
        let (arrive, arrived) = oneshot::channel();
        let (hold, until) = channel();
        *self.shut.lock().unwrap() = Some((arrive, until));
        Shut { arrived, hold }
    }

    fn pass(&self) {
        let shut = self.shut.lock().unwrap().take();
        if let Some((arrive, held)) = shut {
            arrive.send(()).unwrap();
            // Nothing is ever sent: it ends when the other side is dropped.
            let _ = held.recv();
        }
    }
}

impl Shut {
    /// Waits until somebody stands at the gate; they stand there until the answer is dropped.
    async fn arrival(self) -> Sender<()> {
        let arrived = timeout(FOREVER, self.arrived).await;
        arrived.expect("upkeep comes to the gate").unwrap();
        self.hold
    }
}

/// Holds the memories that it embeds and drafts, not the questions.
struct GatedEmbedder {
    inner: StaticEmbedder,
    gate: Arc<Gate>,
    /// Drafts made.
    drafts: AtomicUsize,
}

impl GatedEmbedder {
    fn new(gate: &Arc<Gate>) -> Self {
        Self {
            inner: StaticEmbedder::built_in(),
            gate: Arc::clone(gate),
            drafts: AtomicUsize::new(0),
        }
    }
}

impl Embedder for GatedEmbedder {
    fn model_id(&self) -> &'static str {
        "gated/1"
    }
    fn dim(&self) -> usize {
        self.inner.dim()
    }
    fn embed(&self, text: &str) -> Vec<f32> {
        if text.contains("The anchor") {
            self.gate.pass();
        }
        self.inner.embed(text)
    }
    fn draft(&self, text: &str) -> Vec<f32> {
        self.drafts.fetch_add(1, Ordering::Relaxed);
        if text.contains("The capstan") {
            self.gate.pass();
        }
        self.inner.embed(text)
    }
}

/// Holds whoever asks it for the time.
struct GatedClock {
    inner: Arc<ManualClock>,
    gate: Arc<Gate>,
}

impl Clock for GatedClock {
    fn now(&self) -> Timestamp {
        self.gate.pass();
        self.inner.now()
    }
}

fn batch(external_id: &str, first: i64, said: &[String]) -> Capture {
    let turns = (first..).zip(said).map(|(number, text)| TurnIn {
        author: None,
        client_event_id: format!("event-{number}"),
        role: if number % 2 == 0 {
            TurnRole::User
        } else {
            TurnRole::Assistant
        },
        at: Timestamp::from_millis(1_767_225_600_000 + number),
        text: text.clone(),
        tool: None,
        is_error: false,
        paths: Vec::new(),
        branch: Branch::Main,
    });
    Capture {
        harness: Harness::ClaudeCode,
        external_id: external_id.into(),
        title: None,
        project: None,
        cwd: None,
        turns: turns.collect(),
        cursor: None,
        origin: CaptureOrigin::Import,
        spool: None,
        ended: false,
    }
}

async fn capture(world: &World, app: &App, batch: Capture) -> SessionId {
    let right = world.may::<rights::SessionCapture>(&world.a).await;
    let captured = app.capture(right, batch).await.unwrap();
    captured.session.unwrap()
}

/// A write, an import that is ended, and a question that finds the write.
async fn is_served(world: &World, app: &App, marker: &str) {
    let served = async {
        let said = format!("The {marker} buoy is painted yellow.");
        world.remember(app, &world.a, &said).await;
        let question = format!("what colour is the {marker} buoy");
        let found = world.recall(app, &world.a, &question).await;
        assert_eq!(found.items[0].memory.body.text, said);
        let rule = format!("Always ring the {marker} bell at noon, because ships set clocks.");
        let session = capture(world, app, batch(marker, 0, &[rule])).await;
        let right = world.may::<rights::SessionCapture>(&world.a).await;
        let ended = app.end_session(right, world.may(&world.a).await, session);
        assert_eq!(ended.await.unwrap().memories, 1);
    };
    timeout(FOREVER, served)
        .await
        .expect("nobody waits for upkeep");
}

/// Upkeep of the first tenant, beside the test.
fn tend(world: &World, app: &Arc<App>) -> JoinSet<Result<(), AppError>> {
    let (app, tenant) = (Arc::clone(app), (world.a.organization, world.a.workspace));
    let mut upkeep = JoinSet::new();
    upkeep.spawn(async move { app.tend(tenant).await });
    upkeep
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nobody_waits_for_embedding() {
    let world = World::new().await;
    let gate = Arc::new(Gate::default());
    let embedder = Arc::new(GatedEmbedder::new(&gate));
    let app = Arc::new(world.start_with(embedder, Settings::default()));
    world
        .remember(&app, &world.a, "The anchor is weighed at dawn.")
        .await;
    let shut = gate.shut();
    let mut upkeep = tend(&world, &app);
    let held = shut.arrival().await;
    is_served(&world, &app, "northern").await;
    assert!(upkeep.try_join_next().is_none(), "it still embeds");
    drop(held);
    upkeep.join_next().await.unwrap().unwrap().unwrap();
    let after = world
        .recall(&app, &world.a, "when is the anchor weighed")
        .await;
    assert!(after.degraded.is_empty(), "{:?}", after.degraded);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_load_goes_on_when_whoever_asked_gives_up() {
    let world = World::new().await;
    let said = "The capstan is oiled weekly.";
    world.remember(&world.start(), &world.a, said).await;
    let gate = Arc::new(Gate::default());
    let embedder = Arc::new(GatedEmbedder::new(&gate));
    let app = world.start_with(Arc::clone(&embedder) as _, Settings::default());
    let shut = gate.shut();
    let hurried = Question {
        deadline_ms: 1,
        ..question("when is the capstan oiled")
    };
    let answer = world.ask(&app, &world.a, "owner", hurried).await;
    assert!(answer.items.is_empty() && !answer.degraded.is_empty());
    drop(shut.arrival().await);
    let found = world.recall(&app, &world.a, "when is the capstan oiled");
    assert_eq!(found.await.items[0].memory.body.text, said);
    assert_eq!(embedder.drafts.load(Ordering::Relaxed), 1, "loaded once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nobody_waits_for_the_reading_of_a_long_history() {
    let gate = Arc::new(Gate::default());
    let at = Arc::clone(&gate);
    let world = World::with_clock(|inner| Arc::new(GatedClock { inner, gate: at })).await;
    let app = Arc::new(world.start());
    let said: Vec<String> = (0..600)
        .map(|number| match number % 2 {
            0 => format!("Always stow line {number} below deck, because it is wet."),
            _ => "Understood.".into(),
        })
        .collect();
    let mut session = None;
    for (at, part) in (0..).zip(said.chunks(200)) {
        session = Some(capture(&world, &app, batch("long", at * 200, part)).await);
    }
    // The one thing that a step asks the clock for while it is read and thought out comes first.
    for marker in ["northern", "southern", "eastern"] {
        let shut = gate.shut();
        let mut upkeep = tend(&world, &app);
        let held = shut.arrival().await;
        is_served(&world, &app, marker).await;
        assert!(upkeep.try_join_next().is_none(), "it still reads");
        drop(held);
        upkeep.join_next().await.unwrap().unwrap().unwrap();
        world.clock.advance_seconds(16 * 60);
        let again = vec![format!(
            "Never moor at the {marker} berth, because it silts up."
        )];
        let first = 2_000 + marker.len() as i64 * 2;
        assert_eq!(
            Some(capture(&world, &app, batch("long", first, &again)).await),
            session
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn m04_what_is_taken_back_while_upkeep_thinks_is_not_kept() {
    let gate = Arc::new(Gate::default());
    let at = Arc::clone(&gate);
    let world = World::with_clock(|inner| Arc::new(GatedClock { inner, gate: at })).await;
    let app = Arc::new(world.start());
    let rule = |berth: &str| format!("Never moor at the {berth} berth, because it silts up.");
    for erase in [true, false] {
        let name = format!("session {erase}");
        let session = capture(&world, &app, batch(&name, 0, &[rule(&name)])).await;
        world.clock.advance_seconds(16 * 60);
        let shut = gate.shut();
        let mut upkeep = tend(&world, &app);
        let held = shut.arrival().await;
        let right = world.may::<rights::MemoryDelete>(&world.a).await;
        if erase {
            app.erase_session(right, session).await.unwrap();
        } else {
            let rewind = Rewind {
                target: Target::Session(session),
                erase: false,
                dry_run: false,
                reason: "poisoned".into(),
            };
            app.rewind(right, rewind).await.unwrap();
        }
        drop(held);
        upkeep.join_next().await.unwrap().unwrap().unwrap();
        let found = world.recall(&app, &world.a, "where to moor").await;
        assert!(found.items.is_empty(), "{erase}: {:?}", found.items);
    }
}
