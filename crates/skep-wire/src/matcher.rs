//! Finds patterns in bytes that arrive in pieces, however they are cut.

use std::sync::Arc;

use zeroize::{Zeroize, Zeroizing};

/// What is looked for. Wiped when dropped: in answers, it is values.
pub(crate) struct Patterns {
    /// The longest first, so that a longer one wins over its own beginning.
    list: Vec<(Zeroizing<Vec<u8>>, usize)>,
    /// For each first byte, which of them.
    by_first: Vec<Vec<u32>>,
}

impl Patterns {
    /// Each with what a hit of it is called; empty ones are left out.
    pub(crate) fn new(mut list: Vec<(Zeroizing<Vec<u8>>, usize)>) -> Arc<Self> {
        list.retain(|(pattern, _)| !pattern.is_empty());
        list.sort_by(|(a, _), (b, _)| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        list.dedup_by(|(a, _), (b, _)| a == b);
        let mut by_first = vec![Vec::new(); 256];
        for (nth, (pattern, _)) in (0_u32..).zip(&list) {
            by_first[usize::from(pattern[0])].push(nth);
        }
        Arc::new(Self { list, by_first })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// All of a text at once.
    pub(crate) fn scan(self: &Arc<Self>, text: &[u8], mut out: impl FnMut(Piece<'_>)) {
        let mut matcher = Matcher::new(Arc::clone(self));
        matcher.feed(text, &mut out);
        matcher.end(&mut out);
    }

    pub(crate) fn occur_in(self: &Arc<Self>, text: &[u8]) -> bool {
        let mut found = false;
        self.scan(text, |piece| found |= matches!(piece, Piece::Hit { .. }));
        found
    }

    pub(crate) fn occur_ignoring_case(&self, text: &[u8]) -> bool {
        let text = text.to_ascii_lowercase();
        self.list.iter().any(|(pattern, _)| {
            let length = pattern.len();
            text.len() >= length
                && text
                    .windows(length)
                    .any(|part| part.eq_ignore_ascii_case(pattern))
        })
    }

    /// What begins a text: a hit, or what more is needed to know.
    fn at(&self, text: &[u8], is_last: bool) -> Found {
        for nth in &self.by_first[usize::from(text[0])] {
            let (pattern, name) = &self.list[*nth as usize];
            if text.len() >= pattern.len() {
                if text.starts_with(pattern) {
                    return Found::Hit(*name, pattern.len());
                }
            } else if !is_last && pattern.starts_with(text) {
                return Found::Undecided;
            }
        }
        Found::Nothing
    }
}

enum Found {
    Nothing,
    Undecided,
    Hit(usize, usize),
}

/// A part of what arrived, in order.
pub(crate) enum Piece<'a> {
    /// No pattern, and no part of one.
    Text(&'a [u8]),
    /// A pattern, by what it is called.
    Hit {
        /// Which.
        name: usize,
        /// How long what was found is.
        length: usize,
    },
}

/// One pass over one stream. It holds back only what may be the beginning of a pattern.
pub(crate) struct Matcher {
    patterns: Arc<Patterns>,
    held: Zeroizing<Vec<u8>>,
}

impl Matcher {
    pub(crate) fn new(patterns: Arc<Patterns>) -> Self {
        Self {
            patterns,
            held: Zeroizing::new(Vec::new()),
        }
    }

    pub(crate) fn holds_nothing(&self) -> bool {
        self.held.is_empty()
    }

    pub(crate) fn feed(&mut self, chunk: &[u8], out: &mut impl FnMut(Piece<'_>)) {
        if self.held.is_empty() {
            let from = self.run(chunk, false, out);
            self.held.extend_from_slice(&chunk[from..]);
            return;
        }
        // A vector that grows leaves a copy behind: this one is made as large as it gets, and wiped.
        let mut joined = Zeroizing::new(Vec::with_capacity(self.held.len() + chunk.len()));
        joined.extend_from_slice(&self.held);
        joined.extend_from_slice(chunk);
        self.held.zeroize();
        let from = self.run(&joined, false, out);
        self.held.extend_from_slice(&joined[from..]);
    }

    /// There is no more.
    pub(crate) fn end(&mut self, out: &mut impl FnMut(Piece<'_>)) {
        let held = std::mem::take(&mut self.held);
        self.run(&held, true, out);
    }

    /// From where on it is undecided.
    fn run(&self, text: &[u8], is_last: bool, out: &mut impl FnMut(Piece<'_>)) -> usize {
        let mut begun = 0;
        let mut at = 0;
        while at < text.len() {
            if self.patterns.by_first[usize::from(text[at])].is_empty() {
                at += 1;
                continue;
            }
            match self.patterns.at(&text[at..], is_last) {
                Found::Nothing => at += 1,
                Found::Undecided => break,
                Found::Hit(name, length) => {
                    if begun < at {
                        out(Piece::Text(&text[begun..at]));
                    }
                    out(Piece::Hit { name, length });
                    at += length;
                    begun = at;
                }
            }
        }
        if begun < at {
            out(Piece::Text(&text[begun..at]));
        }
        at
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use zeroize::Zeroizing;

    use super::{Matcher, Patterns, Piece};

    fn patterns(list: &[&str]) -> std::sync::Arc<Patterns> {
        let list = list.iter().enumerate();
        Patterns::new(
            list.map(|(nth, text)| (Zeroizing::new(text.as_bytes().to_vec()), nth))
                .collect(),
        )
    }

    fn replaced(list: &[&str], chunks: &[&[u8]]) -> String {
        let mut matcher = Matcher::new(patterns(list));
        let mut out = Vec::new();
        let mut take = |piece: Piece<'_>| match piece {
            Piece::Text(text) => out.extend_from_slice(text),
            Piece::Hit { name, .. } => out.extend_from_slice(format!("<{name}>").as_bytes()),
        };
        for chunk in chunks {
            matcher.feed(chunk, &mut take);
        }
        matcher.end(&mut take);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_longest_wins_and_what_only_begins_stays() {
        let list = ["abc", "abcdef", "xab"];
        for (text, expected) in [
            ("abc", "<0>"),
            ("abcdef", "<1>"),
            ("abcde", "<0>de"),
            ("xabcdef", "<2>cdef"),
            ("ababcab", "ab<0>ab"),
            ("aabc", "a<0>"),
            ("", ""),
        ] {
            assert_eq!(replaced(&list, &[text.as_bytes()]), expected, "{text}");
        }
    }

    #[test]
    fn what_begins_no_pattern_is_not_held_back() {
        let mut matcher = Matcher::new(patterns(&["secret"]));
        let mut seen = 0;
        matcher.feed(b"data: hello\n\n", &mut |piece| {
            if let Piece::Text(text) = piece {
                seen += text.len();
            }
        });
        assert_eq!(seen, 13);
    }

    proptest! {
        #[test]
        fn x02_cutting_a_stream_changes_nothing(
            text in "[abc]{0,60}", cuts in prop::collection::vec(0_usize..60, 0..8),
            list in prop::collection::vec("[abc]{1,7}", 1..5),
        ) {
            let list: Vec<&str> = list.iter().map(String::as_str).collect();
            let mut cuts: Vec<usize> = cuts.into_iter().filter(|cut| *cut <= text.len()).collect();
            cuts.extend([0, text.len()]);
            cuts.sort_unstable();
            let chunks: Vec<&[u8]> = cuts.windows(2).map(|w| &text.as_bytes()[w[0]..w[1]]).collect();
            prop_assert_eq!(replaced(&list, &chunks), replaced(&list, &[text.as_bytes()]));
            let bytes: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
            prop_assert_eq!(replaced(&list, &bytes), replaced(&list, &[text.as_bytes()]));
        }
    }
}
