//! Which memories were said near which: what a question asks is often spread over neighbours, the
//! one with the name and the one with the answer.

use std::collections::HashMap;

use skep_domain::Timestamp;

use crate::fuse::NEIGHBOURS;
use crate::lexicon::ENTRY_OVERHEAD;
use crate::top::Accept;

/// No thread.
const NONE: u32 = u32::MAX;

/// Where a memory was said.
///
/// A memory's score tells something of its neighbours' words. So those of one thread must have the
/// same readers: make the name of the session *and* of who may read the memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Said {
    /// Names what belongs together: one session, one set of readers.
    pub thread: [u8; 16],
    /// When in it; at the same time, the one put first comes first.
    pub at: Timestamp,
}

/// The threads of a workspace, each a line of slots in the order of their times.
#[derive(Default)]
pub(crate) struct Threads {
    numbers: HashMap<[u8; 16], u32>,
    lines: Vec<Line>,
    /// The thread of each slot, [`NONE`] where it has none. May be shorter than there are slots.
    line_of: Vec<u32>,
    times: Vec<Timestamp>,
}

#[derive(Default)]
struct Line {
    name: [u8; 16],
    slots: Vec<u32>,
}

impl Threads {
    /// Whether no slot has a thread.
    pub(crate) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Where a slot was said.
    pub(crate) fn get(&self, slot: u32) -> Option<Said> {
        let thread = self.thread(slot)?;
        let (thread, at) = (self.lines[thread].name, self.times[slot as usize]);
        Some(Said { thread, at })
    }

    /// Says where a slot was said, whatever was known before.
    pub(crate) fn put(&mut self, slot: u32, said: Said) {
        if self.get(slot) == Some(said) {
            return;
        }
        self.remove(slot);
        let room = self.line_of.len().max(slot as usize + 1);
        self.line_of.resize(room, NONE);
        self.times.resize(room, Timestamp::default());
        let next = self.lines.len() as u32;
        let number = *self.numbers.entry(said.thread).or_insert(next);
        if number == next {
            let (name, slots) = (said.thread, Vec::new());
            self.lines.push(Line { name, slots });
        }
        let place = self.place(number as usize, (said.at, slot));
        self.lines[number as usize].slots.insert(place, slot);
        self.line_of[slot as usize] = number;
        self.times[slot as usize] = said.at;
    }

    /// Forgets a slot.
    pub(crate) fn remove(&mut self, slot: u32) {
        if let Some(thread) = self.thread(slot) {
            let place = self.place(thread, (self.times[slot as usize], slot));
            self.lines[thread].slots.remove(place);
            self.line_of[slot as usize] = NONE;
        }
    }

    /// The neighbours of a slot and how much their words count for it.
    pub(crate) fn neighbours(&self, slot: u32) -> impl Iterator<Item = (u32, f32)> {
        let (line, place): (&[u32], usize) = match self.thread(slot) {
            Some(thread) => {
                let place = self.place(thread, (self.times[slot as usize], slot));
                (&self.lines[thread].slots, place)
            }
            None => (&[], 0),
        };
        (1..).zip(NEIGHBOURS).flat_map(move |(distance, weight)| {
            let before = place.checked_sub(distance).and_then(|at| line.get(at));
            let after = line.get(place + distance);
            [before, after]
                .into_iter()
                .flatten()
                .map(move |&slot| (slot, weight))
        })
    }

    /// Adds to `slots` the neighbours of each that `accept` lets through; in order, none twice.
    pub(crate) fn widen(&self, slots: &mut Vec<u32>, accept: Accept<'_>) {
        if self.is_empty() {
            return;
        }
        for at in 0..slots.len() {
            let near = self.neighbours(slots[at]).map(|(slot, _)| slot);
            slots.extend(near.filter(|&slot| accept(slot)));
        }
        slots.sort_unstable();
        slots.dedup();
    }

    /// Leaves out slots without a place in `moved`.
    pub(crate) fn compact(&mut self, moved: &[Option<u32>]) {
        let mut next = Self::default();
        for (slot, to) in (0u32..).zip(moved) {
            if let (Some(to), Some(said)) = (to, self.get(slot)) {
                next.put(*to, said);
            }
        }
        *self = next;
    }

    /// What the threads take in memory, estimated.
    pub(crate) fn heap_bytes(&self) -> usize {
        let slots: usize = self.lines.iter().map(|line| line.slots.capacity()).sum();
        let lines = self.lines.capacity() * size_of::<Line>();
        let numbers = self.numbers.capacity() * (size_of::<([u8; 16], u32)>() + ENTRY_OVERHEAD);
        let each = self.line_of.capacity() * 4 + self.times.capacity() * size_of::<Timestamp>();
        slots * 4 + lines + numbers + each
    }

    fn thread(&self, slot: u32) -> Option<usize> {
        let thread = *self.line_of.get(slot as usize)?;
        (thread != NONE).then_some(thread as usize)
    }

    /// Where in its line a slot of that time stands, or would.
    fn place(&self, thread: usize, key: (Timestamp, u32)) -> usize {
        let line = &self.lines[thread].slots;
        line.partition_point(|&slot| (self.times[slot as usize], slot) < key)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use skep_domain::Timestamp;

    use super::{Said, Threads};
    use crate::fuse::NEIGHBOURS;

    proptest! {
        #[test]
        fn neighbours_are_those_next_in_time(
            changes in prop::collection::vec((0u32..24, 0u8..3, 0i64..9, any::<bool>()), 0..60),
            cleared in any::<bool>(),
        ) {
            let mut threads = Threads::default();
            let mut plain = vec![None; 24];
            for (slot, thread, at, gone) in changes {
                let said = Said { thread: [thread; 16], at: Timestamp::from_micros(at) };
                if gone {
                    threads.remove(slot);
                    plain[slot as usize] = None;
                } else {
                    threads.put(slot, said);
                    plain[slot as usize] = Some(said);
                }
            }
            if cleared {
                threads.compact(&(0..24).map(Some).collect::<Vec<_>>());
            }
            for (slot, said) in (0u32..).zip(&plain) {
                prop_assert_eq!(threads.get(slot), *said);
                let mut line: Vec<(Timestamp, u32)> = (0u32..)
                    .zip(&plain)
                    .filter_map(|(other, where_)| where_.map(|where_| (where_, other)))
                    .filter(|(where_, _)| said.is_some_and(|said| said.thread == where_.thread))
                    .map(|(where_, other)| (where_.at, other))
                    .collect();
                line.sort_unstable();
                let mut expected = Vec::new();
                if let Some(place) = line.iter().position(|&(_, other)| other == slot) {
                    for (other, &(_, number)) in line.iter().enumerate() {
                        if let Some(&weight) = NEIGHBOURS.get(other.abs_diff(place).wrapping_sub(1)) {
                            expected.push((number, weight));
                        }
                    }
                }
                let mut found: Vec<(u32, f32)> = threads.neighbours(slot).collect();
                expected.sort_by_key(|&(slot, _)| slot);
                found.sort_by_key(|&(slot, _)| slot);
                prop_assert_eq!(found, expected);
            }
        }
    }
}
