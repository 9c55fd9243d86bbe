//! `demo`: the main job in one command. Builds, starts a daemon in a throw-away home, imports real
//! input, asks five questions, says how to keep it.

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use serde_json::Value;

use crate::release;

const FIXTURES: &str = "crates/skep-cli/tests/fixtures";

/// The documented questions.
#[derive(Deserialize)]
struct Questions {
    question: Vec<Question>,
}

#[derive(Deserialize)]
struct Question {
    /// In words.
    ask: String,
    /// What the first answer must hold.
    expect: Vec<String>,
}

/// A daemon in a home of its own, both gone at the end.
struct Demo {
    skep: PathBuf,
    home: PathBuf,
}

pub(crate) fn run() -> Result<()> {
    println!("building skep and skepd in release; the first time takes some minutes");
    let programs = release::build(&["skep-cli", "skep-daemon"])?;
    let demo = Demo::new(programs.join("skep"))?;
    heading("start a daemon in a throw-away home");
    demo.show(&["start"])?;
    heading("import this repository's history");
    demo.show(&["import", "git", "."])?;
    heading("import Claude Code and Codex transcripts");
    demo.show(&["import", "claude", &format!("{FIXTURES}/claude")])?;
    demo.show(&["import", "codex", &format!("{FIXTURES}/codex")])?;
    heading("import the history again: nothing is new");
    demo.show(&["import", "git", "."])?;
    let wrong = demo.ask_all()?;
    heading("status");
    demo.show(&["status"])?;
    println!(
        "\nTo keep it: put {} on your PATH, then",
        programs.display()
    );
    println!("  skep setup                 # a home in ~/.skep and a running daemon");
    println!("  skep import git .          # this repository, or any other");
    println!("  skep import claude         # your own Claude Code sessions");
    println!("  skep recall \"your question\"");
    ensure!(
        wrong == 0,
        "{wrong} of the documented questions did not bring the right memory first"
    );
    Ok(())
}

impl Demo {
    fn new(skep: PathBuf) -> Result<Self> {
        let home = std::env::temp_dir().join(format!("skep-demo-{}", std::process::id()));
        fs::DirBuilder::new()
            .mode(0o700)
            .create(&home)
            .context("making a throw-away home")?;
        Ok(Self { skep, home })
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.skep);
        command
            .args(arguments)
            .env("SKEP_HOME", &self.home)
            .env("SKEP_SERVER__TCP", "off");
        command
    }

    fn show(&self, arguments: &[&str]) -> Result<()> {
        println!("$ skep {}", arguments.join(" "));
        let status = self.command(arguments).status().context("running skep")?;
        ensure!(status.success(), "`skep {}` failed", arguments.join(" "));
        Ok(())
    }

    /// Asks every documented question; says how many were not answered first.
    fn ask_all(&self) -> Result<usize> {
        let text = fs::read_to_string(Path::new(FIXTURES).join("questions.toml"))
            .context("reading the questions")?;
        let questions: Questions = toml::from_str(&text).context("reading the questions")?;
        let mut wrong = 0;
        for question in questions.question {
            heading(&format!("ask: {}", question.ask));
            self.show(&["recall", &question.ask, "-k", "3"])?;
            let first = self.first(&question.ask)?;
            let missing: Vec<&String> = question
                .expect
                .iter()
                .filter(|part| !first.contains(*part))
                .collect();
            if missing.is_empty() {
                println!("✓ the first answer holds {:?}", question.expect);
            } else {
                wrong += 1;
                println!("✗ the first answer lacks {missing:?}");
            }
        }
        Ok(wrong)
    }

    fn first(&self, question: &str) -> Result<String> {
        let output = self
            .command(&["--json", "recall", question, "-k", "1"])
            .output()
            .context("running skep")?;
        if !output.status.success() {
            bail!(
                "`skep recall` failed: {}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
        let answer: Value = serde_json::from_slice(&output.stdout).context("reading the answer")?;
        let memory = &answer["items"][0]["memory"];
        Ok(format!(
            "{}\n{}",
            memory["key"].as_str().unwrap_or_default(),
            memory["text"].as_str().unwrap_or_default()
        ))
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // Best effort: a daemon that is gone already has nothing to stop.
        let _ = self.command(&["--quiet", "stop"]).status();
        let _ = fs::remove_dir_all(&self.home);
    }
}

fn heading(text: &str) {
    println!("\n── {text}");
}
