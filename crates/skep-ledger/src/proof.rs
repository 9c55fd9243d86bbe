//! Verifying proofs, by the algorithms of RFC 9162, §2.1.3.2 and §2.1.4.2, which take nothing on trust: not even
//! how many hashes there should be.

use crate::tree::{EMPTY_ROOT, Hash, node_hash};

/// A proof that does not prove it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the proof does not lead to the root")]
pub struct NotProved;

/// That the leaf is the one of this index in the tree of this size and root.
///
/// # Errors
/// [`NotProved`].
pub fn verify_inclusion(
    leaf: Hash,
    (index, size): (u64, u64),
    root: &Hash,
    proof: &[Hash],
) -> Result<(), NotProved> {
    if index >= size {
        return Err(NotProved);
    }
    let (mut at, mut last, mut hash) = (index, size - 1, leaf);
    for step in proof {
        if last == 0 {
            return Err(NotProved);
        }
        if at & 1 == 1 || at == last {
            hash = node_hash(step, &hash);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, step);
        }
        at >>= 1;
        last >>= 1;
    }
    proved(last == 0 && hash == *root)
}

/// That the tree of the second size and root begins with the tree of the first. Every tree begins with the
/// empty one.
///
/// # Errors
/// [`NotProved`].
pub fn verify_consistency(
    old: (u64, &Hash),
    new: (u64, &Hash),
    proof: &[Hash],
) -> Result<(), NotProved> {
    if old.0 == 0 || old.0 >= new.0 {
        let is_same = old.0 == new.0 && old.1 == new.1;
        let is_empty = old.0 == 0 && *old.1 == EMPTY_ROOT;
        return proved(proof.is_empty() && (is_same || is_empty));
    }
    let (mut at, mut last) = (old.0 - 1, new.0 - 1);
    let whole = at.trailing_ones();
    (at, last) = (at >> whole, last >> whole);
    let mut steps = proof.iter();
    // A first tree that is complete is where its own root stands.
    let first = if at == 0 { Some(old.1) } else { steps.next() };
    let (mut before, mut after) = first.map(|hash| (*hash, *hash)).ok_or(NotProved)?;
    for step in steps {
        if last == 0 {
            return Err(NotProved);
        }
        if at & 1 == 1 || at == last {
            before = node_hash(step, &before);
            after = node_hash(step, &after);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            after = node_hash(&after, step);
        }
        at >>= 1;
        last >>= 1;
    }
    proved(last == 0 && before == *old.1 && after == *new.1)
}

fn proved(holds: bool) -> Result<(), NotProved> {
    if holds { Ok(()) } else { Err(NotProved) }
}
