//! One workspace's index against another's: nothing passes.

use skep_index::Quantised;

use super::{ask, direction, empty, memory, put};

/// B holds a hundred thousand texts of A's words, in the same process, put before, between and
/// after A's; A's scores, ranks and count stay the same to the last bit.
#[test]
fn s03_another_workspace_does_not_move_a_bit() {
    let texts = |number: u64| format!("retry {} queue {} timeout", number % 17, number % 5);
    let (mut alone, mut beside, mut other) = (empty(), empty(), empty());
    let mut flood = 0..100_000;
    for number in 0..500 {
        for text in flood.by_ref().take(150) {
            put(&mut other, text, &texts(text % 3));
            other.put_vector(memory(text), &Quantised::of(&direction(1)));
        }
        for index in [&mut alone, &mut beside] {
            put(index, number, &texts(number));
            index.put_vector(memory(number), &Quantised::of(&direction(number)));
        }
    }
    for text in flood {
        put(&mut other, text, &texts(text));
    }
    for question in ["retry queue", "timeout 3", "queue 4 16", "absent"] {
        for vector in [None, Some(direction(1))] {
            let vector = vector.as_deref();
            assert_eq!(
                ask(&alone, question, vector),
                ask(&beside, question, vector)
            );
        }
    }
    assert_eq!(alone.to_bytes(), beside.to_bytes());
    assert_eq!(alone.bytes(), beside.bytes());
    assert_eq!(other.len(), 100_000);
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
