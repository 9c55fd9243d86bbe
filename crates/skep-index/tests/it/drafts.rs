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
