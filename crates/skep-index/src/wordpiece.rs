//! Splits text into the word pieces of an uncased BERT vocabulary.
//!
//! Y. Wu et al.: "Google's Neural Machine Translation System", 2016, §4.1, in the greedy form of
//! BERT: lower case, no accents, punctuation apart, then the longest piece that fits, from the left.

use std::collections::HashMap;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// A word with more characters is one unknown piece, which adds nothing.
const WORD_CHARS: usize = 100;

/// Pieces of one text; the rest is not read.
const PIECES_PER_TEXT: usize = 1 << 13;

/// The pieces that may begin a word, and those that may continue one, by their text.
pub(crate) struct WordPieces {
    begin: HashMap<&'static str, u32>,
    continue_: HashMap<&'static str, u32>,
}

impl WordPieces {
    /// Takes the vocabulary in order; continuing pieces are written with `##` in front.
    pub(crate) fn new(words: impl Iterator<Item = &'static str>) -> Self {
        let (mut begin, mut continue_) = (HashMap::new(), HashMap::new());
        for (number, word) in (0u32..).zip(words) {
            match word.strip_prefix("##") {
                Some(rest) if !rest.is_empty() => continue_.insert(rest, number),
                _ => begin.insert(word, number),
            };
        }
        Self { begin, continue_ }
    }

    /// The numbers of a text's first `room` pieces, in order. Humps of `camelCase` begin new words.
    pub(crate) fn split(&self, text: &str, room: usize) -> Vec<u32> {
        let room = room.min(PIECES_PER_TEXT);
        let mut pieces = Vec::new();
        let mut word = String::new();
        let mut before = Shape::Other;
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            if pieces.len() >= room {
                pieces.truncate(room);
                return pieces;
            }
            let shape = Shape::of(c);
            let next_is_lower = chars.peek().is_some_and(|next| next.is_lowercase());
            if shape.begins_word(before, next_is_lower) {
                self.split_word(&mut word, &mut pieces);
            }
            if shape == Shape::Other {
                self.split_word(&mut word, &mut pieces);
                if !c.is_whitespace() && !c.is_control() {
                    word.push(c);
                    self.split_word(&mut word, &mut pieces);
                }
            } else {
                push_folded(c, &mut word);
            }
            before = shape;
        }
        self.split_word(&mut word, &mut pieces);
        pieces.truncate(room);
        pieces
    }

    /// Takes `word` and leaves it empty.
    fn split_word(&self, word: &mut String, pieces: &mut Vec<u32>) {
        let from = pieces.len();
        let mut rest = word.as_str();
        let mut table = &self.begin;
        if rest.chars().take(WORD_CHARS + 1).count() > WORD_CHARS {
            rest = "";
        }
        while !rest.is_empty() {
            let Some((number, after)) = longest(table, rest) else {
                pieces.truncate(from);
                break;
            };
            pieces.push(number);
            rest = after;
            table = &self.continue_;
        }
        word.clear();
    }
}

/// What a character does to the word it stands in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Lower,
    Upper,
    /// A letter without case, a digit or a mark.
    Caseless,
    /// Blank, punctuation or an ideograph: never part of a word.
    Other,
}

impl Shape {
    fn of(c: char) -> Self {
        if c.is_lowercase() {
            Self::Lower
        } else if c.is_uppercase() {
            Self::Upper
        } else if (c.is_alphanumeric() && !is_han(c)) || is_combining_mark(c) {
            Self::Caseless
        } else {
            Self::Other
        }
    }

    fn begins_word(self, before: Self, next_is_lower: bool) -> bool {
        let hump = matches!(before, Self::Lower | Self::Caseless);
        self == Self::Upper && (hump || (before == Self::Upper && next_is_lower))
    }
}

fn longest<'a>(table: &HashMap<&'static str, u32>, rest: &'a str) -> Option<(u32, &'a str)> {
    let ends = rest.char_indices().map(|(at, c)| at + c.len_utf8());
    let mut ends: Vec<usize> = ends.collect();
    while let Some(end) = ends.pop() {
        if let Some(&number) = table.get(&rest[..end]) {
            return Some((number, &rest[end..]));
        }
    }
    None
}

fn push_folded(c: char, word: &mut String) {
    if c.is_ascii() {
        word.push(c.to_ascii_lowercase());
    } else {
        let plain = c.to_lowercase().nfd().filter(|c| !is_combining_mark(*c));
        word.extend(plain);
    }
}

/// Han characters are words of their own in this vocabulary.
fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}'
        | '\u{20000}'..='\u{2FA1F}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{PIECES_PER_TEXT, WordPieces};

    const WORDS: &[&str] = &[
        "[UNK]", "un", "##aff", "##able", "get", "user", "name", "http", "server", "cafe", "_",
        ".", "a", "##a", "東", "京", "##", "#",
    ];

    fn pieces() -> WordPieces {
        WordPieces::new(WORDS.iter().copied())
    }

    #[test]
    fn texts_give_these_pieces() {
        let table: &[(&str, &[&str])] = &[
            ("unaffable", &["un", "##aff", "##able"]),
            ("UNAFFABLE un", &["un", "##aff", "##able", "un"]),
            ("getUserName", &["get", "user", "name"]),
            ("get_user.name", &["get", "_", "user", ".", "name"]),
            ("HTTPServer", &["http", "server"]),
            ("Café cafe\u{301}", &["cafe", "cafe"]),
            ("東京", &["東", "京"]),
            ("unknowable un", &["un"]),
            ("## a", &["#", "#", "a"]),
            (" \u{0}\n\t", &[]),
        ];
        for (text, expected) in table {
            let found = pieces().split(text, usize::MAX);
            let found: Vec<&str> = found.iter().map(|&number| WORDS[number as usize]).collect();
            assert_eq!(found, *expected, "{text:?}");
        }
    }

    #[test]
    fn long_words_and_texts_are_bounded() {
        assert_eq!(pieces().split(&"a".repeat(100), usize::MAX).len(), 100);
        assert!(pieces().split(&"a".repeat(101), usize::MAX).is_empty());
        let pieces = pieces().split(&"a ".repeat(2 * PIECES_PER_TEXT), usize::MAX);
        assert_eq!(pieces.len(), PIECES_PER_TEXT);
    }

    proptest! {
        #[test]
        fn any_text_gives_known_pieces(text in any::<String>()) {
            let found = pieces().split(&text, usize::MAX);
            prop_assert!(found.iter().all(|&number| (number as usize) < WORDS.len()));
        }
    }
}
