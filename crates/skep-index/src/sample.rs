//! A few memories that stand for all: chosen by a hash of what they say, so that which they are
//! follows from which there are, and not from what came first.

use std::collections::BTreeSet;

/// Memories in the sample, at most; half of that at least, where there are so many.
const MOST: usize = 256;

/// As many ranks as a mark can have.
const RANKS: usize = 65;

/// The sample. A memory's rank is the number of zeros that its mark begins with, so each rank has
/// half as many memories as the one below; those of the lowest rank that leaves no more than
/// [`MOST`] are in.
pub(crate) struct Sample {
    /// How many memories have each rank, in the sample or not.
    counts: [usize; RANKS],
    lowest: usize,
    /// By rank and slot.
    held: BTreeSet<(usize, u32)>,
}

impl Default for Sample {
    fn default() -> Self {
        Self {
            counts: [0; RANKS],
            lowest: 0,
            held: BTreeSet::new(),
        }
    }
}

impl Sample {
    /// The slots in it, in no order that means anything.
    pub(crate) fn slots(&self) -> Vec<u32> {
        self.held.iter().map(|&(_, slot)| slot).collect()
    }

    /// A memory counts from now on.
    pub(crate) fn put(&mut self, slot: u32, mark: u64) {
        let rank = rank(mark);
        self.counts[rank] += 1;
        if rank >= self.lowest {
            self.held.insert((rank, slot));
        }
        while self.held.len() > MOST && self.lowest + 1 < RANKS {
            self.lowest += 1;
            self.held = self.held.split_off(&(self.lowest, 0));
        }
    }

    /// A memory counts no more.
    pub(crate) fn remove(&mut self, slot: u32, mark: u64) {
        let rank = rank(mark);
        self.counts[rank] -= 1;
        self.held.remove(&(rank, slot));
    }

    /// Whether there is room for those of the next lower rank.
    pub(crate) fn has_room(&self) -> bool {
        let below = self.lowest.checked_sub(1);
        below.is_some_and(|rank| self.held.len() + self.counts[rank] <= MOST)
    }

    /// Takes in those of the next lower rank, out of all that count.
    pub(crate) fn widen(&mut self, all: impl Iterator<Item = (u32, u64)>) {
        self.lowest = self.lowest.saturating_sub(1);
        let wanted = all.filter(|&(_, mark)| rank(mark) == self.lowest);
        self.held
            .extend(wanted.map(|(slot, mark)| (rank(mark), slot)));
    }
}

fn rank(mark: u64) -> usize {
    mark.leading_zeros() as usize
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::{MOST, Sample};

    /// Any number, spread over all of them.
    fn mark(number: u64) -> u64 {
        (number + 1)
            .wrapping_mul(0x9E37_79B9_7F4A_7C15)
            .swap_bytes()
    }

    fn sample(of: &BTreeMap<u32, u64>) -> Vec<u32> {
        let mut fresh = Sample::default();
        for (&slot, &mark) in of {
            fresh.put(slot, mark);
        }
        fresh.slots()
    }

    #[test]
    fn it_is_all_of_few_and_a_part_of_many() {
        let all = |count: u32| (0..count).map(|slot| (slot, mark(slot.into()))).collect();
        assert_eq!(sample(&all(256)).len(), 256);
        for count in [257, 1_000, 20_000] {
            let held = sample(&all(count)).len();
            assert!((MOST / 4..=MOST).contains(&held), "{held} of {count}");
        }
    }

    proptest! {
        #[test]
        fn the_way_to_a_state_does_not_show(gone in prop::collection::vec(0u32..1_500, 0..1_400)) {
            let mut all: BTreeMap<u32, u64> = (0..1_500).map(|slot| (slot, mark(slot.into()))).collect();
            let mut worn = Sample::default();
            for (&slot, &mark) in all.iter().rev() {
                worn.put(slot, mark);
            }
            for slot in gone {
                if let Some(mark) = all.remove(&slot) {
                    worn.remove(slot, mark);
                    while worn.has_room() {
                        worn.widen(all.iter().map(|(&slot, &mark)| (slot, mark)));
                    }
                }
            }
            prop_assert_eq!(worn.slots(), sample(&all));
        }
    }
}
