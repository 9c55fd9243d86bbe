//! Secrets that their surroundings give away: headers, cookies, command lines, sentences.

use super::Finding;
use super::rules::compile;
use super::shape::{entropy, is_generated, is_password, is_placeholder};
use regex::Regex;
use std::ops::Range;

/// What must hold of the value beyond its place.
#[derive(Clone, Copy, Debug)]
enum Check {
    /// Not a stand-in; the place is certain.
    Given,
    /// It looks generated.
    Generated,
    /// It looks like a password that a person chose.
    Password,
    /// It has letters, digits and a sign: the place alone says little.
    Strict,
    /// It has small letters, capitals and digits.
    Mixed,
    /// Pairs of names and values; each value by itself.
    Pairs,
}

/// Rule, check, pattern; the first group is the value.
#[rustfmt::skip]
const CONTEXTS: &[(&str, Check, &str)] = &[
    ("authorization-header", Check::Given, r#"(?i:authorization)["'\\]{0,4}\s{0,2}[:=,]\s{0,2}[bfru]{0,2}["'\\]{0,4}(?i:bearer|basic|token|apikey|bot)\s{1,4}([A-Za-z0-9._~+/=-]{8,})"#),
    ("bearer-token", Check::Generated, r"\b(?i:bearer)\s{1,2}([A-Za-z0-9._~+/=-]{20,})"),
    ("cookie", Check::Pairs, r"(?i:\bcookie): {0,2}([!-~ ]{8,4096})"),
    ("basic-user", Check::Password, r#"(?:\bcurl\b|\bwget\b|\bhttp\b)[ -~]{0,200}?\s(?:-u|--user)[ =]["']?[\w.@+-]{1,64}:([!-&(-~]{4,128})"#),
    ("netrc-password", Check::Password, r"\blogin\s{1,4}[!-~]{1,64}\s{1,4}password\s{1,4}([!-~]{4,128})"),
    ("registry-auth", Check::Generated, r#""_?auth"\s{0,2}:\s{0,2}"([A-Za-z0-9+/=]{16,1024})""#),
    ("shell-password", Check::Password, r#"\bsshpass\s{1,2}-p\s{0,2}["']?([!#-&(-~]{4,128})"#),
    ("shell-password", Check::Password, r#"\becho\s{1,2}["']?([!#-&(-~]{6,128})["']?\s{0,2}\|\s{0,2}sudo\s[ -~]{0,20}-S"#),
    ("shell-password", Check::Password, r"\bmysql(?:dump|admin)?\s[ -~]{0,120}?-p([!#-&(-~]{6,128})"),
    ("shell-password", Check::Password, r#"\bredis-cli\s[ -~]{0,80}?-a\s{1,2}["']?([!#-&(-~]{6,256})"#),
    ("config-command", Check::Generated, r#"\bset\s[!-~]{0,120}(?i:token|password|secret|key)[ =]["']?([!#-&(-~]{12,512})"#),
    ("call-argument", Check::Generated, r#"["'][A-Za-z0-9_.-]{0,40}(?i:token|password|secret|api_?key)["'],\s{0,2}["']([!#-&(-~]{12,512})["']"#),
    ("call-argument", Check::Strict, r#"["'][A-Za-z0-9_.-]{0,40}(?i:password)["'],\s{0,2}["']([!#-&(-~]{8,128})["']"#),
    ("stated-password", Check::Password, r#"\b(?i:password|passphrase|passcode|passwd|pwd|secret|token|api key)(?: (?i:for|of|to|on) [a-z0-9 ._-]{1,40}?)?\s(?i:is|was|to|should be|will be)(?: now)?:?\s{1,2}["'`]?([!-~]{6,128})"#),
    ("stated-password", Check::Password, r#"\b(?i:password|passphrase)(?: \([a-z ]{1,20}\)| for [a-z0-9 @._'-]{1,40}):\s{1,2}["'`]?([!-~]{6,128})"#),
    ("stated-password", Check::Strict, r#"\b(?i:password|passphrase|passwd)\s{1,2}["'`]?([!-~]{8,128})"#),
    ("prefixed-token", Check::Mixed, r"\b((?:[a-z][a-z0-9]{1,7}_){1,2}[A-Za-z0-9]{36,})"),
];

/// The compiled table.
#[derive(Debug)]
pub(super) struct Contexts {
    rows: Vec<(&'static str, Check, Regex)>,
}

impl Contexts {
    pub(super) fn new() -> Self {
        let row = |(rule, check, pattern): &(&'static str, Check, &str)| {
            (*rule, *check, compile(&format!("(?-u){pattern}")))
        };
        Self {
            rows: CONTEXTS.iter().map(row).collect(),
        }
    }

    pub(super) fn names(&self) -> Vec<&'static str> {
        let mut names: Vec<_> = self.rows.iter().map(|(rule, ..)| *rule).collect();
        names.dedup();
        names
    }

    pub(super) fn find(&self, text: &str) -> Vec<Finding> {
        let mut found = Vec::new();
        for (rule, check, regex) in &self.rows {
            for captures in regex.captures_iter(text) {
                let Some(group) = captures.get(1) else {
                    continue;
                };
                let values = if matches!(check, Check::Pairs) {
                    pairs(text, group.range())
                } else {
                    vec![trim(text, group.range())]
                };
                let holds = |range: &Range<usize>| check.holds(&text[range.clone()]);
                found.extend(
                    values
                        .into_iter()
                        .filter(holds)
                        .map(|range| Finding { rule, range }),
                );
            }
        }
        found
    }
}

impl Check {
    fn holds(self, value: &str) -> bool {
        let has = |test: fn(&u8) -> bool| value.bytes().any(|byte| test(&byte));
        let signs = value.bytes().any(is_sign);
        let digits = has(u8::is_ascii_digit);
        match self {
            Self::Given => {
                let is_name = value
                    .bytes()
                    .all(|byte| byte.is_ascii_uppercase() || byte == b'_');
                !is_placeholder(value)
                    && entropy(value) >= 2.5
                    && (digits || has(u8::is_ascii_uppercase))
                    && !is_name
            }
            Self::Generated | Self::Pairs => is_generated(value.trim_end_matches('.')),
            Self::Password => is_password(value, true),
            Self::Strict => {
                digits && has(u8::is_ascii_alphabetic) && signs && is_password(value, true)
            }
            Self::Mixed => {
                digits
                    && has(u8::is_ascii_lowercase)
                    && has(u8::is_ascii_uppercase)
                    && is_generated(value)
            }
        }
    }
}

const fn is_sign(byte: u8) -> bool {
    byte.is_ascii_punctuation()
        && !matches!(byte, b'-' | b'_' | b'.' | b'/' | b':' | b',' | b'(' | b')')
}

/// A value ends before a quote that closes it and before its sentence's own punctuation.
fn trim(text: &str, range: Range<usize>) -> Range<usize> {
    let value = &text[range.clone()];
    let value = value
        .find(['"', '\'', '`', '<', '>'])
        .map_or(value, |at| &value[..at]);
    let value = value.trim_end_matches(['.', ',', ';', ':', ')', '?']);
    range.start..range.start + value.len()
}

/// The values of `a=1; b=2`.
fn pairs(text: &str, range: Range<usize>) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut from = range.start;
    for part in text[range].split(';') {
        if let Some((name, value)) = part.split_once('=') {
            let start = from + name.len() + 1;
            found.push(trim(text, start..start + value.len()));
        }
        from += part.len() + 1;
    }
    found
}
