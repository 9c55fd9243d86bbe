//! Which lines of a transcript belong to a way that was not taken, found from its end to its start.
//!
//! What was taken back can only be known from what came after. So a transcript is read twice: once
//! backward, keeping one bit a line and what the trail needs, then forward.

use std::fs::File;
use std::io;

use super::backward::Backward;

/// How often a trail that went cold is taken up again; each costs another pass over what is before.
const RESTARTS: u32 = 8;

/// Where a line stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// On the way that was taken.
    On,
    /// On another one.
    Off,
    /// On none: not a record of the conversation.
    Beside,
}

/// Follows one harness's notion of a branch. Sees lines last to first.
pub(crate) trait Trail {
    /// Where the line stands; no bytes for one too long to read.
    fn judge(&mut self, line: Option<&[u8]>) -> Verdict;
    /// Whether some line further up is still looked for.
    fn is_seeking(&self) -> bool;
    /// Forgets the line that was looked for, and follows whatever it sees next.
    fn follow_next(&mut self);
}

/// One bit a line, for the lines of a file from some offset on.
#[derive(Debug, Default)]
pub(crate) struct Abandoned {
    /// Last line first.
    bits: Vec<u64>,
    lines: u64,
}

/// Where a backward pass begins.
#[derive(Clone, Copy)]
struct Pass {
    end: u64,
    /// Lines after it.
    lines: u64,
}

impl Abandoned {
    /// Walks the trail over `0..end`, and remembers the lines that begin at `from` or after.
    pub(crate) fn find(
        file: &File,
        from: u64,
        end: u64,
        limit: usize,
        trail: &mut dyn Trail,
    ) -> io::Result<Self> {
        let mut found = Self::default();
        let mut pass = Pass { end, lines: 0 };
        for _ in 0..=RESTARTS {
            let mut reader = Backward::new(file, pass.end, limit)?;
            match found.walk(&mut reader, from, pass, trail)? {
                Some(cold) => {
                    trail.follow_next();
                    pass = cold;
                }
                None => return Ok(found),
            }
        }
        // Better kept than lost: what cannot be followed counts as taken.
        for line in pass.lines..found.lines {
            found.set(line, false);
        }
        Ok(found)
    }

    /// Whether the line is off the way; `at` counts forward from zero, from the offset on.
    pub(crate) fn contains(&self, at: u64) -> bool {
        let Some(from_end) = self.lines.checked_sub(at + 1) else {
            return false;
        };
        let word = self.bits.get((from_end / 64) as usize);
        word.is_some_and(|word| word >> (from_end % 64) & 1 == 1)
    }

    /// One pass. If what the trail seeks is not there: the place just before the last line that was
    /// on it, to go on from.
    fn walk(
        &mut self,
        reader: &mut Backward<'_>,
        from: u64,
        pass: Pass,
        trail: &mut dyn Trail,
    ) -> io::Result<Option<Pass>> {
        let mut lines = pass.lines;
        let mut last_on = None;
        while let Some(line) = reader.next()? {
            if line.start < from && !trail.is_seeking() {
                return Ok(None);
            }
            let start = line.start;
            let verdict = trail.judge(line.bytes);
            if start >= from {
                self.set(lines, verdict == Verdict::Off);
                lines += 1;
            }
            if verdict == Verdict::On && start < from {
                return Ok(None);
            }
            if verdict == Verdict::On {
                last_on = Some(Pass { end: start, lines });
            }
        }
        Ok(last_on.filter(|place| trail.is_seeking() && place.end > from))
    }

    fn set(&mut self, from_end: u64, abandoned: bool) {
        let (word, bit) = ((from_end / 64) as usize, from_end % 64);
        if self.bits.len() <= word {
            self.bits.resize(word + 1, 0);
        }
        self.bits[word] = self.bits[word] & !(1 << bit) | u64::from(abandoned) << bit;
        self.lines = self.lines.max(from_end + 1);
    }
}
