//! A machine for one harness: a home of its own, a daemon, a project, and sessions that are played in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::{Value, json};

use super::table::Harness;
use super::{ANSWER, ASKED, COMMAND, FIRST, NOTED, SAID};
use crate::ci::built::{Built, absent, said};

/// Brings up nothing but loopback, then becomes what it is told.
const ALONE: &str = "ip link set lo up && exec \"$@\"";

/// One session, as it was played.
#[derive(Debug, Deserialize)]
pub(super) struct Played {
    code: i32,
    pub(super) stdout: String,
    stderr: String,
    /// What the models were asked, in order.
    pub(super) requests: Vec<Value>,
}

/// The machine.
pub(super) struct Place {
    harness: &'static Harness,
    root: PathBuf,
    skep: PathBuf,
    program: PathBuf,
    models: PathBuf,
    script: PathBuf,
    /// What keeps it from the network, if anything does.
    alone: Option<&'static [&'static str]>,
}

impl Place {
    pub(super) fn new(
        built: &Built,
        harness: &'static Harness,
        [package, models]: [PathBuf; 2],
    ) -> Result<Self> {
        // A socket's path is short.
        let name = format!("skep-{}-{}", harness.name, std::process::id());
        let root = std::env::temp_dir().join(name);
        absent(&root)?;
        let place = Self {
            harness,
            root,
            skep: built.programs.join("skep"),
            program: package.join(harness.program),
            models,
            script: built.root.join("xtask/harnesses/play.mjs"),
            alone: alone(),
        };
        fs::create_dir_all(place.project())?;
        for (path, text) in harness.files {
            let path = place.user_home().join(path);
            fs::create_dir_all(path.parent().context("a file in no folder")?)?;
            fs::write(path, text)?;
        }
        Ok(place)
    }

    pub(super) const fn is_alone(&self) -> bool {
        self.alone.is_some()
    }

    pub(super) fn user_home(&self) -> PathBuf {
        self.root.join("home")
    }

    /// The data directory.
    pub(super) fn home(&self) -> PathBuf {
        self.user_home().join(".skep")
    }

    fn project(&self) -> PathBuf {
        self.root.join("harbor")
    }

    fn skep(&self, verb: &[&str]) -> Result<String> {
        let mut skep = Command::new(&self.skep);
        skep.args(verb)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.user_home())
            .env("SKEP_SERVER__TCP", "off");
        said(&mut skep)
    }

    /// What a verb answers.
    pub(super) fn ask(&self, verb: &[&str]) -> Result<Value> {
        let said = self.skep(&[verb, &["--json"]].concat())?;
        serde_json::from_str(&said).with_context(|| format!("{verb:?} says {said}"))
    }

    /// As its user would.
    pub(super) fn set_up(&self) -> Result<()> {
        let project = self.project();
        let project = project.to_str().context("a path that is no text")?;
        let name = self.harness.name;
        self.skep(&[
            "setup",
            "--yes",
            "--no-service",
            "--harness",
            name,
            "--bind",
            project,
        ])?;
        Ok(())
    }

    /// Its files are again as their user wrote them.
    pub(super) fn take_out(&self) -> Result<()> {
        self.skep(&["setup", "--uninstall", "--yes"])?;
        for (path, text) in self.harness.files {
            let now = fs::read_to_string(self.user_home().join(path))?;
            ensure!(
                now.contains(text.trim_end()),
                "{path} is not as it was: {now}"
            );
        }
        Ok(())
    }

    /// One session of one prompt.
    pub(super) fn play(&self, prompt: &str) -> Result<Played> {
        let (asked, outcome) = (self.root.join("asked.json"), self.root.join("outcome.json"));
        fs::write(&asked, self.asked(prompt, &outcome).to_string())?;
        let words = self.alone.unwrap_or_default().iter().map(Path::new);
        let words = words.chain([Path::new("node"), &self.script, &asked]);
        let words: Vec<&Path> = words.collect();
        said(Command::new(words[0]).args(&words[1..]))?;
        let mut played: Vec<Played> = serde_json::from_str(&fs::read_to_string(outcome)?)?;
        let played = played.pop().context("nothing was played")?;
        ensure!(
            played.code == 0,
            "it failed: {}\n{}",
            played.stdout,
            played.stderr
        );
        Ok(played)
    }

    fn asked(&self, prompt: &str, outcome: &Path) -> Value {
        let Harness {
            tool: (tool, field),
            ..
        } = self.harness;
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut environment = json!({ "PATH": path.to_string_lossy(), "HOME": self.user_home() });
        for (name, value) in self.harness.environment {
            environment[name] = (*value).into();
        }
        let arguments: Vec<&str> = self
            .harness
            .arguments
            .iter()
            .copied()
            .chain([prompt])
            .collect();
        let call = json!({ "type": "toolCall", "id": "call_1", "name": tool,
            "arguments": { *field: COMMAND, "description": "List what is there" } });
        json!({
            "models": self.models,
            "outcome": outcome,
            "sessions": [{ "program": self.program, "arguments": arguments,
                "cwd": self.project(), "env": environment }],
            "script": [
                // What the first session said may stand beside it, as a memory.
                { "match": { "userMessage": ASKED }, "response": { "content": ANSWER } },
                { "match": { "userMessage": SAID, "hasToolResult": true }, "response": { "content": NOTED } },
                { "match": { "userMessage": SAID, "hasToolResult": false, "toolName": tool },
                    "response": { "blocks": [{ "type": "text", "text": FIRST }, call] } },
                { "match": {}, "response": { "content": ANSWER } },
            ],
        })
    }

    /// The sessions in the order in which they began, with their turns.
    pub(super) fn sessions(&self) -> Result<Vec<(Value, Vec<Value>)>> {
        let all = self.ask(&["sessions", "-n", "100"])?;
        let mut sessions = Vec::new();
        for session in all["items"].as_array().context("no sessions")? {
            let id = session["id"].as_str().context("a session without an id")?;
            let whole = self.ask(&["sessions", id, "--turns", "-n", "500"])?;
            let turns = whole["items"].as_array().or(whole["turns"].as_array());
            sessions.push((session.clone(), turns.context("no turns")?.clone()));
        }
        sessions.sort_by_key(|(session, _)| session["started_at"].as_str().map(str::to_owned));
        Ok(sessions)
    }

    /// Stops the daemon; what is red is left to be looked at.
    pub(super) fn leave(&self, is_green: bool) -> Result<()> {
        self.skep(&["--local", "--quiet", "stop"])?;
        if is_green {
            return absent(&self.root);
        }
        println!("harnesses: {} is left as it is", self.root.display());
        Ok(())
    }
}

/// How to start a program with no network but loopback, where that is allowed.
fn alone() -> Option<&'static [&'static str]> {
    const WAYS: [&[&str]; 2] = [
        &["unshare", "--net", "sh", "-c", ALONE, "sh"],
        &[
            "unshare",
            "--map-root-user",
            "--net",
            "sh",
            "-c",
            ALONE,
            "sh",
        ],
    ];
    WAYS.into_iter().find(|way| {
        let mut probe = Command::new(way[0]);
        probe.args(&way[1..]).arg("true");
        probe.output().is_ok_and(|out| out.status.success())
    })
}
