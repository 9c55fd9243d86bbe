//! What was sealed opens to the same bytes; anything else does not open.

use std::sync::Arc;

use proptest::prelude::*;
use skep_crypto::{DataKey, Random, Sealed, SeededRandom};
use skep_domain::{Id, WorkspaceId};

use super::{HEADER, PART, SEALED_OVERHEAD, open, seal};
use crate::keys::WorkspaceKeys;

fn keys(seed: u64) -> WorkspaceKeys {
    let random: Arc<dyn Random> = Arc::new(SeededRandom::new(seed));
    let data = DataKey::generate(&*random);
    WorkspaceKeys::new(WorkspaceId::from_bytes([7; 16]), data, random)
}

fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at / 251 + at) as u8).collect()
}

fn opens(keys: &WorkspaceKeys, sealed: Vec<u8>) -> bool {
    open(keys, &Sealed::from_bytes(sealed)).is_ok()
}

#[test]
fn every_length_reads_back() {
    let keys = keys(1);
    for length in [0, 1, PART - 1, PART, PART + 1, 2 * PART, 5 * PART + 9] {
        let sealed = seal(&keys, *b"snapshot", &bytes(length));
        let opened = open(&keys, &sealed).unwrap();
        assert!(*opened.expose() == bytes(length), "{length}");
    }
}

#[test]
fn x08_parts_exchanged_dropped_or_of_another_snapshot_do_not_open() {
    let keys_1 = keys(1);
    let clear = bytes(3 * PART);
    let sealed = seal(&keys_1, *b"snapshot", &clear).into_bytes();
    let other = seal(&keys_1, *b"another!", &clear).into_bytes();
    let shorter = seal(&keys_1, *b"snapshot", &clear[..2 * PART]).into_bytes();
    let part = |number: usize| {
        let from = HEADER + number * (PART + SEALED_OVERHEAD);
        from..from + PART + SEALED_OVERHEAD
    };
    assert!(opens(&keys_1, sealed.clone()));
    assert!(!opens(&keys(2), sealed.clone()));
    let mut exchanged = sealed.clone();
    exchanged[part(0)].copy_from_slice(&sealed[part(1)]);
    exchanged[part(1)].copy_from_slice(&sealed[part(0)]);
    assert!(!opens(&keys_1, exchanged));
    let mut mixed = sealed.clone();
    mixed[part(2)].copy_from_slice(&other[part(2)]);
    assert!(!opens(&keys_1, mixed));
    let mut dropped = shorter[..HEADER].to_vec();
    dropped.extend(&sealed[part(0)]);
    dropped.extend(&sealed[part(1)]);
    assert!(!opens(&keys_1, dropped));
}

proptest! {
    #[test]
    fn one_changed_byte_does_not_open(at in any::<prop::sample::Index>(), bit in 0u8..8) {
        let keys = keys(3);
        let mut sealed = seal(&keys, *b"snapshot", &bytes(300)).into_bytes();
        let at = at.index(sealed.len());
        sealed[at] ^= 1 << bit;
        prop_assert!(!opens(&keys, sealed));
    }

    #[test]
    fn any_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(!opens(&keys(4), bytes));
    }
}
