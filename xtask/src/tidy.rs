//! `tidy`: the house rules that no compiler lint knows.
//!
//! Each rule is a function from a file's text to problems; this file only finds the files, says
//! which rules hold where, and prints what the lengths look like.

mod bench_keys;
mod distributed;
mod documented;
mod length;
mod manifest;
mod names;
mod opening;
mod rust_text;
mod sql;
mod sql_words;
mod words;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::problem::{Problem, conclude};
use crate::tree;
use rust_text::Piece;

/// A text file of the checkout.
pub(crate) struct TextFile {
    /// From the root, with `/`.
    path: String,
    text: String,
}

impl TextFile {
    fn is_rust(&self) -> bool {
        Path::new(&self.path)
            .extension()
            .is_some_and(|end| end == "rs")
    }

    /// Tests may be long and may break the rules of the code they attack.
    fn is_test(&self) -> bool {
        self.path.ends_with("/tests.rs")
            || self.path.contains("/tests/")
            || self.path.contains("/benches/")
    }

    fn is_generated(&self) -> bool {
        self.text
            .lines()
            .take(3)
            .any(|line| line.contains(concat!("@", "generated")))
    }

    /// Recorded input of others, which is as it is.
    fn is_fixture(&self) -> bool {
        self.path.split('/').any(|part| part == "fixtures")
    }
}

/// Checks the checkout.
///
/// # Errors
/// When a rule is broken, or the files cannot be read.
pub(crate) fn run() -> Result<()> {
    let root = tree::root()?;
    let files = load(&root)?;
    let mut problems = Vec::new();
    for file in &files {
        problems.extend(rules_of_one_file(file));
    }
    let house = fs::read_to_string(root.join("Cargo.toml")).context("Cargo.toml")?;
    let manifests = files
        .iter()
        .filter(|file| file.path.ends_with("/Cargo.toml"));
    problems.extend(manifests.flat_map(|file| manifest::check(&file.path, &file.text, &house)));
    problems.extend(documented::check(&files));
    problems.extend(bench_keys::check(&files));
    problems.extend(crate::mutants::check(&root)?);
    let storage = sql::check(&files);
    problems.extend(storage.problems);
    let spread = distributed::check(&files);
    problems.extend(spread.problems);

    let rust: Vec<&TextFile> = files.iter().filter(|file| file.is_rust()).collect();
    let lengths = length::Lengths::of(rust.iter().filter(|file| !exempt_from_length(file)));
    for line in lengths.warnings() {
        println!("{line}");
    }
    println!("lengths: {lengths}");
    println!(
        "sql: {} statements on {} tenant tables",
        storage.statements, storage.tables
    );
    println!(
        "distributed: {} statements on {} tables can be spread over machines",
        spread.statements, spread.tables
    );
    conclude(&problems, &format!("tidy: {} files", files.len()))
}

/// Text files under the root; what is not UTF-8 is data, not text.
fn load(root: &Path) -> Result<Vec<TextFile>> {
    const TEXT: &[&str] = &["rs", "md", "toml", "sql", "sh", "yml", "yaml", "snap"];
    let mut files = Vec::new();
    for path in tree::files(root)? {
        let ending = Path::new(&path).extension().and_then(|end| end.to_str());
        if !ending.is_some_and(|end| TEXT.contains(&end)) && !path.starts_with(".ci/") {
            continue;
        }
        let bytes = fs::read(root.join(&path)).with_context(|| path.clone())?;
        if let Ok(text) = String::from_utf8(bytes) {
            files.push(TextFile { path, text });
        }
    }
    Ok(files)
}

fn rules_of_one_file(file: &TextFile) -> Vec<Problem> {
    let mut problems = Vec::new();
    if !file.is_fixture() {
        problems.extend(words::machine_paths(&file.path, &file.text));
    }
    if !file.is_rust() || file.is_generated() || file.is_fixture() {
        return problems;
    }
    let pieces: Vec<Piece> = rust_text::pieces(&file.text);
    problems.extend(opening::check(&file.path, &file.text));
    problems.extend(names::check(&file.path, &pieces));
    problems.extend(words::unfinished(&file.path, &pieces));
    problems.extend(words::allowed_lints(&file.path, &pieces));
    if !exempt_from_length(file) {
        problems.extend(length::check(&file.path, &file.text));
    }
    problems
}

fn exempt_from_length(file: &TextFile) -> bool {
    file.is_test() || file.is_generated() || file.is_fixture()
}
