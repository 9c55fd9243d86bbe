//! What goes amiss: events that are none, daemons that are away or hang, and people who said no.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::time::Duration;

use serde_json::{Value, json};
use skep_test_support::TestDaemon;

use super::{Place, feed, recordings};
use crate::program::Bench;

const PROMPT: &str = "Which port does the harbour master listen on for tide reports?";

fn away() -> (tempfile::TempDir, Place) {
    let root = tempfile::tempdir().unwrap();
    let place = Place::at(root.path().join("home"));
    (root, place)
}

fn prompt(place: &Place, session: &str) -> String {
    json!({ "session_id": session, "cwd": place.dev.path().join("harbor"), "prompt_id": session,
        "hook_event_name": "UserPromptSubmit", "prompt": PROMPT })
    .to_string()
}

pub(super) fn waiting(place: &Place) -> usize {
    let Ok(entries) = std::fs::read_dir(place.home.join("spool")) else {
        return 0;
    };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .filter(|path| path.extension().is_some_and(|end| end == "json"))
        .count()
}

/// P: whatever comes in, 0 comes out, and nothing that a harness would refuse.
#[tokio::test]
async fn n12_whatever_a_harness_sends_it_goes_on() {
    let (_root, place) = away();
    // Nobody is to be started here.
    std::fs::create_dir(&place.home).unwrap();
    std::fs::write(place.home.join("skepd.wake"), "1").unwrap();
    let huge = vec![b' '; 50 << 20];
    let deep = "[".repeat(100_000);
    let cases: [(&[&str], &[u8], &str); 14] = [
        (&[], b"{}", ""),
        (&["claude"], b"{}", ""),
        (&["claude", "Reboot"], b"{}", ""),
        (&["emacs", "Stop"], b"{}", ""),
        (&["--bogus", "Stop"], b"{}", ""),
        (&["claude", "Stop"], b"", ""),
        (&["claude", "Stop"], b"{\"session_id\":", ""),
        (&["claude", "Stop"], b"{\"session_id\":\"\xff\xfe\"}", ""),
        (&["claude", "Stop"], b"[1]", ""),
        (&["claude", "Stop"], deep.as_bytes(), ""),
        (&["codex", "Stop"], &huge, ""),
        (&["gemini", "AfterAgent"], b"garbage", "{}"),
        (&["opencode", "session.idle"], b"\0\0", "{}"),
        (
            &["cursor", "beforeSubmitPrompt"],
            b"",
            "{\"continue\":true}",
        ),
    ];
    for (at, (words, said, out)) in cases.into_iter().enumerate() {
        let ran = feed(place.command(&[&["hook"], words].concat()), said).await;
        assert_eq!(ran.code, Some(0), "{words:?}");
        assert_eq!(ran.stdout, out, "{words:?}");
        assert_eq!(
            place.log().lines().count(),
            at + 1,
            "{words:?}\n{}",
            place.log()
        );
    }
    assert_eq!(waiting(&place), 0);
    assert_eq!(
        std::fs::read_to_string(place.home.join("spool/dropped")).unwrap(),
        "1"
    );
    assert!(!place.log().contains("garbage"), "no word of what was said");
}

/// A harness that never closes the pipe.
#[tokio::test]
async fn n12_a_pipe_that_stays_open_ends_with_the_deadline() {
    let (_root, place) = away();
    let began = tokio::time::Instant::now();
    let mut child = place
        .command(&["hook", "gemini", "AfterTool"])
        .spawn()
        .unwrap();
    let stdin = child.stdin.take().unwrap();
    let out = child.wait_with_output().await.unwrap();
    drop(stdin);
    assert_eq!((out.status.code(), &*out.stdout), (Some(0), &b"{}"[..]));
    assert!(
        began.elapsed() < Duration::from_secs(4),
        "{:?}",
        began.elapsed()
    );
    assert!(place.log().contains("out of time"), "{}", place.log());
}

/// A daemon that takes the connection and never answers.
#[tokio::test]
async fn m05_a_daemon_that_hangs_holds_nobody_up() {
    let (_root, place) = away();
    std::fs::create_dir(&place.home).unwrap();
    let _listens = UnixListener::bind(place.home.join("skepd.sock")).unwrap();
    let said = prompt(&place, "s-1");
    let ran = feed(
        place.command(&["hook", "claude", "UserPromptSubmit"]),
        said.as_bytes(),
    )
    .await;
    assert_eq!((ran.code, &*ran.stdout), (Some(0), ""));
    assert!(ran.took < Duration::from_secs(4), "{:?}", ran.took);
    assert_eq!(waiting(&place), 1);
}

/// What was said while it was away comes once it is there, and once only.
#[tokio::test]
async fn what_waits_is_delivered_once() {
    let (_root, place) = away();
    std::fs::create_dir(&place.home).unwrap();
    std::fs::write(place.home.join("skepd.wake"), "1").unwrap();
    for _ in 0..2 {
        let said = prompt(&place, "s-1");
        let ran = place
            .hook(&["claude", "UserPromptSubmit"], said.as_bytes())
            .await;
        assert_eq!((ran.code, &*ran.stdout), (Some(0), ""));
    }
    assert_eq!(waiting(&place), 2);
    let daemon = TestDaemon::start().await;
    daemon.socket_owner().await;
    let there = Place::at(daemon.socket().parent().unwrap().to_owned());
    std::fs::rename(place.home.join("spool"), there.home.join("spool")).unwrap();
    let end =
        json!({ "session_id": "s-1", "cwd": "/w", "hook_event_name": "SessionEnd" }).to_string();
    there.hook(&["claude", "SessionEnd"], end.as_bytes()).await;
    assert_eq!(waiting(&there), 0);
    let stored = there.stored().await;
    assert_eq!(stored.len(), 2, "{stored:#?}");
    assert!(stored[0].ends_with("ended"), "{stored:#?}");
}

/// X13: capture off, nothing is kept anywhere; the session is told so, and primed all the same.
#[tokio::test]
async fn x13_nothing_is_kept_of_a_session_that_opted_out() {
    let daemon = TestDaemon::start().await;
    daemon.socket_owner().await;
    let place = Place::at(daemon.socket().parent().unwrap().to_owned());
    let folder = recordings("claude/2.1.330");
    for event in [
        "SessionStart",
        "UserPromptSubmit",
        "PostToolUse",
        "Stop",
        "SessionEnd",
    ] {
        let said = place.event(&folder.join(format!("{event}.json")));
        let mut command = place.command(&["hook", "claude", event, "--deadline", "30000"]);
        command.env("SKEP_CAPTURE", "false");
        let ran = feed(command, said.as_bytes()).await;
        assert_eq!(ran.code, Some(0));
        assert_eq!(
            ran.stdout.contains("capture is off"),
            event == "SessionStart",
            "{}",
            ran.stdout
        );
    }
    assert_eq!(place.stored().await, Vec::<String>::new());
    assert!(!place.home.join("spool").exists());
}

/// X13: paused, opted out or not bound: the daemon keeps nothing, not even the question, and says why.
#[tokio::test]
async fn x13_a_refusal_is_shown_and_leaves_no_question_behind() {
    let daemon = TestDaemon::start_bound().await;
    daemon.socket_owner().await;
    let place = Place::at(daemon.socket().parent().unwrap().to_owned());
    let port = "The harbour master listens on port 7411 for tide reports.";
    place.ask(&["remember", port]).await;
    let start = |session: &str| {
        json!({ "session_id": session, "cwd": place.dev.path().join("harbor"), "source": "startup",
            "hook_event_name": "SessionStart" })
        .to_string()
    };
    let begun = place
        .hook(&["claude", "SessionStart"], start("s-1").as_bytes())
        .await;
    let shown: Value = serde_json::from_str(&begun.stdout).unwrap();
    assert!(
        shown["systemMessage"]
            .as_str()
            .unwrap()
            .contains("skep project bind"),
        "{shown}"
    );
    let asked = place
        .hook(
            &["claude", "UserPromptSubmit"],
            prompt(&place, "s-1").as_bytes(),
        )
        .await;
    assert!(
        asked.stdout.contains("7411"),
        "recall goes on: {}",
        asked.stdout
    );
    let why = place.ask(&["why", "last"]).await.to_string();
    assert!(why.contains("7411") && !why.contains("Which port"), "{why}");
    std::fs::create_dir(place.dev.path().join("harbor")).unwrap();
    let bound = place.dev.path().join("harbor");
    place
        .ask(&["project", "bind", bound.to_str().unwrap()])
        .await;
    place
        .ask(&["pause", "--session", "s-2", "--harness", "claude-code"])
        .await;
    let begun = place
        .hook(&["claude", "SessionStart"], start("s-2").as_bytes())
        .await;
    assert!(begun.stdout.contains("opted out"), "{}", begun.stdout);
    let begun = place
        .hook(&["claude", "SessionStart"], start("s-3").as_bytes())
        .await;
    assert_eq!(begun.stdout, "", "nothing to say where all is well");
}

/// Drift: which organization is active and which logins there are do not agree; nothing is sent.
#[tokio::test]
async fn a18_drift_is_shown_at_a_sessions_start_and_nothing_is_sent() {
    let bench = Bench::new();
    let place = Place::at(bench.path("home"));
    let active = json!({ "issuer": "https://skep.invalid", "organization": "org_1" }).to_string();
    let path = place.home.join("active.json");
    std::fs::write(&path, active).unwrap();
    std::fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    let start = json!({ "session_id": "s-1", "cwd": "/w", "source": "startup" }).to_string();
    for (words, start) in [
        (["claude", "SessionStart"], &start),
        (["codex", "SessionStart"], &start),
    ] {
        let ran = place.hook(&words, start.as_bytes()).await;
        let shown: Value = serde_json::from_str(&ran.stdout).unwrap();
        assert!(
            shown["systemMessage"]
                .as_str()
                .unwrap()
                .starts_with("skep: "),
            "{shown}"
        );
        assert_eq!(shown.as_object().unwrap().len(), 1);
    }
    assert!(place.log().contains("active.json names"), "{}", place.log());
    assert_eq!(bench.fake.turns(), 0);
}
