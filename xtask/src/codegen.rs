//! `codegen`: files written from the code, checked in so that a reviewer sees what changed.

mod grpc;
mod openapi;
mod permissions;
mod routes;
mod sdk;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::problem::{Problem, conclude};
use crate::tree;

/// The folder that holds generated files and nothing else.
const FOLDER: &str = "docs/generated";

/// A file and what writes it.
struct Generated {
    /// From the root.
    path: &'static str,
    make: fn() -> Result<String>,
}

/// Every generated file. A new one is a line here.
const FILES: &[Generated] = &[
    Generated {
        path: "crates/skep-grpc/src/wire/skep.auth.v1.rs",
        make: grpc::code,
    },
    Generated {
        path: "crates/skep-grpc/src/wire/descriptor.rs",
        make: grpc::descriptor,
    },
    Generated {
        path: "docs/generated/cli.md",
        make: || Ok(banner("skep-cli") + "\n\n" + &skep_cli::help_markdown()),
    },
    Generated {
        path: "docs/generated/openapi.json",
        make: openapi::document,
    },
    Generated {
        path: "docs/generated/permissions.md",
        make: permissions::page,
    },
    Generated {
        path: "docs/generated/routes.md",
        make: routes::page,
    },
    Generated {
        path: "sdk/python/src/skep/models.py",
        make: sdk::python_models,
    },
    Generated {
        path: "sdk/python/src/skep/operations.py",
        make: sdk::python_operations,
    },
    Generated {
        path: "sdk/typescript/src/models.ts",
        make: sdk::typescript_models,
    },
    Generated {
        path: "sdk/typescript/src/operations.ts",
        make: sdk::typescript_operations,
    },
];

/// The first line of a generated Markdown file.
fn banner(source: &str) -> String {
    let mark = concat!("@", "generated");
    format!(
        "<!-- {mark} by `cargo xtask codegen` from {source}: change the code, not this file. -->"
    )
}

/// Writes the files, or, with `check`, compares them with what would be written.
///
/// # Errors
/// When a file differs, cannot be made, or cannot be written.
pub(crate) fn run(check: bool) -> Result<()> {
    let root = tree::root()?;
    let mut problems = Vec::new();
    for file in FILES {
        let made = (file.make)().with_context(|| file.path.to_owned())?;
        if check {
            let held = fs::read_to_string(root.join(file.path)).ok();
            problems.extend(compare(file.path, held.as_deref(), &made));
        } else {
            write(&root.join(file.path), &made)?;
        }
    }
    problems.extend(strays(&tree::files(&root)?));
    let verb = if check { "match" } else { "written" };
    conclude(&problems, &format!("codegen: {} files {verb}", FILES.len()))
}

fn write(path: &Path, text: &str) -> Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, text).with_context(|| path.display().to_string())
}

fn compare(path: &str, held: Option<&str>, made: &str) -> Option<Problem> {
    const MENDS: &str = "run `cargo xtask codegen` and commit the result";
    let Some(held) = held else {
        return Some(Problem::new(
            path,
            "codegen",
            format!("is missing: {MENDS}"),
        ));
    };
    if held == made {
        return None;
    }
    let line = 1 + held
        .lines()
        .zip(made.lines())
        .take_while(|(held, made)| held == made)
        .count();
    let message = format!("differs from what the code says: {MENDS}");
    Some(Problem::at(path, line, "codegen", message))
}

/// Files in the folder that nothing writes any more.
fn strays(files: &[String]) -> Vec<Problem> {
    let known: BTreeSet<&str> = FILES.iter().map(|file| file.path).collect();
    files
        .iter()
        .filter(|path| path.starts_with(FOLDER) && !known.contains(path.as_str()))
        .map(|path| Problem::new(path, "codegen", "nothing writes this file: delete it"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{compare, strays};

    #[test]
    fn a_file_that_differs_is_red_at_its_first_line() {
        assert_eq!(compare("a", Some("x\ny\n"), "x\ny\n"), None);
        let shown = |held| compare("a", held, "x\nz\n").map(|problem| problem.to_string());
        assert!(shown(None).is_some_and(|text| text.contains("is missing")));
        assert!(shown(Some("x\ny\n")).is_some_and(|text| text.starts_with("a:2: [codegen]")));
        assert!(shown(Some("x\n")).is_some_and(|text| text.starts_with("a:2: [codegen]")));
    }

    #[test]
    fn a_file_that_nothing_writes_is_red() {
        let files = [
            "docs/generated/permissions.md",
            "docs/generated/old.md",
            "docs/a.md",
        ];
        let found = strays(&files.map(str::to_owned));
        assert_eq!(found.len(), 1);
    }
}
