//! Values given to names that speak of secrets: assignments, settings, flags.

use super::Finding;
use super::rules::compile;
use super::shape::{has_word, is_algorithm, is_generated, is_password, is_placeholder};
use regex::Regex;
use std::ops::Range;

pub(super) const ASSIGNMENT: &str = "assignment";

/// What sort of secret a name promises; people choose passwords, programs make tokens.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sort {
    Password,
    Token,
}

/// The compiled pattern of names.
#[derive(Debug)]
pub(super) struct Assignments {
    name: Regex,
}

impl Assignments {
    pub(super) fn new() -> Self {
        Self {
            name: compile(
                r"(?-u)(?i:passw(?:or)?d|passphrase|passcode|pwd|pass|pw|secret|token|credential|api[_-]?key|(?:access|private|signing|encryption|account|auth|master|shared|service|session|hmac|webhook|deploy|license|admin|storage)[_.-]?key)",
            ),
        }
    }

    pub(super) fn find(&self, text: &str) -> Vec<Finding> {
        let secrets = self
            .name
            .find_iter(text)
            .filter_map(|name| assigned(text, name.range()));
        secrets
            .map(|range| Finding {
                rule: ASSIGNMENT,
                range,
            })
            .collect()
    }
}

/// How far a name and a value are followed.
const NAME_MAX: usize = 48;
const VALUE_MAX: usize = 1024;
const JUDGED_MAX: usize = 96;

/// The value assigned to the name around `keyword`, if it is one to hide.
fn assigned(text: &str, keyword: Range<usize>) -> Option<Range<usize>> {
    let before = name_before(text, keyword.start);
    // The name of a rule, in the place of what it found, is no name of a secret.
    if text[..keyword.start - before.len()].ends_with("[redacted:") {
        return None;
    }
    let suffix_len = text.as_bytes()[keyword.end..]
        .iter()
        .take(NAME_MAX)
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
        .count();
    let suffix = &text[keyword.end..keyword.end + suffix_len];
    let word = &text[keyword.clone()];
    let is_short = word.len() <= 4;
    if !is_whole(word, suffix)
        || names_no_secret(before, suffix)
        || (is_short && is_inside(before, word))
    {
        return None;
    }
    let is_flag = before.starts_with("--");
    let (value, is_quoted) = value_after(text, keyword.end + suffix_len, is_flag)?;
    let sort = if word.to_ascii_lowercase().starts_with('p')
        && !word.to_ascii_lowercase().starts_with("private")
    {
        Sort::Password
    } else {
        Sort::Token
    };
    // The beginning of a long value tells what it is.
    let literal =
        &text[value.start..text.floor_char_boundary(value.end.min(value.start + JUDGED_MAX))];
    let is_secret = match sort {
        Sort::Password => is_password(literal, is_quoted) || is_phrase(word, literal, is_quoted),
        Sort::Token => is_generated(literal) || is_chosen(word, literal, is_quoted),
    };
    is_secret.then_some(value)
}

fn name_before(text: &str, start: usize) -> &str {
    let bytes = &text.as_bytes()[..start];
    let len = bytes
        .iter()
        .rev()
        .take(NAME_MAX)
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
        .count();
    &text[start - len..start]
}

/// Whether the keyword ends where a word ends: `tokenizer` and `secretary` are other words.
fn is_whole(word: &str, suffix: &str) -> bool {
    let Some(next) = suffix.chars().next() else {
        return true;
    };
    let last_is_lower = word.ends_with(|c: char| c.is_ascii_lowercase());
    let rest = suffix
        .strip_prefix(['s', 'S'])
        .filter(|rest| !rest.starts_with(|c: char| c.is_ascii_alphabetic()));
    rest.is_some() || !next.is_ascii_alphabetic() || (last_is_lower && next.is_ascii_uppercase())
}

/// Whether a short keyword is only the end of a longer word: `bypass`, `compass`.
fn is_inside(before: &str, word: &str) -> bool {
    let begins_lower = word.starts_with(|c: char| c.is_ascii_lowercase());
    let last = before.chars().next_back();
    last.is_some_and(|c| c.is_ascii_alphabetic() && (begins_lower || c.is_ascii_uppercase()))
}

/// Names that speak *about* a secret, or of another sort of token.
fn names_no_secret(before: &str, suffix: &str) -> bool {
    const ABOUT: &str = "hash name url uri path file type len length count ttl expiry expires field header env \
        var prefix suffix digest sha256 fingerprint arn policy rule regex pattern label \
        placeholder hint error budget limit endpoint provider version algorithm alg format \
        class id ids index kind status usage cost price description title message location \
        manager store rotation checksum at dir";
    const OTHER: &str = "page next continuation cancel cancellation pad eos bos unk mask sep cls syntax design \
        css cursor public max min num total input output prompt completion sync idempotency \
        resume lex special added";
    let about = parts(suffix);
    let other = parts(before);
    about.iter().any(|part| has_word(ABOUT, part)) || other.iter().any(|part| has_word(OTHER, part))
}

/// The lower-case words of a name in any of the usual spellings.
fn parts(name: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut was_lower = false;
    for c in name.chars() {
        if matches!(c, '_' | '-' | '.') || (was_lower && c.is_ascii_uppercase()) {
            parts.push(String::new());
        }
        if c.is_ascii_alphanumeric()
            && let Some(last) = parts.last_mut()
        {
            last.push(c.to_ascii_lowercase());
        }
        was_lower = c.is_ascii_lowercase();
    }
    parts
}

/// The literal after a name that ends at `at`, and whether it is quoted.
fn value_after(text: &str, at: usize, is_flag: bool) -> Option<(Range<usize>, bool)> {
    let bytes = text.as_bytes();
    let skip = |from: usize, most: usize, set: &[u8]| {
        from + bytes[from..]
            .iter()
            .take(most)
            .take_while(|byte| set.contains(byte))
            .count()
    };
    let named = skip(at, 6, b"\"'`\\])");
    let spaced = skip(named, 4, b" \t");
    let sign = skip(spaced, 2, b":=>");
    match &bytes[spaced..sign] {
        b"=" | b":" | b":=" | b"=>" | b">" => {}
        b"" if is_flag && spaced > at => {}
        _ => return None,
    }
    if bytes.get(sign) == Some(&b'=') {
        return None;
    }
    let open = skip(sign, 8, b" \t\\");
    let open = open
        + text
            .get(open..)
            .map_or(0, |rest| literal_prefix(rest).max(wrapper(rest)));
    let quote = bytes
        .get(open)
        .copied()
        .filter(|byte| b"\"'`".contains(byte));
    let start = open + usize::from(quote.is_some());
    let is_end = |byte: u8| match quote {
        Some(quote) => byte == quote || byte == b'\n' || byte == b'\\',
        None => ends_bare(byte),
    };
    let len = bytes[start..]
        .iter()
        .take(VALUE_MAX)
        .take_while(|byte| !is_end(**byte))
        .count();
    let end = text.floor_char_boundary(start + len);
    let value = &text[start..end];
    let trimmed = if quote.is_some() {
        value
    } else {
        value.trim_end_matches(['.', ':'])
    };
    (trimmed.len() >= 6).then(|| (start..start + trimmed.len(), quote.is_some()))
}

/// Where a value without quotes ends.
fn ends_bare(byte: u8) -> bool {
    matches!(
        byte,
        b'\t'..=b'\r' | b' ' | b'"' | b'\'' | b'`' | b',' | b';' | b')' | b'}' | b']'
    ) || matches!(byte, b'<' | b'>' | b'\\' | b'&' | b'|')
}

/// The length of what stands in front of a quote in `b'…'`, `f"…"`.
fn literal_prefix(text: &str) -> usize {
    let letters = text
        .bytes()
        .take(2)
        .take_while(|byte| b"bfruBFRU".contains(byte))
        .count();
    let is_quote = text
        .as_bytes()
        .get(letters)
        .is_some_and(|byte| b"\"'".contains(byte));
    if is_quote { letters } else { 0 }
}

/// The length of a constructor around a literal: `String::from(` makes a value, `env(` looks one up.
fn wrapper(text: &str) -> usize {
    let len = text
        .bytes()
        .take(NAME_MAX)
        .take_while(|byte| byte.is_ascii_alphanumeric() || b"_:.".contains(byte))
        .count();
    let rest = &text.as_bytes()[len..];
    let is_call =
        len > 0 && rest.first() == Some(&b'(') && matches!(rest.get(1), Some(b'"' | b'\''));
    let name = text[..len].to_ascii_lowercase();
    let looks_up = LOOKUPS.split(' ').any(|word| name.contains(word));
    if is_call && !looks_up { len + 1 } else { 0 }
}

const LOOKUPS: &str = "env get read load fetch lookup prompt hash ask encode decode input find select query open path file";

/// A secret that a person chose for a program: shorter than a generated one, but no name either.
fn is_chosen(word: &str, value: &str, is_quoted: bool) -> bool {
    let is_secret = word.eq_ignore_ascii_case("secret") || word.eq_ignore_ascii_case("credential");
    is_secret && value.len() >= 8 && !is_algorithm(value) && is_password(value, is_quoted) && {
        let signs = value
            .bytes()
            .filter(|byte| b"!@#$%^&*+?".contains(byte))
            .count();
        signs > 0 && value.bytes().any(|byte| byte.is_ascii_digit())
    }
}

/// Four or more plain words after `passphrase =`.
fn is_phrase(word: &str, value: &str, is_quoted: bool) -> bool {
    const PROSE: &str = "the a your is must be to for of please enter at with";
    let words: Vec<&str> = value.split([' ', '-']).collect();
    is_quoted
        && word.eq_ignore_ascii_case("passphrase")
        && words.len() >= 4
        && words
            .iter()
            .all(|word| word.len() > 1 && word.bytes().all(|byte| byte.is_ascii_lowercase()))
        && !words.iter().any(|word| has_word(PROSE, word))
        && !is_placeholder(value)
}
