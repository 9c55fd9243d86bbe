//! `skep hook`: each event of each harness as it is recorded under `hooks/<harness>/<version>`, against a
//! real daemon; and what a harness must never see, whatever it sends.

mod amiss;
mod compressed;
mod imported;
mod spooled;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use skep_test_support::TestDaemon;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::program::mutant;

/// Long enough for any machine: how fast it is, is measured elsewhere.
const UNHURRIED: &str = "30000";
const FACT: &str = "We decided that tide reports go out at six in the morning.";
const LATE_FACT: &str = "The harbour master listens on port 7411 for tide reports.";

/// What a run of the program came to.
pub(super) struct Ran {
    pub(super) code: Option<i32>,
    pub(super) stdout: String,
    pub(super) took: Duration,
}

/// A home, and a folder that stands for `/home/dev` in the recordings.
pub(super) struct Place {
    pub(super) home: PathBuf,
    pub(super) dev: TempDir,
}

impl Place {
    pub(super) fn at(home: PathBuf) -> Self {
        let dev = tempfile::tempdir().unwrap();
        Self { home, dev }
    }

    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_skep"));
        command
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.dev.path())
            .env("SKEP_HOME", &self.home)
            .envs(mutant())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    pub(super) async fn hook(&self, words: &[&str], said: &[u8]) -> Ran {
        let words = [&["hook"], words, &["--deadline", UNHURRIED]].concat();
        feed(self.command(&words), said).await
    }

    /// A recorded event, with the paths of this place.
    pub(super) fn event(&self, recorded: &Path) -> String {
        let text = std::fs::read_to_string(recorded).unwrap();
        text.replace("/home/dev", self.dev.path().to_str().unwrap())
    }

    /// What a verb answers.
    pub(super) async fn ask(&self, arguments: &[&str]) -> Value {
        let mut command = self.command(arguments);
        let out = command.arg("--json").stdin(Stdio::null()).output().await;
        let out = out.unwrap();
        serde_json::from_slice(&out.stdout).unwrap_or_else(|error| panic!("{error}: {out:?}"))
    }

    /// Every turn of every session, one a line, the oldest first.
    pub(super) async fn stored(&self) -> Vec<String> {
        let sessions = self.ask(&["sessions", "-n", "100"]).await;
        let mut lines = Vec::new();
        for session in sessions["items"].as_array().unwrap() {
            let id = session["id"].as_str().unwrap();
            let whole = self.ask(&["sessions", id, "--turns", "-n", "500"]).await;
            let turns = whole["items"].as_array().or(whole["turns"].as_array());
            let first = text(&turns.unwrap().first().unwrap_or(&Value::Null)["client_event_id"]);
            let [harness, project, state] =
                ["harness", "project", "state"].map(|field| text(&session[field]));
            lines.push(format!("{harness} {project} {first} {state}"));
            lines.extend(turns.unwrap().iter().map(turn));
        }
        lines
    }

    pub(super) fn log(&self) -> String {
        std::fs::read_to_string(self.home.join("hook.log")).unwrap_or_default()
    }
}

/// Runs a program that reads `said` and then nothing more.
pub(super) async fn feed(mut command: Command, said: &[u8]) -> Ran {
    let began = tokio::time::Instant::now();
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // One that does not read to the end must not stop us, as it must not stop a harness.
    let _closed = stdin.write_all(said).await;
    drop(stdin);
    let out = child.wait_with_output().await.unwrap();
    Ran {
        code: out.status.code(),
        stdout: String::from_utf8(out.stdout).unwrap(),
        took: began.elapsed(),
    }
}

fn turn(turn: &Value) -> String {
    let paths: Vec<&str> = turn["paths"]
        .as_array()
        .map(|paths| paths.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    format!(
        "  {} [{}] {} {} | {}",
        text(&turn["role"]),
        text(&turn["tool"]),
        text(&turn["client_event_id"]),
        paths.join(","),
        text(&turn["text"]).replace('\n', "⏎"),
    )
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or("-").to_owned()
}

pub(super) fn recordings(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/it/hooks")
        .join(folder)
}

/// Without what differs from run to run: ids, nonces, times, the folder of the test.
fn settled(place: &Place, text: &str) -> String {
    let text = text.replace(place.dev.path().to_str().unwrap(), "/home/dev");
    let mut settled = String::new();
    let mut rest = text.as_str();
    while let Some((at, mark)) = next_mark(rest) {
        let end = at + mark.len();
        settled.push_str(&rest[..end]);
        settled.push('…');
        let tail = &rest[end..];
        let random = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        rest = tail.trim_start_matches(random);
    }
    settled.push_str(rest);
    without_times(&without_policy(&settled))
}

/// What the directive says has a test of its own.
fn without_policy(text: &str) -> String {
    let (begins, ends) = ("nonce=\\\"…\\\">These are", "</skep-directive>");
    match (text.find(begins), text.find(ends)) {
        (Some(from), Some(to)) => {
            let from = from + begins.len() - "These are".len();
            format!("{}policy{}", &text[..from], &text[to..])
        }
        _ => text.to_owned(),
    }
}

fn next_mark(text: &str) -> Option<(usize, &'static str)> {
    let marks = ["#tool_call-", "mem_", "nonce=\\\"", "sha256=\\\""];
    let found = marks
        .iter()
        .filter_map(|mark| text.find(mark).map(|at| (at, *mark)));
    found.min()
}

/// Ids of turns that no harness gave one are times: `2026-11-22T04:05:06.123456Z#user-…`.
fn without_times(text: &str) -> String {
    let year = |word: &str| word.starts_with("20") && word.contains('T') && word.contains("Z#");
    let words = text.split_inclusive(' ').map(|word| {
        if !year(word) || word.contains("2026-11-20T") {
            return word.to_owned();
        }
        let (_, rest) = word.split_once("Z#").unwrap();
        format!("<time>#{rest}")
    });
    words.collect()
}

/// The events of a recorded session in order: stdin to stdout, exit code, and turns that are new.
async fn replay(harness: &str, version: &str, events: &[&str]) -> String {
    let daemon = TestDaemon::start().await;
    daemon.socket_owner().await;
    let place = Place::at(daemon.socket().parent().unwrap().to_owned());
    let remember = [
        "remember",
        "--kind",
        "decision",
        "--project",
        "harbor",
        FACT,
    ];
    place.ask(&remember).await;
    let folder = recordings(&format!("{harness}/{version}"));
    stand_in(&place, &folder);
    let mut shown = String::new();
    let mut known: Vec<String> = Vec::new();
    for event in events {
        let said = place.event(&folder.join(format!("{event}.json")));
        let ran = place.hook(&[harness, event], said.as_bytes()).await;
        writeln!(shown, "## {event}: exit {}", ran.code.unwrap()).unwrap();
        writeln!(shown, "{}", settled(&place, &ran.stdout)).unwrap();
        let stored = place.stored().await;
        for line in stored.iter().filter(|line| !known.contains(line)) {
            writeln!(shown, "+ {}", settled(&place, line)).unwrap();
        }
        known = stored;
        if shown.lines().filter(|line| line.starts_with("##")).count() == 1 {
            place
                .ask(&["remember", "--project", "harbor", LATE_FACT])
                .await;
        }
    }
    assert_eq!(place.log(), "", "nothing went wrong");
    // A harness that tells everything twice: what has an id is there once.
    if version != "2.0.42" {
        for event in events {
            let said = place.event(&folder.join(format!("{event}.json")));
            place.hook(&[harness, event], said.as_bytes()).await;
        }
        let turns = |lines: &[String]| lines.iter().filter(|line| line.starts_with("  ")).count();
        assert_eq!(turns(&place.stored().await), turns(&known), "told twice");
    }
    shown
}

/// The transcript to which the recorded events point, if the recording has one.
fn stand_in(place: &Place, folder: &Path) {
    let Ok(lines) = std::fs::read_to_string(folder.join("transcript.jsonl")) else {
        return;
    };
    let stop = ["Stop.json", "AfterAgent.json"].map(|name| folder.join(name));
    let stop = stop.iter().find(|path| path.is_file()).unwrap();
    let stop: Value = serde_json::from_str(&place.event(stop)).unwrap();
    let path = PathBuf::from(stop["transcript_path"].as_str().unwrap());
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, lines).unwrap();
}

#[tokio::test]
async fn claude_code_2_1_330() {
    let events = [
        "SessionStart",
        "UserPromptSubmit",
        "PreToolUse",
        "PostToolUse",
        "PostToolUseFailure",
        "PreCompact",
        "Stop",
        "SubagentStop",
        "SessionEnd",
    ];
    insta::assert_snapshot!(replay("claude", "2.1.330", &events).await);
}

#[tokio::test]
async fn claude_code_2_0_42() {
    let events = [
        "SessionStart",
        "UserPromptSubmit",
        "PostToolUse",
        "Stop",
        "SessionEnd",
    ];
    insta::assert_snapshot!(replay("claude", "2.0.42", &events).await);
}

#[tokio::test]
async fn codex_0_169_0() {
    let events = [
        "SessionStart",
        "UserPromptSubmit",
        "PreToolUse",
        "PostToolUse",
        "PreCompact",
        "Stop",
        "SubagentStop",
        "SessionEnd",
    ];
    insta::assert_snapshot!(replay("codex", "0.169.0", &events).await);
}

#[tokio::test]
async fn cursor_3_24_18() {
    let events = [
        "sessionStart",
        "beforeSubmitPrompt",
        "preToolUse",
        "postToolUse",
        "postToolUseFailure",
        "afterAgentResponse",
        "preCompact",
        "stop",
        "subagentStop",
        "sessionEnd",
    ];
    insta::assert_snapshot!(replay("cursor", "3.24.18", &events).await);
}

#[tokio::test]
async fn gemini_cli_0_56() {
    let events = [
        "SessionStart",
        "BeforeAgent",
        "BeforeTool",
        "AfterTool",
        "PreCompress",
        "AfterAgent",
        "SessionEnd",
    ];
    insta::assert_snapshot!(replay("gemini", "0.56", &events).await);
}

#[tokio::test]
async fn gemini_cli_0_61_0() {
    let events = [
        "SessionStart",
        "BeforeAgent",
        "PreCompress",
        "BeforeTool",
        "AfterTool",
        "AfterAgent",
        "SessionEnd",
    ];
    insta::assert_snapshot!(replay("gemini", "0.61.0", &events).await);
}

#[tokio::test]
async fn opencode_1_18_33() {
    let events = [
        "session.created",
        "chat.message",
        "tool.execute.before",
        "tool.execute.after",
        "session.compacted",
        "session.idle",
        "dispose",
        "session.deleted",
    ];
    insta::assert_snapshot!(replay("opencode", "1.18.33", &events).await);
}

#[test]
fn every_event_of_the_table_is_recorded() {
    use skep_cli::hook::table::TABLE;
    let newest = [
        "claude/2.1.330",
        "codex/0.169.0",
        "cursor/3.24.18",
        "gemini/0.61.0",
        "opencode/1.18.33",
    ];
    for (row, folder) in TABLE.iter().zip(newest) {
        assert!(folder.starts_with(row.name));
        for event in row.events {
            let path = recordings(folder).join(format!("{}.json", event.name));
            assert!(path.is_file(), "{}", path.display());
        }
    }
}
