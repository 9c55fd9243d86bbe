//! From text to terms: what the lexical channel counts.
//!
//! A *surface* is what stands between blanks and brackets: `parse_config`, `src/main.rs:10`,
//! `running`. Each becomes one or more *terms*. Identifiers and paths give their parts and, as one
//! more term, themselves, so that an exact name outranks its words.

use rust_stemmers::{Algorithm, Stemmer};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Counts up with every change that gives other terms; snapshots of another version are refused.
pub(crate) const ANALYZER_VERSION: u16 = 2;

/// Bytes of a term; the rest is cut. Longer ones are hashes and blobs, equal or not by their start.
const TERM_BYTES: usize = 64;

/// Bytes of a surface; the rest is cut.
const SURFACE_BYTES: usize = 256;

/// Words too common to tell memories apart, in the form they have after folding.
const STOP_WORDS: &[&str] = &[
    "a", "about", "am", "an", "and", "are", "as", "at", "be", "been", "but", "by", "did", "do",
    "does", "for", "from", "had", "has", "have", "he", "her", "him", "his", "how", "i", "if", "im",
    "in", "is", "it", "its", "me", "my", "of", "on", "or", "our", "she", "so", "than", "that",
    "the", "their", "them", "then", "there", "these", "they", "this", "to", "was", "we", "were",
    "what", "when", "where", "which", "who", "whom", "why", "will", "with", "would", "you", "your",
];

/// The terms of a text, in order, repeated as they occur.
#[must_use]
pub fn analyze(text: &str) -> Vec<String> {
    let stemmer = Stemmer::create(Algorithm::English);
    let mut terms = Vec::new();
    for surface in surfaces(text) {
        expand(&stemmer, surface, &mut |term| terms.push(term.to_owned()));
    }
    terms
}

/// The word that a text begins with and a colon ends: who speaks, or what sort of note it is.
pub(crate) fn label(text: &str) -> Option<&str> {
    let head = cut(text, TERM_BYTES);
    let (label, _) = head.split_once(": ")?;
    label.chars().all(char::is_alphanumeric).then_some(label)
}

/// The term by which texts with a label of this term are found. No other term ends so.
pub(crate) fn label_term(term: &str) -> String {
    format!("{term}:")
}

/// Cuts a text into surfaces.
pub(crate) fn surfaces(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !is_inside(c))
        .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()))
        .filter(|word| !word.is_empty())
        .map(|word| cut(word, SURFACE_BYTES))
}

/// Tells each term of a surface.
pub(crate) fn expand(stemmer: &Stemmer, surface: &str, take: &mut dyn FnMut(&str)) {
    let mut tell = |term: &str| {
        let term = cut(term, TERM_BYTES);
        if !term.is_empty() {
            take(term);
        }
    };
    let tell = &mut tell;
    let parts = parts(surface);
    for part in &parts {
        expand_part(stemmer, &fold(part), tell);
    }
    if parts.len() > 1 {
        tell(&fold(surface));
    }
}

fn expand_part(stemmer: &Stemmer, folded: &str, tell: &mut dyn FnMut(&str)) {
    if folded.chars().any(is_ideograph) {
        tell_pairs(folded, tell);
    } else if STOP_WORDS.binary_search(&folded).is_err() && (folded.len() > 1 || is_number(folded))
    {
        if folded.bytes().all(|byte| byte.is_ascii_lowercase()) {
            tell(&stemmer.stem(folded));
        } else {
            tell(folded);
        }
    }
}

/// Scripts written without blanks give pairs of neighbours: a word is found by its pairs.
fn tell_pairs(folded: &str, tell: &mut dyn FnMut(&str)) {
    let bounds = folded.char_indices().map(|(at, _)| at);
    let bounds: Vec<usize> = bounds.chain([folded.len()]).collect();
    if bounds.len() == 2 {
        tell(folded);
    }
    for pair in bounds.windows(3) {
        tell(&folded[pair[0]..pair[2]]);
    }
}

/// Splits at punctuation and at the humps of `camelCase` and `HTTPServer`.
fn parts(surface: &str) -> Vec<&str> {
    let words = surface.split(|c: char| !c.is_alphanumeric() && !is_apostrophe(c));
    words
        .flat_map(humps)
        .filter(|part| !part.is_empty())
        .collect()
}

fn humps(word: &str) -> impl Iterator<Item = &str> {
    let mut rest = word;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (part, after) = rest.split_at(hump_end(rest));
        rest = after;
        Some(part)
    })
}

fn hump_end(word: &str) -> usize {
    let mut chars = word.char_indices().peekable();
    let mut before: Option<char> = None;
    while let Some((at, c)) = chars.next() {
        let next_is_lower = chars.peek().is_some_and(|(_, next)| next.is_lowercase());
        if let Some(before) = before
            && c.is_uppercase()
            && (before.is_lowercase() || (before.is_uppercase() && next_is_lower))
        {
            return at;
        }
        before = Some(c);
    }
    word.len()
}

/// Lower case without accents and apostrophes; a possessive `'s` goes with its apostrophe.
fn fold(part: &str) -> String {
    let mut folded = if part.is_ascii() {
        part.to_ascii_lowercase()
    } else {
        let plain = part.nfkd().filter(|c| !is_combining_mark(*c));
        plain.flat_map(char::to_lowercase).nfc().collect()
    };
    if folded.contains(is_apostrophe) {
        let kept = folded
            .strip_suffix("'s")
            .or_else(|| folded.strip_suffix("’s"));
        folded = kept.unwrap_or(&folded).replace(is_apostrophe, "");
    }
    folded
}

fn cut(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

fn is_inside(c: char) -> bool {
    c.is_alphanumeric() || is_apostrophe(c) || matches!(c, '_' | '-' | '.' | '/' | '\\' | ':' | '@')
}

fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '’')
}

fn is_number(folded: &str) -> bool {
    folded.bytes().all(|byte| byte.is_ascii_digit())
}

/// Han, Kana, Hangul and Thai.
fn is_ideograph(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30FF}' | '\u{3400}'..='\u{9FFF}' | '\u{AC00}'..='\u{D7AF}'
        | '\u{0E00}'..='\u{0E7F}' | '\u{20000}'..='\u{2FFFF}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{STOP_WORDS, TERM_BYTES, analyze};

    #[test]
    fn stop_words_are_sorted() {
        assert!(STOP_WORDS.is_sorted());
    }

    #[test]
    fn texts_give_these_terms() {
        let table: &[(&str, &[&str])] = &[
            ("The users are running", &["user", "run"]),
            ("getUserName", &["get", "user", "name", "getusername"]),
            (
                "parse_config_file",
                &["pars", "config", "file", "parse_config_file"],
            ),
            (
                "src/main.rs:10",
                &["src", "main", "rs", "10", "src/main.rs:10"],
            ),
            ("HTTPServer2", &["http", "server2", "httpserver2"]),
            ("Caroline: it's Melanie's", &["carolin", "melani"]),
            ("don’t", &["dont"]),
            ("E0425 in 2023", &["e0425", "2023"]),
            ("Ångström café", &["angstrom", "cafe"]),
            (
                "std::fmt::Display",
                &["std", "fmt", "display", "std::fmt::display"],
            ),
            ("東京都", &["東京", "京都"]),
            ("... -- //", &[]),
        ];
        for (text, terms) in table {
            assert_eq!(analyze(text), *terms, "{text}");
        }
    }

    proptest! {
        #[test]
        fn terms_are_bounded_and_never_empty(text in any::<String>()) {
            for term in analyze(&text) {
                prop_assert!(!term.is_empty() && term.len() <= TERM_BYTES);
            }
        }

        #[test]
        fn case_does_not_matter_to_words(word in "[a-z]{1,12}") {
            prop_assert_eq!(analyze(&word), analyze(&word.to_uppercase()));
        }
    }
}
