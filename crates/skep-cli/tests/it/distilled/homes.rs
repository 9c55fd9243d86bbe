//! The same import into two homes leaves the same memories and the same rankings, whatever upkeep did
//! in between.

use skep_api::memory::Memory;
use skep_test_support::Pace;

use super::labels::{Half, sessions};
use super::world::World;
use crate::program::fixtures;

/// All of a memory but its ids and the moment of its import.
fn shape(memory: &Memory) -> String {
    format!(
        "{} {} {} {} {:?} {:?} | {} | {} | {:?}",
        memory.kind,
        memory.trust,
        memory.state,
        memory.visibility,
        memory.project,
        memory.valid_from,
        memory.key,
        memory.text,
        memory.provenance.references
    )
}

const QUESTIONS: &[&str] = &[
    "why does the thumbnail worker run out of memory",
    "which cache holds decoded images",
    "may image URLs be logged",
    "how is the checkout reducer split",
    "default exports or named exports",
    "why do tests fail after 22:00 UTC",
    "date.today() lint",
    "502 when uploads are slow",
    "commit message style",
    "NOTIFY payload limit",
    "does LISTEN work through pgbouncer",
    "are prices cached",
    "Rechnungsnummern Lücken",
    "how do we release quarry",
    "cargo publish dirty tree",
    "where are the ingest dashboards",
    "pods evicted ephemeral-storage",
    "who may apply to prod",
    "how small can the embed get",
    "database is locked",
];

/// What a home holds, and what it answers.
#[derive(Debug, PartialEq)]
struct Home {
    memories: Vec<String>,
    held_back: Vec<String>,
    /// To questions of our own, and to the key lines of every other memory.
    answers: Vec<(String, Vec<String>)>,
}

impl Home {
    async fn of(world: &World) -> Self {
        let mut memories: Vec<String> = world.memories().await.iter().map(shape).collect();
        memories.sort();
        let mut held_back = world.held_back().await;
        held_back.sort();
        let keys: Vec<String> = world
            .memories()
            .await
            .into_iter()
            .map(|memory| memory.key)
            .collect();
        let mut questions: Vec<String> = QUESTIONS.iter().map(|&text| text.to_owned()).collect();
        questions.extend(keys.into_iter().filter(|key| key.len() % 2 == 0));
        questions.sort();
        let mut answers = Vec::new();
        for question in questions {
            let answer = world.recall(&question).await;
            answers.push((question, answer));
        }
        Self {
            memories,
            held_back,
            answers,
        }
    }

    /// Fails with the first thing that differs.
    fn equals(&self, other: &Self, what: &str) {
        for memory in &self.memories {
            assert!(
                other.memories.contains(memory),
                "{what}: only here: {memory}"
            );
        }
        for memory in &other.memories {
            assert!(
                self.memories.contains(memory),
                "{what}: only there: {memory}"
            );
        }
        assert_eq!(self.held_back, other.held_back, "{what}");
        for ((question, one), (_, two)) in self.answers.iter().zip(&other.answers) {
            assert!(!one.is_empty(), "{question}");
            for (place, (one, two)) in one.iter().zip(two).enumerate() {
                assert_eq!(one, two, "{what}: {question}: place {place}");
            }
        }
        assert_eq!(self, other, "{what}");
    }
}

/// Everything there is, in one order.
async fn import_all(world: &World, tends: bool) {
    for session in [Half::Tune, Half::Held].into_iter().flat_map(sessions) {
        let path = fixtures("sessions").join(&session.path);
        world.import_only(&session.harness, &path).await;
        if tends {
            world.tend().await;
        }
    }
    world.tend().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_import_twice_gives_the_same_memories_and_rankings() {
    let quiet = World::quiet().await;
    import_all(&quiet, false).await;
    let first = Home::of(&quiet).await;
    assert!(first.memories.len() > 60 && first.answers.len() > 50);
    let busy = World::new().await;
    import_all(&busy, true).await;
    Home::of(&busy)
        .await
        .equals(&first, "upkeep beside the import");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_history_told_in_pieces_leaves_what_it_leaves_told_at_once() {
    let source = World::quiet().await;
    import_all(&source, false).await;
    let first = Home::of(&source).await;
    for (turns, tends) in [(1_000, false), (7, true), (1, true)] {
        let told = World::quiet().await;
        let pace = Pace { turns, tends };
        told.replay(&source, pace).await;
        Home::of(&told).await.equals(&first, &format!("{pace:?}"));
    }
}
