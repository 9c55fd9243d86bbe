//! Responses, embeddings and counts of tokens, from outside.

use serde_json::{Value, json};
use skep_test_support::model::{ScriptedModel, Turn, answer};
use skep_test_support::{Reply, Request, TestDaemon};

use crate::gateway::{CHAT, MESSAGES, call, owner, set};
use crate::gateway_streams::{read, streamed};

pub(crate) const RESPONSES: &str = "/v1/responses";
pub(crate) const EMBEDDINGS: &str = "/v1/embeddings";
pub(crate) const COUNT: &str = "/v1/messages/count_tokens";

async fn behind(kind: &str, script: Vec<Turn>) -> (TestDaemon, ScriptedModel) {
    let model = ScriptedModel::start(script);
    let daemon = TestDaemon::start_gateway(&[model.address]).await;
    let url = format!("http://{}", model.address);
    set(
        &daemon,
        json!({ "name": "up", "kind": kind, "base_url": url }),
    )
    .await;
    (daemon, model)
}

async fn mock() -> TestDaemon {
    let daemon = TestDaemon::start_gateway(&[]).await;
    set(&daemon, json!({ "name": "mock", "kind": "mock" })).await;
    daemon
}

async fn raw(daemon: &TestDaemon, path: &str, body: &[u8]) -> Reply {
    let request = Request::new("POST", path).bearer(&daemon.a.token("owner"));
    request.bytes(body).send(daemon.address).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mock_responds_embeds_and_counts() {
    let daemon = mock().await;
    let body = json!({ "model": "mock/echo", "input": "salt and rope" });
    let reply = call(&daemon, RESPONSES, &body).await;
    assert_eq!(reply.status, 200, "{}", reply.json());
    let told = reply.json();
    assert_eq!(
        told["output"][0]["content"][0]["text"],
        "You said: salt and rope"
    );
    assert_eq!(
        (&told["store"], &told["status"]),
        (&json!(false), &json!("completed"))
    );
    let vectors = call(&daemon, EMBEDDINGS, &body).await.json();
    assert_eq!(vectors["usage"]["prompt_tokens"], 3);
    let body = json!({ "model": "mock/echo", "messages": [{ "role": "user", "content": "salt and rope" }] });
    let counted = call(&daemon, COUNT, &body).await;
    assert_eq!(counted.json(), json!({ "input_tokens": 3 }));
    // Errors are in the dialect of the path.
    let error = call(&daemon, COUNT, &json!({ "model": "mock/echo" })).await;
    assert_eq!(
        (error.status, &error.json()["type"]),
        (400, &json!("error"))
    );
    let error = call(&daemon, EMBEDDINGS, &json!({ "model": "mock/echo" })).await;
    assert_eq!(error.json()["error"]["param"], "input");
}

#[tokio::test(flavor = "multi_thread")]
async fn m06_a_response_and_an_embedding_go_through_byte_for_byte() {
    let told = br#"{ "id":"resp_1" ,"output":[],"usage":{"input_tokens":1,"output_tokens":1}}"#;
    let vectors =
        br#"{"data":[ {"embedding":[0.10]} ],"usage":{"prompt_tokens":1,"total_tokens":1}}"#;
    let events = "event: response.created\r\ndata: {\"type\":\"response.created\",\"x\":1.50}\r\n\r\n\
         event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":{\"usage\":null}}\n\n";
    let script = vec![
        Turn::Write(answer(200, "", told)),
        Turn::Write(answer(200, "", vectors)),
        Turn::Write(streamed(events)),
    ];
    let (daemon, model) = behind("compatible", script).await;
    let body = br#"{ "input":"caf\u00e9" ,"model":"up/m","temperature":1.0}"#;
    assert_eq!(raw(&daemon, RESPONSES, body).await.body, told);
    assert_eq!(raw(&daemon, EMBEDDINGS, body).await.body, vectors);
    let streaming = json!({ "model": "up/m", "input": "x", "stream": true });
    let (_, seen) = read(&daemon, RESPONSES, &streaming).await;
    assert_eq!(seen, events);
    let asked = model.asked();
    assert!(asked[0].head.starts_with("POST /responses HTTP/1.1\r\n"));
    assert!(asked[1].head.starts_with("POST /embeddings HTTP/1.1\r\n"));
    let named = String::from_utf8_lossy(body).replace("up/m", "m");
    let unkept = named.replace("1.0}", r#"1.0,"store":false}"#);
    assert_eq!(asked[0].body, unkept, "the provider keeps nothing of it");
    assert_eq!(asked[1].body, named);
}

#[tokio::test(flavor = "multi_thread")]
async fn t01_nobody_reads_by_an_id_what_somebody_else_was_answered() {
    let (daemon, model) = behind("compatible", Vec::new()).await;
    for (field, value) in [
        ("previous_response_id", json!("resp_0123")),
        ("conversation", json!("conv_0123")),
        ("background", json!(true)),
        ("store", json!(true)),
        (
            "input",
            json!([{ "type": "item_reference", "id": "msg_0123" }]),
        ),
    ] {
        let mut body = json!({ "model": "up/m", "input": "go on" });
        body[field] = value;
        let reply = call(&daemon, RESPONSES, &body).await;
        let error = &reply.json()["error"];
        assert_eq!((reply.status, &error["param"]), (400, &json!(field)));
        let why = error["message"].as_str().unwrap();
        assert!(why.contains("your whole organization"), "{why}");
    }
    let token = daemon.a.token("owner");
    let stored = Request::new("GET", "/v1/responses/resp_0123").bearer(&token);
    assert_eq!(stored.send(daemon.address).await.unwrap().status, 404);
    assert_eq!(model.connections(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn m10_a_response_that_lies_ends_with_an_error_of_its_own() {
    let begun =
        "event: response.created\ndata: {\"type\":\"response.created\",\"sequence_number\":0}\n\n";
    let (daemon, _model) = behind("compatible", vec![Turn::Write(streamed(begun))]).await;
    let body = json!({ "model": "up/m", "input": "x", "stream": true });
    let (_, seen) = read(&daemon, RESPONSES, &body).await;
    let rest = seen.strip_prefix(begun).unwrap();
    let data = rest.strip_prefix("event: error\ndata: ").unwrap();
    let data: Value = serde_json::from_str(data.trim()).unwrap();
    assert_eq!(
        (&data["type"], &data["sequence_number"]),
        (&json!("error"), &json!(1))
    );
    assert_eq!(data["error"]["code"], "UPSTREAM_ERROR");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_count_costs_nothing_and_is_asked_of_the_provider() {
    let told = br#"{"input_tokens":2095}"#;
    let (daemon, model) = behind("anthropic", vec![Turn::Write(answer(200, "", told))]).await;
    set(&daemon, json!({ "name": "mock", "kind": "mock" })).await;
    let rates = json!({ "models": "*/*", "input": "1000.00", "output": "1000.00" });
    let budget =
        json!({ "scope": "organization", "period": "month", "kind": "hard", "limit": "0.01" });
    for (path, body) in [("rate-cards", rates), ("budgets", budget)] {
        let reply = owner(&daemon, ("POST", path), body).await;
        assert_eq!(reply.status, 200, "{}", reply.json());
    }
    let body = json!({ "model": "mock/m", "input": "x", "max_tokens": 9, "messages": [] });
    for path in [CHAT, MESSAGES, RESPONSES, EMBEDDINGS] {
        let reply = call(&daemon, path, &body).await;
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (402, "BUDGET_EXCEEDED"),
            "{path}"
        );
    }
    let body = json!({ "model": "up/claude-9", "messages": [{ "role": "user", "content": "x" }] });
    assert_eq!(call(&daemon, COUNT, &body).await.body, told);
    let asked = &model.asked()[0];
    assert!(
        asked
            .head
            .starts_with("POST /v1/messages/count_tokens HTTP/1.1\r\n")
    );
}
