//! Names that say nothing are refused: of files, modules and types.

use super::rust_text::{Kind, Piece};
use crate::problem::Problem;

const EMPTY_NAMES: &[&str] = &[
    "common", "helper", "helpers", "manager", "managers", "misc", "util", "utils",
];
const EMPTY_ENDINGS: &[&str] = &["Helper", "Helpers", "Manager", "Util", "Utils"];

pub(super) fn check(path: &str, pieces: &[Piece]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for part in path.split('/') {
        let stem = part.strip_suffix(".rs").unwrap_or(part);
        if is_empty_name(stem) {
            problems.push(Problem::new(path, "names", advice(stem)));
        }
    }
    for piece in pieces.iter().filter(|piece| piece.kind == Kind::Code) {
        for (nth, line) in piece.text.split('\n').enumerate() {
            if let Some(name) = declared(line).filter(|name| is_empty_name(name)) {
                let line = piece.line + nth;
                problems.push(Problem::at(path, line, "names", advice(name)));
            }
        }
    }
    problems
}

fn advice(name: &str) -> String {
    format!("`{name}` says nothing: name it for what it holds")
}

fn is_empty_name(name: &str) -> bool {
    EMPTY_NAMES.contains(&name)
        || EMPTY_ENDINGS.iter().any(|end| name.ends_with(end))
        || EMPTY_NAMES
            .iter()
            .any(|empty| name.strip_suffix(empty).is_some_and(|s| s.ends_with('_')))
}

/// The name a line declares, if it declares a module or a type.
fn declared(line: &str) -> Option<&str> {
    let mut words = line
        .split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .filter(|word| !word.is_empty());
    words.find(|word| ["mod", "struct", "enum", "trait"].contains(word))?;
    words.next()
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::rust_text::pieces;

    #[test]
    fn names_that_say_nothing_are_red() {
        let table = [
            ("crates/a/src/clock.rs", "pub struct Clock;", 0),
            ("crates/a/src/utils.rs", "", 1),
            ("crates/a/src/common/mod.rs", "", 1),
            ("crates/a/src/string_helpers.rs", "", 1),
            ("crates/a/src/lib.rs", "mod misc;", 1),
            ("crates/a/src/lib.rs", "pub(crate) struct KeyManager {", 1),
            ("crates/a/src/lib.rs", "// a struct KeyManager was here", 0),
            ("crates/a/src/lib.rs", "let s = \"mod utils\";", 0),
            ("crates/a/src/lib.rs", "/// Of managers.\nfn manage() {}", 0),
        ];
        for (path, text, count) in table {
            assert_eq!(check(path, &pieces(text)).len(), count, "{path}: {text}");
        }
    }
}
