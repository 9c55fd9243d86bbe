//! Callers of one dialect and providers of the other.

use serde_json::{Value, json};
use skep_test_support::TestDaemon;
use skep_test_support::model::{ScriptedModel, Turn, answer, openai};

use crate::gateway::{CHAT, MESSAGES, call, owner, said, set};
use crate::gateway_streams::{read, streamed};

const KEY: &str = "sk-upstream-canary-zkw-4471";

async fn behind(kind: &str, script: Vec<Turn>) -> (TestDaemon, ScriptedModel) {
    let model = ScriptedModel::start(script);
    let daemon = TestDaemon::start_gateway(&[model.address]).await;
    let secret = json!({ "name": "UPSTREAM", "value": KEY, "scope": "organization" });
    let kept = owner(&daemon, ("POST", "secrets"), secret).await;
    assert_eq!(kept.status, 200);
    let url = format!("http://{}", model.address);
    let provider = json!({ "name": "up", "kind": kind, "base_url": url, "secret": "UPSTREAM", "models": ["m", "c*"] });
    set(&daemon, provider).await;
    (daemon, model)
}

const MESSAGE: &[u8] = br#"{"id":"msg_1","type":"message","role":"assistant","model":"claude-9","stop_reason":"end_turn",
    "stop_sequence":null,"content":[{"type":"text","text":"Ahoy"}],"usage":{"input_tokens":2,"cache_read_input_tokens":3,"output_tokens":4}}"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_chat_is_answered_by_a_provider_of_anthropics_dialect() {
    let (daemon, model) = behind("anthropic", vec![Turn::Write(answer(200, "", MESSAGE))]).await;
    let body = json!({ "model": "up/claude-9", "messages": [
        { "role": "system", "content": "Be brief." }, { "role": "user", "content": "x" },
    ]});
    let reply = call(&daemon, CHAT, &body).await;
    assert_eq!(reply.status, 200, "{}", reply.json());
    let told = reply.json();
    assert_eq!(told["choices"][0]["message"]["content"], "Ahoy");
    assert_eq!(told["usage"]["prompt_tokens"], 5);
    assert_eq!(reply.header("x-skep-provider"), "up");
    let asked = &model.asked()[0];
    assert!(asked.head.starts_with("POST /v1/messages HTTP/1.1\r\n"));
    assert!(asked.head.contains(&format!("x-api-key: {KEY}\r\n")));
    assert!(asked.head.contains("anthropic-version: 2023-06-01\r\n"));
    let sent: Value = serde_json::from_str(&asked.body).unwrap();
    let expected = json!({
        "model": "claude-9", "max_tokens": 32_000, "system": "Be brief.",
        "messages": [{ "role": "user", "content": "x" }],
    });
    assert_eq!(sent, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_answered_by_a_provider_of_openais_dialect() {
    let events = "data: {\"id\":\"c\",\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Ahoy\"}}]}\n\n\
         data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n\
         data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":1}}\n\ndata: [DONE]\n\n";
    let script = vec![
        Turn::Write(openai("Ahoy", 2, 1)),
        Turn::Write(streamed(events)),
        Turn::Write(streamed(events.split("data: [DONE]").next().unwrap())),
    ];
    let (daemon, model) = behind("compatible", script).await;
    // Listed, and of no provider of the caller's own dialect.
    let reply = call(&daemon, MESSAGES, &said("m", "x")).await;
    let told = reply.json();
    assert_eq!(told["content"], json!([{ "type": "text", "text": "Ahoy" }]));
    assert_eq!(
        (&told["stop_reason"], &told["usage"]["input_tokens"]),
        (&json!("end_turn"), &json!(2))
    );
    let mut body = said("up/m", "x");
    body["stream"] = json!(true);
    let (_, seen) = read(&daemon, MESSAGES, &body).await;
    assert!(seen.starts_with("event: message_start\n"), "{seen}");
    assert!(seen.contains("\"text\":\"Ahoy\"") && seen.contains("event: message_stop\n"));
    let sent: Value = serde_json::from_str(&model.asked()[1].body).unwrap();
    assert_eq!(sent["stream_options"], json!({ "include_usage": true }));
    assert!(model.asked()[1].head.starts_with("POST /chat/completions "));
    // One that breaks off does so in the caller's dialect.
    let (_, seen) = read(&daemon, MESSAGES, &body).await;
    let last = seen.rsplit("event: error\ndata: ").next().unwrap();
    let last: Value = serde_json::from_str(last.trim()).unwrap();
    assert_eq!(
        (&last["type"], &last["error"]["code"]),
        (&json!("error"), &json!("UPSTREAM_ERROR"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_said_is_refused_before_anything_is_sent_or_set_aside() {
    let (daemon, model) = behind("anthropic", Vec::new()).await;
    let mut body = said("up/claude-9", "x");
    body["messages"][0]["name"] = json!("me");
    let reply = call(&daemon, CHAT, &body).await;
    let error = &reply.json()["error"];
    assert_eq!(
        (reply.status, &error["param"]),
        (400, &json!("messages[0].name"))
    );
    let usage = owner(&daemon, ("GET", "usage"), Value::Null).await.json();
    assert_eq!(usage["items"], json!([]), "{usage}");
    // What has no equal there is asked of nobody.
    let body = json!({ "model": "up/claude-9", "input": "x" });
    assert_eq!(call(&daemon, "/v1/responses", &body).await.status, 404);
    assert_eq!(call(&daemon, "/v1/embeddings", &body).await.status, 404);
    assert_eq!(model.connections(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_told_in_the_callers_dialect_and_never_with_the_key() {
    let words = br#"{"type":"error","error":{"type":"invalid_request_error","message":"max_tokens: 32000 > 8192"}}"#;
    // As JSON may write it too, so that it is only there once it was read.
    let hidden = format!("\\u0073{}", &KEY[1..12]);
    let quoting = format!(r#"{{"type":"error","error":{{"type":"x","message":"not {hidden}"}}}}"#);
    let script = vec![
        Turn::Write(answer(400, "", words)),
        Turn::Write(answer(429, "retry-after: 7\r\n", words)),
        Turn::Write(answer(400, "", quoting.as_bytes())),
        Turn::Write(answer(
            200,
            "",
            br#"{"content":[{"type":"image"}],"stop_reason":"end_turn"}"#,
        )),
    ];
    let (daemon, _model) = behind("anthropic", script).await;
    let body = said("up/claude-9", "x");
    let reply = call(&daemon, CHAT, &body).await;
    let error = &reply.json()["error"];
    assert_eq!(
        (reply.status, &error["message"], &error["type"]),
        (
            400,
            &json!("max_tokens: 32000 > 8192"),
            &json!("invalid_request_error")
        )
    );
    let reply = call(&daemon, CHAT, &body).await;
    assert_eq!(
        (reply.status, reply.header("retry-after").as_str()),
        (429, "7")
    );
    assert_eq!(reply.json()["error"]["type"], "rate_limit_error");
    for _ in 0..2 {
        let reply = call(&daemon, CHAT, &body).await;
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (502, "UPSTREAM_ERROR")
        );
        assert!(!String::from_utf8_lossy(&reply.body).contains(&KEY[..12]));
    }
}
