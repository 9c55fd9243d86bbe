//! Which parts of a tree a proof consists of (RFC 6962, §2.1.1 and §2.1.2), as ranges of leaves, and which
//! complete subtrees those are made of. Whoever keeps hashes looks them up.

use std::ops::Range;

/// A complete subtree: `2^level` leaves from leaf `position · 2^level` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node {
    /// The logarithm of its leaves.
    pub level: u8,
    /// Its place among those of its level.
    pub position: u64,
}

impl Node {
    /// Its leaves.
    #[must_use]
    pub fn leaves(self) -> Range<u64> {
        let first = self.position << self.level;
        first..first + (1 << self.level)
    }
}

/// The complete subtrees of a range that a path consists of, from left to right: its length in powers of two,
/// the largest first, since such a range begins where the largest may begin.
#[must_use]
pub fn complete(range: &Range<u64>) -> Vec<Node> {
    let mut nodes = Vec::new();
    let mut at = range.start;
    while at < range.end {
        let level = (range.end - at).ilog2() as u8;
        nodes.push(Node {
            level,
            position: at >> level,
        });
        at += 1 << level;
    }
    nodes
}

/// The ranges whose hashes prove that leaf `index` is in the tree of `size` leaves, the nearest first. `None`
/// if the tree has no such leaf.
#[must_use]
pub fn inclusion_path(index: u64, size: u64) -> Option<Vec<Range<u64>>> {
    (index < size).then(|| inner(index, 0..size))
}

fn inner(index: u64, mut within: Range<u64>) -> Vec<Range<u64>> {
    let mut path = Vec::new();
    while within.end - within.start > 1 {
        let middle = split(&within);
        if index < middle {
            path.push(middle..within.end);
            within.end = middle;
        } else {
            path.push(within.start..middle);
            within.start = middle;
        }
    }
    path.reverse();
    path
}

/// The ranges whose hashes prove that the tree of `size` leaves begins with the tree of `old` leaves. `None`
/// unless `0 < old <= size`; nothing is needed for two that are the same.
#[must_use]
pub fn consistency_path(old: u64, size: u64) -> Option<Vec<Range<u64>>> {
    if old == 0 || old > size {
        return None;
    }
    let (mut within, mut path) = (0..size, Vec::new());
    // Whether what is left is still the old tree as a whole, whose root the verifier has.
    let mut is_whole = true;
    while old != within.end {
        let middle = split(&within);
        if old <= middle {
            path.push(middle..within.end);
            within.end = middle;
        } else {
            path.push(within.start..middle);
            within.start = middle;
            is_whole = false;
        }
    }
    if !is_whole {
        path.push(within);
    }
    path.reverse();
    Some(path)
}

/// After the largest power of two that is less than the range's length.
fn split(range: &Range<u64>) -> u64 {
    let length = range.end - range.start;
    range.start + (1 << (length - 1).ilog2())
}
