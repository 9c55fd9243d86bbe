//! Snapshots: the same index again, or an error; never another index, never a panic.

use proptest::prelude::*;
use skep_domain::{Id, ProjectId};
use skep_index::{Entry, IndexError, Quantised, WorkspaceIndex};

use super::{DIM, MODEL, ask, direction, empty, memory, put};

/// Some memories with vectors, some without, some in a project, some removed.
fn sample(count: u64) -> WorkspaceIndex {
    let mut index = empty();
    for number in 0..count {
        let text = format!(
            "memory {number} says retry{} in src/lib{}.rs",
            number % 5,
            number % 3
        );
        let project = (number % 4 == 0).then(|| ProjectId::from_bytes([number as u8; 16]));
        let (id, text) = (memory(number), text.as_str());
        index.put(&Entry { id, project, text });
        if number % 3 > 0 {
            index.put_vector(id, &Quantised::of(&direction(number)));
        }
        if number % 3 == 2 {
            let file = format!("src/lib{}.rs", number % 3);
            index.put_names(id, [file.as_str(), "retry()"].into_iter());
        }
        if number % 5 == 1 {
            index.set_past(id, true);
        }
        if number % 10 == 7 {
            index.remove(memory(number / 2));
        }
    }
    index.set_seq(count * 3);
    index
}

#[test]
fn a_snapshot_is_the_same_index_again() {
    for count in [0, 1, 50] {
        let index = sample(count);
        let bytes = index.to_bytes();
        let mut again = WorkspaceIndex::from_bytes(&bytes, MODEL, DIM).unwrap();
        assert_eq!(again.to_bytes(), bytes);
        assert_eq!(again.seq(), index.seq());
        assert_eq!(again.len(), index.len());
        assert_eq!(again.missing_vectors(), index.missing_vectors());
        let vector = direction(3);
        for question in ["retry3", "memory says", "src/lib1.rs 12"] {
            assert_eq!(
                ask(&again, question, Some(&vector)),
                ask(&index, question, Some(&vector))
            );
        }
        // It goes on where the other one stood.
        let mut index = index;
        for index in [&mut index, &mut again] {
            put(index, 3, "another text");
            index.remove(memory(40));
            index.put_vector(memory(3), &Quantised::of(&direction(3)));
        }
        assert_eq!(again.to_bytes(), index.to_bytes());
    }
}

#[test]
fn a_snapshot_of_another_model_is_outdated() {
    let bytes = sample(20).to_bytes();
    for (model, dim) in [("test/2", DIM), ("", DIM), (MODEL, DIM + 1), (MODEL, 0)] {
        let read = WorkspaceIndex::from_bytes(&bytes, model, dim);
        assert!(
            matches!(read, Err(IndexError::Outdated(_))),
            "{model} {dim}"
        );
    }
}

#[test]
fn a_snapshot_that_is_cut_short_is_damaged() {
    let bytes = sample(12).to_bytes();
    for end in 0..bytes.len() {
        let read = WorkspaceIndex::from_bytes(&bytes[..end], MODEL, DIM);
        assert!(matches!(read, Err(IndexError::Damaged(_))), "{end}");
    }
}

#[test]
fn any_one_flipped_bit_is_damage() {
    let bytes = sample(6).to_bytes();
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let read = WorkspaceIndex::from_bytes(&flipped, MODEL, DIM);
        assert!(matches!(read, Err(IndexError::Damaged(_))), "bit {bit}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(WorkspaceIndex::from_bytes(&bytes, MODEL, DIM).is_err());
    }
}
