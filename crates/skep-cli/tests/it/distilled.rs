//! What importing the fixture sessions leaves, held to labels made by hand; and the same twice.

mod homes;
mod labels;
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use skep_api::memory::Memory;

use crate::program::fixtures;
use labels::{Half, Labelled, Verdict, has_words, holds, label_of, sessions, verdicts};
use world::World;

/// What one half of the sessions came to.
#[derive(Default)]
struct Tally {
    memories: usize,
    junk: usize,
    unlabelled: usize,
    facts: usize,
    /// Found in a statement of its own.
    stated: usize,
    /// Found in a statement or only in the recap of the session.
    found: usize,
    kept_dead: usize,
    report: String,
}

impl Tally {
    fn take(&mut self, session: &Labelled, memories: &[Memory], known: &BTreeMap<String, Verdict>) {
        for memory in memories {
            self.memories += 1;
            match known.get(&label_of(memory)) {
                Some(Verdict::Useful) => {}
                Some(Verdict::Junk) => {
                    self.junk += 1;
                    self.note(session, "junk", &memory.text);
                }
                None => {
                    self.unlabelled += 1;
                    self.note(session, "unlabelled", &memory.text);
                }
            }
        }
        for fact in &session.facts {
            self.facts += 1;
            let by = |recap: bool| {
                let mut of = memories
                    .iter()
                    .filter(|memory| recap || memory.provenance.derived_by != "recap");
                of.any(|memory| holds(memory, fact))
            };
            self.stated += usize::from(by(false));
            self.found += usize::from(by(true));
            if !by(false) {
                self.note(
                    session,
                    if by(true) {
                        "only in the recap"
                    } else {
                        "missed"
                    },
                    fact,
                );
            }
        }
        for dead in &session.dead {
            for memory in memories.iter().filter(|memory| holds(memory, dead)) {
                self.kept_dead += 1;
                self.note(session, "dead end kept", &memory.text);
            }
        }
    }

    fn note(&mut self, session: &Labelled, what: &str, text: &str) {
        writeln!(self.report, "{}: {what}: {text}", session.name).unwrap();
    }
}

/// Imports a half, session by session, and gives what each left.
async fn import(half: Half) -> Vec<(Labelled, Vec<Memory>)> {
    let world = World::new().await;
    let mut seen = BTreeSet::new();
    let mut left = Vec::new();
    for session in sessions(half) {
        let path = fixtures("sessions").join(&session.path);
        world.import(&session.harness, &path).await;
        let mut new = world.memories().await;
        new.retain(|memory| seen.insert(memory.id.clone()));
        left.push((session, new));
    }
    left
}

async fn measure(half: Half) {
    let known = verdicts(half);
    let mut tally = Tally::default();
    for (session, memories) in import(half).await {
        if std::env::var_os("SKEP_SHOW_MEMORIES").is_some() {
            for memory in &memories {
                println!("useful	{}", label_of(memory));
            }
        }
        tally.take(&session, &memories, &known);
    }
    let junk_rate = tally.junk as f64 / tally.memories as f64;
    let stated = tally.stated as f64 / tally.facts as f64;
    println!(
        "{half:?}: {} memories, {} junk ({junk_rate:.3}); {} of {} key facts in a statement ({stated:.3}), {} with recaps\n{}",
        tally.memories, tally.junk, tally.stated, tally.facts, tally.found, tally.report
    );
    assert_eq!(tally.kept_dead, 0, "dead ends were kept as facts");
    assert_eq!(
        tally.unlabelled, 0,
        "memories without a label: read them, then label them"
    );
    let found = tally.found as f64 / tally.facts as f64;
    assert!(junk_rate <= 0.10 && found >= 0.90 && stated >= 0.85);
}

#[tokio::test(flavor = "multi_thread")]
async fn steps_become_candidates_that_only_a_human_makes_active() {
    let world = World::new().await;
    for session in sessions(Half::Tune) {
        let path = fixtures("sessions").join(&session.path);
        world.import(&session.harness, &path).await;
        let held = world.procedures().await;
        for steps in &session.procedures {
            assert!(
                held.iter().any(|text| has_words(text, steps)),
                "{}: {steps}: {held:?}",
                session.name
            );
        }
    }
    let active = world.memories().await;
    assert!(active.iter().all(|memory| memory.kind != "procedure"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tuning_half_leaves_what_matters_and_little_junk() {
    measure(Half::Tune).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_held_out_half_leaves_what_matters_and_little_junk() {
    measure(Half::Held).await;
}
