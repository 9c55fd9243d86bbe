//! What a harness does to run a hook: a process, an event on its stdin, its end awaited.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use skep_api::page::PageQuery;
use skep_client::Client;

use crate::measure::Measure;

/// Prompts of one session: none is told the same memory twice.
const PROMPTS: usize = 8;
/// Words of a prompt.
const WORDS: usize = 12;

/// Somebody's machine with a harness on it.
pub(super) struct Harness {
    skep: PathBuf,
    home: PathBuf,
    /// Where the agent works.
    place: PathBuf,
}

impl Harness {
    pub(super) fn new(skep: &Path, home: &Path, place: &Path) -> Self {
        Self {
            skep: skep.to_owned(),
            home: home.to_owned(),
            place: place.to_owned(),
        }
    }

    /// A tool was used: what an agent does most.
    pub(super) fn tool(&self, session: &str, number: usize, texts: &[String]) -> Result<Duration> {
        let printed = texts[number * 7 % texts.len()].as_str();
        let said = self.event(
            session,
            json!({ "hook_event_name": "PostToolUse",
                "tool_name": "Bash", "tool_use_id": format!("toolu_{number:08}"),
                "tool_input": { "command": format!("sed -n {number}p notes.md") },
                "tool_response": { "stdout": printed, "stderr": "", "interrupted": false } }),
        );
        let (took, stdout) = self.hook("PostToolUse", &said)?;
        ensure!(
            stdout.is_empty(),
            "a tool's event takes nothing: {stdout:?}"
        );
        Ok(took)
    }

    /// Somebody asks for what a stored text says; whether memories came.
    pub(super) fn prompt(&self, number: usize, texts: &[String]) -> Result<(Duration, bool)> {
        let text = &texts[number * 13 % texts.len()];
        let words: Vec<&str> = text.split_whitespace().take(WORDS).collect();
        let said = self.event(
            &format!("prompts-{}", number / PROMPTS),
            json!({ "hook_event_name": "UserPromptSubmit",
                "prompt_id": format!("prompt-{number}"), "prompt": words.join(" ") }),
        );
        let (took, stdout) = self.hook("UserPromptSubmit", &said)?;
        ensure!(
            stdout.is_empty() || stdout.starts_with("{\"hookSpecificOutput\""),
            "it printed {stdout:?}"
        );
        Ok((took, !stdout.is_empty()))
    }

    /// The start of a session, which waits longest for the daemon and so hands over what is left.
    pub(super) fn start(&self, session: &str) -> Result<Duration> {
        let said = self.event(
            session,
            json!({ "hook_event_name": "SessionStart", "source": "startup" }),
        );
        Ok(self.hook("SessionStart", &said)?.0)
    }

    pub(super) fn end(&self, session: &str) -> Result<Duration> {
        self.start(session)?;
        let said = self.event(session, json!({ "hook_event_name": "SessionEnd" }));
        Ok(self.hook("SessionEnd", &said)?.0)
    }

    pub(super) fn version(&self) -> Result<Duration> {
        self.bare(&self.skep, &["--version"])
    }

    /// A process that is told nothing.
    pub(super) fn bare(&self, program: &Path, arguments: &[&str]) -> Result<Duration> {
        Ok(self.process(program, arguments, b"")?.0)
    }

    fn event(&self, session: &str, more: Value) -> String {
        let mut said = json!({ "session_id": session, "cwd": self.place.join(session),
            "transcript_path": self.place.join("transcript.jsonl"), "permission_mode": "default" });
        if let (Value::Object(said), Value::Object(more)) = (&mut said, more) {
            said.extend(more);
        }
        said.to_string()
    }

    fn hook(&self, event: &str, said: &str) -> Result<(Duration, String)> {
        self.process(&self.skep, &["hook", "claude", event], said.as_bytes())
    }

    fn process(
        &self,
        program: &Path,
        arguments: &[&str],
        said: &[u8],
    ) -> Result<(Duration, String)> {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", &self.place)
            .env("SKEP_HOME", &self.home)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let begun = Measure::start();
        let mut child = command.spawn().context("starting a process")?;
        if let Some(mut stdin) = child.stdin.take() {
            // One that reads nothing is told nothing.
            let _closed = stdin.write_all(said);
        }
        let out = child.wait_with_output()?;
        let took = begun.wall();
        ensure!(
            out.status.code() == Some(0) && out.stderr.is_empty(),
            "{arguments:?}: {out:?}"
        );
        Ok((took, String::from_utf8(out.stdout)?))
    }
}

/// How often each event of a session is there, by the id that its harness gave it.
pub(super) async fn kept(client: &mut Client, session: &str) -> Result<BTreeMap<String, usize>> {
    let mut page = PageQuery {
        limit: Some(200),
        cursor: None,
    };
    let mut id = None;
    while id.is_none() {
        let sessions = client.sessions(&page).await?;
        let found = sessions
            .items
            .iter()
            .find(|one| one.project.as_deref() == Some(session));
        id = found.map(|one| one.id.clone());
        page.cursor = sessions.next;
        ensure!(
            id.is_some() || page.cursor.is_some(),
            "session {session} is not there"
        );
    }
    let id = id.unwrap_or_default();
    let mut kept = BTreeMap::new();
    page.cursor = None;
    loop {
        let turns = client.session_turns(&id, &page).await?;
        for turn in turns.items {
            *kept.entry(turn.client_event_id).or_default() += 1;
        }
        page.cursor = turns.next;
        if page.cursor.is_none() {
            return Ok(kept);
        }
    }
}

/// That so many events with this prefix are there, each with what it came to, and each once.
pub(super) fn exactly(kept: &BTreeMap<String, usize>, prefix: &str, events: usize) -> Result<()> {
    for number in 0..events {
        let call = format!("{prefix}{number:08}");
        for id in [format!("{call}#out"), call] {
            let times = kept.get(&id).copied().unwrap_or_default();
            ensure!(times == 1, "{id} is there {times} times");
        }
    }
    ensure!(
        kept.len() == 2 * events,
        "there is more than was said: {}",
        kept.len()
    );
    Ok(())
}
