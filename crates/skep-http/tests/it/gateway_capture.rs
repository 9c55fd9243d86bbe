//! What is said in model calls, kept as turns: whose words, how often, and never what was put in.

use serde_json::{Value, json};
use skep_app::ExchangeDesk;
use skep_domain::{MemoryState, Visibility};
use skep_test_support::model::{ScriptedModel, Turn, answer, openai};
use skep_test_support::{Reply, Request, TestDaemon};
use std::sync::Arc;

use crate::gateway::{CHAT, MESSAGES, set};
use crate::gateway_forms::{EMBEDDINGS, RESPONSES};
use crate::injection::keep;

const ASKED: &str = "On which port does the tide gauge answer when the harbour is calm?";
const FACT: &str = "The tide gauge answers on port 7422 when the harbour is calm.";

struct House {
    daemon: TestDaemon,
    model: ScriptedModel,
}

impl House {
    async fn new() -> Self {
        let model = ScriptedModel::start(Vec::new());
        let daemon = TestDaemon::start_gateway(&[model.address]).await;
        let url = format!("http://{}", model.address);
        for (name, kind) in [("up", "compatible"), ("an", "anthropic")] {
            set(
                &daemon,
                json!({ "name": name, "kind": kind, "base_url": url }),
            )
            .await;
        }
        Self { daemon, model }
    }

    async fn call(&self, path: &str, headers: &[(&str, &str)], body: &Value) -> Reply {
        let token = self.daemon.a.token("isolated");
        let mut request = Request::new("POST", path).bearer(&token).json(body);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        request.send(self.daemon.address).await.unwrap()
    }

    /// The sessions of the gateway, and for each the roles and texts of its turns.
    async fn kept(&self) -> Vec<(String, Vec<(String, String)>)> {
        ExchangeDesk::new(Arc::clone(&self.daemon.app))
            .write()
            .await;
        let get = async |path: &str| {
            let request = Request::new("GET", path).bearer(&self.daemon.a.token("isolated"));
            request.send(self.daemon.address).await.unwrap().json()
        };
        let mut all = Vec::new();
        for session in get("/api/v1/sessions").await["items"].as_array().unwrap() {
            assert_eq!(session["harness"], "gateway");
            let path = format!("/api/v1/sessions/{}/turns", session["id"].as_str().unwrap());
            let turns = get(&path).await;
            let turns = turns["items"].as_array().unwrap().iter().map(|turn| {
                let text = |field: &str| turn[field].as_str().unwrap().to_owned();
                (text("role"), text("text"))
            });
            all.push((
                session["title"].as_str().unwrap().to_owned(),
                turns.collect(),
            ));
        }
        all
    }
}

fn chat(texts: &[&str]) -> Value {
    let messages = texts.iter().enumerate().map(
        |(at, text)| json!({ "role": if at % 2 == 0 { "user" } else { "assistant" }, "content": text }),
    );
    json!({ "model": "up/m", "max_tokens": 9, "messages": messages.collect::<Vec<_>>() })
}

fn turns(all: &[(&str, &str)]) -> Vec<(String, String)> {
    all.iter()
        .map(|(role, text)| ((*role).to_owned(), (*text).to_owned()))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_is_kept_once_and_what_was_put_in_is_nobodys_words() {
    let house = House::new().await;
    keep(
        &house.daemon,
        "isolated",
        FACT,
        (MemoryState::Active, Visibility::Workspace),
    )
    .await;
    house.daemon.tend(&house.daemon.a).await;
    let both = [("X-Skep-Capture", "tides"), ("X-Skep-Memory", "on")];
    house.model.then(Turn::Write(openai(
        "Port 7422. The key is ghp_x7Kq2mP9vR4tY8wZ1bN6cD3fG5hJ0sLaQeUo.",
        1,
        1,
    )));
    let reply = house.call(CHAT, &both, &chat(&[ASKED])).await;
    assert_eq!(reply.header("x-skep-context"), "1 block");
    assert!(house.model.asked()[0].body.contains("skep-memory"));
    // The same words again, as a program sends them with each call; and a refusal, which is no answer.
    house.model.then(Turn::Write(openai("And thanks.", 1, 1)));
    house
        .call(CHAT, &both, &chat(&[ASKED, "Port 7422.", "Thank you."]))
        .await;
    house.model.then(Turn::Write(answer(
        400,
        "",
        b"{\"error\":{\"message\":\"no\"}}",
    )));
    house
        .call(CHAT, &both, &chat(&[ASKED, "Port 7422.", "Thank you."]))
        .await;
    let kept = house.kept().await;
    assert_eq!(kept.len(), 1, "{kept:?}");
    let (name, said) = &kept[0];
    assert_eq!((name.as_str(), said.len()), ("tides", 4), "{said:?}");
    assert_eq!(said[0], ("user".into(), ASKED.into()));
    assert!(
        said[1].1.starts_with("Port 7422.") && !said[1].1.contains("ghp_x7"),
        "{said:?}"
    );
    assert_eq!(
        said[2..],
        turns(&[("user", "Thank you."), ("assistant", "And thanks.")])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_heard_to_where_it_came() {
    let house = House::new().await;
    let events = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":1,\"output_tokens\":1}}}\n\n\
        event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"Cast \"}}\n\n\
        event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"off.\"}}\n\n";
    let over = "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
    for (end, text) in [(over, "one"), ("", "two")] {
        let body = format!("{events}{end}");
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        house
            .model
            .then(Turn::Write([head.as_bytes(), body.as_bytes()].concat()));
        let ask = json!({ "model": "an/m", "max_tokens": 9, "stream": true, "messages": [{ "role": "user", "content": text }] });
        let reply = house
            .call(MESSAGES, &[("X-Skep-Capture", text)], &ask)
            .await;
        assert!(String::from_utf8_lossy(&reply.body).contains("off."));
    }
    let mut kept = house.kept().await;
    kept.sort();
    let heard = |text: &str| turns(&[("user", text), ("assistant", "Cast off.")]);
    assert_eq!(
        kept,
        [
            ("one".to_owned(), heard("one")),
            ("two".to_owned(), heard("two"))
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_in_another_form_or_dialect_is_kept_as_its_caller_hears_it() {
    let house = House::new().await;
    let told = br#"{"id":"r","output":[{"type":"message","content":[{"type":"output_text","text":"Aye."}]}],"usage":{"input_tokens":1,"output_tokens":1}}"#;
    house.model.then(Turn::Write(answer(200, "", told)));
    let body = json!({ "model": "up/m", "instructions": "i", "input": "one" });
    let reply = house
        .call(RESPONSES, &[("X-Skep-Capture", "one")], &body)
        .await;
    assert_eq!(reply.status, 200, "{}", reply.json());
    // A message to a provider that answers with a chat.
    house.model.then(Turn::Write(openai("Cast off.", 1, 1)));
    let said = json!([{ "role": "user", "content": "two" }]);
    let body = json!({ "model": "up/m", "max_tokens": 9, "messages": said });
    let reply = house
        .call(MESSAGES, &[("X-Skep-Capture", "two")], &body)
        .await;
    assert_eq!(reply.status, 200, "{}", reply.json());
    // In what has no words of a model nobody says anything.
    let vectors = br#"{"data":[],"usage":{"prompt_tokens":1}}"#;
    house.model.then(Turn::Write(answer(200, "", vectors)));
    let body = json!({ "model": "up/m", "input": "three" });
    let reply = house
        .call(EMBEDDINGS, &[("X-Skep-Capture", "three")], &body)
        .await;
    assert_eq!(
        (reply.status, reply.header("x-skep-context").as_str()),
        (200, "none")
    );
    let mut kept = house.kept().await;
    kept.sort();
    let heard = |user: &str, model: &str| turns(&[("user", user), ("assistant", model)]);
    assert_eq!(
        kept,
        [
            ("one".to_owned(), heard("one", "Aye.")),
            ("two".to_owned(), heard("two", "Cast off."))
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_kept_of_a_call_that_does_not_ask_or_may_not() {
    let house = House::new().await;
    let daemon = &house.daemon;
    for headers in [
        &[][..],
        &[("X-Skep-Capture", "off")],
        &[("X-Skep-Capture", "OFF")],
        &[("X-Skep-Capture", "Off")],
        &[("X-Skep-Memory", "on")],
    ] {
        house.model.then(Turn::Write(openai("aye", 1, 1)));
        assert_eq!(
            house.call(CHAT, headers, &chat(&["hello"])).await.status,
            200
        );
    }
    assert_eq!(house.kept().await, []);
    let long = "x".repeat(2_000);
    for name in ["", long.as_str()] {
        assert_eq!(
            house
                .call(CHAT, &[("X-Skep-Capture", name)], &chat(&["hello"]))
                .await
                .status,
            400
        );
    }
    let owner = async |path: &str, body: Value| {
        let request = Request::new("POST", path)
            .bearer(&daemon.a.token("owner"))
            .json(&body);
        request.send(daemon.address).await.unwrap().json()
    };
    let agent = owner("/api/v1/agents", json!({ "name": "deckhand" })).await;
    let id = agent["id"].as_str().unwrap();
    let key = json!({ "label": "k", "agent": id, "permissions": ["gateway:use"] });
    let narrow = owner("/api/v1/keys", key).await;
    let context = format!("/api/v1/agents/{id}/context");
    let set = owner(&context, json!({ "memory": "off", "capture": true })).await;
    assert_eq!(set["capture"], true, "{set}");
    let call = async |name: Option<&str>| {
        house.model.then(Turn::Write(openai("aye", 1, 1)));
        let request = Request::new("POST", CHAT).bearer(narrow["secret"].as_str().unwrap());
        let request = name.into_iter().fold(request, |request, name| {
            request.header("X-Skep-Capture", name)
        });
        request
            .json(&chat(&["hello"]))
            .send(daemon.address)
            .await
            .unwrap()
            .status
    };
    // What somebody else set does not stop a call; who asks without the right is told.
    assert_eq!(call(None).await, 200);
    assert_eq!(call(Some("mine")).await, 403);
    // A pause counts for calls as for everything else.
    let pause = Request::new("POST", "/api/v1/capture/pause").bearer(&daemon.a.token("isolated"));
    let paused = pause.json(&json!({})).send(daemon.address).await.unwrap();
    assert_eq!(paused.status, 200, "{}", paused.json());
    house.model.then(Turn::Write(openai("aye", 1, 1)));
    assert_eq!(
        house
            .call(CHAT, &[("X-Skep-Capture", "quiet")], &chat(&["hello"]))
            .await
            .status,
        200
    );
    assert_eq!(house.kept().await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_call_that_was_refused_nothing_is_kept_and_of_a_long_one_both_ends() {
    let house = House::new().await;
    let keeping = [("X-Skep-Capture", "tides")];
    let budget =
        json!({ "scope": "organization", "period": "month", "kind": "hard", "limit": "0" });
    let budget = crate::gateway::own(&house.daemon, ("POST", "budgets"), budget).await;
    let refused = house.call(CHAT, &keeping, &chat(&[ASKED])).await;
    assert_eq!(refused.status, 402);
    assert_eq!(house.kept().await, []);
    let path = format!("budgets/{}", budget.json()["id"].as_str().unwrap());
    crate::gateway::own(&house.daemon, ("DELETE", &path), Value::Null).await;

    let long = format!("{} {} {ASKED}", "begin", "x ".repeat(1 << 20));
    house.model.then(Turn::Write(openai("Aye.", 1, 1)));
    assert_eq!(
        house.call(CHAT, &keeping, &chat(&[&long])).await.status,
        200
    );
    let kept = house.kept().await;
    let said = &kept[0].1[0].1;
    assert!(
        said.starts_with("begin x") && said.ends_with(ASKED),
        "both ends"
    );
    assert!(said.len() <= 64 << 10, "{}", said.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn on_is_a_wish_and_no_session() {
    let house = House::new().await;
    for word in ["on", "On", "ON"] {
        house.model.then(Turn::Write(openai("aye", 1, 1)));
        let headers = [("X-Skep-Capture", word)];
        let reply = house.call(CHAT, &headers, &chat(&["hello"])).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
    }
    let kept = house.kept().await;
    // That of the conversation, whatever it is called, and the same each time.
    assert_eq!(kept.len(), 1, "{kept:?}");
    assert!(kept[0].0.starts_with("call-"), "{kept:?}");
}
