//! The words `workspace_id = $1` of a statement, and the statement without them.

use std::ops::Range;

const WORDS: &str = "workspace_id = $1";
/// Always true, and the value is still of use.
const NOTHING: &str = "$1::uuid IS NOT NULL";

/// Where they stand, with the alias before them.
pub(crate) fn predicates(text: &str) -> Vec<Range<usize>> {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.';
    let bytes = text.as_bytes();
    let found = text.match_indices(WORDS).filter_map(|(at, words)| {
        let end = at + words.len();
        if bytes.get(end).is_some_and(u8::is_ascii_digit) {
            return None;
        }
        let alias = bytes[..at].iter().rev().take_while(|byte| is_name(**byte));
        Some(at - alias.count()..end)
    });
    found.collect()
}

/// The table that each of them is about.
pub(crate) fn tables(text: &str) -> Vec<String> {
    let found = predicates(text).into_iter().map(|place| {
        let alias = text[place.clone()]
            .split_once('.')
            .map(|(alias, _)| alias.to_owned());
        (place.start, alias)
    });
    found
        .map(|(at, alias)| table(&text[..at], alias.as_deref()))
        .collect()
}

/// What was last named so before.
fn table(before: &str, alias: Option<&str>) -> String {
    let words: Vec<&str> = before.split_ascii_whitespace().chain([""; 3]).collect();
    let mut named = words.windows(4).filter_map(|words| {
        let word =
            |at: usize| words[at].trim_matches(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let reads = ["FROM", "JOIN", "UPDATE"].contains(&word(0));
        (reads && alias.is_none_or(|alias| word(2) == "AS" && word(3) == alias))
            .then(|| word(1).to_owned())
    });
    named
        .next_back()
        .unwrap_or_else(|| panic!("no table as {alias:?} in `{before}`"))
}

/// Without the one of this number.
pub(crate) fn without(text: &str, number: usize) -> String {
    let place = predicates(text).swap_remove(number);
    format!("{}{NOTHING}{}", &text[..place.start], &text[place.end..])
}

/// Without any.
pub(crate) fn without_all(text: &str) -> String {
    let mut left = text.to_owned();
    while !predicates(&left).is_empty() {
        left = without(&left, 0);
    }
    left
}
