//! Tests of the copy, with a mutant on or none.

use std::collections::BTreeMap;
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result};

use super::scratch::Scratch;
use super::table::Mutant;
use super::weave::SWITCH;

/// What came of the tests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// A test noticed: this one.
    Red(String),
    /// None did.
    Green,
    /// They could not be run.
    Broken(String),
}

/// Runs tests of the copy.
pub(super) struct Runner<'s> {
    scratch: &'s Scratch,
    /// What came of each filter without a mutant.
    sound: BTreeMap<(String, String), Verdict>,
}

impl<'s> Runner<'s> {
    pub(super) fn new(scratch: &'s Scratch) -> Self {
        Self {
            scratch,
            sound: BTreeMap::new(),
        }
    }

    /// Runs the tests of a row without any mutant: a test that is red anyway notices nothing, and
    /// neither does a filter that no test passes.
    pub(super) fn prove(&mut self, row: &Mutant) -> Result<()> {
        let asked = (row.package.clone(), row.filter.clone());
        if !self.sound.contains_key(&asked) {
            let verdict = self.nextest(row, None)?;
            self.sound.insert(asked, verdict);
        }
        Ok(())
    }

    /// Runs the tests of a row with its mutant on; `switched` throws its switch.
    pub(super) fn run(&mut self, row: &Mutant, switched: bool) -> Result<Verdict> {
        if switched {
            self.prove(row)?;
        }
        let asked = (row.package.clone(), row.filter.clone());
        match self.sound.get(&asked) {
            Some(Verdict::Red(test)) => {
                Ok(Verdict::Broken(format!("{test} is red without a mutant")))
            }
            Some(Verdict::Broken(why)) => Ok(Verdict::Broken(why.clone())),
            Some(Verdict::Green) | None => self.nextest(row, switched.then_some(&*row.name)),
        }
    }

    fn nextest(&self, row: &Mutant, on: Option<&str>) -> Result<Verdict> {
        let mut cargo = Command::new("cargo");
        cargo
            .args(["nextest", "run", "--locked", "--color", "never"])
            .args(["--profile", "mutants", "--failure-output", "never"])
            .args(["--package", &row.package, "--filterset", &row.filter])
            .current_dir(&self.scratch.tree)
            .env("CARGO_TARGET_DIR", &self.scratch.target)
            .env("CARGO_INCREMENTAL", "1")
            .env("INSTA_UPDATE", "no")
            .env_remove(SWITCH)
            .envs(on.map(|name| (SWITCH, name)))
            .stdin(Stdio::null());
        // Cargo tells this program about itself; build scripts that look at the same names would run,
        // and what rests on them be built, again.
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
                cargo.env_remove(name);
            }
        }
        Ok(verdict(&cargo.output().context("running cargo nextest")?))
    }
}

/// By the exit codes of nextest: 100 when a test failed, anything else when none could be run.
fn verdict(output: &Output) -> Verdict {
    let said = String::from_utf8_lossy(&output.stderr);
    match output.status.code() {
        Some(0) => Verdict::Green,
        Some(100) => Verdict::Red(first_red(&said)),
        _ => {
            let lines = said.lines().filter(|line| line.starts_with("error"));
            let why: Vec<&str> = lines.take(3).collect();
            Verdict::Broken(why.join("; "))
        }
    }
}

/// The name of the first test that failed.
pub(super) fn first_red(said: &str) -> String {
    const MARKS: [&str; 4] = ["FAIL ", "TIMEOUT ", "SIGABRT ", "ABORT "];
    said.lines()
        .map(str::trim_start)
        .filter(|line| MARKS.iter().any(|mark| line.starts_with(mark)))
        .find_map(|line| line.rsplit(' ').next())
        .unwrap_or("a test")
        .to_owned()
}
