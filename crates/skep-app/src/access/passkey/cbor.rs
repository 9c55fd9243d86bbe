//! As much CBOR (RFC 8949) as authenticators speak: definite lengths, shallow, borrowed.

/// What stands at one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Item<'a> {
    Unsigned(u64),
    /// -1 - n.
    Negative(u64),
    Bytes(&'a [u8]),
    Text(&'a str),
    /// So many items follow.
    Array(u64),
    /// So many pairs follow.
    Map(u64),
    /// A tag: one item follows.
    Tag,
    /// True, false, null, a float.
    Other,
}

/// Reads from the front of a slice.
pub(super) struct Reader<'a>(&'a [u8]);

/// Depth that an authenticator's statements reach at most (CTAP 2.1, section 8).
const DEPTH: usize = 4;

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// What is left.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.0
    }

    /// The next item; of an array, a map or a tag, its head.
    pub(super) fn next(&mut self) -> Option<Item<'a>> {
        let first = self.take(1)?[0];
        let argument = self.argument(first & 31)?;
        Some(match first >> 5 {
            0 => Item::Unsigned(argument),
            1 => Item::Negative(argument),
            2 => Item::Bytes(self.take(usize::try_from(argument).ok()?)?),
            3 => {
                let text = self.take(usize::try_from(argument).ok()?)?;
                Item::Text(std::str::from_utf8(text).ok()?)
            }
            4 => Item::Array(argument),
            5 => Item::Map(argument),
            6 => Item::Tag,
            _ => Item::Other,
        })
    }

    /// Passes over one whole item.
    pub(super) fn skip(&mut self) -> Option<()> {
        self.skip_within(DEPTH)
    }

    fn skip_within(&mut self, depth: usize) -> Option<()> {
        let inside = match self.next()? {
            Item::Array(count) => count,
            Item::Map(pairs) => pairs.checked_mul(2)?,
            Item::Tag => 1,
            _ => 0,
        };
        for _ in 0..inside {
            // Every item takes a byte at least, so the input bounds this loop.
            self.skip_within(depth.checked_sub(1)?)?;
        }
        Some(())
    }

    fn argument(&mut self, short: u8) -> Option<u64> {
        let bytes = match short {
            0..24 => return Some(short.into()),
            24 => 1,
            25 => 2,
            26 => 4,
            27 => 8,
            // Lengths that are not known in front are not used here.
            _ => return None,
        };
        let bytes = self.take(bytes)?;
        Some(bytes.iter().fold(0, |sum, b| sum << 8 | u64::from(*b)))
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Item, Reader};

    /// RFC 8949, appendix A.
    #[test]
    fn items_are_read_as_published() {
        let cases: &[(&[u8], Item<'_>)] = &[
            (&[0x00], Item::Unsigned(0)),
            (&[0x18, 0x64], Item::Unsigned(100)),
            (&[0x1a, 0x00, 0x0f, 0x42, 0x40], Item::Unsigned(1_000_000)),
            (&[0x26], Item::Negative(6)),
            (&[0x38, 0x63], Item::Negative(99)),
            (&[0x44, 1, 2, 3, 4], Item::Bytes(&[1, 2, 3, 4])),
            (&[0x64, b'I', b'E', b'T', b'F'], Item::Text("IETF")),
            (&[0xa1, 0x01, 0x02], Item::Map(1)),
            (&[0xf5], Item::Other),
        ];
        for (bytes, item) in cases {
            assert_eq!(Reader::new(bytes).next(), Some(*item), "{bytes:?}");
        }
        for bad in [
            &[][..],
            &[0x18],
            &[0x5f, 0x41, 0],
            &[0x9f, 0xff],
            &[0x62, 0xff, 0xff],
        ] {
            assert_eq!(Reader::new(bad).next(), None, "{bad:?}");
        }
    }

    #[test]
    fn n13_what_claims_to_be_deep_or_long_is_refused_at_once() {
        assert_eq!(Reader::new(&vec![0x81; 100_000]).skip(), None);
        assert_eq!(
            Reader::new(&[0x9b, 255, 255, 255, 255, 255, 255, 255, 255]).skip(),
            None
        );
        assert_eq!(
            Reader::new(&[0xbb, 255, 255, 255, 255, 255, 255, 255, 255]).skip(),
            None
        );
        assert_eq!(
            Reader::new(&[0x5b, 255, 255, 255, 255, 255, 255, 255, 255]).skip(),
            None
        );
        assert_eq!(
            Reader::new(&[0x81, 0x81, 0x81, 0x81, 0x00]).skip(),
            Some(())
        );
    }

    proptest! {
        #[test]
        fn any_bytes_end(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut reader = Reader::new(&bytes);
            while reader.skip().is_some() && !reader.rest().is_empty() {}
        }
    }
}
