//! `demo`: the main job in one command. Builds, starts a daemon in a throw-away home, imports real
//! input, asks five questions, says how to keep it.

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use serde_json::Value;

use crate::release;

const FIXTURES: &str = "crates/skep-cli/tests/fixtures";

/// How often the demo looks whether every vector is made, and the pause between two looks.
const LOOKS: u32 = 150;
const PAUSE: Duration = Duration::from_secs(2);

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
    let questions = documented()?;
    let at_once = demo.ask_all(&questions)?;
    heading("wait until every memory has its vector, and ask again");
    demo.wait_for_vectors()?;
    let wrong = at_once + demo.ask_all(&questions)?;
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
        "the documented questions did not bring the right memory first {wrong} times"
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

    /// What `skep --json` answers.
    fn json(&self, arguments: &[&str]) -> Result<Value> {
        let arguments = [&["--json"], arguments].concat();
        let output = self.command(&arguments).output().context("running skep")?;
        ensure!(
            output.status.success(),
            "`skep {}` failed: {}",
            arguments.join(" "),
            String::from_utf8_lossy(&output.stderr)
        );
        serde_json::from_slice(&output.stdout).context("reading the answer")
    }

    /// Asks every documented question; says how many were not answered first.
    fn ask_all(&self, questions: &[Question]) -> Result<usize> {
        let mut wrong = 0;
        for question in questions {
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

    /// Until upkeep has made every vector.
    fn wait_for_vectors(&self) -> Result<()> {
        for _ in 0..LOOKS {
            let status = self.json(&["status"])?;
            let waiting = status["health"]["workspace"]["awaiting_vector"].as_u64();
            let waiting = waiting.context("the status does not say what waits")?;
            if waiting == 0 {
                return Ok(());
            }
            println!("{waiting} memories wait for their vector");
            thread::sleep(PAUSE);
        }
        bail!("some memories still wait for their vector")
    }

    fn first(&self, question: &str) -> Result<String> {
        let answer = self.json(&["recall", question, "-k", "1"])?;
        let memory = &answer["items"][0]["memory"];
        Ok(format!(
            "{}\n{}",
            memory["key"].as_str().unwrap_or_default(),
            memory["text"].as_str().unwrap_or_default()
        ))
    }
}

/// What is asked.
fn documented() -> Result<Vec<Question>> {
    let text = fs::read_to_string(Path::new(FIXTURES).join("questions.toml"))
        .context("reading the questions")?;
    let questions: Questions = toml::from_str(&text).context("reading the questions")?;
    Ok(questions.question)
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
