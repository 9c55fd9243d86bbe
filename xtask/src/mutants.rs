//! `mutants`: breaks each check on purpose, one at a time, and runs the tests that have to notice.
//!
//! The rows of `xtask/mutants` say what is broken and who has to see it. All rows are woven into one
//! copy of the checkout, each behind a switch that is thrown by an environment variable, so that one
//! build serves them all; a row that no switch can stand in for (SQL, a constant) is built `apart`.

mod report;
mod runner;
mod scratch;
mod table;
mod weave;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::problem::Problem;
use crate::tree;
use report::{Report, Row};
use runner::Runner;
use scratch::Scratch;
use table::Mutant;

/// Breaks what `only` is in the name of and what one of these files has, or everything.
///
/// # Errors
/// When a row no longer fits the source, a test is red without a mutant, or a mutant is not noticed.
pub(crate) fn run(only: Option<&str>, tables: &[String], json: bool) -> Result<()> {
    let root = tree::root()?;
    let all = table::read(&root)?;
    let chosen: Vec<&Mutant> = all
        .iter()
        .filter(|row| only.is_none_or(|only| row.name.contains(only)))
        .filter(|row| tables.is_empty() || tables.contains(&row.table))
        .collect();
    ensure!(
        !chosen.is_empty(),
        "no mutant has that in its name, or there is no such file of xtask/mutants"
    );
    ensure!(
        tree::quiet_success("cargo", &["nextest", "--version"]),
        "cargo-nextest is needed: cargo install cargo-nextest --locked"
    );
    let scratch = Scratch::new(&root)?;
    let mut runner = Runner::new(&scratch);
    let mut report = Report::new(json);
    let (apart, together): (Vec<&Mutant>, Vec<&Mutant>) =
        chosen.into_iter().partition(|row| row.apart);
    scratch.lay(&woven(&root, &all, None)?)?;
    // While the copy is sound but for its switches.
    for row in &apart {
        runner.prove(row)?;
    }
    for row in together {
        report.add(Row::of(row, runner.run(row, true)?));
    }
    for row in apart {
        scratch.lay(&woven(&root, &all, Some(row))?)?;
        report.add(Row::of(row, runner.run(row, false)?));
    }
    scratch.lay(&woven(&root, &all, None)?)?;
    report.conclude()
}

/// Rows that no longer fit the source.
///
/// # Errors
/// When the rows cannot be read.
pub(crate) fn check(root: &Path) -> Result<Vec<Problem>> {
    let mut problems = Vec::new();
    for row in table::read(root)? {
        let text = std::fs::read_to_string(root.join(&row.file)).unwrap_or_default();
        if let Err(why) = weave::place(&row, &text) {
            let message = format!("mutant `{}`: {why}; bring the row up to date", row.name);
            problems.push(Problem::new(row.file.clone(), "mutants", message));
        }
    }
    Ok(problems)
}

/// The files of the copy that differ from the checkout: every row behind its switch, or one row for
/// good and the others of its file left out.
fn woven(root: &Path, all: &[Mutant], apart: Option<&Mutant>) -> Result<BTreeMap<String, String>> {
    let mut rows: BTreeMap<&str, Vec<&Mutant>> = BTreeMap::new();
    for row in all.iter().filter(|row| !row.apart) {
        rows.entry(&row.file).or_default().push(row);
    }
    let mut files = BTreeMap::new();
    for (file, rows) in rows {
        files.insert(file.to_owned(), weave::switched(&read(root, file)?, &rows)?);
    }
    if let Some(row) = apart {
        files.insert(
            row.file.clone(),
            weave::replaced(&read(root, &row.file)?, row)?,
        );
    }
    Ok(files)
}

fn read(root: &Path, file: &str) -> Result<String> {
    std::fs::read_to_string(root.join(file)).with_context(|| file.to_owned())
}
