//! The lexical score against the formula written out: slowly, in double precision, over a map.

use std::collections::BTreeMap;

use proptest::prelude::*;
use skep_domain::Id;
use skep_index::analyze;

use super::{ask, empty, ids, memory, put};

/// Robertson and Zaragoza 2009, as `lexical.rs` says it uses it.
const K1: f64 = 0.6;
const B: f64 = 0.6;

#[derive(Clone, Debug)]
enum Change {
    Put(u64, Vec<&'static str>),
    Remove(u64),
}

const WORDS: &[&str] = &[
    "retry",
    "retries",
    "queue",
    "queues",
    "the",
    "parse_config",
    "config",
    "src/main.rs",
    "main",
    "E0425",
    "timeout",
    "timeouts",
    "HttpServer",
    "server",
    "2023",
    "cache",
];

fn words(most: usize) -> impl Strategy<Value = Vec<&'static str>> {
    prop::collection::vec(prop::sample::select(WORDS), 0..most)
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        4 => (0u64..30, words(20)).prop_map(|(number, words)| Change::Put(number, words)),
        1 => (0u64..30).prop_map(Change::Remove),
    ]
}

/// The score of every text that has one, by the formula.
fn plain(texts: &BTreeMap<u64, String>, query: &str) -> BTreeMap<u64, f64> {
    let terms: BTreeMap<u64, Vec<String>> = texts
        .iter()
        .map(|(&number, text)| (number, analyze(text)))
        .collect();
    let count = terms.len() as f64;
    let total: usize = terms.values().map(Vec::len).sum();
    let average = (total as f64 / count).max(1.0);
    let mut scores = BTreeMap::new();
    for term in analyze(query) {
        let holding = terms.values().filter(|all| all.contains(&term)).count() as f64;
        let rarity = (1.0 + (count - holding + 0.5) / (holding + 0.5)).ln();
        for (&number, all) in &terms {
            let times = all.iter().filter(|other| **other == term).count() as f64;
            if times > 0.0 {
                let length = all.len() as f64;
                let score =
                    rarity * times * (K1 + 1.0) / (times + K1 * (1.0 - B + B * length / average));
                *scores.entry(number).or_insert(0.0) += score;
            }
        }
    }
    scores
}

proptest! {
    #[test]
    fn lexical_scores_equal_the_formula_after_any_changes(
        changes in prop::collection::vec(change(), 1..60),
        query in words(8),
    ) {
        let (mut index, mut texts) = (empty(), BTreeMap::new());
        for change in changes {
            match change {
                Change::Put(number, words) => {
                    put(&mut index, number, &words.join(" "));
                    texts.insert(number, words.join(" "));
                }
                Change::Remove(number) => {
                    prop_assert_eq!(index.remove(memory(number)), texts.remove(&number).is_some());
                }
            }
        }
        prop_assert_eq!(index.len(), texts.len());
        let query = query.join(" ");
        let expected = plain(&texts, &query);
        let found = ask(&index, &query, None);
        prop_assert_eq!(found.len(), expected.len());
        for candidate in &found {
            let number = u128::from_be_bytes(candidate.id.to_bytes()) as u64;
            let (got, right) = (f64::from(candidate.lexical), expected[&number]);
            prop_assert!((got - right).abs() <= 1e-4 * right, "{got} for {right}");
        }
        prop_assert!(found.is_sorted_by(|a, b| a.fused >= b.fused));
    }
}

#[test]
fn the_whole_name_outranks_its_words() {
    let mut index = empty();
    put(
        &mut index,
        1,
        "the config parser and the file it reads: parse, config, file",
    );
    put(
        &mut index,
        2,
        "parse_config_file gives up on a byte order mark",
    );
    put(&mut index, 3, "file of another thing");
    let found = ask(&index, "parse_config_file", None);
    assert_eq!(found[0].id, memory(2));
}

#[test]
fn words_in_other_forms_are_found() {
    let mut index = empty();
    put(&mut index, 1, "We decided to retry connections");
    put(&mut index, 2, "Ünïcode Größe");
    assert_eq!(
        ids(&ask(&index, "why are connecting clients retrying", None)),
        [memory(1)]
    );
    assert_eq!(ids(&ask(&index, "unicode", None)), [memory(2)]);
}

#[test]
fn equal_scores_come_in_the_order_of_their_puts() {
    let mut index = empty();
    let order = [7, 3, 9, 1, 8];
    for number in order {
        put(&mut index, number, "exactly the same words");
    }
    assert_eq!(ids(&ask(&index, "same words", None)), order.map(memory));
}

#[test]
fn a_question_of_stop_words_or_of_nothing_finds_nothing() {
    let mut index = empty();
    put(&mut index, 1, "the of and");
    put(&mut index, 2, "words");
    for question in ["", "the of and", "  \u{0}\u{200B} ", "never-seen"] {
        assert!(ask(&index, question, None).is_empty(), "{question:?}");
    }
}
