//! When two statements are the same: a normal form for exact copies, a similarity for near ones.

use std::collections::BTreeSet;

/// Folds case, whitespace and sentence punctuation, so that copies meet under one hash.
///
/// Operators stay, and so does punctuation inside a word: `a != b`, `3.5`, `store/pool.rs` and
/// `well-known` keep their meaning.
#[must_use]
pub fn normal_form(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().flat_map(char::to_lowercase).peekable();
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

/// How alike two statements are in wording, 0 to 1.
///
/// The mean of the Jaccard index over words and the one over pairs of neighbouring words. Two
/// statements that differ in a number, a path or a negation say different things however alike they
/// look, so their similarity is capped at [`DIFFERENT`].
#[must_use]
pub fn near_duplicate(a: &str, b: &str) -> f32 {
    let (a, b) = (normal_form(a), normal_form(b));
    if a == b {
        return 1.0;
    }
    let (a, b) = (words(&a), words(&b));
    let similarity = f32::midpoint(jaccard(&set(&a), &set(&b)), jaccard(&pairs(&a), &pairs(&b)));
    if marks(&a) == marks(&b) && is_negated(&a) == is_negated(&b) {
        similarity
    } else {
        similarity.min(DIFFERENT)
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

fn set<'a>(words: &[&'a str]) -> BTreeSet<&'a str> {
    words.iter().copied().collect()
}

fn pairs<'a>(words: &[&'a str]) -> BTreeSet<(&'a str, &'a str)> {
    words.windows(2).map(|pair| (pair[0], pair[1])).collect()
}

fn jaccard<T: Ord>(a: &BTreeSet<T>, b: &BTreeSet<T>) -> f32 {
    let shared = a.intersection(b).count();
    let all = a.len() + b.len() - shared;
    if all == 0 {
        1.0
    } else {
        shared as f32 / all as f32
    }
}

/// The words whose difference is a difference of fact.
fn marks<'a>(words: &[&'a str]) -> BTreeSet<&'a str> {
    let is_mark = |word: &&&str| word.contains(|c: char| c.is_ascii_digit() || "/=<>".contains(c));
    words.iter().filter(is_mark).copied().collect()
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
