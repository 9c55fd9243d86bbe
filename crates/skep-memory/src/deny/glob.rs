//! Patterns such as `secrets/**` as linear-time expressions.

use regex::{Regex, RegexBuilder};

/// Bytes of one pattern.
const PATTERN: usize = 256;
/// Bytes that one compiled expression may take.
const COMPILED: usize = 8 << 20;

/// A pattern that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatternError {
    /// The pattern.
    pub pattern: String,
    /// What is wrong with it.
    pub why: &'static str,
}

impl std::fmt::Display for PatternError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the pattern {:?} {}", self.pattern, self.why)
    }
}

impl std::error::Error for PatternError {}

impl PatternError {
    pub(super) fn new(pattern: &str, why: &'static str) -> Self {
        Self {
            pattern: pattern.into(),
            why,
        }
    }

    pub(super) fn too_many(limit: usize) -> Self {
        Self {
            pattern: format!("{limit} and more"),
            why: "is too many: at most 200 rules of each sort",
        }
    }
}

/// A pattern of a whole name.
#[derive(Clone, Debug)]
pub(super) struct Glob(Regex);

impl Glob {
    /// A pattern of a tool's name, where nothing separates.
    pub(super) fn name(pattern: &str) -> Result<Self, PatternError> {
        check(pattern)?;
        let body = expression(pattern, ".");
        Ok(Self(compile(&format!("^(?:{body})$"), pattern)?))
    }

    pub(super) fn fits(&self, name: &str) -> bool {
        self.0.is_match(name)
    }
}

/// A pattern of paths, as the source of an expression over paths with `/` between their parts.
///
/// A pattern without `/` fits any part of a path; one with `/` fits from any part on; one that
/// begins with `/` fits from the root. What lies under a directory that fits, fits.
pub(super) fn path_expression(pattern: &str, inner: &str) -> Result<String, PatternError> {
    check(pattern)?;
    let (rooted, body) = match pattern.strip_prefix('/') {
        Some(rest) => (true, rest),
        None => (false, pattern.strip_prefix("**/").unwrap_or(pattern)),
    };
    let body = body.strip_suffix("/**").unwrap_or(body);
    let body = body.trim_end_matches('/');
    if body.is_empty() || body.chars().all(|c| "*/?".contains(c)) {
        return Err(PatternError::new(
            pattern,
            "would keep everything out: switch capture off instead",
        ));
    }
    let start = if rooted { "/" } else { "" };
    Ok(format!("{start}{}", expression(body, inner)))
}

/// `*` stays inside a part, `**` crosses, `?` is one character; the rest means itself.
fn expression(pattern: &str, inner: &str) -> String {
    let across = if inner == "." { "." } else { r"[^\s]" };
    let mut out = String::new();
    let mut rest = pattern;
    while let Some(c) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("**/") {
            out.push_str(&format!("(?:{across}*/)?"));
            rest = after;
        } else if let Some(after) = rest.strip_prefix("**") {
            out.push_str(&format!("{across}*"));
            rest = after;
        } else {
            match c {
                '*' => out.push_str(&format!("{inner}*")),
                '?' => out.push_str(inner),
                _ => out.push_str(&regex::escape(c.encode_utf8(&mut [0; 4]))),
            }
            rest = &rest[c.len_utf8()..];
        }
    }
    out
}

fn check(pattern: &str) -> Result<(), PatternError> {
    if pattern.is_empty() {
        Err(PatternError::new(pattern, "is empty"))
    } else if pattern.len() > PATTERN {
        Err(PatternError::new(pattern, "is longer than 256 bytes"))
    } else if pattern.chars().any(char::is_control) {
        Err(PatternError::new(pattern, "has a control character"))
    } else {
        Ok(())
    }
}

pub(super) fn compile(source: &str, pattern: &str) -> Result<Regex, PatternError> {
    RegexBuilder::new(source)
        .case_insensitive(true)
        .dot_matches_new_line(true)
        .size_limit(COMPILED)
        .build()
        .map_err(|_| PatternError::new(pattern, "is too complicated"))
}
