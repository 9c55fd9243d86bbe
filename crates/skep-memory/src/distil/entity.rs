//! Names in a text: paths, code, commands, error codes, variables, URLs, issue numbers.

use regex::Regex;
use std::sync::LazyLock;

/// The longest name that is kept whole; a longer one is no name.
const NAME_MAX: usize = 120;

/// Names in order of appearance, without doubles.
pub(crate) fn entities(text: &str) -> Vec<String> {
    let mut found: Vec<(usize, &str)> = Vec::new();
    for captures in CODE_SPAN.captures_iter(text) {
        if let Some(span) = captures.get(1) {
            found.push((span.start(), span.as_str()));
        }
    }
    for pattern in PLAIN.iter() {
        found.extend(
            pattern
                .find_iter(text)
                .map(|name| (name.start(), trim(name.as_str()))),
        );
    }
    found.sort_by_key(|(at, name)| (*at, std::cmp::Reverse(name.len())));
    let mut names: Vec<String> = Vec::new();
    // A name inside a longer one adds nothing; a path inside a command does.
    let mut covered = 0;
    for (at, name) in found {
        let end = at + name.len();
        let is_inside = end <= covered;
        if !name.contains(' ') {
            covered = covered.max(end);
        }
        let name = name.trim();
        let is_name = (2..=NAME_MAX).contains(&name.len()) && name.contains(char::is_alphanumeric);
        if is_name && !is_inside && !is_common(name) && !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    names
}

/// Whether a text names anything at all.
pub(super) fn has_entity(text: &str) -> bool {
    !entities(text).is_empty()
}

/// Whether a text names a place: a path, a URL, a variable, a port.
pub(super) fn has_place(text: &str) -> bool {
    PLACE.is_match(text)
}

fn trim(name: &str) -> &str {
    if name.ends_with("()") {
        return name;
    }
    name.trim_end_matches(['.', ',', ':', ';', ')', '\'', '"'])
}

/// Words that match a pattern without naming anything.
fn is_common(name: &str) -> bool {
    matches!(
        name,
        "e.g"
            | "i.e"
            | "and/or"
            | "either/or"
            | "I/O"
            | "TODO"
            | "README"
            | "true"
            | "false"
            | "null"
            | "GitHub"
            | "JavaScript"
            | "TypeScript"
            | "OpenAI"
            | "N/A"
            | "n/a"
            | "his/her"
            | "yes/no"
            | "on/off"
            | "w/o"
            | "c/o"
            | "ok"
    )
}

#[expect(
    clippy::expect_used,
    reason = "the patterns are constants, and every test compiles them"
)]
fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a constant pattern")
}

static CODE_SPAN: LazyLock<Regex> = LazyLock::new(|| pattern(r"`([^`\n]{2,120})`"));

static PLAIN: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    [
        // URLs.
        r#"https?://[^\s<>()"'`\]]{4,200}"#,
        // Paths with a directory, and file names with a known ending.
        r"(?-u)(?:~|\.{1,2})?(?:/?[A-Za-z0-9_@.+-]+)(?:/[A-Za-z0-9_@.+*-]+)+/?",
        r"(?-u)\b[A-Za-z0-9_.-]+\.(?:rs|toml|py|ts|tsx|js|jsx|mjs|cjs|go|java|kt|rb|c|h|cc|cpp|hpp|cs|swift|php|sh|bash|zsh|fish|sql|proto|ya?ml|json|jsonl|lock|md|txt|html|css|scss|env|ini|cfg|conf|xml|gradle|tf|nix|snap|service)\b",
        r"\bDockerfile\b|\bMakefile\b|\bCargo\.lock\b|\bAGENTS\.md\b|\bCLAUDE\.md\b",
        // Symbols: paths in code, calls, camel case, snake case, variables in capitals.
        r"(?-u)\b[A-Za-z_][A-Za-z0-9_]*(?:::[A-Za-z_][A-Za-z0-9_]*)+(?:\(\))?",
        r"(?-u)\b[A-Za-z_][A-Za-z0-9_.]*\(\)",
        r"(?-u)\b[A-Z][a-z0-9]+(?:[A-Z][a-z0-9]*)+\b",
        r"(?-u)\b[a-z]+(?:[A-Z][a-z0-9]+)+\b",
        r"(?-u)\b[a-z][a-z0-9]*(?:_[a-z0-9]+)+\b",
        r"(?-u)\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b",
        // Flags, error codes, errno names, issue numbers, ports.
        r"(?-u)(?:\B|^)--[a-z][a-z0-9-]+",
        r"(?-u)\b(?:E[0-9]{4}|TS[0-9]{4,5}|SQLITE_[A-Z]+|E[A-Z]{4,12}|ERR_[A-Z_]+|CVE-[0-9]{4}-[0-9]+|RFC ?[0-9]{3,5})\b",
        r"(?-u)(?:\B|^)#[0-9]{1,6}\b",
        r"(?-u)\bport [0-9]{2,5}\b",
    ]
    .into_iter()
    .map(pattern)
    .collect()
});

static PLACE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?-u)https?://|[A-Za-z0-9_.@-]+/[A-Za-z0-9_.@-]|\b[A-Za-z0-9_-]+\.(?:rs|toml|py|tsx?|jsx?|go|java|rb|ya?ml|json|md|sql|sh|env|ini|conf|lock|proto)\b|\b[A-Z][A-Z0-9]*_[A-Z0-9_]+\b|\bport [0-9]{2,5}\b|\blocalhost:[0-9]+|`[!-_a-~][ -_a-~]{2,79}`",
    )
});

#[cfg(test)]
mod tests {
    use super::entities;

    #[test]
    fn names_are_found_in_prose() {
        for (text, expected) in [
            (
                "The pool in crates/store/src/pool.rs calls `BEGIN IMMEDIATE`.",
                vec!["crates/store/src/pool.rs", "BEGIN IMMEDIATE"],
            ),
            (
                "set SKEP_HOME or --home, see #42",
                vec!["SKEP_HOME", "--home", "#42"],
            ),
            (
                "error E0382 in Pool::open() via busy_timeout",
                vec!["E0382", "Pool::open()", "busy_timeout"],
            ),
            (
                "docs at https://docs.example/a/b. Listens on port 3850",
                vec!["https://docs.example/a/b", "port 3850"],
            ),
            ("and/or e.g. nothing", vec![]),
        ] {
            let found = entities(text);
            for name in &expected {
                assert!(
                    found.iter().any(|entity| entity == name),
                    "{text}: {found:?} lacks {name}"
                );
            }
            assert_eq!(found.len(), expected.len(), "{text}: {found:?}");
        }
    }
}
