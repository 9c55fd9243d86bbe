//! Model calls from outside: in both dialects, to the provider that is built in and to scripted ones that remember
//! what they were sent.

use std::net::SocketAddr;

use serde_json::{Value, json};
use skep_domain::Role;
use skep_test_support::model::{Asked, ScriptedModel, Turn, answer, openai};
use skep_test_support::{Newcomer, Reply, Request, TestDaemon};

use crate::crawler::log_everything;

pub(crate) const CHAT: &str = "/v1/chat/completions";
pub(crate) const MESSAGES: &str = "/v1/messages";
const KEY: &str = "sk-upstream-canary-qxv-7719";

pub(crate) fn said(model: &str, text: &str) -> Value {
    json!({ "model": model, "max_tokens": 64, "messages": [{ "role": "user", "content": text }] })
}

pub(crate) async fn owner(daemon: &TestDaemon, (method, path): (&str, &str), body: Value) -> Reply {
    let request = Request::new(method, &format!("/api/v1/{path}")).bearer(&daemon.a.token("owner"));
    let request = if body.is_null() {
        request
    } else {
        request.json(&body)
    };
    request.send(daemon.address).await.unwrap()
}

/// The same of what is granted.
pub(crate) async fn own(daemon: &TestDaemon, call: (&str, &str), body: Value) -> Reply {
    let reply = owner(daemon, call, body).await;
    assert_eq!(reply.status, 200, "{call:?}: {}", reply.json());
    reply
}

/// A provider of the first tenant.
pub(crate) async fn set(daemon: &TestDaemon, body: Value) {
    own(daemon, ("POST", "providers"), body).await;
}

/// One with a key, behind a scripted server.
pub(crate) async fn keyed(daemon: &TestDaemon, kind: &str, address: SocketAddr) {
    let secret = json!({ "name": "UPSTREAM", "value": KEY, "scope": "organization" });
    assert_eq!(owner(daemon, ("POST", "secrets"), secret).await.status, 200);
    let url = format!("http://{address}/v1/");
    set(
        daemon,
        json!({ "name": "up", "kind": kind, "base_url": url, "secret": "UPSTREAM" }),
    )
    .await;
}

pub(crate) async fn call(daemon: &TestDaemon, path: &str, body: &Value) -> Reply {
    let request = Request::new("POST", path).bearer(&daemon.a.token("owner"));
    request.json(body).send(daemon.address).await.unwrap()
}

async fn started(script: Vec<Turn>) -> (TestDaemon, ScriptedModel) {
    let model = ScriptedModel::start(script);
    let daemon = TestDaemon::start_gateway(&[model.address]).await;
    (daemon, model)
}

fn header_names(asked: &Asked) -> Vec<String> {
    let lines = asked.head.lines().skip(1).filter(|line| !line.is_empty());
    let mut names: Vec<_> = lines
        .map(|line| line.split(':').next().unwrap().to_ascii_lowercase())
        .collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mock_answers_in_both_dialects_whichever_header_has_the_key() {
    let daemon = TestDaemon::start_gateway(&[]).await;
    set(&daemon, json!({ "name": "mock", "kind": "mock" })).await;
    let token = daemon.a.token("owner");
    let with_key = |path: &str| Request::new("POST", path).header("X-Api-Key", &token);
    let body = said("mock/echo", "salt and rope");
    let reply = with_key(CHAT)
        .json(&body)
        .send(daemon.address)
        .await
        .unwrap();
    assert_eq!(reply.status, 200, "{}", reply.json());
    let chat = reply.json();
    assert_eq!(
        chat["choices"][0]["message"]["content"],
        "You said: salt and rope"
    );
    assert_eq!(
        chat["usage"],
        json!({ "prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8 })
    );
    assert_eq!(reply.header("x-skep-provider"), "mock");
    let reply = with_key(MESSAGES)
        .json(&body)
        .send(daemon.address)
        .await
        .unwrap();
    let message = reply.json();
    assert_eq!(message["content"][0]["text"], "You said: salt and rope");
    assert_eq!(
        message["usage"],
        json!({ "input_tokens": 3, "output_tokens": 5 })
    );
    assert_eq!(reply.header("request-id"), reply.header("x-request-id"));
    // Both headers, as some clients send them, are one key or none.
    let both = with_key(CHAT).bearer(&token).json(&body);
    assert_eq!(both.send(daemon.address).await.unwrap().status, 200);
    let other = with_key(CHAT).bearer(&daemon.b.token("owner")).json(&body);
    assert_eq!(other.send(daemon.address).await.unwrap().status, 401);
    // Our own routes know one header.
    let own = Request::new("GET", "/api/v1/whoami").header("X-Api-Key", &token);
    assert_eq!(own.send(daemon.address).await.unwrap().status, 401);
    let models = Request::new("GET", "/v1/models").bearer(&token);
    let list = models.clone().send(daemon.address).await.unwrap().json();
    assert_eq!(list["data"][0]["id"], "mock/echo");
    let list = models
        .header("Anthropic-Version", "2023-06-01")
        .send(daemon.address)
        .await
        .unwrap();
    assert_eq!(list.json()["first_id"], "mock/echo");
}

#[tokio::test(flavor = "multi_thread")]
async fn sec6_errors_of_the_gate_are_in_the_dialect_of_the_caller() {
    let daemon = TestDaemon::start_gateway(&[]).await;
    set(
        &daemon,
        json!({ "name": "mock", "kind": "mock", "models": ["echo", "e2*"] }),
    )
    .await;
    let token = daemon.a.token("owner");
    let reader = daemon.a.token("reader");
    let post = |path: &str| Request::new("POST", path);
    let huge = format!(
        "POST {CHAT} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: 33554433\r\n"
    );
    let body = said("mock/echo", "x");
    let cases: [(Request, u16, &str, &str, &str); 12] = [
        (
            post(CHAT).json(&body),
            401,
            "authentication_error",
            "authentication_error",
            "MISSING_CREDENTIAL",
        ),
        (
            post(CHAT).bearer("skep_sk_x").json(&body),
            401,
            "authentication_error",
            "authentication_error",
            "INVALID_CREDENTIAL",
        ),
        (
            post(CHAT).bearer(&reader).json(&body),
            403,
            "permission_error",
            "permission_error",
            "PERMISSION_DENIED",
        ),
        (
            post("/v1/nothing").bearer(&token).json(&body),
            404,
            "invalid_request_error",
            "not_found_error",
            "NOT_FOUND",
        ),
        (
            Request::new("GET", CHAT).bearer(&token),
            405,
            "invalid_request_error",
            "invalid_request_error",
            "METHOD_NOT_ALLOWED",
        ),
        (
            Request::verbatim(&huge),
            413,
            "invalid_request_error",
            "request_too_large",
            "PAYLOAD_TOO_LARGE",
        ),
        (
            post(CHAT).bearer(&token).body("text/plain", b"x"),
            415,
            "invalid_request_error",
            "invalid_request_error",
            "UNSUPPORTED_MEDIA_TYPE",
        ),
        (
            post(CHAT).bearer(&token).bytes(b"{"),
            400,
            "invalid_request_error",
            "invalid_request_error",
            "VALIDATION_ERROR",
        ),
        (
            post(CHAT).bearer(&token).json(&said("mock/other", "x")),
            403,
            "permission_error",
            "permission_error",
            "MODEL_NOT_ALLOWED",
        ),
        (
            post(CHAT).bearer(&token).json(&said("nobody/e", "x")),
            404,
            "invalid_request_error",
            "not_found_error",
            "NOT_FOUND",
        ),
        (
            post(CHAT)
                .bearer(&token)
                .header("Origin", "http://evil")
                .json(&body),
            403,
            "permission_error",
            "permission_error",
            "PERMISSION_DENIED",
        ),
        (
            post(CHAT)
                .bearer(&token)
                .header("X-Skep-Hops", "8")
                .json(&body),
            400,
            "invalid_request_error",
            "invalid_request_error",
            "VALIDATION_ERROR",
        ),
    ];
    for (request, status, openai, anthropic, code) in cases {
        let seen = request.send(daemon.address).await.unwrap();
        let error = &seen.json()["error"];
        let line = request.first_line();
        assert_eq!(
            (seen.status, seen.code().as_str()),
            (status, code),
            "{line}"
        );
        assert_eq!(error["type"], openai, "{line}");
        assert!(
            error["message"].is_string() && error.get("param").is_some(),
            "{error}"
        );
        // The same at the other dialect's door.
        let other = request.at(&line
            .replace(CHAT, MESSAGES)
            .replace("nothing", "messages/nothing"));
        let seen = other.send(daemon.address).await.unwrap();
        let body = seen.json();
        assert_eq!(
            (seen.status, &body["type"]),
            (status, &json!("error")),
            "{line}"
        );
        assert_eq!(body["error"]["type"], anthropic, "{line}");
        assert_eq!(body["error"]["code"], code);
        assert_eq!(body["request_id"], seen.header("request-id"));
    }
    // What is listed by its beginning may be used.
    assert_eq!(
        call(&daemon, CHAT, &said("e2-large", "x")).await.status,
        200
    );
    assert_eq!(call(&daemon, CHAT, &said("echo", "x")).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn m06_nothing_of_the_caller_goes_upstream_but_the_body_and_what_chooses_a_version() {
    let (daemon, model) = started(vec![
        Turn::Write(openai("hi", 1, 1)),
        Turn::Write(openai("hi", 1, 1)),
    ])
    .await;
    keyed(&daemon, "openai", model.address).await;
    let token = daemon.a.token("owner");
    let body = br#"{ "model":"up/gpt-4o" ,"messages":[ {"role":"user","content":"caf\u00e9  "} ],"seed":1.0}"#;
    let request = Request::new("POST", &format!("{CHAT}?key=leak"))
        .bearer(&token)
        .header("X-Api-Key", &token)
        .header("Proxy-Authorization", "Basic bGVhaw==")
        .header("X-Forwarded-For", "10.1.2.3")
        .header("OpenAI-Organization", "org-of-the-caller")
        .header("OpenAI-Project", "project-of-the-caller")
        .header("OpenAI-Beta", "assistants=v2")
        .header("Anthropic-Beta", "not-for-this-one")
        .header("X-Stainless-Os", "Linux")
        .header("User-Agent", "caller/1")
        .header("Traceparent", "00-0-0-00")
        .header("X-Skep-Hops", "3")
        .bytes(body);
    let reply = request.send(daemon.address).await.unwrap();
    assert_eq!(reply.status, 200, "{}", reply.json());
    let asked = &model.asked()[0];
    assert_eq!(
        header_names(asked),
        [
            "accept",
            "accept-encoding",
            "authorization",
            "content-length",
            "content-type",
            "host",
            "openai-beta",
            "user-agent",
            "x-skep-hops"
        ]
    );
    assert!(
        asked
            .head
            .starts_with("POST /v1/chat/completions HTTP/1.1\r\n"),
        "{}",
        asked.head
    );
    assert!(
        asked
            .head
            .contains(&format!("authorization: Bearer {KEY}\r\n"))
    );
    assert!(asked.head.contains("x-skep-hops: 4\r\n") && asked.head.contains("user-agent: skep/"));
    let whole = format!("{}{}", asked.head, asked.body);
    assert!(
        !whole.contains(&token) && !whole.contains("skep_"),
        "{whole}"
    );
    // The body is the caller's own, but for the name.
    let expected = String::from_utf8_lossy(body).replace("\"up/gpt-4o\"", "\"gpt-4o\"");
    assert_eq!(asked.body, expected);
    // And the answer is the provider's own.
    let sent = openai("hi", 1, 1);
    let sent = sent
        .split(|byte| *byte == b'{')
        .skip(1)
        .collect::<Vec<_>>()
        .join(&b'{');
    assert_eq!(reply.body, [&b"{"[..], &sent].concat());
}

#[tokio::test(flavor = "multi_thread")]
async fn m06_anthropic_is_shown_its_own_header_and_version() {
    let told =
        br#"{"id":"m","type":"message","content":[],"usage":{"input_tokens":1,"output_tokens":1}}"#;
    let script = (0..2).map(|_| Turn::Write(answer(200, "", told))).collect();
    let (daemon, model) = started(script).await;
    let secret = json!({ "name": "UPSTREAM", "value": KEY, "scope": "organization" });
    assert_eq!(
        owner(&daemon, ("POST", "secrets"), secret).await.status,
        200
    );
    let url = format!("http://{}", model.address);
    set(
        &daemon,
        json!({ "name": "up", "kind": "anthropic", "base_url": url, "secret": "UPSTREAM" }),
    )
    .await;
    let body = said("claude-9", "x");
    assert_eq!(call(&daemon, MESSAGES, &body).await.body, told);
    let versioned = Request::new("POST", MESSAGES)
        .header("X-Api-Key", &daemon.a.token("owner"))
        .header("Anthropic-Version", "2026-01-01")
        .header("Anthropic-Beta", "one,two")
        .json(&body);
    assert_eq!(versioned.send(daemon.address).await.unwrap().status, 200);
    let asked = model.asked();
    assert!(asked[0].head.starts_with("POST /v1/messages HTTP/1.1\r\n"));
    assert!(asked[0].head.contains(&format!("x-api-key: {KEY}\r\n")));
    assert!(asked[0].head.contains("anthropic-version: 2023-06-01\r\n"));
    assert!(asked[1].head.contains("anthropic-version: 2026-01-01\r\n"));
    assert!(asked[1].head.contains("anthropic-beta: one,two\r\n"));
    assert!(!asked[1].head.contains("authorization"));
    assert_eq!(
        asked[1].body,
        body.to_string(),
        "nothing changes where no name does"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn x10_the_key_of_a_provider_is_in_no_answer_and_no_log() {
    let log = log_everything();
    let quoting = format!(
        r#"{{"error":{{"message":"Incorrect API key provided: {}***.","type":"x"}}}}"#,
        &KEY[..12]
    );
    let script = [401, 403, 400, 500]
        .map(|status| Turn::Write(answer(status, "", quoting.as_bytes())))
        .into();
    let (daemon, model) = started(script).await;
    keyed(&daemon, "openai", model.address).await;
    for expected in [502, 502, 502, 502] {
        let reply = call(&daemon, CHAT, &said("up/m", "x")).await;
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (expected, "UPSTREAM_ERROR")
        );
        let seen = format!("{}{}", reply.head, String::from_utf8_lossy(&reply.body));
        assert!(!seen.contains(&KEY[..12]), "{seen}");
    }
    let list = owner(&daemon, ("GET", "providers"), Value::Null).await;
    assert_eq!(list.json()["items"][0]["secret"], "UPSTREAM");
    assert!(!String::from_utf8_lossy(&list.body).contains(&KEY[..12]));
    let log = log.0.lock().unwrap();
    assert!(!String::from_utf8_lossy(&log).contains("canary-qxv"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_caller_can_mend_is_passed_on_in_the_providers_words() {
    let words = br#"{"error":{"message":"max_tokens is too large","type":"invalid_request_error","param":"max_tokens","code":null}}"#;
    let (daemon, model) = started(vec![
        Turn::Write(answer(400, "", words)),
        Turn::Write(answer(429, "retry-after: 7\r\n", words)),
        Turn::Write(answer(503, "", b"<html>")),
        Turn::Write(answer(302, "location: http://127.0.0.1:1/\r\n", b"")),
    ])
    .await;
    keyed(&daemon, "compatible", model.address).await;
    let reply = call(&daemon, CHAT, &said("up/m", "x")).await;
    assert_eq!((reply.status, &reply.body[..]), (400, &words[..]));
    let reply = call(&daemon, CHAT, &said("up/m", "x")).await;
    assert_eq!(
        (reply.status, reply.header("retry-after").as_str()),
        (429, "7")
    );
    for _ in 0..2 {
        let reply = call(&daemon, CHAT, &said("up/m", "x")).await;
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (502, "UPSTREAM_ERROR")
        );
    }
    assert_eq!(model.asked().len(), 4, "a redirect leads nowhere");
}

#[tokio::test(flavor = "multi_thread")]
async fn n05_a_provider_inside_is_called_only_if_the_operator_names_it() {
    let model = ScriptedModel::start(vec![Turn::Write(openai("hi", 1, 1))]);
    let daemon = TestDaemon::start_gateway(&[]).await;
    for url in [
        format!("http://{}/v1", model.address),
        format!("http://localhost:{}/v1", model.address.port()),
        "http://169.254.169.254/latest".to_owned(),
        "http://[::1]:8080/v1".to_owned(),
        "http://10.0.0.1/v1".to_owned(),
    ] {
        set(
            &daemon,
            json!({ "name": "up", "kind": "compatible", "base_url": url }),
        )
        .await;
        let reply = call(&daemon, CHAT, &said("up/m", "x")).await;
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (502, "UPSTREAM_ERROR"),
            "{url}"
        );
    }
    for url in [
        "file:///etc/passwd",
        "http://me@h/",
        "http://0x7f.1/v1",
        "https://h/v1?x=1",
    ] {
        let bad = json!({ "name": "up", "kind": "compatible", "base_url": url });
        assert_eq!(
            owner(&daemon, ("POST", "providers"), bad).await.status,
            400,
            "{url}"
        );
    }
    assert_eq!(model.connections(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn x01_a_key_goes_to_an_address_of_ones_own_only_by_who_may_approve_that() {
    let daemon = TestDaemon::start_gateway(&[]).await;
    let own = (daemon.a.organization, daemon.a.workspace);
    let operator = daemon
        .admit(own, Newcomer::with(Role::Operator))
        .await
        .token;
    let admin = daemon.admit(own, Newcomer::with(Role::Admin)).await.token;
    let set = async |token: &str, body: Value| {
        let request = Request::new("POST", "/api/v1/providers").bearer(token);
        let reply = request.json(&body).send(daemon.address).await.unwrap();
        (reply.status, reply.code())
    };
    let elsewhere = json!({ "name": "mine", "kind": "openai", "base_url": "https://collect.example/v1", "secret": "DEPLOY_KEY" });
    assert_eq!(
        set(&operator, elsewhere.clone()).await,
        (403, "PERMISSION_DENIED".into())
    );
    // A key, however much it may, has no second factor.
    assert_eq!(
        set(&admin, elsewhere.clone()).await,
        (403, "STEP_UP_REQUIRED".into())
    );
    let home = json!({ "name": "o", "kind": "openai", "base_url": "https://api.openai.com/v1/", "secret": "DEPLOY_KEY" });
    assert_eq!(set(&operator, home).await.0, 200);
    let keyless =
        json!({ "name": "k", "kind": "compatible", "base_url": "https://llm.example/v1" });
    assert_eq!(set(&operator, keyless).await.0, 200);
    assert_eq!(set(&daemon.a.token("owner"), elsewhere).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn t01_another_organization_has_providers_of_its_own() {
    let (daemon, model) = started(vec![Turn::Write(openai("hi", 1, 1))]).await;
    keyed(&daemon, "openai", model.address).await;
    let token = daemon.b.token("owner");
    let body = said("up/m", "x");
    let reply = Request::new("POST", CHAT)
        .bearer(&token)
        .json(&body)
        .send(daemon.address)
        .await
        .unwrap();
    assert_eq!((reply.status, reply.code().as_str()), (404, "NOT_FOUND"));
    let list = Request::new("GET", "/api/v1/providers")
        .bearer(&token)
        .send(daemon.address)
        .await
        .unwrap();
    assert_eq!(list.json(), json!({ "items": [] }));
    assert_eq!(model.connections(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_key_or_provider_counts_with_the_next_call() {
    let script = (0..3).map(|_| Turn::Write(openai("hi", 1, 1))).collect();
    let (daemon, model) = started(script).await;
    keyed(&daemon, "openai", model.address).await;
    let body = said("up/m", "x");
    assert_eq!(call(&daemon, CHAT, &body).await.status, 200);
    let other =
        json!({ "name": "UPSTREAM", "value": "sk-another-one-12345", "scope": "organization" });
    assert_eq!(owner(&daemon, ("POST", "secrets"), other).await.status, 200);
    assert_eq!(call(&daemon, CHAT, &body).await.status, 200);
    assert!(
        model.asked()[1]
            .head
            .contains("Bearer sk-another-one-12345")
    );
    let gone = json!({ "name": "UPSTREAM", "scope": "organization" });
    assert_eq!(
        owner(&daemon, ("POST", "secrets/remove"), gone)
            .await
            .status,
        200
    );
    let reply = call(&daemon, CHAT, &body).await;
    assert_eq!(reply.status, 502);
    assert!(
        reply.json()["error"]["message"]
            .as_str()
            .unwrap()
            .contains("skep secret set UPSTREAM")
    );
    let remove = owner(
        &daemon,
        ("POST", "providers/remove"),
        json!({ "name": "up" }),
    )
    .await;
    assert_eq!(remove.json(), json!({ "removed": true }));
    assert_eq!(call(&daemon, CHAT, &body).await.status, 404);
    assert_eq!(model.asked().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_provider_is_asked_when_one_cannot_answer_and_nothing_was_done() {
    let (daemon, model) = started(vec![
        Turn::Write(answer(503, "", b"{}")),
        Turn::Write(openai("from the second", 1, 1)),
        Turn::Write(openai("from the second", 1, 1)),
        Turn::Write(answer(400, "", b"{}")),
    ])
    .await;
    let url = format!("http://{}/a", model.address);
    set(
        &daemon,
        json!({ "name": "first", "kind": "compatible", "base_url": url, "fallback": ["second"] }),
    )
    .await;
    let url = format!("http://{}/b", model.address);
    set(
        &daemon,
        json!({ "name": "second", "kind": "compatible", "base_url": url }),
    )
    .await;
    let reply = call(&daemon, CHAT, &said("first/m", "x")).await;
    assert_eq!(
        (reply.status, reply.header("x-skep-provider").as_str()),
        (200, "second")
    );
    // One that nobody answers at.
    set(&daemon, json!({ "name": "first", "kind": "compatible", "base_url": "https://127.0.0.1:1/v1", "fallback": ["second"] })).await;
    let reply = call(&daemon, CHAT, &said("first/m", "x")).await;
    assert_eq!(
        reply.status, 502,
        "an address that may not be called is a mistake, not an outage"
    );
    let url = format!("http://{}/c", model.address);
    set(
        &daemon,
        json!({ "name": "first", "kind": "compatible", "base_url": url, "fallback": ["second"] }),
    )
    .await;
    assert_eq!(call(&daemon, CHAT, &said("first/m", "x")).await.status, 200);
    // What the caller got wrong is wrong everywhere.
    assert_eq!(call(&daemon, CHAT, &said("first/m", "x")).await.status, 400);
    let paths: Vec<_> = model
        .asked()
        .iter()
        .map(|asked| asked.head.split(' ').nth(1).unwrap().to_owned())
        .collect();
    assert_eq!(
        paths,
        [
            "/a/chat/completions",
            "/b/chat/completions",
            "/c/chat/completions",
            "/c/chat/completions"
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_fails_again_and_again_is_left_alone_and_then_tried_by_one_call() {
    let failing = (0..6).map(|_| Turn::Write(answer(500, "", b"{}")));
    let (daemon, model) = started(failing.collect()).await;
    let url = format!("http://{}/v1", model.address);
    let body = json!({ "name": "first", "kind": "compatible", "base_url": url });
    set(&daemon, body).await;
    for _ in 0..5 {
        assert_eq!(call(&daemon, CHAT, &said("first/m", "x")).await.status, 500);
    }
    let refused = call(&daemon, CHAT, &said("first/m", "x")).await;
    assert_eq!(
        (refused.status, refused.header("retry-after").as_str()),
        (503, "10")
    );
    assert_eq!(refused.json()["error"]["type"], "server_error");
    assert_eq!(model.asked().len(), 5, "it is not asked");
    daemon.clock.advance_seconds(10);
    assert_eq!(call(&daemon, CHAT, &said("first/m", "x")).await.status, 500);
    assert_eq!(model.asked().len(), 6, "one call tries it");
    assert_eq!(call(&daemon, CHAT, &said("first/m", "x")).await.status, 503);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_left_alone_holds_up_nobody_who_has_another() {
    let failing = (0..5).map(|_| Turn::Write(answer(503, "", b"{}")));
    let first = ScriptedModel::start(failing.collect());
    let answers = (0..6).map(|_| Turn::Write(openai("from the second", 1, 1)));
    let second = ScriptedModel::start(answers.collect());
    let daemon = TestDaemon::start_gateway(&[first.address, second.address]).await;
    let at = |model: &ScriptedModel| format!("http://{}/v1", model.address);
    let body = json!({ "name": "first", "kind": "compatible", "base_url": at(&first), "fallback": ["second"] });
    set(&daemon, body).await;
    let body = json!({ "name": "second", "kind": "compatible", "base_url": at(&second) });
    set(&daemon, body).await;
    for _ in 0..6 {
        let reply = call(&daemon, CHAT, &said("first/m", "x")).await;
        assert_eq!(reply.header("x-skep-provider"), "second");
    }
    assert_eq!((first.asked().len(), second.asked().len()), (5, 6));
}
