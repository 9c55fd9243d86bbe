//! Model calls that are asked for again under the same key: one call is made and paid for, and everybody who asks again
//! is given what came of it.

use std::sync::mpsc::{Sender, channel};

use serde_json::{Value, json};
use skep_test_support::model::{Asked, ScriptedModel, Turn, answer, openai};
use skep_test_support::{Reply, Request, TestDaemon};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::gateway::{CHAT, MESSAGES, own, said, set};
use crate::gateway_streams::streamed;

const CHUNKS: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"ahoy\"}}]}\n\n\
    data: {\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":16}}\n\ndata: [DONE]\n\n";

async fn behind(script: Vec<Turn>) -> (TestDaemon, ScriptedModel) {
    let model = ScriptedModel::start(script);
    let daemon = TestDaemon::start_gateway(&[model.address]).await;
    let url = format!("http://{}/v1", model.address);
    set(
        &daemon,
        json!({ "name": "up", "kind": "compatible", "base_url": url }),
    )
    .await;
    let card = json!({ "models": "up/*", "input": "0", "output": "156.25" });
    own(&daemon, ("POST", "rate-cards"), card).await;
    (daemon, model)
}

fn streaming() -> Value {
    let mut body = said("up/m", "x");
    body["stream"] = json!(true);
    body
}

async fn ask_as(daemon: &TestDaemon, who: &str, (path, key): (&str, &str), body: &Value) -> Reply {
    let request = Request::new("POST", path)
        .bearer(&daemon.a.token(who))
        .header("Idempotency-Key", key)
        .json(body);
    request.send(daemon.address).await.unwrap()
}

async fn ask(daemon: &TestDaemon, key: &str, body: &Value) -> Reply {
    ask_as(daemon, "owner", (CHAT, key), body).await
}

/// Asks until what is under way has come to its end.
async fn ask_until_known(daemon: &TestDaemon, key: &str, body: &Value) -> Reply {
    for _ in 0..10_000 {
        let reply = ask(daemon, key, body).await;
        if reply.status != 409 {
            return reply;
        }
    }
    panic!("it does not come to an end");
}

/// Whole answers and streams say the same, frames of chunks aside.
fn words(reply: &Reply) -> String {
    let text = String::from_utf8_lossy(&reply.body).into_owned();
    text.lines()
        .filter(|line| line.starts_with("data: ") || line.starts_with('{'))
        .collect::<Vec<_>>()
        .join("\n")
}

async fn spent(daemon: &TestDaemon) -> (usize, Vec<String>) {
    let export = own(daemon, ("GET", "audit/export?log=usage"), Value::Null).await;
    let text = String::from_utf8(export.body).unwrap();
    let lines = text.lines().filter(|line| line.starts_with('{'));
    let mut ids: Vec<String> = lines
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter_map(|line| line["entry"]["id"].as_str().map(str::to_owned))
        .collect();
    ids.sort();
    (ids.len(), ids)
}

/// A turn that answers when it is told to.
fn held(bytes: Vec<u8>) -> (Turn, Sender<()>) {
    let (go, told) = channel();
    let turn = Turn::Make(Box::new(move |_: &Asked| {
        let _ = told.recv();
        bytes
    }));
    (turn, go)
}

async fn until_asked(model: &ScriptedModel, times: usize) {
    while model.asked().len() < times {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn f03_a_call_with_a_key_is_made_and_paid_for_once() {
    let script = vec![
        Turn::Write(openai("ahoy", 9, 64)),
        Turn::Write(streamed(CHUNKS)),
        Turn::Write(openai("without", 9, 64)),
    ];
    let (daemon, model) = behind(script).await;
    for (key, body) in [("whole", said("up/m", "x")), ("stream", streaming())] {
        let first = ask(&daemon, key, &body).await;
        assert_eq!(
            (first.status, first.header("idempotent-replayed")),
            (200, String::new())
        );
        let made = model.asked().len();
        // What is left of the budget does not matter: it was paid for.
        let none =
            json!({ "scope": "organization", "period": "total", "kind": "hard", "limit": "0" });
        own(&daemon, ("POST", "budgets"), none).await;
        for _ in 0..2 {
            let again = ask(&daemon, key, &body).await;
            assert_eq!((again.status, words(&again)), (200, words(&first)), "{key}");
            assert_eq!(again.header("content-type"), first.header("content-type"));
            assert_eq!(again.header("x-skep-usage"), first.header("x-skep-usage"));
            assert_eq!(again.header("x-skep-provider"), "up");
            assert_eq!(again.header("x-skep-cost"), "0.00");
            assert_eq!(again.header("idempotent-replayed"), "true");
        }
        assert_eq!(model.asked().len(), made, "{key}");
        let much =
            json!({ "scope": "organization", "period": "total", "kind": "hard", "limit": "9" });
        own(&daemon, ("POST", "budgets"), much).await;
    }
    let plain = Request::new("POST", CHAT).bearer(&daemon.a.token("owner"));
    let plain = plain
        .json(&said("up/m", "x"))
        .send(daemon.address)
        .await
        .unwrap();
    assert!(
        words(&plain).contains("without"),
        "no key, no answer of before"
    );
    assert_eq!(spent(&daemon).await.0, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn f03_a_key_stands_for_one_request() {
    let (daemon, model) = behind(vec![Turn::Write(openai("ahoy", 9, 64))]).await;
    assert_eq!(ask(&daemon, "k", &said("up/m", "x")).await.status, 200);
    for (path, body) in [
        (CHAT, said("up/m", "y")),
        (CHAT, streaming()),
        (MESSAGES, said("up/m", "x")),
    ] {
        let other = ask_as(&daemon, "owner", (path, "k"), &body).await;
        assert_eq!(
            (other.status, other.code().as_str()),
            (409, "IDEMPOTENCY_KEY_REUSE")
        );
        assert!(!String::from_utf8_lossy(&other.body).contains("ahoy"));
    }
    let beta = Request::new("POST", CHAT)
        .bearer(&daemon.a.token("owner"))
        .header("Idempotency-Key", "k")
        .header("OpenAI-Beta", "other")
        .json(&said("up/m", "x"));
    assert_eq!(beta.send(daemon.address).await.unwrap().status, 409);
    assert_eq!(model.asked().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn t01_the_same_key_of_somebody_else_is_another_call() {
    let script = ["for the owner", "for the agent", "for the other tenant"];
    let script = script.map(|text| Turn::Write(openai(text, 9, 64))).into();
    let (daemon, model) = behind(script).await;
    let body = said("up/m", "x");
    let owner = ask_as(&daemon, "owner", (CHAT, "k"), &body).await;
    let agent = ask_as(&daemon, "colleague", (CHAT, "k"), &body).await;
    assert_eq!((owner.status, agent.status), (200, 200), "{}", agent.json());
    assert!(words(&owner).contains("for the owner") && words(&agent).contains("for the agent"));
    let theirs = Request::new("POST", CHAT)
        .bearer(&daemon.b.token("owner"))
        .header("Idempotency-Key", "k")
        .json(&body);
    let theirs = theirs.send(daemon.address).await.unwrap();
    assert_eq!(theirs.status, 404, "they have no such provider");
    let again = ask_as(&daemon, "colleague", (CHAT, "k"), &body).await;
    assert_eq!(words(&again), words(&agent));
    assert_eq!(model.asked().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn f03_of_many_at_once_one_is_made_and_the_others_are_told_to_wait() {
    let (turn, go) = held(openai("ahoy", 9, 64));
    let (daemon, model) = behind(vec![turn]).await;
    let body = said("up/m", "x");
    let calls = async {
        let calls = (0..20).map(|_| ask(&daemon, "k", &body));
        futures_util::future::join_all(calls).await
    };
    let release = async {
        until_asked(&model, 1).await;
        let early = ask(&daemon, "k", &body).await;
        assert_eq!((early.status, early.code().as_str()), (409, "CONFLICT"));
        assert_eq!(early.header("retry-after"), "1");
        go.send(()).unwrap();
    };
    let (replies, ()) = tokio::join!(calls, release);
    let count = |status| {
        replies
            .iter()
            .filter(|reply| reply.status == status)
            .count()
    };
    assert!(count(200) >= 1 && count(200) + count(409) == 20);
    assert_eq!(
        ask(&daemon, "k", &body).await.header("idempotent-replayed"),
        "true"
    );
    assert_eq!((model.asked().len(), spent(&daemon).await.0), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn f03_whoever_left_finds_the_answer_when_they_come_back() {
    for (bytes, body) in [
        (openai("ahoy", 9, 64), said("up/m", "x")),
        (streamed(CHUNKS), streaming()),
    ] {
        let (turn, go) = held(bytes);
        let (daemon, model) = behind(vec![turn]).await;
        let text = body.to_string();
        let head = format!(
            "POST {CHAT} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\nIdempotency-Key: k\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{text}",
            daemon.a.token("owner"),
            text.len()
        );
        let mut caller = TcpStream::connect(daemon.address).await.unwrap();
        caller.write_all(head.as_bytes()).await.unwrap();
        until_asked(&model, 1).await;
        drop(caller);
        // The daemon has seen them go when it has served others on the same threads.
        for _ in 0..50 {
            assert_eq!(ask(&daemon, "k", &body).await.status, 409);
        }
        go.send(()).unwrap();
        let back = ask_until_known(&daemon, "k", &body).await;
        assert_eq!(back.status, 200);
        assert!(words(&back).contains("ahoy"));
        assert_eq!(back.header("idempotent-replayed"), "true");
        let (count, ids) = spent(&daemon).await;
        assert_eq!((count, ids), (1, vec![back.header("x-skep-usage")]));
        assert_eq!(model.asked().len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn f03_what_came_to_nothing_is_made_again() {
    let cut = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"ah\"}}]}\n\n";
    let long = openai(&"x".repeat(5 << 20), 9, 64);
    let failed = "data: {\"choices\":[]}\n\ndata: {\"error\":{\"message\":\"overloaded\"}}\n\ndata: [DONE]\n\n";
    let cases: [(&str, Vec<u8>, Value); 7] = [
        ("said to have failed", streamed(failed), streaming()),
        ("refused", answer(400, "", b"{}"), said("up/m", "x")),
        ("limited", answer(429, "", b"{}"), said("up/m", "x")),
        ("failed", answer(503, "", b"{}"), said("up/m", "x")),
        ("garbled", answer(200, "", b"<html>"), said("up/m", "x")),
        ("cut", streamed(cut), streaming()),
        ("too long to keep", long, said("up/m", "x")),
    ];
    for (name, bytes, body) in cases {
        let better = if body["stream"] == json!(true) {
            streamed(CHUNKS)
        } else {
            openai("ahoy", 9, 64)
        };
        let (daemon, model) = behind(vec![Turn::Write(bytes), Turn::Write(better)]).await;
        let first = ask(&daemon, "k", &body).await;
        assert!(!words(&first).contains("ahoy"), "{name}");
        let second = ask_until_known(&daemon, "k", &body).await;
        assert!(
            words(&second).contains("ahoy"),
            "{name}: {}",
            words(&second)
        );
        assert_eq!((second.status, model.asked().len()), (200, 2), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_none_is_refused_before_anything_is_sent() {
    let (daemon, model) = behind(Vec::new()).await;
    let long = "k".repeat(257);
    for key in ["", long.as_str(), "caf\u{e9}"] {
        let reply = ask(&daemon, key, &said("up/m", "x")).await;
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (400, "VALIDATION_ERROR"),
            "{key}"
        );
    }
    let two = Request::new("POST", CHAT)
        .bearer(&daemon.a.token("owner"))
        .header("Idempotency-Key", "a")
        .header("Idempotency-Key", "b")
        .json(&said("up/m", "x"));
    assert_eq!(two.send(daemon.address).await.unwrap().status, 400);
    assert!(model.asked().is_empty());
}
