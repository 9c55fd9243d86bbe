//! Reads the lines of a part of a file from its last to its first in bounded memory.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use memchr::memrchr;

const BLOCK: usize = 256 << 10;
const KEEP: usize = 1 << 20;

/// One line, without its line feed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct LineBefore<'a> {
    /// Its bytes; none if it is longer than the limit.
    pub(crate) bytes: Option<&'a [u8]>,
    /// Where in the file it begins.
    pub(crate) start: u64,
}

/// Walks back over `0..end` of a file.
pub(crate) struct Backward<'a> {
    file: &'a File,
    limit: usize,
    block: Vec<u8>,
    /// Bytes of the file before the block, and so still to be read.
    before: u64,
    /// The line under way, its last byte first.
    reversed: Vec<u8>,
    done: bool,
}

impl<'a> Backward<'a> {
    pub(crate) fn new(file: &'a File, end: u64, limit: usize) -> io::Result<Self> {
        let mut backward = Self {
            file,
            limit,
            block: Vec::new(),
            before: end,
            reversed: Vec::new(),
            done: end == 0,
        };
        // A line feed at the very end closes the last line and begins no other.
        if !backward.done {
            backward.fill()?;
            if backward.block.last() == Some(&b'\n') {
                backward.block.pop();
            }
        }
        Ok(backward)
    }

    /// The line before; `None` when the first has been given.
    pub(crate) fn next(&mut self) -> io::Result<Option<LineBefore<'_>>> {
        if self.done {
            return Ok(None);
        }
        self.reversed.clear();
        self.reversed.shrink_to(KEEP);
        let mut length = 0;
        loop {
            let found = memrchr(b'\n', &self.block);
            let taken = &self.block[found.map_or(0, |at| at + 1)..];
            length += taken.len();
            let room = self.limit - self.reversed.len();
            self.reversed.extend(taken.iter().rev().take(room));
            self.block.truncate(found.unwrap_or(0));
            if found.is_some() {
                break;
            }
            if self.before == 0 {
                self.done = true;
                break;
            }
            self.fill()?;
        }
        // The feed that was found is gone from the block, and stands just before the line.
        let start = self.before + self.block.len() as u64 + u64::from(!self.done);
        self.reversed.reverse();
        Ok(Some(LineBefore {
            bytes: (length <= self.limit).then_some(&self.reversed[..]),
            start,
        }))
    }

    fn fill(&mut self) -> io::Result<()> {
        let size = self.before.min(BLOCK as u64);
        self.before -= size;
        self.block.resize(size as usize, 0);
        self.file.read_exact_at(&mut self.block, self.before)
    }

    #[cfg(test)]
    fn memory(&self) -> usize {
        self.block.capacity() + self.reversed.capacity()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::prelude::{ProptestConfig, Strategy, any, prop_assert_eq, proptest};

    use super::{BLOCK, Backward};
    use crate::import::lines::Pieces;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        #[test]
        fn backward_is_forward_reversed(
            text in proptest::collection::vec(any::<u8>().prop_map(|byte| b"\nab"[usize::from(byte % 3)]), 0..200),
            limit in 0usize..20,
        ) {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(&text).unwrap();
            let mut forward = Vec::new();
            let mut pieces = Pieces::new(&text[..], b'\n', limit);
            let mut start = 0;
            while let Some(piece) = pieces.next().unwrap() {
                let bytes = (!piece.is_cut()).then(|| piece.bytes.to_vec());
                forward.push((bytes, start));
                start = piece.end;
            }
            let mut backward = Vec::new();
            let mut reader = Backward::new(&file, text.len() as u64, limit).unwrap();
            while let Some(line) = reader.next().unwrap() {
                backward.push((line.bytes.map(<[u8]>::to_vec), line.start));
            }
            backward.reverse();
            prop_assert_eq!(backward, forward);
        }
    }

    #[test]
    fn lines_across_blocks_come_whole_and_long_ones_are_not_held() {
        let mut file = tempfile::tempfile().unwrap();
        let long = "x".repeat(BLOCK * 9);
        let middling = "y".repeat(BLOCK + 10);
        write!(file, "first\n{long}\n{middling}\nlast\n").unwrap();
        let end = file.metadata().unwrap().len();
        let mut reader = Backward::new(&file, end, BLOCK * 2).unwrap();
        let mut lengths = Vec::new();
        while let Some(line) = reader.next().unwrap() {
            lengths.push(line.bytes.map(<[u8]>::len));
            assert!(reader.memory() <= BLOCK * 8, "{}", reader.memory());
        }
        assert_eq!(lengths, [Some(4), Some(middling.len()), None, Some(5)]);
    }
}
