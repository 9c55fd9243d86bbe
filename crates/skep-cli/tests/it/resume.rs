//! Importing again: after nothing changed, after more was written, after a kill, after an edit.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;

use serde_json::json;

use crate::fake::refuse;
use crate::program::{Bench, fixtures};

/// Line `at` of a conversation without branches.
fn line(at: usize) -> String {
    let parent = (at > 0).then(|| format!("u{}", at - 1));
    let text = format!("Message {at}: keep the handlers short.");
    let record = json!({
        "type": "user", "uuid": format!("u{at}"), "parentUuid": parent, "sessionId": "s",
        "cwd": "/home/dev/harbor", "timestamp": "2026-05-22T08:00:00.000Z",
        "message": { "role": "user", "content": text },
    });
    format!("{record}\n")
}

fn append(path: &Path, text: &str) {
    let mut file = OpenOptions::new()
        .append(true)
        .create(true)
        .open(path)
        .unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

fn lines(range: std::ops::Range<usize>) -> String {
    range.map(line).collect()
}

#[test]
fn a_second_import_finds_nothing_to_do() {
    for (harness, folder) in [("claude", "claude"), ("codex", "codex")] {
        let bench = Bench::new();
        let first = bench.import(harness, &fixtures(folder));
        let batches = bench.fake.with(|state| state.batches.len());
        let second = bench.import(harness, &fixtures(folder));
        assert_eq!(second["imported"], 0);
        assert_eq!(second["unchanged"], first["sources"]);
        assert_eq!(second["failed"], 0);
        assert_eq!(bench.fake.with(|state| state.batches.len()), batches);
    }
}

#[test]
fn a_growing_file_gives_its_new_lines_and_never_half_of_one() {
    let bench = Bench::new();
    let path = bench.path("live.jsonl");
    append(&path, &lines(0..3));
    append(&path, &line(3)[..40]);
    let report = bench.import("claude", &path);
    assert_eq!(
        (&report["imported"], &report["failed"]),
        (&json!(3), &json!(0))
    );
    assert_eq!(report["unfinished"].as_array().unwrap().len(), 1);
    append(&path, &line(3)[40..]);
    append(&path, &lines(4..6));
    let report = bench.import("claude", &path);
    assert_eq!(
        (&report["imported"], &report["known"]),
        (&json!(3), &json!(0))
    );
    assert_eq!(report["unfinished"].as_array().unwrap().len(), 0);
    assert_eq!(bench.fake.turns(), 6);
}

#[test]
fn f05_a_kill_between_batches_loses_and_doubles_nothing() {
    let whole = Bench::new();
    let path = whole.path("long.jsonl");
    append(&path, &lines(0..2_600));
    whole.import("claude", &path);
    let expected = whole.fake.dump();
    for captures in 0..5 {
        let bench = Bench::new();
        bench.fake.with(|state| state.dies_after = Some(captures));
        let ran = bench.skep(&["import", "claude", path.to_str().unwrap()]);
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(
            ran.stderr.contains("the same command goes on from there"),
            "{ran:?}"
        );
        assert_eq!(bench.fake.turns(), captures * 500);
        bench.fake.with(|state| state.dies_after = None);
        let report = bench.import("claude", &path);
        assert_eq!(report["imported"], 2_600 - captures * 500);
        assert_eq!(report["known"], 0);
        assert_eq!(bench.fake.dump(), expected);
    }
}

#[test]
fn a_file_changed_before_the_cursor_is_read_again_from_the_start() {
    let bench = Bench::new();
    let path = bench.path("edited.jsonl");
    append(&path, &lines(0..4));
    bench.import("claude", &path);
    fs::write(&path, lines(1..6)).unwrap();
    let report = bench.import("claude", &path);
    assert_eq!(
        (&report["reread"], &report["known"], &report["imported"]),
        (&json!(1), &json!(3), &json!(2))
    );
    fs::write(&path, lines(0..2)).unwrap();
    let report = bench.import("claude", &path);
    assert_eq!(
        (&report["reread"], &report["imported"]),
        (&json!(1), &json!(0))
    );
}

#[test]
fn a_busy_daemon_is_waited_for_and_a_refused_turn_is_left_out() {
    let bench = Bench::new();
    let path = bench.path("busy.jsonl");
    append(&path, &lines(0..4));
    bench.fake.with(|state| {
        state.first = vec![
            refuse(429, "RATE_LIMITED", &json!([])),
            refuse(503, "OVERLOADED", &json!([])),
            refuse(
                400,
                "VALIDATION_ERROR",
                &json!([
                    { "field": "turns[2].text", "code": "INVALID", "message": "no" },
                ]),
            ),
        ];
    });
    let report = bench.import("claude", &path);
    assert_eq!(
        (&report["imported"], &report["failed"]),
        (&json!(3), &json!(1))
    );
    assert_eq!(report["failed_lines"][0]["line"], 3);
    assert_eq!(
        report["failed_lines"][0]["why"],
        "refused by the daemon: no"
    );
}

#[test]
fn a_refusal_that_will_not_change_ends_the_import() {
    let bench = Bench::new();
    let path = bench.path("denied.jsonl");
    append(&path, &line(0));
    bench
        .fake
        .with(|state| state.first = vec![refuse(403, "PERMISSION_DENIED", &json!([]))]);
    let ran = bench.skep(&["import", "claude", path.to_str().unwrap(), "--json"]);
    assert_eq!(
        (ran.code, &ran.json()["error"]["code"]),
        (1, &json!("PERMISSION_DENIED"))
    );
}

#[test]
fn what_cannot_be_read_is_said_and_the_rest_is_imported() {
    let bench = Bench::new();
    let ran = bench.skep(&["import", "claude", "/nonexistent/projects"]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.stderr
            .contains("there is nothing at /nonexistent/projects"),
        "{ran:?}"
    );
    let ran = bench.skep(&[
        "import",
        "git",
        bench.root.path().to_str().unwrap(),
        "--json",
    ]);
    assert_eq!(ran.code, 1);
    let why = ran.json()["unreadable"][0]["why"].to_string();
    assert!(why.contains("not a git repository"), "{why}");
}
