//! Reading and writing flat bytes, every length checked before it is believed.

use crate::IndexError;
use crate::postings::take_varint;

/// Takes values off the front of bytes.
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

const SHORT: IndexError = IndexError::Damaged("cut short");

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8], IndexError> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(SHORT)?;
        self.rest = rest;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], IndexError> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or(SHORT)?;
        self.rest = rest;
        Ok(*taken)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, IndexError> {
        Ok(u8::from_le_bytes(self.array()?))
    }

    pub(crate) fn u32(&mut self) -> Result<u32, IndexError> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    pub(crate) fn u64(&mut self) -> Result<u64, IndexError> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    pub(crate) fn varint(&mut self) -> Result<u64, IndexError> {
        take_varint(&mut self.rest).ok_or(SHORT)
    }

    /// A number of things that take at least one byte each, so that it is bounded by what is left.
    pub(crate) fn count(&mut self) -> Result<usize, IndexError> {
        let count = usize::try_from(self.varint()?).map_err(|_| SHORT)?;
        if count > self.rest.len() {
            Err(SHORT)
        } else {
            Ok(count)
        }
    }

    pub(crate) fn text(&mut self, length: usize) -> Result<&'a str, IndexError> {
        std::str::from_utf8(self.take(length)?).map_err(|_| IndexError::Damaged("not UTF-8"))
    }

    pub(crate) fn u32s(&mut self, count: usize) -> Result<Vec<u32>, IndexError> {
        let bytes = self.take(count.checked_mul(4).ok_or(SHORT)?)?;
        let (words, _) = bytes.as_chunks::<4>();
        Ok(words.iter().map(|word| u32::from_le_bytes(*word)).collect())
    }

    pub(crate) fn f32s(&mut self, count: usize) -> Result<Vec<f32>, IndexError> {
        Ok(self.u32s(count)?.into_iter().map(f32::from_bits).collect())
    }

    /// Refuses bytes that nothing has read.
    pub(crate) fn finish(&self) -> Result<(), IndexError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(IndexError::Damaged("too long"))
        }
    }
}

/// A sum that any one changed bit changes: each step is a bijection of the state, for given words,
/// and of the word, for a given state. The first step takes the length, so that no state that a
/// short input meets is one of its bytes, which would leave nothing of both. It finds accidents,
/// not attackers; the seal round a snapshot does that.
pub(crate) fn checksum(bytes: &[u8]) -> u64 {
    const MULTIPLIER: u64 = 0x9E37_79B9_7F4A_7C15;
    const START: u64 = 0x736B_6570_6964_7837;
    let mix = |state: u64, word: u64| (state ^ word).wrapping_mul(MULTIPLIER).rotate_left(29);
    let (words, rest) = bytes.as_chunks::<8>();
    let words = words.iter().map(|word| u64::from_le_bytes(*word));
    let state = words.fold(mix(START, bytes.len() as u64), mix);
    rest.iter()
        .fold(state, |state, &byte| mix(state, byte.into()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Reader, checksum};

    #[test]
    fn short_inputs_and_runs_of_nothing_have_sums_of_their_own() {
        let single = (0..=u8::MAX).map(|byte| vec![byte]);
        let zeros = (2..200).map(|length| vec![0; length]);
        let inputs: Vec<_> = std::iter::once(Vec::new())
            .chain(single)
            .chain(zeros)
            .collect();
        let sums: std::collections::BTreeSet<_> =
            inputs.iter().map(|bytes| checksum(bytes)).collect();
        assert_eq!(sums.len(), inputs.len());
    }

    proptest! {
        #[test]
        fn one_changed_bit_changes_the_sum(
            bytes in prop::collection::vec(any::<u8>(), 1..100),
            at in any::<prop::sample::Index>(),
            bit in 0u8..8,
        ) {
            let mut changed = bytes.clone();
            changed[at.index(bytes.len())] ^= 1 << bit;
            prop_assert_ne!(checksum(&bytes), checksum(&changed));
        }

        #[test]
        fn more_or_fewer_bytes_change_the_sum(bytes in prop::collection::vec(any::<u8>(), 1..100)) {
            let longer = [bytes.as_slice(), &[0]].concat();
            prop_assert_ne!(checksum(&bytes), checksum(&longer));
            prop_assert_ne!(checksum(&bytes), checksum(&bytes[1..]));
        }

        #[test]
        fn no_length_is_believed_unseen(bytes in prop::collection::vec(any::<u8>(), 0..30), many: usize) {
            let reader = || Reader::new(&bytes);
            prop_assert_eq!(reader().take(many).is_ok(), many <= bytes.len());
            prop_assert_eq!(reader().u32s(many).is_ok(), many <= bytes.len() / 4);
            if let Ok(count) = reader().count() {
                prop_assert!(count < bytes.len());
            }
        }
    }
}
