//! What becomes of the fixture transcripts, turn by turn.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::program::{Bench, fixtures};

/// The report without what differs from machine to machine.
fn stable(mut report: Value, root: &Path) -> String {
    report["elapsed_ms"] = json!(0);
    let root = root.canonicalize().unwrap();
    let text = serde_json::to_string_pretty(&sorted(report)).unwrap();
    text.replace(root.to_str().unwrap(), "ROOT")
}

/// The same, by name: in which order a map keeps its keys depends on what else is built beside.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields: BTreeMap<String, Value> = fields.into_iter().collect();
            let fields = fields.into_iter();
            Value::Object(fields.map(|(key, value)| (key, sorted(value))).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        other => other,
    }
}

#[test]
fn claude_transcripts_become_turns() {
    let bench = Bench::new();
    let report = bench.import("claude", &fixtures("claude"));
    insta::assert_snapshot!("claude_turns", bench.fake.dump());
    insta::assert_snapshot!("claude_report", stable(report, &fixtures("claude")));
}

#[test]
fn codex_transcripts_become_turns() {
    let bench = Bench::new();
    let report = bench.import("codex", &fixtures("codex"));
    insta::assert_snapshot!("codex_turns", bench.fake.dump());
    insta::assert_snapshot!("codex_report", stable(report, &fixtures("codex")));
}

#[test]
fn a_way_that_was_not_taken_is_marked_and_parallel_results_are_not() {
    let bench = Bench::new();
    bench.import("claude", &fixtures("claude"));
    let abandoned: Vec<String> = bench.fake.with(|state| {
        let sessions = state.sessions.values();
        sessions
            .flat_map(|session| &session.turns)
            .filter(|turn| turn.branch == skep_api::capture::Branch::Abandoned)
            .map(|turn| turn.text.clone())
            .collect()
    });
    assert_eq!(abandoned.len(), 6);
    assert!(
        abandoned
            .iter()
            .any(|text| text.contains("decided to use Redis"))
    );
    assert!(
        !abandoned
            .iter()
            .any(|text| text.contains("CREATE TABLE bookings"))
    );
}

#[test]
fn huge_outputs_keep_both_ends_and_batches_stay_small() {
    let bench = Bench::new();
    let path = bench.path("huge.jsonl");
    let output = format!("first line\n{}\nlast line", "\u{1}x\"".repeat(70_000));
    let lines: Vec<String> = (0..40)
        .map(|at| {
            json!({
                "type": "user", "uuid": format!("u{at}"), "parentUuid": (at > 0).then(|| format!("u{}", at - 1)),
                "sessionId": "huge", "timestamp": "2026-05-22T08:00:00.000Z",
                "message": { "role": "user", "content": [
                    { "type": "tool_result", "tool_use_id": format!("t{at}"), "content": output },
                ] },
            })
            .to_string()
        })
        .collect();
    fs::write(&path, lines.join("\n")).unwrap();
    let report = bench.import("claude", &path);
    assert_eq!(
        (&report["imported"], &report["cut"]),
        (&json!(40), &json!(40))
    );
    bench.fake.with(|state| {
        assert!(state.largest <= 4 << 20, "{}", state.largest);
        assert!(state.batches.len() > 1);
        let turn = &state.sessions["claude-code huge"].turns[0];
        assert!(turn.text.len() <= 64 << 10);
        assert!(turn.text.starts_with("first line") && turn.text.ends_with("last line"));
        assert!(turn.text.contains(" bytes cut …]"));
    });
}

#[test]
fn n12_a_line_beyond_the_limit_is_named_and_the_rest_is_read() {
    let bench = Bench::new();
    let path = bench.path("long.jsonl");
    let long = "x".repeat((32 << 20) + 1);
    let line = |id: &str| {
        json!({ "type": "user", "uuid": id, "sessionId": "s", "message": { "content": "Use tabs." } }).to_string()
    };
    fs::write(&path, format!("{}\n{long}\n{}\n", line("a"), line("b"))).unwrap();
    let report = bench.import("claude", &path);
    assert_eq!(
        (&report["imported"], &report["failed"]),
        (&json!(2), &json!(1))
    );
    assert_eq!(report["failed_lines"][0]["line"], 2);
    assert_eq!(
        report["failed_lines"][0]["why"],
        "longer than 32 MiB (33554433 bytes)"
    );
}

#[test]
fn a_failed_line_is_named_without_its_content() {
    let bench = Bench::new();
    let path = bench.path("damaged.jsonl");
    fs::write(&path, "{\"type\":\"user\",\"message\":\"hunter2-canary\"}\n{\"type\":\"user\",\"uuid\":5}\nnot json canary\n{}\n").unwrap();
    let report = bench.import("claude", &path);
    assert_eq!(report["failed"], 4);
    assert!(!report.to_string().contains("canary"), "{report}");
    let lines: Vec<_> = report["failed_lines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| &line["line"])
        .collect();
    assert_eq!(lines, [1, 2, 3, 4]);
}
