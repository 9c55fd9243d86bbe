//! The way to the endpoint over a real socket: what is sent, and every way in which it fails.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::json;
use skep_app::{ModelPort, NoAnswer};
use skep_llm::{Failure, Prompt, Response, Schema};
use skep_test_support::model::{ScriptedModel, Turn, answer, anthropic, openai};
use tempfile::TempDir;

use super::Endpoint;
use crate::config::model::Model;

const KEY: &str = "sk-canary-7Qf";

struct Desk {
    home: TempDir,
    settings: Model,
}

fn desk(base: &str, more: &str) -> Desk {
    let home = tempfile::tempdir().unwrap();
    let text = format!(
        "base_url = {base:?}\nname = \"scripted\"\nkey_file = \"model.key\"\ntimeout_seconds = 1\n{more}"
    );
    write_key(&home.path().join("model.key"), &format!("{KEY}\n"), 0o600);
    Desk {
        settings: toml::from_str(&text).unwrap(),
        home,
    }
}

fn write_key(path: &Path, text: &str, mode: u32) -> PathBuf {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    path.to_owned()
}

fn base(server: &ScriptedModel) -> String {
    format!("http://{}/v1/", server.address)
}

impl Desk {
    async fn call(&self) -> Result<Response, NoAnswer> {
        let settings = self.settings.settings().unwrap().unwrap();
        let prompt = Prompt {
            system: "s".into(),
            user: "u".into(),
            schema: Schema {
                name: "memories",
                purpose: "p",
                json: json!({}),
            },
            max_output: 10,
        };
        let endpoint = Endpoint::open(self.home.path(), &self.settings).unwrap();
        endpoint.send(settings.target.request(&prompt)).await
    }
}

#[tokio::test]
async fn the_key_goes_into_its_dialects_header_and_nowhere_else() {
    let empty = json!({ "memories": [] });
    let server = ScriptedModel::start(vec![
        Turn::Write(openai("{}", 1, 1)),
        Turn::Write(anthropic(&empty, 1, 1)),
    ]);
    let openai = desk(&base(&server), "");
    assert_eq!(openai.call().await.unwrap().status, 200);
    let other = desk(
        &format!("http://{}", server.address),
        "dialect = \"anthropic\"",
    );
    assert_eq!(other.call().await.unwrap().status, 200);
    let asked = server.asked();
    let heads: Vec<String> = asked
        .iter()
        .map(|asked| asked.head.to_lowercase())
        .collect();
    assert!(
        heads[0].starts_with("post /v1/chat/completions http/1.1"),
        "{}",
        heads[0]
    );
    assert!(heads[0].contains("authorization: bearer sk-canary-7qf\r\n"));
    assert!(
        heads[1].starts_with("post /v1/messages http/1.1"),
        "{}",
        heads[1]
    );
    assert!(heads[1].contains("x-api-key: sk-canary-7qf\r\n"));
    assert!(heads[1].contains("anthropic-version: 2023-06-01\r\n"));
    assert!(asked.iter().all(|asked| !asked.body.contains(KEY)));
}

#[tokio::test]
async fn m10_a_failing_endpoint_is_given_up_within_its_bounds() {
    let head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n".to_vec();
    let cases: Vec<(&str, Turn)> = vec![
        ("silent", Turn::Silent),
        (
            "slow",
            Turn::Slow(b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n".repeat(9)),
        ),
        ("endless", Turn::Endless(head)),
        (
            "cut off",
            Turn::Write(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{".to_vec()),
        ),
        ("no http", Turn::Write(b"SSH-2.0-OpenSSH\r\n".to_vec())),
        (
            "packed",
            Turn::Write(answer(200, "content-encoding: gzip\r\n", b"{}")),
        ),
    ];
    for (name, turn) in cases {
        let server = ScriptedModel::start(vec![turn]);
        let error = desk(&base(&server), "").call().await.unwrap_err();
        assert!(matches!(error, NoAnswer::Lost(_)), "{name}: {error}");
        assert!(!format!("{error} {error:?}").contains("canary"), "{error}");
    }
}

#[tokio::test]
async fn n05_calls_go_to_the_configured_address_only() {
    let elsewhere = ScriptedModel::start(vec![Turn::Write(openai("{}", 1, 1))]);
    let location = format!("location: http://{}/v1\r\n", elsewhere.address);
    let server = ScriptedModel::start(vec![Turn::Write(answer(307, &location, b""))]);
    let error = desk(&base(&server), "").call().await.unwrap_err();
    assert!(matches!(error, NoAnswer::NotSent(_)), "{error}");
    assert_eq!(elsewhere.connections(), 0);
    for never in [
        "http://169.254.169.254/v1",
        "http://0.0.0.0:1/v1",
        "http://224.0.0.1/v1",
    ] {
        let error = desk(never, "").call().await.unwrap_err();
        assert!(matches!(error, NoAnswer::NotSent(_)), "{never}: {error}");
    }
    let closed = elsewhere.address;
    drop(elsewhere);
    while std::net::TcpStream::connect(closed).is_ok() {
        std::thread::yield_now();
    }
    let error = desk(&format!("http://{closed}"), "")
        .call()
        .await
        .unwrap_err();
    assert!(matches!(error, NoAnswer::NotSent(_)), "{error}");
}

#[tokio::test]
async fn m10_what_the_endpoint_says_of_a_key_is_not_repeated() {
    let fault = format!(r#"{{"error":{{"message":"Incorrect key {KEY}","code":"{KEY}"}}}}"#);
    let server = ScriptedModel::start(vec![
        Turn::Write(answer(401, "", fault.as_bytes())),
        Turn::Write(answer(429, "retry-after: 12\r\n", fault.as_bytes())),
    ]);
    let desk = desk(&base(&server), "");
    let target = desk.settings.settings().unwrap().unwrap().target;
    let first = target.read(&desk.call().await.unwrap()).unwrap_err();
    let second = target.read(&desk.call().await.unwrap()).unwrap_err();
    assert_eq!(first, Failure::Unauthorized(401));
    assert_eq!(second.retry_after(), Some(12));
    assert!(!format!("{first} {first:?} {second} {second:?}").contains("canary"));
}

#[test]
fn x05_a_key_that_others_may_read_or_that_is_none_is_refused() {
    let desk = desk("http://127.0.0.1:9/v1", "");
    let path = desk.home.path().join("model.key");
    let long = "k".repeat(4_097);
    for (text, mode, expected) in [
        (KEY, 0o644, "chmod 600"),
        (KEY, 0o640, "chmod 600"),
        ("", 0o600, "holds no key"),
        ("two words", 0o600, "holds no key"),
        ("line\nline", 0o600, "holds no key"),
        (long.as_str(), 0o600, "holds no key"),
    ] {
        write_key(&path, text, mode);
        let error = Endpoint::open(desk.home.path(), &desk.settings)
            .err()
            .unwrap();
        let error = format!("{error:#}");
        assert!(
            error.contains(expected) && !error.contains("canary"),
            "{error}"
        );
    }
    fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink("/dev/null", &path).unwrap();
    assert!(
        Endpoint::open(desk.home.path(), &desk.settings).is_err(),
        "a link"
    );
}
