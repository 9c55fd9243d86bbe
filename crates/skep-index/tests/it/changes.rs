//! Puts, replacements, removals; and that what was removed leaves no trace, cleared away or not.

use proptest::prelude::*;
use skep_domain::{Id, ProjectId, Timestamp};
use skep_index::{Aids, Entry, Quantised, Query, Said};

use super::{ask, direction, empty, ids, memory, put};

#[test]
fn a_replaced_text_is_found_by_its_new_words_only() {
    let mut index = empty();
    put(&mut index, 1, "alpha");
    put(&mut index, 1, "omega");
    assert_eq!(index.len(), 1);
    assert!(ask(&index, "alpha", None).is_empty());
    assert_eq!(ids(&ask(&index, "omega", None)), [memory(1)]);
}

#[test]
fn a_replaced_text_has_to_be_given_its_vector_again_an_unchanged_one_has_not() {
    let mut index = empty();
    put(&mut index, 1, "alpha");
    assert_eq!(index.missing_vectors(), 1);
    assert!(index.put_vector(memory(1), &Quantised::of(&direction(1))));
    assert_eq!(index.missing_vectors(), 0);
    put(&mut index, 1, "alpha");
    assert_eq!(index.missing_vectors(), 0);
    put(&mut index, 1, "omega");
    assert_eq!(index.missing_vectors(), 1);
    assert!(ask(&index, "", Some(&direction(1))).is_empty());
}

#[test]
fn what_is_not_held_is_neither_removed_nor_given_a_vector() {
    let mut index = empty();
    assert!(!index.remove(memory(1)));
    assert!(!index.put_vector(memory(1), &Quantised::of(&direction(1))));
    put(&mut index, 1, "alpha");
    assert!(!index.put_vector(memory(1), &Quantised::of(&[1.0])));
    assert_eq!((index.len(), index.missing_vectors()), (1, 1));
}

#[test]
fn a_project_sees_its_own_memories_and_those_of_none() {
    let mut index = empty();
    let project = |number: u8| ProjectId::from_bytes([number; 16]);
    let rows = [(1, None), (2, Some(project(1))), (3, Some(project(2)))];
    for (number, project) in rows {
        let (id, text) = (memory(number), "shared words");
        index.put(&Entry { id, project, text });
        index.put_vector(id, &Quantised::of(&direction(9)));
    }
    let find = |index: &skep_index::WorkspaceIndex, project| {
        let vector = direction(9);
        ids(&index.search(&Query {
            text: "words",
            vector: Some(&vector),
            project,
            limit: 10,
        }))
    };
    assert_eq!(find(&index, Some(project(1))), [memory(1), memory(2)]);
    assert_eq!(find(&index, None), [memory(1), memory(2), memory(3)]);
    // The same text in another project: nothing but the project changes.
    let (id, text) = (memory(3), "shared words");
    index.put(&Entry {
        id,
        project: Some(project(1)),
        text,
    });
    assert_eq!(
        find(&index, Some(project(1))),
        [memory(1), memory(2), memory(3)]
    );
}

/// A hundred and one at a time, in the order of their numbers.
fn said(number: u64) -> Said {
    Said {
        thread: u128::from(number / 101).to_be_bytes(),
        at: Timestamp::from_micros(number as i64),
    }
}

#[test]
fn removed_memories_are_cleared_away_and_move_no_score() {
    let (mut worn, mut fresh) = (empty(), empty());
    for number in 0..6_000 {
        let text = format!("memory {} of {}", number % 97, number % 13);
        put(&mut worn, number, &text);
        worn.put_vector(memory(number), &Quantised::of(&direction(number)));
        worn.put_said(memory(number), said(number));
        if number % 3 == 0 {
            put(&mut fresh, number, &text);
            fresh.put_vector(memory(number), &Quantised::of(&direction(number)));
            fresh.put_said(memory(number), said(number));
        }
    }
    let full = worn.to_bytes().len();
    for number in (0..6_000).filter(|number| number % 3 > 0) {
        assert!(worn.remove(memory(number)));
        if number % 500 == 1 {
            let text = format!("memory {} of {}", 0, 0);
            assert!(
                ids(&ask(&worn, &text, None))
                    .iter()
                    .all(|id| *id != memory(number))
            );
        }
    }
    assert!(worn.to_bytes().len() < full / 2);
    let vector = direction(4);
    assert_eq!(
        ask(&worn, "memory 12 of 3", Some(&vector)),
        ask(&fresh, "memory 12 of 3", Some(&vector))
    );
}

proptest! {
    #[test]
    fn the_way_to_a_state_does_not_show(
        detours in prop::collection::vec((0u64..40, 0u64..9), 0..80),
        question in 0u64..9,
    ) {
        let (mut direct, mut round) = (empty(), empty());
        for &(number, text) in &detours {
            put(&mut round, number, &format!("detour {text}"));
            round.put_vector(memory(number), &Quantised::of(&direction(text)));
        }
        for number in 0..40 {
            round.remove(memory(number));
        }
        for number in 0..40 {
            for index in [&mut direct, &mut round] {
                put(index, number, &format!("state {} {}", number % 7, number % 3));
                index.put_vector(memory(number), &Quantised::of(&direction(number)));
            }
        }
        let vector = direction(question);
        let text = format!("state detour {question}");
        prop_assert_eq!(ask(&direct, &text, Some(&vector)), ask(&round, &text, Some(&vector)));
    }
}

#[test]
fn what_no_longer_holds_answers_only_about_the_past() {
    let mut index = empty();
    put(&mut index, 1, "the gate opens at six");
    put(&mut index, 2, "the gate opens at seven");
    assert!(index.set_past(memory(1), true) && !index.set_past(memory(9), true));
    let query = |past| {
        let query = Query {
            text: "when does the gate open",
            vector: None,
            project: None,
            limit: 9,
        };
        let aids = Aids {
            past,
            ..Aids::default()
        };
        let mut found = ids(&index.search_with(&query, &aids));
        found.sort();
        found
    };
    assert_eq!(query(false), [memory(2)]);
    assert_eq!(query(true), [memory(1), memory(2)]);
    assert_eq!(index.missing_vectors(), 1, "the past waits for no vector");
    index.put_vector(memory(1), &Quantised::of(&direction(1)));
    assert_eq!(index.missing_vectors(), 1);
    index.remove(memory(1));
    assert_eq!(index.missing_vectors(), 1);
}
