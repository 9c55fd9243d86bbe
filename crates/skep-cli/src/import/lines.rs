//! Reads pieces between delimiters from a stream of any length in bounded memory.

use std::io::{self, Read};

use memchr::memchr;

/// Bytes read at once.
const BLOCK: usize = 256 << 10;
/// A buffer that grew beyond this for one long piece is given back.
const KEEP: usize = 1 << 20;

/// One piece, without its delimiter.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Piece<'a> {
    /// Its bytes, or as many of its first as the limit allows.
    pub(crate) bytes: &'a [u8],
    /// How long it really is.
    pub(crate) length: u64,
    /// Counted from one.
    pub(crate) number: u64,
    /// Bytes of the stream up to its end, delimiter included.
    pub(crate) end: u64,
    /// The delimiter was there; only the last piece may lack it.
    pub(crate) terminated: bool,
}

impl Piece<'_> {
    /// Whether it is longer than the limit.
    pub(crate) fn is_cut(&self) -> bool {
        self.length > self.bytes.len() as u64
    }
}

/// Splits a stream. Holds at most the limit, and one block, whatever the stream holds.
pub(crate) struct Pieces<R> {
    source: R,
    delimiter: u8,
    limit: usize,
    block: Box<[u8]>,
    start: usize,
    filled: usize,
    held: Vec<u8>,
    offset: u64,
    number: u64,
}

impl<R: Read> Pieces<R> {
    pub(crate) fn new(source: R, delimiter: u8, limit: usize) -> Self {
        Self {
            source,
            delimiter,
            limit,
            block: vec![0; BLOCK].into_boxed_slice(),
            start: 0,
            filled: 0,
            held: Vec::new(),
            offset: 0,
            number: 0,
        }
    }

    /// Counts on from a place in the middle of a stream.
    pub(crate) fn starting_at(mut self, offset: u64, pieces_before: u64) -> Self {
        self.offset = offset;
        self.number = pieces_before;
        self
    }

    /// The next piece; `None` at the end.
    pub(crate) fn next(&mut self) -> io::Result<Option<Piece<'_>>> {
        self.held.clear();
        self.held.shrink_to(KEEP);
        let mut length = 0;
        let mut terminated = false;
        while !terminated {
            if self.start == self.filled && !self.fill()? {
                break;
            }
            let rest = &self.block[self.start..self.filled];
            let found = memchr(self.delimiter, rest);
            let taken = &rest[..found.unwrap_or(rest.len())];
            let room = self.limit - self.held.len();
            self.held.extend_from_slice(&taken[..taken.len().min(room)]);
            length += taken.len() as u64;
            terminated = found.is_some();
            self.start += taken.len() + usize::from(terminated);
        }
        if length == 0 && !terminated {
            return Ok(None);
        }
        self.number += 1;
        self.offset += length + u64::from(terminated);
        Ok(Some(Piece {
            bytes: &self.held,
            length,
            number: self.number,
            end: self.offset,
            terminated,
        }))
    }

    fn fill(&mut self) -> io::Result<bool> {
        self.start = 0;
        self.filled = 0;
        loop {
            match self.source.read(&mut self.block) {
                Ok(read) => {
                    self.filled = read;
                    return Ok(read > 0);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    #[cfg(test)]
    fn memory(&self) -> usize {
        self.block.len() + self.held.capacity()
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Read};

    use proptest::prelude::{Strategy, any, prop_assert_eq, proptest};

    use super::{BLOCK, KEEP, Pieces};

    /// `a`s without end, but for one line feed after so many.
    struct Endless {
        until_feed: u64,
        until_end: u64,
    }

    impl Read for Endless {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.until_end.min(buffer.len() as u64);
            for byte in &mut buffer[..count as usize] {
                *byte = if self.until_feed == 0 { b'\n' } else { b'a' };
                self.until_feed = self.until_feed.wrapping_sub(1);
            }
            self.until_end -= count;
            Ok(count as usize)
        }
    }

    #[test]
    fn n12_an_endless_line_is_counted_and_not_held() {
        let limit = 4 << 20;
        let source = Endless {
            until_feed: 200 << 20,
            until_end: (200 << 20) + 10,
        };
        let mut pieces = Pieces::new(source, b'\n', limit);
        let piece = pieces.next().unwrap().unwrap();
        assert!(piece.is_cut() && piece.terminated);
        assert_eq!((piece.length, piece.bytes.len()), (200 << 20, limit));
        assert!(pieces.memory() <= limit * 2 + BLOCK, "{}", pieces.memory());
        let piece = pieces.next().unwrap().unwrap();
        assert_eq!((piece.bytes, piece.number), (&b"aaaaaaaaa"[..], 2));
        assert!(pieces.memory() <= KEEP + BLOCK, "{}", pieces.memory());
        assert!(pieces.next().unwrap().is_none());
    }

    #[test]
    fn a_piece_of_exactly_the_limit_is_whole() {
        for (length, cut) in [(9, false), (10, false), (11, true)] {
            let text = "x".repeat(length);
            let mut pieces = Pieces::new(text.as_bytes(), b'\n', 10);
            assert_eq!(pieces.next().unwrap().unwrap().is_cut(), cut, "{length}");
        }
    }

    proptest! {
        #[test]
        fn pieces_are_those_of_a_plain_split(
            text in proptest::collection::vec(any::<u8>().prop_map(|byte| byte % 4), 0..200),
            before in 0u64..1000,
        ) {
            let mut pieces = Pieces::new(&text[..], 0, 1000).starting_at(before, 7);
            let mut expected: Vec<&[u8]> = text.split(|byte| *byte == 0).collect();
            if expected.last().is_some_and(|last| last.is_empty()) {
                expected.pop();
            }
            let mut end = before;
            for (at, whole) in expected.iter().enumerate() {
                let piece = pieces.next().unwrap().unwrap();
                end += whole.len() as u64 + u64::from(piece.terminated);
                prop_assert_eq!(piece.bytes, *whole);
                prop_assert_eq!((piece.number, piece.end), (at as u64 + 8, end));
            }
            prop_assert_eq!(end, before + text.len() as u64);
            prop_assert_eq!(pieces.next().unwrap(), None);
        }
    }
}
