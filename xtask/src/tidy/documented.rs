//! The core crates document every public item: the compiler checks it, once they ask it to.

use super::TextFile;
use super::rust_text::{Kind, pieces};
use crate::problem::Problem;

/// Crates whose public items others build proofs on.
const CORE: &[&str] = &["skep-authz", "skep-crypto", "skep-domain", "skep-store"];
/// The lints that look for a missing `///` and a missing `# Errors`.
const LINTS: &[&str] = &["missing_docs", "clippy::missing_errors_doc"];

pub(super) fn check(files: &[TextFile]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for name in CORE {
        let path = format!("crates/{name}/src/lib.rs");
        let Some(file) = files.iter().find(|file| file.path == path) else {
            continue;
        };
        problems.extend(asks_for_docs(&path, &file.text));
    }
    problems
}

fn asks_for_docs(path: &str, text: &str) -> Vec<Problem> {
    let code: String = pieces(text)
        .into_iter()
        .filter(|piece| piece.kind == Kind::Code)
        .map(|piece| piece.text)
        .collect();
    let asked: Vec<&str> = code
        .split("#![")
        .skip(1)
        .filter_map(|attribute| attribute.split_once(']'))
        .map(|(attribute, _)| attribute.trim())
        .filter(|attribute| attribute.starts_with("warn(") || attribute.starts_with("deny("))
        .flat_map(|attribute| attribute.split(['(', ')', ',']).skip(1))
        .map(str::trim)
        .collect();
    LINTS
        .iter()
        .filter(|lint| !asked.contains(lint))
        .map(|lint| {
            let message = format!("a core crate opens with `#![warn({})]`", LINTS.join(", "));
            Problem::new(path, "documented", format!("{message}: no `{lint}`"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::asks_for_docs;

    #[test]
    fn a_core_crate_that_does_not_ask_is_red() {
        let table = [
            (
                "//! A.\n#![warn(missing_docs, clippy::missing_errors_doc)]\n",
                0,
            ),
            (
                "#![deny(missing_docs)]\n#![warn(\n    clippy::missing_errors_doc,\n)]",
                0,
            ),
            ("//! A.\n#![warn(missing_docs)]\n", 1),
            (
                "//! A.\n// #![warn(missing_docs, clippy::missing_errors_doc)]\n",
                2,
            ),
        ];
        for (text, count) in table {
            assert_eq!(asks_for_docs("lib.rs", text).len(), count, "{text}");
        }
    }
}
