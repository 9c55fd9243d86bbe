//! What hooks told and what the transcript of the same session tells are the same turns.

use std::path::PathBuf;

use serde_json::{Value, json};
use skep_test_support::TestDaemon;

use super::{Place, recordings};

/// What Claude Code's hooks told is not in the store twice when its transcript is imported.
#[tokio::test]
async fn what_hooks_of_claude_heard_is_not_imported_again() {
    let daemon = TestDaemon::start().await;
    daemon.socket_owner().await;
    let place = Place::at(daemon.socket().parent().unwrap().to_owned());
    let prompt = "9b0e0000-0000-4000-8000-000000000001";
    let session = "7c1d9a52-4b0e-4f6a-9e57-2f8f3d1c0b03";
    let path = place.dev.path().join(format!("{session}.jsonl"));
    let record = |uuid: &str, kind: &str, content: Value| {
        json!({ "type": kind, "uuid": uuid, "sessionId": session, "cwd": "/home/dev/harbor",
            "promptId": prompt, "timestamp": "2026-11-20T08:03:18.685Z",
            "message": { "role": kind, "content": content } })
        .to_string()
    };
    let call = json!([{ "type": "tool_use", "id": "toolu_1", "name": "Bash", "input": { "command": "ls" } }]);
    let result = json!([{ "type": "tool_result", "tool_use_id": "toolu_1", "content": "a.rs" }]);
    let lines = [
        record("u-1", "user", json!("List the files.")),
        record("u-2", "assistant", call),
        record("u-3", "user", result),
        record(
            "u-4",
            "assistant",
            json!([{ "type": "text", "text": "There is a.rs." }]),
        ),
    ];
    std::fs::write(&path, lines.join("\n") + "\n").unwrap();
    let said = |event: &str, more: Value| {
        let mut said = json!({ "session_id": session, "transcript_path": path, "hook_event_name": event,
            "cwd": "/home/dev/harbor", "prompt_id": prompt });
        said.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        said.to_string()
    };
    let tool = json!({ "tool_name": "Bash", "tool_input": { "command": "ls" }, "tool_use_id": "toolu_1",
        "tool_response": { "stdout": "a.rs", "stderr": "" } });
    let answer = json!({ "last_assistant_message": "There is a.rs.", "stop_hook_active": false });
    for (event, more) in [
        ("UserPromptSubmit", json!({ "prompt": "List the files." })),
        ("PostToolUse", tool),
        ("Stop", answer),
    ] {
        place
            .hook(&["claude", event], said(event, more).as_bytes())
            .await;
    }
    let heard = place.stored().await;
    assert_eq!(heard.len(), 5, "{heard:#?}");
    let report = place
        .ask(&["import", "claude", path.to_str().unwrap()])
        .await;
    assert_eq!(place.stored().await.len(), 5, "{report:#}");
}

/// What no hook of Codex tells: what it says before its last answer.
const BETWEEN: &str = "I look where the port is set.";

/// The recorded session of Codex, by its hooks.
async fn hear_codex(place: &Place) {
    for event in ["SessionStart", "UserPromptSubmit", "PostToolUse", "Stop"] {
        let said = place.event(&recordings(&format!("codex/0.169.0/{event}.json")));
        let ran = place.hook(&["codex", event], said.as_bytes()).await;
        assert_eq!(ran.code, Some(0));
    }
}

/// The same session, from its rollout.
async fn import_codex(place: &Place) -> Value {
    let stop = place.event(&recordings("codex/0.169.0/Stop.json"));
    let stop: Value = serde_json::from_str(&stop).unwrap();
    let path = PathBuf::from(stop["transcript_path"].as_str().unwrap());
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let lines = place.event(&recordings("codex/0.169.0/transcript.jsonl"));
    std::fs::write(&path, lines).unwrap();
    place
        .ask(&["import", "codex", path.to_str().unwrap()])
        .await
}

/// A recorded session of Codex, by hooks and from its rollout, in either order: each turn is there once.
#[tokio::test]
async fn what_hooks_of_codex_heard_is_not_imported_again() {
    let mut ends = Vec::new();
    for hooks_first in [true, false] {
        let daemon = TestDaemon::start().await;
        daemon.socket_owner().await;
        let place = Place::at(daemon.socket().parent().unwrap().to_owned());
        if hooks_first {
            hear_codex(&place).await;
            let heard = place.stored().await;
            assert_eq!(
                heard.len(),
                5,
                "a session, a prompt, a call, its result, an answer: {heard:#?}"
            );
            let report = import_codex(&place).await;
            assert_eq!(
                (&report["imported"], &report["known"]),
                (&json!(1), &json!(4)),
                "{report:#}"
            );
        } else {
            let report = import_codex(&place).await;
            assert_eq!(report["imported"], 5, "{report:#}");
            hear_codex(&place).await;
        }
        let stored = place.stored().await;
        assert_eq!(
            stored.iter().filter(|turn| turn.contains(BETWEEN)).count(),
            1
        );
        let texts = stored.iter().filter_map(|turn| turn.split_once(" | "));
        let mut texts: Vec<String> = texts.map(|(_, text)| text.trim().to_owned()).collect();
        texts.sort();
        ends.push(texts);
    }
    assert_eq!(ends[0].len(), 5, "{ends:#?}");
    assert_eq!(ends[0], ends[1]);
}
