//! What a person pasted, told from what a person wrote.

/// The message without the lines of terminal output, logs, diffs and listings in it.
pub(super) fn without_output(text: &str) -> String {
    // A backslash at a line's end is how a terminal client enters a line break.
    let text = text.replace("\\\n", "\n\n");
    text.lines()
        .map(|line| if is_output(line) { "" } else { line })
        .collect::<Vec<_>>()
        .join("\n")
}

/// Whether a message is a document: instructions of a command, a specification, a report.
pub(super) fn is_document(text: &str) -> bool {
    let headings = text
        .lines()
        .filter(|line| line.starts_with('#') && line.contains("# "))
        .count();
    headings >= 2 || text.chars().count() > 2_500
}

fn is_output(line: &str) -> bool {
    let line = line.trim();
    let Some(first) = line.chars().next() else {
        return false;
    };
    let is_sign = !first.is_ascii() && !first.is_alphanumeric() && !"•–—“‘«…".contains(first);
    is_sign || starts_as_output(line) || is_mostly_signs(line) || has_gutter(line)
}

const STARTS: &str = "$ |% |> |>>> |@@ |diff --git|+++ |--- a/|at async |Traceback|npm ERR|npm error|npm warn|error[|error: |\
warning: |fatal: |thread '|note: run with|DEBUG |INFO |WARN |ERROR |TRACE |[Image|Caused by:|panicked at|File \"|remote: |\
Usage: |Error: |TypeError|SyntaxError|ReferenceError|Exception|http-equiv|<div|</|{\"|import |const |function |def |fn |pub |#include";

fn starts_as_output(line: &str) -> bool {
    let bytes = line.as_bytes();
    let is_tag = line.starts_with('[')
        && line[1..].split_once(']').is_some_and(|(tag, _)| {
            (3..=24).contains(&tag.len())
                && tag
                    .chars()
                    .all(|c| !c.is_lowercase() || tag.starts_with(char::is_uppercase))
        });
    let is_stamp =
        bytes.len() > 10 && bytes[..4].iter().all(u8::is_ascii_digit) && bytes[4] == b'-';
    let is_clock =
        bytes.len() > 8 && bytes[0].is_ascii_digit() && bytes[2] == b':' && bytes[5] == b':';
    let is_log = super::phrase::has(line, "[DEBUG]|[INFO]|[ERROR]|[WARN");
    is_log
        || super::phrase::begins(line, STARTS)
        || line.starts_with("at ") && line.contains('(')
        || is_tag
        || is_stamp
        || is_clock
}

/// `117 | code` and `117→code` are listings.
fn has_gutter(line: &str) -> bool {
    let rest = line.trim_start_matches(|c: char| c.is_ascii_digit());
    rest.len() < line.len() && rest.trim_start().starts_with(['|', '→', '│'])
        || line.matches(['│', '|']).count() >= 4
}

fn is_mostly_signs(line: &str) -> bool {
    let all = line.chars().filter(|c| !c.is_whitespace()).count();
    let letters = line
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, '\'' | '`' | ',' | '.'))
        .count();
    all >= 12 && letters * 10 < all * 7
}

#[cfg(test)]
mod tests {
    use super::{is_output, without_output};

    #[test]
    fn output_is_told_from_writing() {
        for line in [
            "[TEST] Checking core installation files",
            "✅ VKB server running on port 8080",
            "2026-01-02T10:00:00Z INFO started",
            "    at Object.<anonymous> (src/a.js:3:4)",
            "117 | // Force it",
            "error[E0382]: borrow of moved value",
            "$ cargo test",
            "│ Bash command │ │",
            "+++ b/src/lib.rs",
            "12:30:45 worker up",
            "{\"a\": 1, \"b\": [2, 3]}",
        ] {
            assert!(is_output(line), "{line}");
        }
        for line in [
            "No, use pnpm.",
            "- always run the tests first",
            "Why is `a` slow?",
            "• keep it short",
            "Use 4 spaces",
            "[ ] and [x] are both fine, see the docs",
            "“quoted” words",
            "日本語で答えて",
            "The port is 3850.",
            "never call foo(bar) twice",
        ] {
            assert!(!is_output(line), "{line}");
        }
        assert_eq!(
            without_output("fix this:\\\n[ERROR] no\nthen stop"),
            "fix this:\n\n\nthen stop"
        );
    }
}
