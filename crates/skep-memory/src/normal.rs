//! When two statements are the same: a normal form for exact copies, a similarity for near ones.

use std::collections::HashSet;
use std::sync::LazyLock;

/// Folds case, whitespace and sentence punctuation, so that copies meet under one hash.
///
/// Operators stay, and so does punctuation inside a word: `a != b`, `3.5`, `store/pool.rs` and
/// `well-known` keep their meaning.
#[must_use]
pub fn normal_form(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    // What ends a Greek word has a small letter of its own, which no large one leads back to.
    let one_sigma = |c| if c == 'ς' { 'σ' } else { c };
    let chars = text.chars().flat_map(char::to_lowercase);
    let mut chars = chars.map(one_sigma).peekable();
    let mut gap = false;
    while let Some(c) = chars.next() {
        let next = chars.peek().copied();
        let inside =
            !gap && out.ends_with(char::is_alphanumeric) && next.is_some_and(char::is_alphanumeric);
        let keep = c.is_alphanumeric()
            || matches!(
                c,
                '<' | '>' | '=' | '+' | '/' | '#' | '@' | '$' | '%' | '&' | '|' | '~' | '^' | '\\'
            )
            || (c == '!' && next == Some('='))
            || (c == '-' && !inside && next.is_some_and(char::is_alphanumeric))
            || (inside && matches!(c, '.' | '-' | ':' | '_' | '\''));
        if keep {
            if gap && !out.is_empty() {
                out.push(' ');
            }
            gap = false;
            out.push(c);
        } else if !c.is_alphanumeric() && !is_mark(c) {
            gap = true;
        } else {
            out.push(c);
        }
    }
    out
}

/// Combining marks belong to the letter before them.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe00}'..='\u{fe0f}')
}

/// How alike two statements are in wording, 0 to 1: see [`Wording::similarity`].
#[must_use]
pub fn near_duplicate(a: &str, b: &str) -> f32 {
    Wording::of(a).similarity(&Wording::of(b))
}

/// The wording of one statement, made once and compared with many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wording {
    normal: u64,
    words: Vec<u64>,
    pairs: Vec<u64>,
    marks: Vec<u64>,
    substance: Vec<u64>,
    is_negated: bool,
}

impl Wording {
    /// Takes a statement apart.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let normal = normal_form(text);
        let words = words(&normal);
        Self {
            normal: digest(&[&normal]),
            words: set(words.iter().map(|word| digest(&[word]))),
            pairs: set(words.windows(2).map(digest)),
            marks: set(words
                .iter()
                .filter(|word| is_mark_of_fact(word))
                .map(|word| digest(&[word]))),
            substance: set(words
                .iter()
                .filter(|word| !SMALL_WORDS.contains(**word))
                .map(|word| digest(&[stem(word)]))),
            is_negated: is_negated(&words),
        }
    }

    /// The mean of the Jaccard index over words and the one over pairs of neighbouring words.
    ///
    /// Two statements that differ in a number, a path or a negation, or that put one word of
    /// substance in the place of another, say different things however alike they look: their
    /// similarity is at most [`DIFFERENT`].
    #[must_use]
    pub fn similarity(&self, other: &Self) -> f32 {
        if self.normal == other.normal {
            return 1.0;
        }
        let similarity = f32::midpoint(
            jaccard(&self.words, &other.words),
            jaccard(&self.pairs, &other.pairs),
        );
        let agrees = self.marks == other.marks && self.is_negated == other.is_negated;
        if agrees && !self.is_swapped(other) {
            similarity
        } else {
            similarity.min(DIFFERENT)
        }
    }

    /// Three hashes of the least of its words of substance: two wordings share one the more likely,
    /// the more words they share (Broder, 1997; two rows in each of three bands).
    pub(crate) fn sketches(&self) -> impl Iterator<Item = u64> + '_ {
        let least = |row: u64| {
            let mixed = self.substance.iter().map(|word| mix(word ^ mix(row)));
            mixed.min().unwrap_or(row)
        };
        (0..3).map(move |band| mix(least(2 * band) ^ least(2 * band + 1).rotate_left(32) ^ band))
    }

    /// Whether each has words of substance that the other lacks, more than one in twenty-five.
    fn is_swapped(&self, other: &Self) -> bool {
        let shared = shared(&self.substance, &other.substance);
        let swapped = (self.substance.len() - shared).min(other.substance.len() - shared);
        swapped * 25 > self.substance.len().max(other.substance.len())
    }
}

/// The greatest similarity of two statements that contradict each other in a detail.
pub const DIFFERENT: f32 = 0.5;

/// Above this two statements count as copies; measured on the labelled pairs of this module's tests.
pub const NEAR_DUPLICATE: f32 = 0.6;

fn words(normal: &str) -> Vec<&str> {
    normal
        .split(' ')
        .filter(|word| !word.is_empty() && !FILLERS.contains(word))
        .collect()
}

const FILLERS: &[&str] = &[
    "a", "an", "the", "is", "are", "was", "be", "to", "of", "that", "it", "we", "so",
];

/// Words that a statement can exchange without saying anything else.
static SMALL_WORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| FUNCTION.split(' ').collect());

const FUNCTION: &str = "in on at of by with without for from to as and or but not no never always then so if when \
while they them their we our you your i my it its this that these those which who will would can could may might \
should shall must do does did have has had into per via there here also only just any all each every";

/// A word without the endings that change with its place in a sentence.
pub(crate) fn stem(word: &str) -> &str {
    let endings = ["ing", "ed", "es", "s", "d"];
    let cut = endings
        .iter()
        .find_map(|ending| word.strip_suffix(ending).filter(|rest| rest.len() >= 4));
    let stem = cut.unwrap_or(word);
    stem.strip_suffix('e')
        .filter(|rest| rest.len() >= 3)
        .unwrap_or(stem)
}

/// FNV-1a over words and the gaps between them; 64 bits make a false match of two words in one
/// comparison less likely than a memory error.
fn digest(words: &[&str]) -> u64 {
    let bytes = words.iter().flat_map(|word| word.bytes().chain([b' ']));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// The finisher of `splitmix64` (Steele, Lea and Flood, OOPSLA 2014).
fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

fn set(digests: impl Iterator<Item = u64>) -> Vec<u64> {
    let mut all: Vec<u64> = digests.collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// How many digests two sorted sets share.
fn shared(a: &[u64], b: &[u64]) -> usize {
    let (mut left, mut right, mut shared) = (0, 0, 0);
    // Without a branch on what is compared: which side goes on cannot be foretold.
    while let (Some(one), Some(other)) = (a.get(left), b.get(right)) {
        shared += usize::from(one == other);
        left += usize::from(one <= other);
        right += usize::from(other <= one);
    }
    shared
}

/// Of two sorted sets.
fn jaccard(a: &[u64], b: &[u64]) -> f32 {
    let shared = shared(a, b);
    let all = a.len() + b.len() - shared;
    if all == 0 {
        1.0
    } else {
        shared as f32 / all as f32
    }
}

/// Whether a word's difference is a difference of fact.
fn is_mark_of_fact(word: &str) -> bool {
    word.contains(|c: char| c.is_ascii_digit() || "/=<>".contains(c))
}

/// Whether a text says that something is not so.
pub(crate) fn says_not(text: &str) -> bool {
    let normal = normal_form(text);
    is_negated(&normal.split(' ').collect::<Vec<_>>())
}

fn is_negated(words: &[&str]) -> bool {
    words.iter().any(|word| {
        matches!(
            *word,
            "not" | "no" | "never" | "cannot" | "without" | "nothing" | "none" | "stop" | "avoid"
        ) || word.ends_with("n't")
            || matches!(
                *word,
                "dont" | "doesnt" | "cant" | "wont" | "isnt" | "didnt"
            )
    })
}

#[cfg(test)]
mod tests;
