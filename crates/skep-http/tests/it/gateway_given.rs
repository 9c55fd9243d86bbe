//! Memories in calls of each form, in the other dialect, and in the record of who was shown what.

use std::sync::Arc;

use serde_json::{Value, json};
use skep_app::ExchangeDesk;
use skep_memory::parse;
use skep_test_support::model::{Turn, answer, openai};
use skep_test_support::{Reply, Request};

use crate::gateway::{CHAT, MESSAGES};
use crate::gateway_forms::{COUNT, EMBEDDINGS, RESPONSES};
use crate::gateway_memory::{ASKED, FACT, House, chat};

const RESPONSE: &[u8] = br#"{"id":"r","output":[],"usage":{"input_tokens":1,"output_tokens":1}}"#;
const MESSAGE: &[u8] = br#"{"id":"m","type":"message","role":"assistant","model":"claude","stop_reason":"end_turn",
    "stop_sequence":null,"content":[{"type":"text","text":"Ahoy"}],"usage":{"input_tokens":1,"output_tokens":1}}"#;
const ON: Option<&str> = Some("on");

#[tokio::test(flavor = "multi_thread")]
async fn a_response_is_given_memories_behind_what_was_asked() {
    let house = House::new().await;
    house.remember("isolated", FACT).await;
    let told = || answer(200, "", RESPONSE);
    let body = r#"{"model":"up/m", "instructions":"i", "input":"ASKED","store":false}"#;
    let body = body.replace("ASKED", ASKED);
    let (reply, sent) = house
        .call_told("isolated", (RESPONSES, ON), (&body, told()))
        .await;
    assert_eq!(reply.header("x-skep-context"), "1 block");
    let seen: Value = serde_json::from_str(&sent).unwrap();
    let given = seen["input"].as_str().unwrap().strip_prefix(ASKED).unwrap();
    let assembly = given.strip_prefix("\n\n").unwrap();
    assert_eq!(parse(assembly).unwrap().blocks[0].text, FACT);
    // One piece more in the bytes, and nothing else.
    let quoted = Value::from(given).to_string();
    let plain = sent.replace(&quoted[1..quoted.len() - 1], "");
    assert_eq!(plain, body.replace("up/m", "m"));

    // Among items: behind the last one that is a person's, as a part of the kind that this form has.
    let other = format!("{ASKED} Please.");
    let body = json!({ "model": "up/m", "store": false, "input": [
        { "role": "user", "content": [{ "type": "input_text", "text": other }] },
        { "type": "function_call", "call_id": "c", "name": "f", "arguments": "{}" },
        { "type": "function_call_output", "call_id": "c", "output": "7" },
    ]});
    let (_, sent) = house
        .call_told("isolated", (RESPONSES, ON), (&body.to_string(), told()))
        .await;
    let mut seen: Value = serde_json::from_str(&sent).unwrap();
    let parts = seen["input"][0]["content"].as_array_mut().unwrap();
    let part = parts.pop().unwrap();
    assert_eq!(part["type"], "input_text");
    let blocks = parse(part["text"].as_str().unwrap()).unwrap().blocks;
    assert_eq!(blocks[0].text, FACT);
    let mut expected = body;
    expected["model"] = "m".into();
    assert_eq!(seen, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_no_place_for_memories_is_told_so() {
    let house = House::new().await;
    house.remember("isolated", FACT).await;
    let vectors = br#"{"data":[],"usage":{"prompt_tokens":1}}"#;
    let embeddings = json!({ "model": "up/m", "input": ASKED }).to_string();
    let said = json!([{ "role": "user", "content": ASKED }]);
    let count = json!({ "model": "an/m", "messages": said }).to_string();
    for (path, body, told) in [
        (EMBEDDINGS, embeddings, &vectors[..]),
        (COUNT, count, b"{\"input_tokens\":3}"),
    ] {
        for (memory, context) in [(ON, "none"), (Some("directive"), "none"), (None, "")] {
            let told = answer(200, "", told);
            let (reply, sent) = house
                .call_told("isolated", (path, memory), (&body, told))
                .await;
            assert_eq!(reply.header("x-skep-context"), context, "{path}");
            assert_eq!(sent, body.replace("up/m", "m").replace("an/m", "m"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_put_in_crosses_to_the_other_dialect() {
    let house = House::new().await;
    house.remember("isolated", FACT).await;
    for in_parts in [false, true] {
        for (path, model, told) in [
            (CHAT, "an/claude", answer(200, "", MESSAGE)),
            (MESSAGES, "up/m", openai("aye", 1, 1)),
        ] {
            let content = if in_parts {
                json!([{ "type": "text", "text": ASKED }])
            } else {
                json!(ASKED)
            };
            let body = json!({ "model": model, "max_tokens": 9, "messages": [
                { "role": "user", "content": content },
            ]});
            let way = (path, ON);
            let (reply, sent) = house
                .call_told("isolated", way, (&body.to_string(), told))
                .await;
            assert_eq!(reply.header("x-skep-context"), "1 block", "{sent}");
            let sent: Value = serde_json::from_str(&sent).unwrap();
            let message = &sent["messages"][0];
            let given = match &message["content"] {
                Value::String(text) => text.strip_prefix(&format!("{ASKED}\n\n")).unwrap(),
                parts => parts[1]["text"].as_str().unwrap(),
            };
            assert_eq!(parse(given).unwrap().blocks[0].text, FACT);
            assert_eq!(
                (&message["role"], message["content"].is_array()),
                (&json!("user"), in_parts)
            );
        }
    }
}

/// What the owner of a memory is told of who saw it: the routes, newest first.
pub(crate) async fn seen(house: &House, owner: &str, id: &str) -> Vec<(String, String)> {
    house.daemon.record_now().await;
    let request = Request::new("GET", &format!("/api/v1/memories/{id}/seen"));
    let request = request.bearer(&house.daemon.a.token(owner));
    let seen = request.send(house.daemon.address).await.unwrap().json();
    let entries = seen["items"].as_array().unwrap().iter().map(|entry| {
        let text = |field: &str| entry[field].as_str().unwrap_or_default().to_owned();
        (text("reason"), text("request"))
    });
    entries.collect()
}

/// A memory of an agent's that people may read.
pub(crate) async fn others(house: &House, owner: &str) -> String {
    house.remember(owner, FACT).await;
    let list = Request::new("GET", "/api/v1/memories").bearer(&house.daemon.a.token(owner));
    let list = list.send(house.daemon.address).await.unwrap().json();
    list["items"][0]["id"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn t11_who_saw_a_memory_names_the_calls_it_went_into() {
    let house = House::new().await;
    let memory = others(&house, "shared").await;
    let call = async |who: &str, memory: &str| {
        let told = openai("aye", 1, 1);
        let body = chat(&[ASKED]);
        let way = (CHAT, Some(memory));
        let (reply, sent) = house.call_told(who, way, (&body, told)).await;
        (
            reply.header("x-skep-context"),
            reply.header("x-request-id"),
            sent,
        )
    };
    let (told, _, _) = call("shared", "on").await;
    assert_eq!(told, "1 block");
    call("owner", "off").await;
    assert_eq!(
        seen(&house, "shared", &memory).await,
        [],
        "one's own, and nothing"
    );
    house.timer.set_over(true);
    assert_eq!(call("owner", "on").await.0, "degraded");
    house.timer.set_over(false);
    assert_eq!(seen(&house, "shared", &memory).await, [], "it was late");
    let (_, first, sent) = call("owner", "on").await;
    assert!(sent.contains("7422 when"));
    // What is given again is shown again.
    let (_, second, sent) = call("owner", "on").await;
    assert!(sent.contains("7422 when"));
    let entry = |request: String| (format!("POST {CHAT}"), request);
    assert_eq!(
        seen(&house, "shared", &memory).await,
        [entry(second), entry(first)]
    );
    // Whether or not the provider then answers.
    let body = json!({ "model": "up/m", "input": ASKED }).to_string();
    let refused = answer(500, "", b"{}");
    house.model.then(Turn::Write(refused));
    let request = Request::new("POST", RESPONSES).header("X-Skep-Memory", "on");
    let request = request.bearer(&house.daemon.a.token("owner"));
    let failed = request
        .bytes(body.as_bytes())
        .send(house.daemon.address)
        .await
        .unwrap();
    assert!(failed.status >= 500, "{}", failed.text());
    let seen = seen(&house, "shared", &memory).await;
    assert_eq!((seen.len(), seen[0].0.as_str()), (3, "POST /v1/responses"));
}

#[tokio::test(flavor = "multi_thread")]
async fn f03_what_is_answered_again_is_given_and_kept_once() {
    let house = House::new().await;
    let memory = others(&house, "shared").await;
    let (body, token) = (chat(&[ASKED]), house.daemon.a.token("owner"));
    let send = async |request: Request| -> Reply {
        request
            .bearer(&token)
            .send(house.daemon.address)
            .await
            .unwrap()
    };
    let call = async |memory: &str| {
        let request = Request::new("POST", CHAT).header("X-Skep-Memory", memory);
        let request = request.header("Idempotency-Key", "k-1");
        let request = request.header("X-Skep-Capture", "tides");
        send(request.bytes(body.as_bytes())).await
    };
    house.model.then(Turn::Write(openai("aye", 1, 1)));
    let first = call("on").await;
    assert_eq!(first.status, 200, "{}", first.text());
    assert_eq!(first.header("x-skep-context"), "1 block");
    let again = call("on").await;
    assert_eq!((again.status, &again.body), (200, &first.body));
    assert_eq!(again.header("x-skep-context"), "");
    // What is to go in is part of what is asked.
    assert_ne!(call("off").await.status, 200);
    assert_eq!(house.model.asked().len(), 1);
    // What was given once, and shown twice.
    assert_eq!(seen(&house, "shared", &memory).await.len(), 2);
    ExchangeDesk::new(Arc::clone(&house.daemon.app))
        .write()
        .await;
    let sessions = send(Request::new("GET", "/api/v1/sessions")).await.json();
    let sessions = sessions["items"].as_array().unwrap();
    assert_eq!(sessions.len(), 1, "{sessions:?}");
    let turns = format!(
        "/api/v1/sessions/{}/turns",
        sessions[0]["id"].as_str().unwrap()
    );
    let turns = send(Request::new("GET", &turns)).await.json();
    assert_eq!(turns["items"].as_array().unwrap().len(), 2, "{turns}");
}
