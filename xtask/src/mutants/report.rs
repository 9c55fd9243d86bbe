//! What the mutants came to: a line each as it is known, a count at the end, or all of it as JSON.

use std::time::Instant;

use anyhow::{Result, ensure};
use serde::Serialize;

use super::runner::Verdict;
use super::table::Mutant;

/// The outcomes so far.
pub(super) struct Report {
    json: bool,
    rows: Vec<Row>,
    began: Instant,
}

/// The outcome of one mutant.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    name: String,
    file: String,
    /// `red` is as it should be: a test noticed.
    outcome: &'static str,
    /// Which test noticed, or what went wrong.
    by: Option<String>,
}

impl Row {
    pub(super) fn of(mutant: &Mutant, verdict: Verdict) -> Self {
        let (outcome, by) = match verdict {
            Verdict::Red(test) => ("red", Some(test)),
            Verdict::Green => ("green", None),
            Verdict::Broken(why) => ("broken", Some(why)),
        };
        Self {
            name: mutant.name.clone(),
            file: mutant.file.clone(),
            outcome,
            by,
        }
    }
}

impl Report {
    #[expect(
        clippy::disallowed_methods,
        reason = "how long the tests take is wall time"
    )]
    pub(super) fn new(json: bool) -> Self {
        Self {
            json,
            rows: Vec::new(),
            began: Instant::now(),
        }
    }

    pub(super) fn add(&mut self, row: Row) {
        if !self.json {
            let by = row.by.as_deref().unwrap_or("no test noticed");
            println!("{:6} {:50} {by}", row.outcome, row.name);
        }
        self.rows.push(row);
    }

    /// Says how many were noticed.
    ///
    /// # Errors
    /// When one was not.
    pub(super) fn conclude(&self) -> Result<()> {
        let count = |outcome| {
            self.rows
                .iter()
                .filter(|row| row.outcome == outcome)
                .count()
        };
        let [red, green, broken] = ["red", "green", "broken"].map(count);
        if self.json {
            println!("{}", serde_json::to_string_pretty(&self.rows)?);
        } else {
            println!(
                "mutants: {} red, {green} green, {broken} broken, in {} s",
                red,
                self.began.elapsed().as_secs()
            );
        }
        ensure!(
            green + broken == 0,
            "{} mutants were not noticed: each is a test that is missing",
            green + broken
        );
        Ok(())
    }
}
