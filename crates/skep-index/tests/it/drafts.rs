//! Drafts stand in for vectors until these come, and count as missing meanwhile.

use skep_index::{Quantised, WorkspaceIndex};

use super::{DIM, MODEL, ask, direction, empty, ids, memory, put};

#[test]
fn a_draft_finds_its_memory_until_the_vector_comes() {
    let mut index = empty();
    put(&mut index, 1, "alpha");
    assert!(index.lacks_vector(memory(1)) && !index.lacks_vector(memory(2)));
    assert!(index.put_draft(memory(1), &Quantised::of(&direction(1))));
    assert!(!index.lacks_vector(memory(1)));
    assert_eq!(index.missing_vectors(), 1);
    assert_eq!(ids(&ask(&index, "", Some(&direction(1)))), [memory(1)]);

    let read = WorkspaceIndex::from_bytes(&index.to_bytes(), MODEL, DIM).unwrap();
    assert_eq!(read.missing_vectors(), 1, "a snapshot does not forget");

    assert!(index.put_vector(memory(1), &Quantised::of(&direction(2))));
    assert_eq!(index.missing_vectors(), 0);
    assert!(!index.put_draft(memory(1), &Quantised::of(&direction(1))));
    let found = ask(&index, "", Some(&direction(2)));
    assert!(found[0].vector > 0.99);
}

#[test]
fn a_draft_goes_with_its_memory_or_its_text() {
    let mut index = empty();
    for number in 1..4 {
        put(&mut index, number, "alpha");
        index.put_draft(memory(number), &Quantised::of(&direction(number)));
    }
    put(&mut index, 1, "beta");
    assert!(index.lacks_vector(memory(1)));
    index.remove(memory(2));
    index.set_past(memory(3), true);
    assert_eq!(
        index.missing_vectors(),
        1,
        "what no longer holds waits for none"
    );
    assert!(!index.put_draft(memory(2), &Quantised::of(&direction(2))));
}

#[test]
fn who_speaks_counts_where_the_question_names_them() {
    let mut index = empty();
    put(&mut index, 1, "Ada: the harbour with Ben was cold");
    put(&mut index, 2, "Ben: the harbour with Ada was cold");
    assert_eq!(ids(&ask(&index, "cold harbour, Ben", None))[0], memory(2));
    assert_eq!(ids(&ask(&index, "cold harbour, Ada", None))[0], memory(1));
}

/// A vector at this cosine with one direction, and otherwise as `seed` says.
fn towards(asked: &[f32], seed: u64, cosine: f32) -> Vec<f32> {
    let product = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    let one = product(asked, asked);
    let other = direction(seed);
    let along = product(asked, &other) / one;
    let across: Vec<f32> = other
        .iter()
        .zip(asked)
        .map(|(b, a)| b - along * a)
        .collect();
    let (one, two) = (one.sqrt(), product(&across, &across).sqrt());
    let rest = (1.0 - cosine * cosine).sqrt();
    let both = asked.iter().zip(&across);
    both.map(|(a, b)| cosine * a / one + rest * b / two)
        .collect()
}

#[test]
fn what_alone_has_the_words_is_found_before_its_vector_is_made() {
    let asked = direction(9_999);
    let text =
        |number: u64| format!("Locker {number} of the boathouse holds the oars of crew {number}.");
    for alike in [0, 20, 500] {
        for draft in [None, Some(-0.1), Some(0.2), Some(0.6)] {
            let mut index = empty();
            for number in 0..700 {
                put(&mut index, number, &text(number));
                let near = if number < alike { 0.9 } else { 0.1 };
                let near = near + (number % 7) as f32 / 100.0;
                let vector = towards(&asked, number, near);
                index.put_vector(memory(number), &Quantised::of(&vector));
            }
            put(&mut index, 701, &text(701));
            if let Some(draft) = draft {
                let vector = towards(&asked, 701, draft);
                index.put_draft(memory(701), &Quantised::of(&vector));
            }
            let question = "what does locker 701 of the boathouse hold";
            let found = ids(&ask(&index, question, Some(&asked)));
            let place = found.iter().position(|&id| id == memory(701));
            assert_eq!(place, Some(0), "{alike} alike, draft {draft:?}");
        }
    }
}
