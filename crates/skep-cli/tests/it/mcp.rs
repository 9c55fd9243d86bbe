//! `skep mcp`: the program as a harness starts it, line by line over its stdin and stdout.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Stdio;

use serde_json::{Value, json};
use skep_test_support::{TestDaemon, mcp};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// A running `skep mcp`.
struct Program {
    child: Child,
    stdin: ChildStdin,
    stdout: Lines<BufReader<ChildStdout>>,
    calls: u64,
}

impl Program {
    fn start(home: &std::path::Path, arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_skep"));
        command.arg("mcp").args(arguments).env_clear();
        command
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", home)
            .env("SKEP_HOME", home)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let stdin = child.stdin.take().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap()).lines();
        Self {
            child,
            stdin,
            stdout,
            calls: 0,
        }
    }

    async fn say(&mut self, message: &Value) {
        let line = format!("{message}\n");
        self.stdin.write_all(line.as_bytes()).await.unwrap();
    }

    async fn hear(&mut self) -> Value {
        let line = self.stdout.next_line().await.unwrap().expect("a line");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }

    async fn ask(&mut self, method: &str, params: Value) -> Value {
        self.calls += 1;
        let id = self.calls;
        self.say(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }))
            .await;
        let heard = self.hear().await;
        assert_eq!(heard["id"], id, "{heard}");
        heard
    }

    async fn begin(&mut self) -> Value {
        let params = json!({
            "protocolVersion": "2025-11-25", "capabilities": {},
            "clientInfo": { "name": "harness", "version": "1" },
        });
        let begun = self.ask("initialize", params).await;
        self.say(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }))
            .await;
        begun
    }

    async fn call(&mut self, tool: &str, arguments: Value) -> Value {
        let params = json!({ "name": tool, "arguments": arguments });
        self.ask("tools/call", params).await["result"].take()
    }

    async fn end(mut self) -> Option<i32> {
        drop(self.stdin);
        self.child.wait().await.unwrap().code()
    }
}

fn home(daemon: &TestDaemon) -> PathBuf {
    daemon.socket().parent().unwrap().to_owned()
}

fn text(result: &Value) -> &str {
    result["content"][0]["text"].as_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_stores_finds_reads_and_forgets_and_its_word_is_an_agents() {
    let daemon = TestDaemon::start().await;
    daemon.socket_owner().await;
    let mut program = Program::start(&home(&daemon), &[]);
    let begun = program.begin().await;
    assert_eq!(begun["result"]["serverInfo"]["name"], "skep", "{begun}");
    let told = program.ask("tools/list", json!({})).await;
    assert_eq!(told["result"]["tools"].as_array().unwrap().len(), 8);

    let statement = json!({ "text": "Tide heights are fixed-point, since floats drifted.", "kind": "decision" });
    let stored = program.call("memory_store", statement).await;
    assert_eq!(stored["isError"], false, "{stored}");
    let id = stored["structuredContent"]["id"]
        .as_str()
        .unwrap()
        .to_owned();

    let found = program
        .call(
            "memory_search",
            json!({ "query": "why fixed-point tide heights?" }),
        )
        .await;
    assert_eq!(
        found["structuredContent"]["memories"][0]["id"], id,
        "{found}"
    );
    let whole = program.call("memory_get", json!({ "id": id })).await;
    // The credential is a person's: the socket's own user. The word is not.
    assert_eq!(
        whole["structuredContent"]["memory"]["trust"], "agent",
        "{whole}"
    );
    assert!(text(&whole).contains("trust=\"agent\""), "{whole}");
    let line = program.call("memory_timeline", json!({ "limit": 1 })).await;
    assert_eq!(line["structuredContent"]["memories"][0]["id"], id, "{line}");

    let forgotten = program
        .call("memory_forget", json!({ "id": id, "reason": "a test" }))
        .await;
    assert_eq!(
        forgotten["structuredContent"]["state"], "forgotten",
        "{forgotten}"
    );
    let found = program
        .call(
            "memory_search",
            json!({ "query": "why fixed-point tide heights?" }),
        )
        .await;
    assert_eq!(found["structuredContent"]["memories"], json!([]), "{found}");
    assert_eq!(program.end().await, Some(0));
}

/// What the user said stays what the user said, whatever an agent says of the same thing.
#[tokio::test(flavor = "multi_thread")]
async fn an_agents_word_neither_repeats_replaces_nor_edits_a_users() {
    let daemon = TestDaemon::start().await;
    daemon.socket_owner().await;
    let home = home(&daemon);
    let user = |arguments: &'static [&'static str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_skep"));
        command
            .args(arguments)
            .args(["--json", "--home"])
            .arg(&home);
        async move {
            let out = command.output().await.unwrap();
            serde_json::from_slice::<Value>(&out.stdout).unwrap()
        }
    };
    let said = user(&["remember", "The crane port is 7411."]).await;
    let id = said["memory"]["id"].as_str().unwrap().to_owned();
    assert_eq!(said["memory"]["trust"], "user");

    let mut program = Program::start(&home, &["--profile", "full"]);
    program.begin().await;
    let stored = program
        .call("memory_store", json!({ "text": "The crane port is 7412." }))
        .await;
    let told = &stored["structuredContent"];
    assert_eq!(told["superseded"], json!([]), "{stored}");
    assert_eq!(told["conflicts"].as_array().unwrap().len(), 1, "{stored}");
    let edit = json!({ "id": id, "text": "The crane port is 7413.", "reason": "so it seems" });
    let edited = program.call("memory_update", edit).await;
    assert_eq!(edited["isError"], true, "{edited}");
    assert!(text(&edited).contains("not yours to change"), "{edited}");
    let whole = program.call("memory_get", json!({ "id": id })).await;
    assert_eq!(whole["structuredContent"]["state"], "active", "{whole}");
    assert_eq!(
        whole["structuredContent"]["memory"]["trust"], "user",
        "{whole}"
    );

    // An agent's own statement, said again by the agent, is not raised; said by the user, it is.
    let own = json!({ "text": "Berth four is dredged in March." });
    let first = program.call("memory_store", own.clone()).await;
    let again = program.call("memory_store", own).await;
    assert_eq!(again["structuredContent"]["known"], true, "{again}");
    let id = first["structuredContent"]["id"].clone();
    let whole = program.call("memory_get", json!({ "id": id })).await;
    assert_eq!(
        whole["structuredContent"]["memory"]["trust"], "agent",
        "{whole}"
    );
    user(&["remember", "Berth four is dredged in March."]).await;
    let whole = program.call("memory_get", json!({ "id": id })).await;
    assert_eq!(
        whole["structuredContent"]["memory"]["trust"], "user",
        "{whole}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_but_the_protocol_is_written_whatever_comes_in() {
    let daemon = TestDaemon::start().await;
    daemon.socket_owner().await;
    let mut program = Program::start(&home(&daemon), &[]);
    program.begin().await;
    for line in ["", "hello", "{", "[]", "{\"jsonrpc\":\"2.0\"}", "null"] {
        program
            .stdin
            .write_all(format!("{line}\n").as_bytes())
            .await
            .unwrap();
    }
    // Longer than a message may be: refused, not kept, and the next one is heard.
    let long = format!(
        "{{\"jsonrpc\":\"2.0\",\"id\":9,\"x\":\"{}\"}}\n",
        "x".repeat(3 << 20)
    );
    program.stdin.write_all(long.as_bytes()).await.unwrap();
    program
        .say(&json!({ "jsonrpc": "2.0", "id": "last", "method": "ping" }))
        .await;
    loop {
        let heard = program.hear().await;
        assert_eq!(heard["jsonrpc"], "2.0", "{heard}");
        if heard["id"] == "last" {
            assert!(heard["result"].is_object(), "{heard}");
            break;
        }
        assert!(heard["error"]["code"].is_i64(), "{heard}");
    }
    assert_eq!(program.end().await, Some(0));
}

/// A daemon that is not there is said to the model, in a result; the program goes on.
#[tokio::test(flavor = "multi_thread")]
async fn without_a_daemon_tools_are_listed_and_calls_say_so() {
    let empty = tempfile::tempdir().unwrap();
    let key = empty.path().join("key");
    let text_of_key = format!("skep_sk_{}", "A".repeat(40));
    std::fs::write(&key, text_of_key).unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    let arguments = [
        "--url",
        "http://127.0.0.1:9",
        "--token-file",
        key.to_str().unwrap(),
    ];
    let mut program = Program::start(empty.path(), &arguments);
    program.begin().await;
    let told = program.ask("tools/list", json!({})).await;
    assert_eq!(told["result"]["tools"].as_array().unwrap().len(), 8);
    let result = program.call("memory_search", json!({ "query": "x" })).await;
    assert_eq!(result["isError"], true, "{result}");
    assert!(text(&result).contains("skep doctor"), "{result}");
    assert!(!result.to_string().contains("AAAAAAAA"), "{result}");
    assert_eq!(program.end().await, Some(0));
}

/// A client that others wrote lists the tools and calls them, at the program itself.
#[tokio::test(flavor = "multi_thread")]
async fn the_official_inspector_lists_and_calls() {
    let programs = mcp::programs(std::path::Path::new(env!("CARGO_TARGET_TMPDIR")));
    let daemon = TestDaemon::start().await;
    daemon.socket_owner().await;
    let inspect = async |more: &[&str]| {
        let mut command = Command::new(&programs.node);
        command
            .arg(&programs.inspector)
            .arg("--cli")
            .arg("-e")
            .arg(format!("SKEP_HOME={}", home(&daemon).display()))
            .args([env!("CARGO_BIN_EXE_skep"), "mcp"])
            .args(more)
            .kill_on_drop(true);
        let out = command.output().await.unwrap();
        serde_json::from_slice::<Value>(&out.stdout)
            .unwrap_or_else(|error| panic!("{error}: {out:?}"))
    };
    let listed = inspect(&["--method", "tools/list"]).await;
    assert_eq!(listed["tools"].as_array().unwrap().len(), 8, "{listed}");
    let call = ["--method", "tools/call", "--tool-name"];
    let text_of = "text=The crane is painted in May.";
    let stored = inspect(&[&call[..], &["memory_store", "--tool-arg", text_of]].concat()).await;
    assert_eq!(stored["isError"], false, "{stored}");
    let query = "query=when is the crane painted";
    let found = inspect(&[&call[..], &["memory_search", "--tool-arg", query]].concat()).await;
    assert!(text(&found).contains("painted in May"), "{found}");
}
