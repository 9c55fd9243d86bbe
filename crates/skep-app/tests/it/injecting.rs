//! Injection under stress: a stalled search, two prompts at once, and what a session knows already.

use std::fmt::Write as _;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use skep_app::{App, Inject, Injected, Settings};
use skep_authz::rights;
use skep_domain::{Harness, Id, MemoryId, Moment};
use skep_index::{Embedder, SentenceEmbedder, StaticEmbedder};
use skep_memory::{POLICY, POLICY_SHA256, parse};

use crate::world::World;

const PORT: &str = "The harbour master listens on port 7411 for tide reports.";

fn prompt(words: &str) -> Inject {
    Inject {
        harness: Harness::ClaudeCode,
        external_id: "s-1".into(),
        moment: Moment::Prompt,
        prompt: words.into(),
        project: None,
        cwd: None,
        tokens: None,
        deadline_ms: 60_000,
    }
}

async fn inject(world: &World, app: &App, request: Inject) -> Injected {
    let rights = (
        world.may::<rights::SessionCapture>(&world.a).await,
        world.may::<rights::MemoryRead>(&world.a).await,
    );
    app.inject(rights, request, &|id: MemoryId| {
        format!("mem_{:?}", id.to_bytes()[15])
    })
    .await
    .unwrap()
}

/// Embeds when the gate is open, and holds its caller up while it is shut.
struct Gated {
    inner: StaticEmbedder,
    open: Arc<(Mutex<bool>, Condvar)>,
}

impl Gated {
    fn set(gate: &(Mutex<bool>, Condvar), open: bool) {
        *gate.0.lock().unwrap() = open;
        gate.1.notify_all();
    }
}

impl Embedder for Gated {
    fn model_id(&self) -> &str {
        self.inner.model_id()
    }
    fn dim(&self) -> usize {
        self.inner.dim()
    }
    fn embed(&self, text: &str) -> Vec<f32> {
        let mut open = self.open.0.lock().unwrap();
        while !*open {
            open = self.open.1.wait(open).unwrap();
        }
        drop(open);
        self.inner.embed(text)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn m05_a_stalled_search_injects_nothing_within_the_budget() {
    let world = World::new().await;
    let open = Arc::new((Mutex::new(true), Condvar::new()));
    let embedder = Gated {
        inner: StaticEmbedder::built_in(),
        open: Arc::clone(&open),
    };
    let app = world.start_with(Arc::new(embedder), Settings::default());
    world.remember(&app, &world.a, PORT).await;
    app.tend((world.a.organization, world.a.workspace))
        .await
        .unwrap();
    let asked = prompt(&format!("{PORT} Right?"));

    Gated::set(&open, false);
    let budget = Duration::from_secs(1);
    #[expect(clippy::disallowed_methods, reason = "the budget is wall time")]
    let start = Instant::now();
    let late = Inject {
        deadline_ms: 1_000,
        ..asked.clone()
    };
    let injected = inject(&world, &app, late).await;
    let took = start.elapsed();
    Gated::set(&open, true);
    assert!(took <= budget * 11 / 10, "{took:?}");
    assert_eq!(injected.text, "");
    assert!(injected.record.is_none());
    assert!(injected.degraded[0].contains("deadline"), "{injected:?}");

    let injected = inject(&world, &app, asked).await;
    assert_eq!(
        injected.items.len(),
        1,
        "the next one finds it: {injected:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn two_prompts_at_once_are_not_given_the_same_memory() {
    let world = World::new().await;
    let app = world.start();
    world.remember(&app, &world.a, PORT).await;
    app.tend((world.a.organization, world.a.workspace))
        .await
        .unwrap();
    let asked = prompt(&format!("{PORT} Right?"));
    let (one, other) = tokio::join!(
        inject(&world, &app, asked.clone()),
        inject(&world, &app, asked.clone())
    );
    assert_eq!(one.items.len() + other.items.len(), 1, "{one:?} {other:?}");
    let given = if one.text.is_empty() { other } else { one };
    let parsed = parse(&given.text).unwrap();
    assert_eq!(parsed.blocks[0].text, PORT);
    assert!(given.text.len() <= 10_000);

    let again = inject(&world, &app, asked.clone()).await;
    assert_eq!(again.text, "", "the model has it already");
    let elsewhere = Inject {
        external_id: "s-2".into(),
        ..asked.clone()
    };
    assert_eq!(inject(&world, &app, elsewhere).await.items.len(), 1);
    let nothing = prompt("please rename this variable and fix the indentation");
    assert_eq!(inject(&world, &app, nothing).await.text, "");
}

#[test]
fn the_stated_hash_is_that_of_the_policy() {
    let mut hash = String::new();
    for byte in skep_crypto::sha256(POLICY.as_bytes()) {
        let _ = write!(hash, "{byte:02x}");
    }
    assert_eq!(hash, POLICY_SHA256);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_remembered_a_moment_ago_is_given_before_its_vector_is_kept() {
    let world = World::new().await;
    let embedder = Arc::new(SentenceEmbedder::built_in());
    let app = world.start_with(embedder, Settings::default());
    let parrot = "The lighthouse keeper's parrot is called Admiral.";
    world.remember(&app, &world.a, parrot).await;
    let asked = prompt("What is the lighthouse keeper's parrot called?");
    let injected = inject(&world, &app, asked).await;
    assert_eq!(parse(&injected.text).unwrap().blocks[0].text, parrot);
    let other = prompt("please rename this variable and fix the indentation");
    assert_eq!(inject(&world, &app, other).await.text, "");
}
