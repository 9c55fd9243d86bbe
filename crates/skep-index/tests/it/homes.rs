//! Two indexes of the same memories rank alike to the last bit: whatever their ids, whatever came
//! first, and whatever was there in between.

use proptest::prelude::*;
use skep_domain::Timestamp;
use skep_index::{Aids, Candidate, Quantised, Query, Said, WorkspaceIndex};

use super::{DIM, MODEL, direction, empty, memory, put};

const WORDS: [&str; 12] = [
    "queue",
    "cache",
    "retry",
    "src/pool.rs",
    "parse_config",
    "E0425",
    "berth",
    "tide",
    "is",
    "the",
    "full",
    "ada:",
];

/// One memory, whatever its id.
#[derive(Clone, Debug)]
struct Told {
    text: String,
    session: u8,
    at: i64,
    /// It no longer holds.
    past: bool,
}

fn told() -> impl Strategy<Value = Told> {
    let words = prop::collection::vec(prop::sample::select(&WORDS[..]), 1..7);
    (words, 0u8..4, 0i64..6, prop::bool::weighted(0.2)).prop_map(|(words, session, at, past)| {
        let text = words.join(" ");
        Told {
            text,
            session,
            at,
            past,
        }
    })
}

fn tell(index: &mut WorkspaceIndex, id: u64, told: &Told) {
    put(index, id, &told.text);
    let id = memory(id);
    let seed = told.text.bytes().map(u64::from).sum();
    index.put_vector(id, &Quantised::of(&direction(seed)));
    if told.session > 0 {
        let thread = [told.session; 16];
        let at = Timestamp::from_micros(told.at);
        index.put_said(id, Said { thread, at });
    }
    index.put_names(
        id,
        told.text
            .split(' ')
            .filter(|word| word.contains(['.', '_', '0'])),
    );
}

/// What a question comes to: the scores to the bit, and the texts in their order.
fn answers(index: &WorkspaceIndex, told: &[(u64, Told)], past: bool) -> Vec<Vec<String>> {
    let text = |found: &Candidate| {
        let known = told.iter().find(|(id, _)| memory(*id) == found.id);
        known.map(|(_, told)| told.text.clone()).unwrap_or_default()
    };
    let show = |found: &Candidate| {
        let scores = [found.lexical, found.vector, found.graph, found.fused].map(f32::to_bits);
        format!("{} {scores:?}", text(found))
    };
    let ask = |(number, limit): (u64, usize)| {
        let question: Vec<&str> = (0..4)
            .map(|at| WORDS[(number as usize * (at + 1)) % 12])
            .collect();
        let (text, vector) = (question.join(" "), direction(number));
        let query = Query {
            text: &text,
            vector: Some(&vector),
            project: None,
            limit,
        };
        let aids = Aids {
            hints: &["pool.rs"],
            past,
        };
        let found = index.search_with(&query, &aids);
        let relays: Vec<_> = found.iter().map(|found| found.id).collect();
        let related = index.related(&query, &aids, &relays[..relays.len().min(1)]);
        found.iter().chain(&related).map(show).collect::<Vec<_>>()
    };
    (0..12).zip([200, 3].into_iter().cycle()).map(ask).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn whatever_came_first_or_in_between_the_ranking_is_the_same(
        told in prop::collection::hash_map("[a-z]{3}", told(), 2..300),
        detours in prop::collection::vec((told(), any::<bool>()), 0..250),
    ) {
        // No text stands twice: of equal ones the first put comes first.
        let told: Vec<Told> = told.into_iter().map(|(name, told)| Told { text: format!("{} {name}", told.text), ..told }).collect();
        let direct: Vec<(u64, Told)> = (0..).zip(told.iter().cloned()).collect();
        let round: Vec<(u64, Told)> = (1_000..).map(|id| (id * 7_919) % 10_007).zip(told.iter().rev().cloned()).collect();
        let (mut one, mut two) = (empty(), empty());
        for (id, told) in &direct {
            tell(&mut one, *id, told);
            one.set_past(memory(*id), told.past);
        }
        for (id, (detour, removed)) in (50_000..).zip(&detours) {
            tell(&mut two, id, detour);
            if *removed {
                two.remove(memory(id));
            }
        }
        for (id, told) in &round {
            tell(&mut two, *id, told);
            two.set_past(memory(*id), !told.past);
            two.set_past(memory(*id), told.past);
        }
        // What was known for a while, and what was never known, do not differ for questions about now.
        for (id, _) in (50_000..).zip(&detours) {
            two.set_past(memory(id), true);
        }
        let read = WorkspaceIndex::from_bytes(&two.to_bytes(), MODEL, DIM).unwrap();
        let expected = answers(&one, &direct, false);
        prop_assert_eq!(&answers(&two, &round, false), &expected);
        prop_assert_eq!(&answers(&read, &round, false), &expected);
        // Questions about the past agree where the past is the same.
        for (id, _) in (50_000..).zip(&detours) {
            two.remove(memory(id));
        }
        prop_assert_eq!(answers(&two, &round, true), answers(&one, &direct, true));
    }
}
