//! Which paths are denied: as a turn declares them, and as a command names them.

use regex::Regex;

use super::glob::{PatternError, compile, path_expression};

/// What ends a path in a command line.
const OUTSIDE: &str = r#"[\s"'`=;|&<>(),:\[\]{}]"#;
/// One character of a part of a path in a command line.
const INSIDE: &str = r#"[^/\\\s"'`=;|&<>(),:\[\]{}]"#;

/// Patterns that deny, less those that make exceptions.
#[derive(Clone, Debug)]
pub(super) struct PathRules {
    patterns: Vec<String>,
    /// A path that is denied.
    path: Option<Regex>,
    /// A denied path in a text; the first group is the path.
    text: Option<Regex>,
    /// A path that is not denied after all.
    exception: Option<Regex>,
}

impl PathRules {
    pub(super) fn new(patterns: &[String]) -> Result<Self, PatternError> {
        let (mut whole, mut within, mut exceptions) = (Vec::new(), Vec::new(), Vec::new());
        for pattern in patterns {
            if let Some(exception) = pattern.strip_prefix('!') {
                exceptions.push(path_expression(exception, "[^/]")?);
            } else {
                whole.push(path_expression(pattern, "[^/]")?);
                within.push(path_expression(pattern, INSIDE)?);
            }
        }
        Ok(Self {
            patterns: patterns.to_vec(),
            path: any(&whole, |all| format!("(?:^|/)(?:{all})(?:/|$)"))?,
            text: any(&within, |all| {
                format!(r"(?:^|[/\\]|{OUTSIDE})((?:{all}))(?:[/\\]|{OUTSIDE}|$)")
            })?,
            exception: any(&exceptions, |all| format!("(?:^|/)(?:{all})$"))?,
        })
    }

    /// Rules that deny every path.
    pub(super) fn everything() -> Self {
        Self {
            patterns: vec!["**".into()],
            path: Regex::new("").ok(),
            text: Regex::new("()").ok(),
            exception: None,
        }
    }

    pub(super) fn patterns(&self) -> &[String] {
        &self.patterns
    }

    /// Whether a declared path is denied.
    pub(super) fn denies(&self, path: &str) -> bool {
        let Some(denied) = &self.path else {
            return false;
        };
        let path = plain(path);
        denied.is_match(&path) && !self.is_excepted(&path)
    }

    /// Whether a text, such as a command, names a denied path. Quotes, escapes and variables can
    /// hide one: what a tool printed is redacted all the same.
    pub(super) fn is_named_in(&self, text: &str) -> bool {
        let Some(denied) = &self.text else {
            return false;
        };
        let mut at = 0;
        // One character between two paths may belong to both, so the search goes on at the end of
        // the path, not of the match.
        while let Some(found) = denied.captures_at(text, at).and_then(|found| found.get(1)) {
            if !self.is_excepted(&plain(found.as_str())) {
                return true;
            }
            at = found.end().max(at + 1);
            if !text.is_char_boundary(at) {
                return true;
            }
        }
        false
    }

    fn is_excepted(&self, path: &str) -> bool {
        self.exception
            .as_ref()
            .is_some_and(|exception| exception.is_match(path))
    }
}

/// One spelling of a path: `/` between parts, no `.`, no `a/..`, no doubled `/`.
fn plain(path: &str) -> String {
    let slashes = path.replace('\\', "/");
    let mut parts: Vec<&str> = Vec::new();
    for part in slashes.split('/') {
        match part.trim() {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let root = if slashes.starts_with('/') { "/" } else { "" };
    format!("{root}{}", parts.join("/"))
}

fn any(
    expressions: &[String],
    frame: impl FnOnce(&str) -> String,
) -> Result<Option<Regex>, PatternError> {
    if expressions.is_empty() {
        return Ok(None);
    }
    compile(&frame(&expressions.join("|")), "all together").map(Some)
}
