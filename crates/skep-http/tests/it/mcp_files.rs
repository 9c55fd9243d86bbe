//! Anthropic's memory tool over `/mcp`: its commands and answers as they are documented.

mod kept;

use serde_json::{Value, json};
use skep_test_support::{Request, TestDaemon};

use crate::mcp::{EITHER, call, send, text};

const HEADER: &str = "Here're the files and directories up to 2 levels deep in";
const HIDDEN: &str = "excluding hidden items and node_modules:";

/// What the tool says, and whether it failed.
async fn memory(daemon: &TestDaemon, token: &str, command: Value) -> (String, bool) {
    let request = Request::new("POST", "/mcp?profile=files").header("Accept", EITHER);
    let request = request.json(&call("memory", &command)).bearer(token);
    let reply = send(daemon, request).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let result = reply.json()["result"].take();
    assert!(result["structuredContent"].is_null(), "{result}");
    (text(&result), result["isError"] == true)
}

async fn done(daemon: &TestDaemon, token: &str, command: Value) -> String {
    let (told, failed) = memory(daemon, token, command.clone()).await;
    assert!(!failed, "{command}: {told}");
    told
}

async fn refused(daemon: &TestDaemon, token: &str, command: Value) -> String {
    let (told, failed) = memory(daemon, token, command.clone()).await;
    assert!(failed, "{command}: {told}");
    told
}

fn create(path: &str, text: &str) -> Value {
    json!({ "command": "create", "path": path, "file_text": text })
}

fn view(path: &str) -> Value {
    json!({ "command": "view", "path": path })
}

async fn ask(
    daemon: &TestDaemon,
    token: &str,
    (method, path): (&str, &str),
    body: Value,
) -> (u16, Value) {
    let request = Request::new(method, &format!("/api/v1/{path}")).bearer(token);
    let request = if method == "GET" {
        request
    } else {
        request.json(&body)
    };
    let reply = send(daemon, request).await;
    (reply.status, reply.json())
}

/// The whole of what is documented, in one conversation.
#[tokio::test(flavor = "multi_thread")]
async fn the_documented_commands_have_the_documented_answers() {
    let daemon = TestDaemon::start().await;
    let token = daemon.a.token("owner");
    let replace = |path: &str, old: &str, new: &str| json!({ "command": "str_replace", "path": path, "old_str": old, "new_str": new });
    let insert = |path: &str, line: i64, text: &str| json!({ "command": "insert", "path": path, "insert_line": line, "insert_text": text });
    let range = |path: &str, first: i64, last: i64| json!({ "command": "view", "path": path, "view_range": [first, last] });
    let delete = |path: &str| json!({ "command": "delete", "path": path });
    let rename =
        |old: &str, new: &str| json!({ "command": "rename", "old_path": old, "new_path": new });
    let notes = "/memories/notes.txt";
    let missing = "/memories/missing.txt";
    for (command, expected, fails) in [
        (view("/memories"), format!("{HEADER} /memories, {HIDDEN}\n0B\t/memories"), false),
        (create(notes, "Meeting notes:\n- Tide at six\n\tindented\n- Tide at six\n"), format!("File created successfully at: {notes}"), false),
        (create(notes, "other"), format!("Error: File {notes} already exists"), true),
        (create("/memories/deep/in/file.xml", "<a/>"), "File created successfully at: /memories/deep/in/file.xml".into(), false),
        (create("/memories/deep", "x"), "Error: File /memories/deep already exists".into(), true),
        (create("/memories/empty", ""), "File created successfully at: /memories/empty".into(), false),
        (view("/memories"), format!("{HEADER} /memories, {HIDDEN}\n57B\t/memories\n4B\t/memories/deep\n4B\t/memories/deep/in\n0B\t/memories/empty\n53B\t{notes}"), false),
        (view("/memories/deep/"), format!("{HEADER} /memories/deep, {HIDDEN}\n4B\t/memories/deep\n4B\t/memories/deep/in\n4B\t/memories/deep/in/file.xml"), false),
        (view(notes), format!("Here's the content of {notes} with line numbers:\n     1\tMeeting notes:\n     2\t- Tide at six\n     3\t\tindented\n     4\t- Tide at six"), false),
        (range(notes, 2, 3), format!("Here's the content of {notes} with line numbers:\n     2\t- Tide at six\n     3\t\tindented"), false),
        (range(notes, 4, -1), format!("Here's the content of {notes} with line numbers:\n     4\t- Tide at six"), false),
        (view("/memories/empty"), "Here's the content of /memories/empty with line numbers:".into(), false),
        (view(missing), format!("The path {missing} does not exist. Please provide a valid path."), true),
        (view("/memories/notes.txt/"), "The path /memories/notes.txt/ does not exist. Please provide a valid path.".into(), true),
        (replace(missing, "a", "b"), format!("Error: The path {missing} does not exist. Please provide a valid path."), true),
        (replace("/memories/deep", "a", "b"), "Error: The path /memories/deep does not exist. Please provide a valid path.".into(), true),
        (replace(notes, "Tide at nine", "b"), format!("No replacement was performed, old_str `Tide at nine` did not appear verbatim in {notes}."), true),
        (replace(notes, "Tide at six", "b"), "No replacement was performed. Multiple occurrences of old_str `Tide at six` in lines: 2, 4. Please ensure it is unique".into(), true),
        (replace(notes, "indented\n- Tide at six", "Tide at nine"), "The memory file has been edited.\n     1\tMeeting notes:\n     2\t- Tide at six\n     3\t\tTide at nine".into(), false),
        (insert(missing, 0, "x"), format!("Error: The path {missing} does not exist"), true),
        (insert("/memories/deep", 0, "x"), "Error: The path /memories/deep does not exist".into(), true),
        (insert(notes, 4, "x"), "Error: Invalid `insert_line` parameter: 4. It should be within the range of lines of the file: [0, 3]".into(), true),
        (insert(notes, -1, "x"), "Error: Invalid `insert_line` parameter: -1. It should be within the range of lines of the file: [0, 3]".into(), true),
        (insert(notes, 2, "- Pilot at dawn\n"), format!("The file {notes} has been edited."), false),
        (insert(notes, 0, "# Today"), format!("The file {notes} has been edited."), false),
        (view(notes), format!("Here's the content of {notes} with line numbers:\n     1\t# Today\n     2\tMeeting notes:\n     3\t- Tide at six\n     4\t- Pilot at dawn\n     5\t\tTide at nine"), false),
        (rename(missing, "/memories/x"), format!("Error: The path {missing} does not exist"), true),
        (rename(notes, "/memories/empty"), "Error: The destination /memories/empty already exists".into(), true),
        (rename(notes, "/memories/deep"), "Error: The destination /memories/deep already exists".into(), true),
        (rename(notes, notes), format!("Error: The destination {notes} already exists"), true),
        (rename(notes, "/memories/kept/final.txt"), format!("Successfully renamed {notes} to /memories/kept/final.txt"), false),
        (rename("/memories/deep", "/memories/kept/deeper"), "Successfully renamed /memories/deep to /memories/kept/deeper".into(), false),
        (rename("/memories/kept", "/memories/kept/deeper/still"), "Error: /memories/kept cannot be moved into itself".into(), true),
        (view("/memories"), format!("{HEADER} /memories, {HIDDEN}\n71B\t/memories\n0B\t/memories/empty\n71B\t/memories/kept\n4B\t/memories/kept/deeper\n67B\t/memories/kept/final.txt"), false),
        (delete(missing), format!("Error: The path {missing} does not exist"), true),
        (delete("/memories"), "Error: The /memories directory itself cannot be deleted: delete what is in it".into(), true),
        (delete("/memories/empty"), "Successfully deleted /memories/empty".into(), false),
        (delete("/memories/kept"), "Successfully deleted /memories/kept".into(), false),
        (view("/memories"), format!("{HEADER} /memories, {HIDDEN}\n0B\t/memories"), false),
        (create(notes, "again"), format!("File created successfully at: {notes}"), false),
    ] {
        let told = memory(&daemon, &token, command.clone()).await;
        assert_eq!(told, (expected, fails), "{command}");
    }
    for (command, expected) in [
        (json!({ "command": "view" }), "Error: view needs path"),
        (
            json!({ "command": "view", "path": "/memories", "file_text": "x" }),
            "Error: view takes no file_text",
        ),
        (
            json!({ "command": "rename", "path": "/memories/a" }),
            "Error: rename needs old_path",
        ),
        (
            json!({ "command": "list", "path": "/memories" }),
            "Error: command is one of",
        ),
        (
            json!({ "command": "view", "path": "/memories", "depth": 3 }),
            "The arguments do not fit",
        ),
        (range(notes, 0, 1), "Error: Invalid `view_range` parameter"),
    ] {
        let told = refused(&daemon, &token, command.clone()).await;
        assert!(told.starts_with(expected), "{command}: {told}");
    }
}

/// No path leads out of the folder, and none looks like another.
#[tokio::test(flavor = "multi_thread")]
async fn n14_no_path_leads_out_of_the_folder() {
    let daemon = TestDaemon::start().await;
    let token = daemon.a.token("owner");
    done(&daemon, &token, create("/memories/kept", "as it is")).await;
    let long = format!("/memories/{}", "x".repeat(600));
    let deep = format!("/memories{}", "/a".repeat(9));
    for path in [
        "",
        "/",
        "memories/a",
        "/etc/passwd",
        "/index.md",
        "/projects/_none",
        "/kinds/note",
        "/memoriesx/a",
        "//memories/a",
        "/./memories/a",
        "/memories/..",
        "/memories/../etc/passwd",
        "/memories/a/../../b",
        "/memories/..\\b",
        "\\memories\\a",
        "/memories/%2e%2e/b",
        "/memories/%2e%2e%2fb",
        "/memories/..%2fb",
        "/memories/\u{ff0e}\u{ff0e}/b",
        "/memories/a\u{2215}b",
        "/memories/a\u{0}b",
        "/memories/a\nb",
        "/memories/n\u{43e}tes",
        "/memories/a\u{200b}",
        "/memories/\u{202e}a",
        "/memories/.env",
        "/memories//a",
        "/memories/a.",
        "/memories/node_modules/a",
        "/memories/a:b",
        "/memories/~/a",
        "C:\\memories\\a",
        &long,
        &deep,
    ] {
        for command in [
            view(path),
            create(path, "x"),
            json!({ "command": "str_replace", "path": path, "old_str": "as", "new_str": "x" }),
            json!({ "command": "insert", "path": path, "insert_line": 0, "insert_text": "x" }),
            json!({ "command": "delete", "path": path }),
            json!({ "command": "rename", "old_path": path, "new_path": "/memories/b" }),
            json!({ "command": "rename", "old_path": "/memories/kept", "new_path": path }),
        ] {
            let told = refused(&daemon, &token, command.clone()).await;
            assert!(
                told.starts_with("Error: This path is not one of a memory file:"),
                "{command}: {told}"
            );
            assert!(told.len() < 400 && !told.contains('\u{202e}'), "{told}");
        }
        for (method, route, body) in [
            ("POST", "memories", json!({ "text": "x", "path": path })),
            (
                "POST",
                "memories",
                json!({ "text": "x", "path": path, "kind": "note" }),
            ),
        ] {
            let (status, answer) = ask(&daemon, &token, (method, route), body).await;
            assert_eq!(status, 400, "{path:?}: {answer}");
        }
    }
    let all = done(&daemon, &token, view("/memories")).await;
    assert!(
        all.ends_with(":\n8B\t/memories\n8B\t/memories/kept"),
        "{all}"
    );
}

/// Everybody's line is there in the end, whoever was first.
#[tokio::test(flavor = "multi_thread")]
async fn concurrent_edits_lose_nothing() {
    let daemon = TestDaemon::start().await;
    let token = daemon.a.token("owner");
    done(&daemon, &token, create("/memories/log", "begun\n")).await;
    let inserts = (0..6).map(|n| {
        let text = format!("entry {n} of the watch");
        let command = json!({ "command": "insert", "path": "/memories/log", "insert_line": 1, "insert_text": text });
        done(&daemon, &token, command)
    });
    futures_util::future::join_all(inserts).await;
    let log = done(&daemon, &token, view("/memories/log")).await;
    for n in 0..6 {
        assert!(log.contains(&format!("\tentry {n} of the watch")), "{log}");
    }
    // One of two who make the same file makes it.
    let makers = (0..4).map(|n| {
        memory(
            &daemon,
            &token,
            create("/memories/one", &format!("maker {n}")),
        )
    });
    let made = futures_util::future::join_all(makers).await;
    let (won, lost): (Vec<_>, Vec<_>) = made.iter().partition(|(_, failed)| !failed);
    assert_eq!(won.len(), 1, "{made:?}");
    assert!(
        lost.iter()
            .all(|(told, _)| told == "Error: File /memories/one already exists"),
        "{made:?}"
    );
    // A version that another has replaced is not written over by who still holds it.
    let (_, file) = ask(
        &daemon,
        &token,
        ("POST", "tree/file"),
        json!({ "path": "/memories/one" }),
    )
    .await;
    let path = format!("memories/{}", file["id"].as_str().unwrap());
    let edit = |text: &str| json!({ "text": text, "said_by": "agent" });
    assert_eq!(
        ask(&daemon, &token, ("PATCH", &path), edit("second"))
            .await
            .0,
        200
    );
    assert_eq!(
        ask(&daemon, &token, ("PATCH", &path), edit("lost")).await.0,
        409
    );
    assert!(
        done(&daemon, &token, view("/memories/one"))
            .await
            .ends_with("second")
    );
}

/// What does not fit is refused whole, and a folder has an end.
#[tokio::test(flavor = "multi_thread")]
async fn files_are_bounded() {
    let daemon = TestDaemon::start_quiet().await;
    let token = daemon.a.token("owner");
    let most = "a line of it\n".repeat(1_260);
    assert_eq!(most.len(), 16_380);
    done(
        &daemon,
        &token,
        create("/memories/most", &format!("{most}abcd")),
    )
    .await;
    let told = refused(
        &daemon,
        &token,
        create("/memories/more", &format!("{most}abcde")),
    )
    .await;
    assert!(told.contains("16385 bytes; at most 16384"), "{told}");
    let insert = json!({ "command": "insert", "path": "/memories/most", "insert_line": 0, "insert_text": "x" });
    assert!(
        refused(&daemon, &token, insert)
            .await
            .contains("at most 16384")
    );
    for n in 1..500 {
        done(&daemon, &token, create(&format!("/memories/many/{n}"), "x")).await;
    }
    let told = refused(&daemon, &token, create("/memories/one-more", "x")).await;
    assert!(told.contains("there are 500 files already"), "{told}");
    let rename = json!({ "command": "rename", "old_path": "/memories/many/7", "new_path": "/memories/seven" });
    done(&daemon, &token, rename).await;
    let all = done(&daemon, &token, view("/memories")).await;
    assert_eq!(all.lines().count(), 1 + 1 + 1 + 1 + 498 + 1, "{all}");
    let told = done(&daemon, &token, view("/memories/most")).await;
    assert!(
        told.ends_with("  1260\ta line of it\n  1261\tabcd"),
        "{}",
        &told[told.len() - 80..]
    );
}
