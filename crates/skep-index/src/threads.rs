//! Which memories were said near which: what a question asks is often spread over neighbours, the
//! one with the name and the one with the answer.

use std::collections::HashMap;

use skep_domain::Timestamp;

use crate::fuse::NEIGHBOURS;
use crate::lexicon::ENTRY_OVERHEAD;
use crate::top::Field;

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
    /// When in it.
    pub at: Timestamp,
}

/// The threads of a workspace, each a line of slots in the order of their times.
#[derive(Default)]
pub(crate) struct Threads {
    numbers: HashMap<[u8; 16], u32>,
    lines: Vec<Line>,
    /// The thread of each slot, [`NONE`] where it has none. May be shorter than there are slots.
    line_of: Vec<u32>,
    /// Where each slot stands in its line; at the same time, in the order of the marks.
    places: Vec<(Timestamp, u64)>,
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
        let (thread, at) = (self.lines[thread].name, self.places[slot as usize].0);
        Some(Said { thread, at })
    }

    /// Says where a slot was said, whatever was known before. Of those said at the same time the
    /// lower mark comes first.
    pub(crate) fn put(&mut self, slot: u32, said: Said, mark: u64) {
        if self.get(slot) == Some(said) {
            return;
        }
        self.remove(slot);
        let room = self.line_of.len().max(slot as usize + 1);
        self.line_of.resize(room, NONE);
        self.places.resize(room, (Timestamp::default(), 0));
        let next = self.lines.len() as u32;
        let number = *self.numbers.entry(said.thread).or_insert(next);
        if number == next {
            let (name, slots) = (said.thread, Vec::new());
            self.lines.push(Line { name, slots });
        }
        self.places[slot as usize] = (said.at, mark);
        let place = self.place(number as usize, slot);
        self.lines[number as usize].slots.insert(place, slot);
        self.line_of[slot as usize] = number;
    }

    /// Forgets a slot.
    pub(crate) fn remove(&mut self, slot: u32) {
        if let Some(thread) = self.thread(slot) {
            let place = self.place(thread, slot);
            self.lines[thread].slots.remove(place);
            self.line_of[slot as usize] = NONE;
        }
    }

    /// The neighbours of a slot and how much their words count for it. What the field does not
    /// accept is as if it had never been said.
    pub(crate) fn neighbours(
        &self,
        slot: u32,
        field: &dyn Field,
    ) -> impl Iterator<Item = (u32, f32)> {
        let (before, after): (&[u32], &[u32]) = match self.thread(slot) {
            Some(thread) => {
                let line = &self.lines[thread].slots;
                let place = self.place(thread, slot);
                (&line[..place], &line[place + 1..])
            }
            None => (&[], &[]),
        };
        let held = |slot: &&u32| field.accepts(**slot);
        let before = before.iter().rev().filter(held).zip(NEIGHBOURS);
        let after = after.iter().filter(held).zip(NEIGHBOURS);
        before.chain(after).map(|(&slot, weight)| (slot, weight))
    }

    /// Adds to `slots` the neighbours of each that the field accepts; in order, none twice.
    pub(crate) fn widen(&self, slots: &mut Vec<u32>, field: &dyn Field) {
        if self.is_empty() {
            return;
        }
        for at in 0..slots.len() {
            let near = self.neighbours(slots[at], field);
            slots.extend(near.map(|(slot, _)| slot).collect::<Vec<_>>());
        }
        slots.sort_unstable();
        slots.dedup();
    }

    /// Leaves out slots without a place in `moved`.
    pub(crate) fn compact(&mut self, moved: &[Option<u32>]) {
        let mut next = Self::default();
        for (slot, to) in (0u32..).zip(moved) {
            if let (Some(to), Some(said)) = (to, self.get(slot)) {
                next.put(*to, said, self.places[slot as usize].1);
            }
        }
        *self = next;
    }

    /// What the threads take in memory, estimated.
    pub(crate) fn heap_bytes(&self) -> usize {
        let slots: usize = self.lines.iter().map(|line| line.slots.capacity()).sum();
        let lines = self.lines.capacity() * size_of::<Line>();
        let numbers = self.numbers.capacity() * (size_of::<([u8; 16], u32)>() + ENTRY_OVERHEAD);
        let each =
            self.line_of.capacity() * 4 + self.places.capacity() * size_of::<(Timestamp, u64)>();
        slots * 4 + lines + numbers + each
    }

    fn thread(&self, slot: u32) -> Option<usize> {
        let thread = *self.line_of.get(slot as usize)?;
        (thread != NONE).then_some(thread as usize)
    }

    /// Where in its line a slot stands, or would.
    fn place(&self, thread: usize, slot: u32) -> usize {
        let key = |slot: u32| (self.places[slot as usize], slot);
        let line = &self.lines[thread].slots;
        line.partition_point(|&other| key(other) < key(slot))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use skep_domain::Timestamp;

    use super::{Said, Threads};
    use crate::fuse::NEIGHBOURS;

    /// Some marks are equal.
    fn mark(slot: u32) -> u64 {
        u64::from(slot % 5)
    }

    fn held(slot: u32) -> bool {
        !slot.is_multiple_of(7)
    }

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
                    threads.put(slot, said, mark(slot));
                    plain[slot as usize] = Some(said);
                }
            }
            if cleared {
                threads.compact(&(0..24).map(Some).collect::<Vec<_>>());
            }
            for (slot, said) in (0u32..).zip(&plain) {
                prop_assert_eq!(threads.get(slot), *said);
                let mut line: Vec<(Timestamp, u64, u32)> = (0u32..)
                    .zip(&plain)
                    .filter_map(|(other, where_)| where_.map(|where_| (where_, other)))
                    .filter(|(where_, _)| said.is_some_and(|said| said.thread == where_.thread))
                    .filter(|(_, other)| *other == slot || held(*other))
                    .map(|(where_, other)| (where_.at, mark(other), other))
                    .collect();
                line.sort_unstable();
                let mut expected = Vec::new();
                if let Some(place) = line.iter().position(|&(_, _, other)| other == slot) {
                    for (other, &(_, _, number)) in line.iter().enumerate() {
                        if let Some(&weight) = NEIGHBOURS.get(other.abs_diff(place).wrapping_sub(1)) {
                            expected.push((number, weight));
                        }
                    }
                }
                let mut found: Vec<(u32, f32)> = threads.neighbours(slot, &held).collect();
                expected.sort_by_key(|&(slot, _)| slot);
                found.sort_by_key(|&(slot, _)| slot);
                prop_assert_eq!(found, expected);
            }
        }
    }
}
