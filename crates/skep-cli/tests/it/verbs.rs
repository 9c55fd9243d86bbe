//! Exit codes, JSON, colours, and what a person reads.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use crate::fake::refuse;
use crate::program::{Bench, run};
use crate::scripted::Reply;

fn memory(text: &str) -> Value {
    json!({
        "id": "mem_0123456789abcdefghjkmnpqrstvwxyz", "kind": "decision", "key": text, "text": text,
        "trust": "user", "state": "active", "visibility": "workspace", "project": "harbor",
        "valid_from": "2026-04-02T14:21:00Z", "recorded_at": "2026-05-22T08:00:00Z",
        "provenance": { "harness": "git", "session": "ses_1", "turns": ["trn_1"],
            "references": ["5f1c0d9a7b2e4c6d8f00112233445566778899aa"] },
    })
}

fn recalled(text: &str) -> Reply {
    let answer = json!({
        "items": [{ "memory": memory(text), "tokens": 12,
            "scores": { "lexical": 1.0, "vector": 0.5, "fused": 0.75, "rank": 0.8 } }],
        "degraded": true, "degraded_reasons": ["vectors are being made"], "visible": 37, "cut": 2,
        "timing": { "embed_us": 100, "catch_up_us": 0, "search_us": 900, "authorize_us": 300,
            "load_us": 400, "rank_us": 100, "total_us": 2100 },
    });
    Reply::Json(200, answer.to_string())
}

#[test]
fn exit_codes_are_0_1_2() {
    let bench = Bench::new();
    for (arguments, code) in [
        (&["status"][..], 0),
        (&["--version"], 0),
        (&["--help"], 0),
        (&["help", "recall"], 0),
        (&["completions", "bash"], 0),
        (&["forget", "mem_x", "--reason", "wrong"], 1),
        (&["logs"], 1),
        (&[], 2),
        (&["recal"], 2),
        (&["recall"], 2),
        (&["recall", "x", "-k", "0"], 2),
        (&["recall", "x", "-k", "51"], 2),
        (&["recall", "x", "--kind", "wisdom"], 2),
        (&["recall", "x", "--as-of", "yesterday"], 2),
        (&["remember", ""], 2),
        (&["remember", "-"], 2),
        (&["forget", "mem_x"], 2),
        (&["sessions", "--turns"], 2),
        (&["import", "git", ".", "--max", "0"], 2),
        (&["participant"], 2),
        (&["participant", "add"], 2),
        (&["participant", "add", "x", "--kind", "robot"], 2),
        (&["participant", "merge", "x"], 2),
        (&["participant", "delete", "prt_x"], 1),
        (&["consent", "give", "prt_x", "--observer"], 2),
        (&["observe", "prt_x"], 2),
        (&["observe", "prt_x", "y", "--kind", "wisdom"], 2),
        (&["sessions", "--recent", "9"], 2),
        (&["sessions", "ses_x", "--recent", "0"], 2),
    ] {
        let ran = bench.skep(arguments);
        assert_eq!(ran.code, code, "{arguments:?}: {ran:?}");
    }
    let long = "x".repeat(17 << 10);
    assert_eq!(bench.skep(&["remember", &long]).code, 2);
    assert_eq!(bench.skep(&["recall", &long]).code, 2);
}

#[test]
fn a_recall_reads_well() {
    let bench = Bench::new();
    bench
        .fake
        .with(|state| state.first = vec![recalled("Deploy harbor blue-green")]);
    let ran = bench.skep(&["recall", "how", "do", "we", "deploy"]);
    insta::assert_snapshot!(ran.stdout);
    assert_eq!(ran.stderr, "");
}

#[test]
fn json_is_the_answer_itself_and_so_are_errors() {
    let bench = Bench::new();
    bench
        .fake
        .with(|state| state.first = vec![recalled("Deploy harbor blue-green")]);
    let answer = bench.skep(&["recall", "deploy", "--json"]).json();
    assert_eq!(answer["items"][0]["memory"]["kind"], "decision");
    assert_eq!(answer["visible"], 37);
    let details = json!([{ "field": "query", "code": "TOO_LONG", "message": "too long" }]);
    bench
        .fake
        .with(|state| state.first = vec![refuse(400, "VALIDATION_ERROR", &details)]);
    let ran = bench.skep(&["recall", "deploy", "--json"]);
    assert_eq!(ran.code, 1);
    assert_eq!(ran.json()["error"]["details"], details);
    assert_eq!(ran.json()["error"]["request_id"], "r-7");
    let ran = bench.skep(&["--json", "recall", "x", "--budget", "4", "--tcp"]);
    assert_eq!(
        (ran.code, &ran.json()["error"]["code"]),
        (1, &json!("TOKEN_FILE"))
    );
    let ran = bench.skep(&["recall", "x", "--kind", "wisdom", "--json"]);
    assert_eq!(
        (ran.code, &ran.json()["error"]["code"]),
        (2, &json!("USAGE"))
    );
    let status = bench.skep(&["status", "--json"]).json();
    assert_eq!(
        (&status["running"], &status["health"]["mode"]),
        (&json!(true), &json!("local"))
    );
    assert_eq!(
        bench.skep(&["stop", "--json"]).json(),
        json!({ "stopped": false })
    );
}

#[test]
fn participants_are_found_by_id_by_name_and_as_oneself() {
    let participant = |own: bool| {
        json!({ "id": "prt_1", "kind": "human", "name": "ada", "own": own,
            "has_credential": own, "created_at": "2026-05-22T08:00:00Z" })
    };
    let consents = json!({ "history": [{ "subject": "prt_1", "given": true,
        "at": "2026-05-22T08:00:00Z", "note": "on paper\u{1b}[2J" }] });
    for (given, looked_up) in [("prt_1", false), ("ada", true), ("me", true)] {
        let bench = Bench::new();
        let list = json!({ "items": [participant(given == "me")] }).to_string();
        bench.fake.with(|state| {
            state.first = vec![Reply::Json(200, consents.to_string())];
            if looked_up {
                // The last one is answered first.
                state.first.push(Reply::Json(200, list));
            }
        });
        let ran = bench.skep(&["consent", "list", given]);
        assert_eq!(ran.code, 0, "{given}: {ran:?}");
        assert!(ran.stdout.contains("given"), "{ran:?}");
        assert!(!ran.stdout.contains('\u{1b}'), "{ran:?}");
    }
    let bench = Bench::new();
    bench
        .fake
        .with(|state| state.first = vec![Reply::Json(200, json!({ "items": [] }).to_string())]);
    let ran = bench.skep(&["observe", "nobody", "is tall", "--json"]);
    assert_eq!(
        (ran.code, &ran.json()["error"]["code"]),
        (1, &json!("NO_PARTICIPANT"))
    );
}

#[test]
fn a_refusal_says_what_and_what_to_do() {
    let bench = Bench::new();
    bench
        .fake
        .with(|state| state.first = vec![refuse(403, "PERMISSION_DENIED", &json!([]))]);
    let ran = bench.skep(&["resolve", "mem_x"]);
    assert_eq!(ran.stdout, "");
    insta::assert_snapshot!(ran.stderr, @r"
    error: refused for the test
      PERMISSION_DENIED · request r-7
      an id of another workspace, or one mistyped, is answered like this
    ");
}

#[test]
fn nothing_is_coloured_for_a_pipe_and_no_stored_text_reaches_the_terminal_raw() {
    let bench = Bench::new();
    let hostile = "key\u{1b}[2J\u{1b}]0;owned\u{7}\u{202e}\nsecond line";
    bench
        .fake
        .with(|state| state.first = vec![recalled(hostile)]);
    let ran = bench.skep(&["recall", "x", "--full"]);
    assert_eq!(ran.code, 0);
    for stream in [&ran.stdout, &ran.stderr] {
        assert!(
            !stream.contains('\u{1b}') && !stream.contains('\u{202e}') && !stream.contains('\u{7}')
        );
    }
    assert!(ran.stdout.contains("key␛[2J"), "{ran:?}");
}

#[test]
fn quiet_is_quiet_and_a_daemon_that_does_not_start_is_explained() {
    let root = tempfile::tempdir().unwrap();
    let home = root.path().join("home");
    // No daemon beside a copy of the program, and none on the PATH.
    let alone = root.path().join("skep");
    fs::copy(env!("CARGO_BIN_EXE_skep"), &alone).unwrap();
    let ran = std::process::Command::new(&alone)
        .args(["recall", "x"])
        .env_clear()
        .env("SKEP_HOME", &home)
        .env("PATH", root.path().join("empty"))
        .output()
        .unwrap();
    let stderr = String::from_utf8(ran.stderr).unwrap();
    assert_eq!(ran.status.code(), Some(1));
    assert!(stderr.contains("starting skepd"), "{stderr}");
    assert!(
        stderr.contains("put skepd beside skep, or on the PATH"),
        "{stderr}"
    );
    let daemon = root.path().join("skepd");
    fs::write(
        &daemon,
        "#!/bin/sh\necho 'the root key does not open this store' >&2\nexit 1\n",
    )
    .unwrap();
    fs::set_permissions(&daemon, fs::Permissions::from_mode(0o755)).unwrap();
    let ran = std::process::Command::new(&alone)
        .args(["recall", "x", "--quiet"])
        .env_clear()
        .env("SKEP_HOME", &home)
        .output()
        .unwrap();
    let stderr = String::from_utf8(ran.stderr).unwrap();
    assert!(!stderr.contains("starting"), "{stderr}");
    assert!(
        stderr.contains("the root key does not open this store"),
        "{stderr}"
    );
    let logs = run(&home, &["logs", "-n", "1"], &[]);
    assert_eq!(logs.stdout, "the root key does not open this store\n");
}

#[test]
fn doctor_names_what_is_wrong_and_how_to_mend_it() {
    let bench = Bench::new();
    let home = bench.path("home");
    fs::set_permissions(&home, fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(home.join("root.key"), "x").unwrap();
    fs::set_permissions(home.join("root.key"), fs::Permissions::from_mode(0o644)).unwrap();
    let ran = bench.skep(&["doctor", "--json"]);
    assert_eq!(ran.code, 1);
    let checks = ran.json()["checks"].clone();
    let failed: Vec<_> = checks
        .as_array()
        .unwrap()
        .iter()
        .filter(|check| check["ok"] == false)
        .map(|check| {
            (
                check["name"].as_str().unwrap(),
                check["fix"].as_str().unwrap(),
            )
        })
        .filter(|(name, _)| *name != "program")
        .collect();
    let (directory, key) = (home.display(), home.join("root.key"));
    assert_eq!(
        failed,
        [
            (
                "data directory",
                &*format!("chown it to yourself; chmod 700 {directory}")
            ),
            ("root key", &*format!("chmod 600 {}", key.display())),
        ]
    );
}

#[test]
fn n04_urls_that_would_carry_a_token_in_clear_are_refused() {
    let bench = Bench::new();
    for url in [
        "http://10.0.0.1:3850",
        "https://user@127.0.0.1:3850",
        "nonsense",
    ] {
        let ran = run(&bench.path("home"), &["status"], &[("SKEP_URL", url)]);
        assert_eq!(ran.code, 2, "{url}: {ran:?}");
    }
}

#[test]
fn a_closed_pipe_is_nobodys_problem() {
    let bench = Bench::new();
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_skep"))
        .args(["help-markdown"])
        .env("SKEP_HOME", bench.path("home"))
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_first_version_of_a_directive_is_compared_with_nothing() {
    let bench = Bench::new();
    let version = json!({ "of": "workspace", "version": 1, "in_force": false, "by": "you",
        "at": "2026-05-22T08:00:00Z", "sha256": "00", "text": "Be brief.\nBe kind." });
    // Whatever is asked for after it is not there.
    let there = || Reply::Json(200, version.to_string());
    bench.fake.with(|state| state.first = vec![there()]);
    let ran = bench.skep(&["directive", "diff", "1"]);
    assert_eq!(
        (ran.code, ran.stdout.as_str()),
        (0, "+Be brief.\n+Be kind.\n"),
        "{ran:?}"
    );
    // What is named has to be there.
    bench.fake.with(|state| state.first = vec![there()]);
    let ran = bench.skep(&["directive", "diff", "--from", "7", "1"]);
    assert_eq!(ran.code, 1, "{ran:?}");
}
