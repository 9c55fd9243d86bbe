//! Damage that the checksum does not tell, as of a writer with an error: read as an index or
//! refused, and what is read can be used.

use proptest::prelude::*;
use skep_domain::{Id, MemoryId, ProjectId, Timestamp};

use super::CHECKSUM;
use crate::codec::checksum;
use crate::lexicon::Lexicon;
use crate::{Entry, Quantised, Query, Said, WorkspaceIndex};

const MODEL: &str = "test/1";
const DIM: usize = 4;

fn memory(number: u8) -> MemoryId {
    MemoryId::from_bytes([number; 16])
}

fn sample() -> WorkspaceIndex {
    let mut index = WorkspaceIndex::new(MODEL, DIM);
    for number in 0..12 {
        let text = format!("memory {} of src/lib.rs {number}", number % 3);
        index.put(&Entry {
            id: memory(number),
            project: (number % 2 == 0).then(|| ProjectId::from_bytes([number; 16])),
            text: &text,
        });
        let vector = [f32::from(number), 1.0, -2.0, 0.5];
        let vector = Quantised::of(&vector);
        if number % 5 == 0 {
            assert!(index.put_draft(memory(number), &vector));
        } else {
            index.put_vector(memory(number), &vector);
        }
        let at = Timestamp::from_micros(number.into());
        let thread = [number % 2; 16];
        index.put_said(memory(number), Said { thread, at });
    }
    index.remove(memory(3));
    index.remove(memory(11));
    index
}

/// Uses every part of an index, whatever is in it.
fn use_all(index: &mut WorkspaceIndex) {
    for project in [None, Some(ProjectId::from_bytes([2; 16]))] {
        let found = index.search(&Query {
            text: "memory 1 of src/lib.rs",
            vector: Some(&[1.0, 1.0, 0.0, 0.0]),
            project,
            limit: 20,
        });
        assert!(found.iter().all(|candidate| candidate.fused.is_finite()));
    }
    assert!(index.missing_vectors() <= index.len());
    for number in 0..14 {
        let (id, text) = (memory(number), "another memory");
        index.put(&Entry {
            id,
            project: None,
            text,
        });
        index.put_vector(id, &Quantised::of(&[1.0; DIM]));
        index.remove(memory(number / 2));
    }
    assert!(WorkspaceIndex::from_bytes(&index.to_bytes(), MODEL, DIM).is_ok());
}

fn read(mut bytes: Vec<u8>) -> Option<WorkspaceIndex> {
    let end = bytes.len() - CHECKSUM;
    let sum = checksum(&bytes[..end]);
    bytes[end..].copy_from_slice(&sum.to_le_bytes());
    WorkspaceIndex::from_bytes(&bytes, MODEL, DIM).ok()
}

#[test]
fn every_byte_changed_is_refused_or_usable() {
    let bytes = sample().to_bytes();
    assert!(read(bytes.clone()).is_some());
    let mut usable = 0;
    for at in 0..bytes.len() - CHECKSUM {
        for value in [0, 1, 0x7F, 0x80, 0xFF, bytes[at] ^ 1, bytes[at] ^ 0x40] {
            let mut changed = bytes.clone();
            changed[at] = value;
            if let Some(mut index) = read(changed) {
                use_all(&mut index);
                usable += 1;
            }
        }
    }
    assert!(usable > 500, "{usable}");
}

#[test]
fn parts_that_do_not_fit_are_refused() {
    type Harm = fn(&mut WorkspaceIndex);
    let harms: [(&str, Harm); 4] = [
        ("an id twice", |index| {
            index.places[1].id = index.places[0].id;
        }),
        ("an endless scale", |index| {
            let (scales, codes, _) = index.vectors.parts();
            let scales = scales.iter().map(|scale| scale * f32::INFINITY).collect();
            let codes = codes.to_vec();
            index.vectors.set_parts(scales, codes, None);
        }),
        ("a vector of no memory", |index| {
            index.vectors.put(40, &Quantised::of(&[1.0; DIM]));
        }),
        ("a removed memory said somewhere", |index| {
            let (at, thread) = (Timestamp::from_micros(1), [1; 16]);
            index.threads.put(11, Said { thread, at }, 0);
        }),
    ];
    for (name, harm) in harms {
        let mut index = sample();
        harm(&mut index);
        assert!(read(index.to_bytes()).is_none(), "{name}");
    }
    assert!(Lexicon::from_terms(["a", "a"].into_iter()).is_none());
}

proptest! {
    #[test]
    fn many_bytes_changed_are_refused_or_usable(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = sample().to_bytes();
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Some(cut) = cut {
            bytes.drain(cut.index(bytes.len() - CHECKSUM)..bytes.len() - CHECKSUM);
        }
        if let Some(mut index) = read(bytes) {
            use_all(&mut index);
        }
    }
}
