//! One part of `ci`: what it runs, how long that took, what it counted.

use std::fmt;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use super::count::{Count, Runner};
use super::{harnesses, sdk};
use crate::{arrows, codegen, deny, programs, tidy};

/// A part of `ci`.
pub(super) struct Stage {
    pub(super) name: &'static str,
    pub(super) work: Work,
}

/// What a stage does.
pub(super) enum Work {
    Tidy,
    Arrows,
    Deny,
    Codegen,
    Programs,
    Sdk,
    Harnesses,
    Cargo {
        arguments: &'static str,
        environment: &'static [(&'static str, &'static str)],
    },
}

/// How a stage ended.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) name: &'static str,
    pub(super) command: String,
    pub(super) passed: bool,
    pub(super) seconds: f64,
    pub(super) count: Count,
}

impl fmt::Display for Outcome {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = if self.passed { "ok " } else { "RED" };
        write!(out, "{mark} {:16} {:>7.1} s", self.name, self.seconds)?;
        let Count { passed, failed } = self.count;
        if passed + failed > 0 {
            write!(out, "  {passed} tests passed, {failed} failed")?;
        }
        Ok(())
    }
}

impl Stage {
    pub(super) const fn own(name: &'static str, work: Work) -> Self {
        Self { name, work }
    }

    pub(super) const fn cargo(
        name: &'static str,
        arguments: &'static str,
        environment: &'static [(&'static str, &'static str)],
    ) -> Self {
        Self {
            name,
            work: Work::Cargo {
                arguments,
                environment,
            },
        }
    }

    /// The command that runs this stage alone.
    pub(super) fn command(&self) -> String {
        match &self.work {
            Work::Cargo {
                arguments,
                environment,
            } => {
                let set = environment
                    .iter()
                    .map(|(name, value)| format!("{name}='{value}'"));
                let words: Vec<String> = set
                    .chain(["cargo".to_owned(), (*arguments).to_owned()])
                    .collect();
                words.join(" ")
            }
            _ => format!("cargo xtask {}", self.name),
        }
    }

    /// Runs it, with its output on the terminal as it comes.
    #[expect(
        clippy::disallowed_methods,
        reason = "how long a stage takes is wall time"
    )]
    pub(super) fn run(&self, root: &Path) -> Outcome {
        let start = Instant::now();
        let mut count = Count::default();
        let done = match &self.work {
            Work::Tidy => tidy::run(),
            Work::Arrows => arrows::run(),
            Work::Deny => deny::run(),
            Work::Codegen => codegen::run(true),
            Work::Programs => programs::run(),
            Work::Sdk => sdk::run_built(root, &mut count),
            Work::Harnesses => harnesses::run_built(root, &mut count),
            Work::Cargo {
                arguments,
                environment,
            } => cargo(root, arguments, environment, &mut count),
        };
        if let Err(error) = &done {
            println!("{}: {error:#}", self.name);
        }
        Outcome {
            name: self.name,
            command: self.command(),
            passed: done.is_ok() && count.failed == 0,
            seconds: start.elapsed().as_secs_f64(),
            count,
        }
    }
}

fn cargo(
    root: &Path,
    arguments: &str,
    environment: &[(&str, &str)],
    count: &mut Count,
) -> Result<()> {
    let runner = if arguments.starts_with("nextest") {
        Runner::Nextest
    } else {
        Runner::CargoTest
    };
    let mut cargo = Command::new("cargo");
    cargo
        .args(arguments.split(' '))
        .envs(environment.iter().copied())
        .current_dir(root);
    watched(&mut cargo, runner, count).with_context(|| format!("cargo {arguments}"))
}

/// Runs a command with its output on the terminal as it comes, and counts the tests it tells of.
pub(super) fn watched(command: &mut Command, runner: Runner, count: &mut Count) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("{name} is not on the path"))?;
    let (out, err) = (child.stdout.take(), child.stderr.take());
    thread::scope(|scope| {
        let errors = scope.spawn(|| err.map(|err| echo(runner, err)).unwrap_or_default());
        count.add(out.map(|out| echo(runner, out)).unwrap_or_default());
        count.add(errors.join().unwrap_or_default());
    });
    let status = child.wait()?;
    ensure!(status.success(), "{name}: {status}");
    Ok(())
}

/// Prints what comes, line by line, and counts the tests it tells of.
fn echo(runner: Runner, stream: impl Read) -> Count {
    let mut count = Count::default();
    let mut reader = BufReader::new(stream);
    let mut line = Vec::new();
    while reader
        .read_until(b'\n', &mut line)
        .is_ok_and(|read| read > 0)
    {
        let text = String::from_utf8_lossy(&line);
        print!("{text}");
        count.add(Count::of_line(runner, &text));
        line.clear();
    }
    count
}
