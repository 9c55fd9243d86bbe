//! Memories said near each other: the words of neighbours count, by the formula written out.

use std::collections::BTreeMap;

use proptest::prelude::*;
use skep_domain::{Id, ProjectId, Timestamp};
use skep_index::{Entry, Query, Said, WorkspaceIndex, analyze};

use super::{DIM, MODEL, ask, empty, ids, memory, put};

const K1: f64 = 0.6;
const B: f64 = 0.6;
const WEIGHTS: [f64; 3] = [1.0, 0.5, 0.3];

fn said(thread: u8, at: u64) -> Said {
    Said {
        thread: [thread; 16],
        at: Timestamp::from_micros(at.cast_signed()),
    }
}

/// Five things said in a row; only the first and the last are about Ada by name.
fn talk(readers: impl Fn(u64) -> u8) -> WorkspaceIndex {
    let mut index = empty();
    let texts = ["Ada arrives", "queue full", "forty", "empty", "Ada leaves"];
    for (number, text) in (0..).zip(texts) {
        put(&mut index, number, text);
        assert!(index.put_said(memory(number), said(readers(number), number)));
    }
    index
}

#[test]
fn the_answer_is_found_by_the_words_beside_it() {
    let index = talk(|_| 1);
    let found = ids(&ask(&index, "ada queue", None));
    assert_eq!(found[..2], [memory(1), memory(0)]);
    assert!(found.contains(&memory(2)));
}

/// A score that knew the neighbour would tell who may not read it what it says.
#[test]
fn what_others_may_read_tells_nothing_here() {
    let index = talk(|number| u8::from(number == 1));
    let queue = ids(&ask(&index, "queue", None));
    assert_eq!(queue, [memory(1)]);
    let ada = ids(&ask(&index, "ada", None));
    assert!(!ada.contains(&memory(1)));
}

#[test]
fn a_neighbour_that_was_removed_or_moved_counts_no_more() {
    let mut index = talk(|_| 1);
    assert_eq!(ids(&ask(&index, "full", None)).len(), 4);
    assert!(index.put_said(memory(1), said(2, 1)));
    assert_eq!(ids(&ask(&index, "full", None)), [memory(1)]);
    assert!(index.put_said(memory(1), said(1, 9)));
    assert_eq!(ids(&ask(&index, "full", None)).len(), 3);
    index.remove(memory(1));
    assert!(ask(&index, "full", None).is_empty());
    assert!(!index.put_said(memory(1), said(1, 1)));
    let read = WorkspaceIndex::from_bytes(&index.to_bytes(), MODEL, DIM).unwrap();
    let found = ask(&read, "arrives", None);
    assert_eq!(found, ask(&index, "arrives", None));
    assert_eq!(found.len(), 3);
}

#[test]
fn a_neighbour_of_another_project_is_no_candidate() {
    let mut index = talk(|_| 1);
    let project = |number: u8| Some(ProjectId::from_bytes([number; 16]));
    for (number, text) in [(1, "queue full"), (2, "forty")] {
        let (id, project) = (memory(number), project(number as u8));
        index.put(&Entry { id, project, text });
    }
    let query = Query {
        text: "full",
        vector: None,
        project: project(1),
        limit: 9,
    };
    let found = ids(&index.search(&query));
    assert_eq!(found[0], memory(1));
    assert!(found.contains(&memory(0)) && !found.contains(&memory(2)));
}

/// Numbers of texts, their threads, their words; the times are the numbers.
type Texts = BTreeMap<u64, (u8, Vec<&'static str>)>;

fn texts() -> impl Strategy<Value = Texts> {
    let words = prop::sample::select(&["ada", "queue", "full", "cache", "retry"][..]);
    let words = prop::collection::vec(words, 1..6);
    prop::collection::btree_map(0u64..40, (0u8..4, words), 1..30)
}

fn plain(texts: &Texts, question: &str) -> BTreeMap<u64, f64> {
    let terms: BTreeMap<u64, Vec<String>> = texts
        .iter()
        .map(|(&number, (_, words))| (number, analyze(&words.join(" "))))
        .collect();
    let count = terms.len() as f64;
    let average = terms.values().map(Vec::len).sum::<usize>() as f64 / count;
    let mut scores = BTreeMap::new();
    for term in analyze(question) {
        let times = |number: u64| {
            let all = &terms[&number];
            let times = all.iter().filter(|other| **other == term).count() as f64;
            times / (1.0 - B + B * all.len() as f64 / average)
        };
        let holding = terms.keys().filter(|&&number| times(number) > 0.0).count() as f64;
        let rarity = (1.0 + (count - holding + 0.5) / (holding + 0.5)).ln();
        for (&number, &(thread, _)) in texts {
            let line: Vec<u64> = texts
                .iter()
                .filter(|(other, (with, _))| **other == number || (thread > 0 && *with == thread))
                .map(|(&other, _)| other)
                .collect();
            let own = line.iter().position(|&other| other == number);
            let own = own.unwrap_or(usize::MAX);
            let near = line
                .iter()
                .enumerate()
                .map(|(at, &other)| WEIGHTS.get(at.abs_diff(own)).unwrap_or(&0.0) * times(other));
            let near: f64 = near.sum();
            if near > 0.0 {
                *scores.entry(number).or_insert(0.0) += rarity * near * (K1 + 1.0) / (near + K1);
            }
        }
    }
    scores
}

proptest! {
    /// Thread 0 stands for none. Fused scores are the formula's, to what the length adds.
    #[test]
    fn scores_equal_the_formula_with_neighbours(texts in texts()) {
        let mut index = empty();
        for (&number, (thread, words)) in texts.iter().rev() {
            put(&mut index, number, &words.join(" "));
            if *thread > 0 {
                index.put_said(memory(number), said(*thread, number));
            }
        }
        let expected = plain(&texts, "ada queue");
        let best = expected.values().copied().fold(0.0, f64::max);
        let found = ask(&index, "ada queue", None);
        prop_assert_eq!(found.len(), expected.len());
        for candidate in &found {
            let number = u128::from_be_bytes(candidate.id.to_bytes()) as u64;
            // What every text gains that says something, and how the sum is scaled.
            let length = analyze(&texts[&number].1.join(" ")).len() as f64;
            let saying = 0.15 * (1.0 + length).ln() / 13f64.ln();
            let got = f64::from(candidate.fused) * 1.3 - saying;
            prop_assert!((got - expected[&number] / best).abs() < 1e-4);
        }
    }
}
