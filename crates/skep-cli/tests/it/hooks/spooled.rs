//! What waits in the spool: for as long as a daemon cannot take it, and no longer; and what a daemon may
//! answer.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Place, Ran, feed};
use crate::fake::{Fake, refuse};
use crate::program::Bench;
use crate::scripted::Reply;

/// A harness's cap: Claude Code shows only the beginning of more.
const CAP: usize = 10_000;

fn here() -> (Bench, Place) {
    let bench = Bench::new();
    let place = Place::at(bench.path("home"));
    (bench, place)
}

async fn use_tool(place: &Place, number: u32) -> Ran {
    let said = json!({ "session_id": "s-1", "cwd": "/w", "hook_event_name": "PostToolUse",
        "tool_name": "Bash", "tool_use_id": format!("toolu_{number}"),
        "tool_input": { "command": "ls" }, "tool_response": { "stdout": "a.rs", "stderr": "" } });
    place
        .hook(&["claude", "PostToolUse"], said.to_string().as_bytes())
        .await
}

fn waiting(place: &Place) -> usize {
    super::amiss::waiting(place)
}

fn captures(fake: &Fake) -> usize {
    fake.with(|state| state.batches.len())
}

/// A daemon that is in trouble gets it again, in order; one that says it never will take it does not.
#[tokio::test]
async fn what_a_daemon_cannot_take_now_is_offered_again() {
    let (bench, place) = here();
    let busy = |status, code| refuse(status, code, &json!([]));
    for (number, trouble) in [
        busy(503, "STORAGE_UNAVAILABLE"),
        busy(500, "INTERNAL"),
        busy(429, "RATE_LIMITED"),
        Reply::Raw(Vec::new()),
    ]
    .into_iter()
    .enumerate()
    {
        bench.fake.with(|state| state.first = vec![trouble]);
        let ran = use_tool(&place, u32::try_from(number).unwrap()).await;
        assert_eq!((ran.code, &*ran.stdout), (Some(0), ""));
        // The oldest goes first or none: what is behind it waits as well.
        assert_eq!(waiting(&place), number + 1, "trouble {number}");
    }
    assert_eq!(use_tool(&place, 4).await.code, Some(0));
    assert_eq!(waiting(&place), 0);
    assert_eq!(bench.fake.turns(), 10, "{}", bench.fake.dump());
    bench.fake.with(|state| {
        state.first = vec![busy(422, "UNPROCESSABLE")];
    });
    use_tool(&place, 5).await;
    assert_eq!((waiting(&place), bench.fake.turns()), (0, 10));
    let dropped = std::fs::read_to_string(place.home.join("spool/dropped")).unwrap();
    assert_eq!(dropped, "2", "counted");
}

/// It took it and died before it said so: it is offered again, and there once.
#[tokio::test]
async fn what_was_taken_without_a_word_is_there_once() {
    let (bench, place) = here();
    bench.fake.with(|state| state.is_silent = true);
    use_tool(&place, 0).await;
    assert_eq!((waiting(&place), captures(&bench.fake)), (1, 1));
    bench.fake.with(|state| state.is_silent = false);
    use_tool(&place, 1).await;
    assert_eq!((waiting(&place), bench.fake.turns()), (0, 4));
    // And what was answered is not offered again.
    let before = captures(&bench.fake);
    use_tool(&place, 2).await;
    assert_eq!(captures(&bench.fake), before + 1);
}

/// What waits from the session before is known when the next one is primed.
#[tokio::test]
async fn what_waits_goes_before_a_session_is_primed() {
    let (bench, place) = here();
    bench
        .fake
        .with(|state| state.first = vec![refuse(503, "OVERLOADED", &json!([]))]);
    use_tool(&place, 0).await;
    assert_eq!(waiting(&place), 1);
    bench.fake.with(|state| state.asked.clear());
    let said = json!({ "session_id": "s-2", "cwd": "/w", "source": "startup" }).to_string();
    place
        .hook(&["claude", "SessionStart"], said.as_bytes())
        .await;
    let asked = bench.fake.with(|state| state.asked.clone());
    assert_eq!(asked, ["/api/v1/capture", "/api/v1/inject"]);
    assert_eq!(waiting(&place), 0);
}

/// Tools that run side by side: whoever ends has seen what it told delivered.
#[tokio::test]
async fn of_many_at_once_each_is_delivered() {
    const MANY: u32 = 12;
    let (bench, place) = here();
    let place = Arc::new(place);
    let mut all = tokio::task::JoinSet::new();
    for number in 0..MANY {
        let place = Arc::clone(&place);
        all.spawn(async move { use_tool(&place, number).await });
    }
    for ran in all.join_all().await {
        assert_eq!((ran.code, &*ran.stdout), (Some(0), ""));
    }
    assert_eq!(
        (waiting(&place), bench.fake.turns()),
        (0, 2 * MANY as usize)
    );
}

/// No room for the spool, or no right to it: it is handed over all the same, and memories come.
#[tokio::test]
async fn a_disk_that_refuses_loses_nothing_while_a_daemon_is_there() {
    let (bench, place) = here();
    // A file where the folder should be: even the superuser cannot write into it.
    std::fs::write(place.home.join("spool"), "").unwrap();
    assert_eq!(use_tool(&place, 0).await.code, Some(0));
    assert_eq!(bench.fake.turns(), 2);
    let answer = json!({ "text": "remembered", "items": [], "degraded": false });
    bench
        .fake
        .with(|state| state.first = vec![Reply::Json(200, answer.to_string())]);
    let said = json!({ "session_id": "s-1", "cwd": "/w", "prompt_id": "p-1", "prompt": "When?" });
    let ran = place
        .hook(&["claude", "UserPromptSubmit"], said.to_string().as_bytes())
        .await;
    assert!(ran.stdout.contains("remembered"), "{}", ran.stdout);
    assert_eq!(bench.fake.turns(), 3);
    assert!(place.log().contains("the spool: "), "{}", place.log());
}

/// More than a harness shows is not half given.
#[tokio::test]
async fn m02_no_harness_gets_more_than_it_shows() {
    let (bench, place) = here();
    for (length, given) in [(CAP, true), (CAP + 1, false)] {
        let text = "é".repeat(length);
        let answer = json!({ "text": text, "items": [], "degraded": false });
        bench
            .fake
            .with(|state| state.first = vec![Reply::Json(200, answer.to_string())]);
        let said = json!({ "session_id": "s-1", "cwd": "/w", "prompt_id": length.to_string(),
            "prompt": "Which port?" });
        let ran = place
            .hook(&["claude", "UserPromptSubmit"], said.to_string().as_bytes())
            .await;
        let shown: Option<Value> = serde_json::from_str(&ran.stdout).ok();
        assert_eq!(shown.is_some(), given, "{}", ran.stdout);
        if let Some(shown) = shown {
            assert_eq!(shown["hookSpecificOutput"]["additionalContext"], text);
        }
    }
    assert!(place.log().contains("more memories"), "{}", place.log());
}

/// Nothing that proves who we are is left anywhere but in its own file, whatever goes wrong.
#[tokio::test]
async fn a12_a_key_is_in_no_file_and_no_word() {
    let (_bench, place) = here();
    let secret = format!("skep_pat_{}", "k4n4ry".repeat(7));
    let key = place.dev.path().join("key");
    std::fs::write(&key, &secret).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&key, mode).unwrap();
    for url in [
        "http://127.0.0.1:9",
        "https://skep.invalid",
        "http://example.com",
        "nonsense",
    ] {
        let said = json!({ "session_id": "s-1", "cwd": "/w", "source": "startup" }).to_string();
        let mut command = place.command(&["hook", "claude", "SessionStart", "--deadline", "300"]);
        command.env("SKEP_URL", url).env("SKEP_TOKEN_FILE", &key);
        let ran: Ran = feed(command, said.as_bytes()).await;
        assert_eq!(ran.code, Some(0));
        assert!(!ran.stdout.contains("k4n4ry"), "{url}: {}", ran.stdout);
    }
    let mut folders = vec![place.home.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let kind = entry.file_type().unwrap();
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                let bytes = std::fs::read(entry.path()).unwrap();
                let text = String::from_utf8_lossy(&bytes);
                assert!(!text.contains("k4n4ry"), "{}", entry.path().display());
                assert!(!entry.path().to_string_lossy().contains("k4n4ry"));
            }
        }
    }
}
