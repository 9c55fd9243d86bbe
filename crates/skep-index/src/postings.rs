//! Which slots hold a term and how often, as variable-length deltas.

/// The list of one term. Slots only grow, so each entry is the distance to the one before.
///
/// An entry is `distance << 1 | more`, little-endian base 128; if `more` is set, the count follows
/// as another such number less two. Most terms occur once in a text, so most entries are one or
/// two bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Postings {
    bytes: Vec<u8>,
    /// One more than the last slot; zero when the list is empty.
    end: u32,
    /// How many slots there are.
    count: u32,
}

impl Postings {
    /// Appends a slot above all those held, with a count of at least one.
    pub(crate) fn push(&mut self, slot: u32, count: u32) {
        debug_assert!(slot >= self.end && count > 0, "slots ascend");
        let distance = u64::from(slot - self.end);
        put_varint(&mut self.bytes, distance << 1 | u64::from(count > 1));
        if count > 1 {
            put_varint(&mut self.bytes, u64::from(count - 2));
        }
        self.end = slot + 1;
        self.count += 1;
    }

    /// How many slots hold the term.
    pub(crate) fn len(&self) -> usize {
        self.count as usize
    }

    /// `(slot, count)` pairs, slots ascending. Damaged bytes end the list early.
    pub(crate) fn iter(&self) -> Iter<'_> {
        let (rest, next) = (self.bytes.as_slice(), 0);
        Iter { rest, next }
    }

    /// The encoded entries.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Takes entries from a snapshot; `None` unless they are exactly what [`Self::push`] writes
    /// for slots below `slots`.
    pub(crate) fn from_bytes(bytes: &[u8], slots: u32) -> Option<Self> {
        let mut list = Iter {
            rest: bytes,
            next: 0,
        };
        let count = list.by_ref().count() as u32;
        let (end, whole) = (list.next, list.rest.is_empty());
        (whole && end <= slots).then(|| Self {
            bytes: bytes.to_vec(),
            end,
            count,
        })
    }

    /// What the list takes in memory beside its own struct.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.bytes.capacity()
    }

    /// Gives back the room for growth.
    pub(crate) fn shrink(&mut self) {
        self.bytes.shrink_to_fit();
    }
}

/// Walks a list.
#[derive(Clone)]
pub(crate) struct Iter<'a> {
    rest: &'a [u8],
    next: u32,
}

impl Iterator for Iter<'_> {
    type Item = (u32, u32);

    #[inline]
    fn next(&mut self) -> Option<(u32, u32)> {
        let mut rest = self.rest;
        let head = take_varint(&mut rest)?;
        let slot = self.next.checked_add(u32::try_from(head >> 1).ok()?)?;
        let next = slot.checked_add(1)?;
        let mut count = 1;
        if head & 1 == 1 {
            count = u32::try_from(take_varint(&mut rest)?)
                .ok()?
                .checked_add(2)?;
        }
        (self.rest, self.next) = (rest, next);
        Some((slot, count))
    }
}

/// Appends `value` in base 128, low digits first, the top bit saying that more follow.
pub(crate) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Takes one number off the front; `None` if it is cut short or too long.
#[inline]
pub(crate) fn take_varint(bytes: &mut &[u8]) -> Option<u64> {
    let (&first, rest) = bytes.split_first()?;
    if first < 0x80 {
        *bytes = rest;
        return Some(u64::from(first));
    }
    take_long(bytes)
}

fn take_long(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for (at, &byte) in bytes.iter().enumerate().take(9) {
        value |= u64::from(byte & 0x7F) << (7 * at);
        if byte < 0x80 {
            *bytes = &bytes[at + 1..];
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Postings;

    proptest! {
        #[test]
        fn what_is_pushed_is_read(steps in prop::collection::vec((0u32..100_000, 1u32..400), 0..200)) {
            let mut list = Postings::default();
            let mut pushed = Vec::new();
            let mut slot = 0;
            for (step, count) in steps {
                slot += step;
                list.push(slot, count);
                pushed.push((slot, count));
                slot += 1;
            }
            prop_assert_eq!(list.iter().collect::<Vec<_>>(), pushed);
            prop_assert_eq!(Postings::from_bytes(list.as_bytes(), slot), Some(list));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            if let Some(list) = Postings::from_bytes(&bytes, 1_000) {
                prop_assert!(list.iter().all(|(slot, count)| slot < 1_000 && count > 0));
            }
        }
    }
}
