//! Every key that a bench prints is listed in `docs/bench.md`.

use std::collections::BTreeSet;

use super::TextFile;
use super::rust_text::{Kind, Piece, pieces};
use crate::problem::Problem;

const LIST: &str = "docs/bench.md";
const SOURCES: &str = "crates/skep-bench/src/";
/// Endings by which a string is known as a key, wherever it stands.
const UNITS: &[&str] = &["_ms", "_us", "_per_s", "_per_memory", "_per_turn", "_ratio"];

pub(super) fn check(files: &[TextFile]) -> Vec<Problem> {
    let Some(list) = files.iter().find(|file| file.path == LIST) else {
        return Vec::new();
    };
    let listed: BTreeSet<&str> = list.text.split('`').collect();
    let benches = files.iter().filter(|file| file.path.starts_with(SOURCES));
    benches
        .flat_map(|file| unlisted(&file.path, &pieces(&file.text), &listed))
        .collect()
}

fn unlisted(path: &str, pieces: &[Piece], listed: &BTreeSet<&str>) -> Vec<Problem> {
    let before = std::iter::once(None).chain(pieces.iter().map(Some));
    let keys = before.zip(pieces).filter(|(before, piece)| {
        let in_a_row = before.is_some_and(|before| before.text.trim_end().ends_with(".row("));
        let has_a_unit = UNITS.iter().any(|unit| piece.text.ends_with(unit));
        piece.kind == Kind::Literal && is_a_word(&piece.text) && (in_a_row || has_a_unit)
    });
    keys.filter(|(_, piece)| !listed.contains(piece.text.as_str()))
        .map(|(_, piece)| {
            let message = format!("`{}` is not in {LIST}: say there what it is", piece.text);
            Problem::at(path, piece.line, "bench-keys", message)
        })
        .collect()
}

fn is_a_word(text: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::TextFile;

    fn problems(bench: &str) -> usize {
        let file = |path: &str, text: &str| TextFile {
            path: path.to_owned(),
            text: text.to_owned(),
        };
        let list = file(
            "docs/bench.md",
            "| `p50_ms`, `p99_ms` | a recall |\n| `kills` | n |",
        );
        check(&[list, file("crates/skep-bench/src/a.rs", bench)]).len()
    }

    #[test]
    fn a_key_that_is_not_listed_is_red() {
        let table = [
            ("report.row(\"p50_ms\", 1.0, \"\");", 0),
            ("report.row(\n    \"kills\", 1.0, \"of them\");", 0),
            ("report.row(\"deaths\", 1.0, \"\");", 1),
            ("for (key, value) in [(\"search_mean_ms\", 1)] {}", 1),
            ("let title = \"words\"; // \"odd_ms\"", 0),
            ("format!(\"{n} per second, p50 in odd_ms\")", 0),
        ];
        for (bench, count) in table {
            assert_eq!(problems(bench), count, "{bench}");
        }
    }
}
