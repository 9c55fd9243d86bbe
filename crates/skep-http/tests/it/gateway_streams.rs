//! Answers that come as streams, and providers that do not keep to their word.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use skep_test_support::model::{ScriptedModel, Turn, answer};
use skep_test_support::{Request, TestDaemon};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::gateway::{CHAT, MESSAGES, call, said, set};

/// A stream as a server sends it, until it closes.
pub(crate) fn streamed(body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n{body}")
        .into_bytes()
}

fn asking(model: &str) -> Value {
    let mut body = said(model, "one two three");
    body["stream"] = json!(true);
    body
}

/// What comes back, without the frames of chunks.
pub(crate) async fn read(daemon: &TestDaemon, path: &str, body: &Value) -> (String, String) {
    let reply = call(daemon, path, body).await;
    let mut rest = String::from_utf8(reply.body).unwrap();
    if !reply
        .head
        .to_ascii_lowercase()
        .contains("transfer-encoding: chunked")
    {
        return (reply.head, rest);
    }
    let mut whole = String::new();
    while let Some((size, after)) = rest.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap();
        whole.push_str(&after[..size]);
        rest = after[size + 2..].to_owned();
    }
    (reply.head, whole)
}

async fn behind(script: Vec<Turn>) -> (TestDaemon, ScriptedModel) {
    let model = ScriptedModel::start(script);
    let daemon = TestDaemon::start_gateway(&[model.address]).await;
    set(&daemon, json!({ "name": "up", "kind": "compatible", "base_url": format!("http://{}/v1", model.address) })).await;
    (daemon, model)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mock_streams_in_both_dialects() {
    let daemon = TestDaemon::start_gateway(&[]).await;
    set(&daemon, json!({ "name": "mock", "kind": "mock" })).await;
    let (head, chat) = read(&daemon, CHAT, &asking("mock/echo")).await;
    assert!(head.contains("content-type: text/event-stream"), "{head}");
    assert!(
        chat.ends_with("data: [DONE]\n\n") && !chat.contains("\"usage\":{"),
        "{chat}"
    );
    let mut counted = asking("mock/echo");
    counted["stream_options"] = json!({ "include_usage": true });
    let (_, chat) = read(&daemon, CHAT, &counted).await;
    assert!(
        chat.contains("\"usage\":{"),
        "asked for, it is there: {chat}"
    );
    let (_, messages) = read(&daemon, MESSAGES, &asking("mock/echo")).await;
    assert!(
        messages.starts_with("event: message_start\n")
            && messages.contains("event: message_stop\n")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_goes_through_byte_for_byte_without_the_count_that_nobody_asked_for() {
    let first =
        ": hello\n\ndata: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi\"}}]}\r\n\r\n";
    let count =
        "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":1}}\n\n";
    let whole = format!("{first}{count}data: [DONE]\n\n");
    let script = (0..2).map(|_| Turn::Write(streamed(&whole))).collect();
    let (daemon, model) = behind(script).await;
    let (_, seen) = read(&daemon, CHAT, &asking("up/m")).await;
    assert_eq!(seen, format!("{first}data: [DONE]\n\n"));
    let asked: Value = serde_json::from_str(&model.asked()[0].body).unwrap();
    assert_eq!(asked["stream_options"], json!({ "include_usage": true }));
    let mut own = asking("up/m");
    own["stream_options"] = json!({ "include_usage": true });
    let (_, seen) = read(&daemon, CHAT, &own).await;
    assert_eq!(seen, whole);
}

/// A server that says an event every few milliseconds for as long as somebody listens, and tells when nobody does.
#[expect(
    clippy::disallowed_methods,
    reason = "how soon a connection ends is wall time"
)]
pub(crate) fn talker(
    event: &'static str,
    pause: Duration,
) -> (SocketAddr, mpsc::Receiver<(Instant, usize)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (gone, told) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, gone) = (stream.unwrap(), gone.clone());
            std::thread::spawn(move || {
                let mut request = [0; 8192];
                let _ = stream.read(&mut request);
                let _ =
                    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n");
                stream
                    .set_write_timeout(Some(Duration::from_secs(3)))
                    .unwrap();
                let mut written = 0;
                while stream.write_all(event.as_bytes()).is_ok() {
                    written += event.len();
                    std::thread::sleep(pause);
                }
                let _ = gone.send((Instant::now(), written));
            });
        }
    });
    (address, told)
}

async fn open(daemon: &TestDaemon, body: &Value) -> TcpStream {
    let mut stream = TcpStream::connect(daemon.address).await.unwrap();
    let body = body.to_string();
    let head = format!(
        "POST {CHAT} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        daemon.a.token("owner"),
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

pub(crate) const EVENT: &str =
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"on and on\"}}]}\n\n";

#[tokio::test(flavor = "multi_thread")]
#[expect(
    clippy::disallowed_methods,
    reason = "how soon a connection ends is wall time"
)]
async fn m09_upstream_is_let_go_within_a_second_of_the_caller() {
    let (address, gone) = talker(EVENT, Duration::from_millis(20));
    let daemon = TestDaemon::start_gateway(&[address]).await;
    set(
        &daemon,
        json!({ "name": "up", "kind": "compatible", "base_url": format!("http://{address}/v1") }),
    )
    .await;
    let mut stream = open(&daemon, &asking("up/m")).await;
    let mut seen = vec![0; 4096];
    let mut text = String::new();
    while text.matches("on and on").count() < 3 {
        let read = stream.read(&mut seen).await.unwrap();
        text.push_str(&String::from_utf8_lossy(&seen[..read]));
    }
    let left = Instant::now();
    drop(stream);
    let (ended, _) = tokio::task::spawn_blocking(move || gone.recv_timeout(Duration::from_secs(5)))
        .await
        .unwrap()
        .expect("upstream hears of it");
    assert!(ended - left < Duration::from_secs(1), "{:?}", ended - left);
}

#[tokio::test(flavor = "multi_thread")]
async fn m09_a_caller_who_never_reads_holds_back_the_provider_and_fills_nothing() {
    let big: &'static str = Box::leak(EVENT.repeat(256).into_boxed_str());
    let (address, stuck) = talker(big, Duration::ZERO);
    let daemon = TestDaemon::start_gateway(&[address]).await;
    set(
        &daemon,
        json!({ "name": "up", "kind": "compatible", "base_url": format!("http://{address}/v1") }),
    )
    .await;
    let held = open(&daemon, &asking("up/m")).await;
    // Its own writes stop, since nobody takes what it says: buffers of the kernel, and of ours a few.
    let (_, written) =
        tokio::task::spawn_blocking(move || stuck.recv_timeout(Duration::from_secs(20)))
            .await
            .unwrap()
            .expect("it stands still");
    assert!(
        written < 32 << 20,
        "{written} bytes were taken of a stream that nobody reads"
    );
    drop(held);
}

/// Answers that are none, each told to the caller in a moment, in its dialect.
#[tokio::test(flavor = "multi_thread")]
#[expect(
    clippy::disallowed_methods,
    reason = "that nobody waits long is wall time"
)]
async fn m10_a_provider_that_lies_is_a_502_within_bounds() {
    let head = |rest: &str| {
        format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n{rest}").into_bytes()
    };
    let endless = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n";
    let cases: Vec<(&str, Turn)> = vec![
        ("no JSON", Turn::Write(answer(200, "", b"{\"choices\":[}"))),
        ("not text", Turn::Write(answer(200, "", b"\xff\xfe"))),
        ("nothing", Turn::Write(answer(200, "", b""))),
        (
            "too short for its length",
            Turn::Write(head("content-length: 100\r\n\r\n{}")),
        ),
        (
            "a length that is huge",
            Turn::Write(head("content-length: 10000000000\r\n\r\n{}")),
        ),
        (
            "two lengths",
            Turn::Write(head("content-length: 2\r\ncontent-length: 3\r\n\r\n{} ")),
        ),
        (
            "a chunk that is too long",
            Turn::Write(head(
                "transfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\n{}",
            )),
        ),
        (
            "a chunk that breaks off",
            Turn::Write(head("transfer-encoding: chunked\r\n\r\n64\r\n{}")),
        ),
        ("no HTTP", Turn::Write(b"SSH-2.0-nothing\r\n".to_vec())),
        (
            "a header that is none",
            Turn::Write(head("x\ry: 1\r\ncontent-length: 2\r\n\r\n{}")),
        ),
        ("gone at once", Turn::Write(Vec::new())),
        ("without end", Turn::Endless(endless.to_vec())),
    ];
    for (what, turn) in cases {
        let (daemon, _model) = behind(vec![turn]).await;
        let begun = Instant::now();
        let reply = call(&daemon, CHAT, &said("up/m", "x")).await;
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (502, "UPSTREAM_ERROR"),
            "{what}"
        );
        assert_eq!(reply.json()["error"]["type"], "server_error", "{what}");
        assert!(
            begun.elapsed() < Duration::from_secs(10),
            "{what} took {:?}",
            begun.elapsed()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn m10_a_provider_that_says_nothing_is_left() {
    let (daemon, _model) = behind(vec![Turn::Silent]).await;
    let reply = call(&daemon, CHAT, &said("up/m", "x")).await;
    assert_eq!(
        (reply.status, reply.code().as_str()),
        (504, "UPSTREAM_TIMEOUT")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn m10_a_stream_that_lies_ends_with_an_error_in_the_dialect() {
    let good = EVENT;
    let cases: Vec<(&str, Turn)> = vec![
        ("cut off", Turn::Write(streamed(good))),
        (
            "no JSON",
            Turn::Write(streamed(&format!(
                "{good}data: {{\"choices\":[\n\ndata: [DONE]\n\n"
            ))),
        ),
        (
            "a broken line",
            Turn::Write(streamed(&format!(
                "{good}data: {{\"a\":\"x\r\n\r\ny\"}}\n\n"
            ))),
        ),
        (
            "an event without end",
            Turn::Endless(streamed(&format!("{good}data: "))),
        ),
    ];
    for (what, turn) in cases {
        let (daemon, _model) = behind(vec![turn]).await;
        let (_, seen) = read(&daemon, CHAT, &asking("up/m")).await;
        let rest = seen
            .strip_prefix(good)
            .unwrap_or_else(|| panic!("{what}: {seen}"));
        let error: Value =
            serde_json::from_str(rest.strip_prefix("data: ").unwrap().trim()).unwrap();
        assert_eq!(error["error"]["code"], "UPSTREAM_ERROR", "{what}");
    }
    // One that is no stream was asked for as one.
    let (daemon, _model) = behind(vec![Turn::Write(answer(200, "", b"{}"))]).await;
    let reply = call(&daemon, CHAT, &asking("up/m")).await;
    assert_eq!(
        (reply.status, reply.code().as_str()),
        (502, "UPSTREAM_ERROR")
    );
}

/// Many calls, one after the other, over connections that are kept.
#[tokio::test(flavor = "multi_thread")]
async fn connections_are_kept_for_the_next_call_of_the_same_organization() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (opened, connections) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let _ = opened.send(());
            let mut stream = stream.unwrap();
            std::thread::spawn(move || {
                let mut request = [0; 8192];
                while stream.read(&mut request).is_ok_and(|read| read > 0) {
                    let body = "{\"choices\":[]}";
                    let reply = format!(
                        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}",
                        body.len()
                    );
                    let _ = stream.write_all(reply.as_bytes());
                }
            });
        }
    });
    let daemon = TestDaemon::start_gateway(&[address]).await;
    set(
        &daemon,
        json!({ "name": "up", "kind": "compatible", "base_url": format!("http://{address}/v1") }),
    )
    .await;
    for _ in 0..5 {
        assert_eq!(call(&daemon, CHAT, &said("up/m", "x")).await.status, 200);
    }
    assert_eq!(connections.try_iter().count(), 1);
    // Another organization has connections of its own.
    let url = format!("http://{address}/v1");
    let token = daemon.b.token("owner");
    let own = Request::new("POST", "/api/v1/providers").bearer(&token);
    let own = own.json(&json!({ "name": "up", "kind": "compatible", "base_url": url }));
    assert_eq!(own.send(daemon.address).await.unwrap().status, 200);
    let other = Request::new("POST", CHAT)
        .bearer(&token)
        .json(&said("up/m", "x"));
    assert_eq!(other.send(daemon.address).await.unwrap().status, 200);
    assert_eq!(connections.try_iter().count(), 1);
}
