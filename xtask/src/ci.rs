//! `ci`: everything that must pass, in order, with the time each part took.
//!
//! A red part does not stop the others: one run shows all there is to mend. The last line counts
//! tests, `N passed, N failed`; a part without tests that is red counts as one failed.

mod built;
mod count;
pub(crate) mod harnesses;
pub(crate) mod sdk;
mod stage;

use std::process::ExitCode;

use crate::tree;
use stage::{Outcome, Stage, Work};

/// Runs every stage. Nothing is printed after the closing line.
pub(crate) fn run() -> ExitCode {
    let root = match tree::root() {
        Ok(root) => root,
        Err(error) => return crate::finished(Err(error)),
    };
    let mut outcomes = Vec::new();
    for stage in stages(nextest_is_installed()) {
        println!("\n=== {}: {}", stage.name, stage.command());
        outcomes.push(stage.run(&root));
    }
    summarise(&outcomes);
    if outcomes.iter().all(|outcome| outcome.passed) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn stages(nextest: bool) -> Vec<Stage> {
    const RUSTDOC: &[(&str, &str)] = &[("RUSTDOCFLAGS", "-D warnings")];
    let cargo = |name, arguments| Stage::cargo(name, arguments, &[]);
    let mut stages = vec![
        cargo("fmt", "fmt --all --check"),
        Stage::own("tidy", Work::Tidy),
        Stage::own("arrows", Work::Arrows),
        Stage::own("deny", Work::Deny),
        Stage::own("codegen --check", Work::Codegen),
        cargo(
            "clippy",
            "clippy --workspace --all-targets --locked -- -D warnings",
        ),
    ];
    stages.push(Stage::own("programs", Work::Programs));
    if nextest {
        stages.push(cargo("tests", "nextest run --workspace --locked"));
    } else {
        println!("cargo-nextest is not installed: tests run with `cargo test`");
        stages.push(cargo(
            "tests",
            "test --workspace --lib --bins --tests --locked --no-fail-fast",
        ));
    }
    stages.push(Stage::own("sdk", Work::Sdk));
    stages.push(Stage::own("harnesses", Work::Harnesses));
    stages.push(cargo("doctests", "test --workspace --doc --locked"));
    stages.push(Stage::cargo(
        "rustdoc",
        "doc --workspace --no-deps --locked",
        RUSTDOC,
    ));
    stages
}

fn nextest_is_installed() -> bool {
    tree::quiet_success("cargo", &["nextest", "--version"])
}

fn summarise(outcomes: &[Outcome]) {
    println!("\n=== summary");
    for outcome in outcomes {
        println!("{outcome}");
    }
    for outcome in outcomes.iter().filter(|outcome| !outcome.passed) {
        println!("{} is red: run `{}`", outcome.name, outcome.command);
    }
    println!("{}", closing_line(outcomes));
}

fn closing_line(outcomes: &[Outcome]) -> String {
    let passed: usize = outcomes.iter().map(|outcome| outcome.count.passed).sum();
    let failed: usize = outcomes
        .iter()
        .map(|outcome| outcome.count.failed.max(usize::from(!outcome.passed)))
        .sum();
    format!("{passed} passed, {failed} failed")
}

#[cfg(test)]
mod tests {
    use super::count::Count;
    use super::stage::Outcome;
    use super::{closing_line, stages};

    fn outcome(passed: bool, tests: usize, failed: usize) -> Outcome {
        Outcome {
            name: "tests",
            command: String::new(),
            passed,
            seconds: 1.0,
            count: Count {
                passed: tests,
                failed,
            },
        }
    }

    #[test]
    fn the_closing_line_is_green_only_when_everything_is() {
        let table = [
            (
                vec![outcome(true, 0, 0), outcome(true, 12, 0)],
                "12 passed, 0 failed",
            ),
            (
                vec![outcome(false, 0, 0), outcome(true, 12, 0)],
                "12 passed, 1 failed",
            ),
            (
                vec![outcome(false, 10, 2), outcome(true, 3, 0)],
                "13 passed, 2 failed",
            ),
        ];
        for (outcomes, expected) in table {
            assert_eq!(closing_line(&outcomes), expected);
        }
    }

    #[test]
    fn cheap_stages_come_first_and_each_says_how_to_run_it_alone() {
        let commands: Vec<String> = stages(true).iter().map(super::Stage::command).collect();
        assert_eq!(commands[0], "cargo fmt --all --check");
        assert_eq!(commands[1], "cargo xtask tidy");
        assert_eq!(commands[6], "cargo xtask programs");
        assert_eq!(commands[7], "cargo nextest run --workspace --locked");
        assert_eq!(commands[8], "cargo xtask sdk");
        assert_eq!(commands[9], "cargo xtask harnesses");
        assert!(commands[11].starts_with("RUSTDOCFLAGS='-D warnings' cargo doc"));
    }
}
