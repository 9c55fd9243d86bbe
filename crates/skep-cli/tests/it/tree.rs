//! `ls`, `cat`, `grep` and `find`: what is asked, what is printed, and the exit codes.

use serde_json::{Value, json};

use crate::fake::refuse;
use crate::program::{Bench, Ran};
use crate::scripted::Reply;

/// Runs a verb against answers in this order.
fn run(arguments: &[&str], answers: &[Value]) -> Ran {
    let bench = Bench::new();
    bench.fake.with(|state| {
        let answers = answers.iter().rev();
        state.first = answers
            .map(|answer| Reply::Json(200, answer.to_string()))
            .collect();
    });
    bench.skep(arguments)
}

fn file(name: &str) -> Value {
    json!({ "path": format!("/kinds/fact/{name}"), "name": name, "type": "file", "id": "mem_1",
        "kind": "fact", "trust": "user", "valid_from": "2026-11-22T08:00:00Z", "bytes": 312 })
}

#[test]
fn ls_prints_every_page() {
    let folder = json!({ "path": "/kinds/fact", "name": "fact", "type": "folder", "memories": 2 });
    let pages = [
        json!({ "entries": [folder, file("one.mem_1.md")], "next": "c" }),
        json!({ "entries": [file("two\u{1b}[2J.mem_2.md")] }),
    ];
    let ran = run(&["ls"], &pages);
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(lines, ["fact/", "one.mem_1.md", "two\u{241b}[2J.mem_2.md"]);
    let ran = run(&["ls", "-l", "kinds/fact"], &pages[1..]);
    let shown: Vec<&str> = ran.stdout.split_whitespace().collect();
    assert_eq!(shown[..5], ["fact", "user", "312", "B", "2026-11-22"]);
    let ran = run(&["ls", "--json"], &pages);
    assert_eq!(ran.json()["entries"].as_array().unwrap().len(), 3);
}

#[test]
fn cat_prints_files_as_they_are() {
    let text = json!({ "path": "/index.md", "text": "# Memories\n\n- one\n" });
    let ran = run(
        &["cat", "index.md", "/index.md"],
        &[text.clone(), text.clone()],
    );
    assert_eq!(
        (ran.code, ran.stdout.as_str()),
        (0, "# Memories\n\n- one\n# Memories\n\n- one\n")
    );
    assert_eq!(
        run(&["cat", "index.md", "--json"], &[text]).json()["files"][0]["path"],
        "/index.md"
    );
    let bench = Bench::new();
    bench
        .fake
        .with(|state| state.first = vec![refuse(404, "NOT_FOUND", &json!([]))]);
    assert_eq!(bench.skep(&["cat", "/nowhere"]).code, 1);
    assert_eq!(bench.skep(&["cat"]).code, 2);
}

#[test]
fn grep_exits_as_grep_does() {
    let line =
        |line| json!({ "path": "/projects/x/a.mem_1.md", "line": line, "text": "port: 7411" });
    let found = json!({ "matches": [line(3), line(9)], "searched": 2 });
    let nothing = json!({ "matches": [], "searched": 2 });
    let found = || vec![found.clone()];
    for (arguments, printed) in [
        (
            &["grep", "port"][..],
            "/projects/x/a.mem_1.md:port: 7411\n/projects/x/a.mem_1.md:port: 7411\n",
        ),
        (
            &["grep", "-n", "port", "/"],
            "/projects/x/a.mem_1.md:3:port: 7411\n/projects/x/a.mem_1.md:9:port: 7411\n",
        ),
        (&["grep", "-c", "port"], "2\n"),
    ] {
        let ran = run(arguments, &found());
        assert_eq!(
            (ran.code, ran.stdout.as_str()),
            (0, printed),
            "{arguments:?}"
        );
    }
    let ran = run(
        &["grep", "-l", "port"],
        &[json!({ "matches": [line(3)], "searched": 1 })],
    );
    assert_eq!(
        (ran.code, ran.stdout.as_str()),
        (0, "/projects/x/a.mem_1.md\n")
    );
    let ran = run(&["grep", "port"], std::slice::from_ref(&nothing));
    assert_eq!(
        (ran.code, ran.stdout.as_str(), ran.stderr.as_str()),
        (1, "", "")
    );
    assert_eq!(
        run(&["grep", "-c", "port"], std::slice::from_ref(&nothing)).stdout,
        "0\n"
    );
    let ran = run(&["grep", "port", "--json"], &[nothing]);
    assert_eq!((ran.code, &ran.json()["searched"]), (1, &json!(2)));
    let bench = Bench::new();
    let details = json!([{ "field": "pattern", "code": "INVALID", "message": "unclosed group" }]);
    bench
        .fake
        .with(|state| state.first = vec![refuse(400, "VALIDATION_ERROR", &details)]);
    let ran = bench.skep(&["grep", "("]);
    assert!(ran.code == 1 && !ran.stderr.is_empty(), "{ran:?}");
    assert_eq!(bench.skep(&["grep"]).code, 2);
}

#[test]
fn find_takes_the_option_that_everybody_types() {
    let page = json!({ "entries": [file("one.mem_1.md")] });
    for arguments in [
        &["find", "-name", "*one*"][..],
        &["find", "/", "--name", "*one*"],
        &[
            "find",
            "--kind",
            "fact",
            "--day",
            "2026-11-22",
            "--project",
            "x",
        ],
    ] {
        let ran = run(arguments, std::slice::from_ref(&page));
        assert_eq!(
            (ran.code, ran.stdout.as_str()),
            (0, "/kinds/fact/one.mem_1.md\n"),
            "{arguments:?}"
        );
    }
    assert_eq!(run(&["find"], &[json!({ "entries": [] })]).code, 0);
}
