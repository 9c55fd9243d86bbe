//! One workspace's index against another's: nothing passes.

use skep_index::{Candidate, Quantised, WorkspaceIndex};

use super::{ask, direction, empty, memory, put};

/// A's answers, asked before B exists.
fn answers(index: &WorkspaceIndex) -> Vec<Vec<Candidate>> {
    let questions = ["retry queue", "timeout 3", "queue 4 16", "absent"];
    let ask_both = |text| {
        [
            ask(index, text, None),
            ask(index, text, Some(&direction(1))),
        ]
    };
    questions.into_iter().flat_map(ask_both).collect()
}

fn text(number: u64) -> String {
    format!("retry {} queue {} timeout", number % 17, number % 5)
}

fn put_both(index: &mut WorkspaceIndex, number: u64, seed: u64) {
    put(index, number, &text(seed));
    index.put_vector(memory(number), &Quantised::of(&direction(seed)));
}

/// B holds a hundred thousand texts of A's words, in the same process, put before, between and
/// after A's; A's scores, ranks and count stay the same to the last bit.
#[test]
fn s03_another_workspace_does_not_move_a_bit() {
    let mut alone = empty();
    for number in 0..500 {
        put_both(&mut alone, number, number);
    }
    let (before, bytes, size) = (answers(&alone), alone.to_bytes(), alone.bytes());
    let (mut beside, mut other) = (empty(), empty());
    for number in 0..500 {
        for flood in number * 200..(number + 1) * 200 {
            put_both(&mut other, flood, flood % 3);
        }
        put_both(&mut beside, number, number);
    }
    assert_eq!(other.len(), 100_000);
    for index in [&alone, &beside] {
        assert_eq!(answers(index), before);
        assert_eq!(index.to_bytes(), bytes);
        assert_eq!(index.bytes(), size);
    }
}

/// The order in which memories arrived decides ties only: statistics and sums do not know it.
#[test]
fn s03_the_order_of_arrival_moves_no_score() {
    let texts: Vec<String> = (0..300)
        .map(|number| format!("word{} word{} word{}", number % 7, number % 11, number % 31))
        .collect();
    let (mut up, mut down) = (empty(), empty());
    for (number, text) in (0u64..).zip(&texts) {
        put(&mut up, number, text);
    }
    for number in (0..texts.len()).rev() {
        put(&mut down, number as u64, &texts[number]);
    }
    let sorted = |index| {
        let mut found = ask(index, "word3 word10 word30 word0", None);
        found.sort_unstable_by_key(|candidate| candidate.id);
        found
    };
    let (up, down) = (sorted(&up), sorted(&down));
    let common = up.iter().filter(|a| down.iter().any(|b| a == &b)).count();
    assert!(!up.is_empty());
    // Fewer than the limit of candidates match, so that both hold all of them.
    assert_eq!((common, up.len()), (down.len(), down.len()));
}
