//! Answers that are given again under a key: by the same rights as the call that they stand for, and only while
//! their caller may read all that was put into it.

use serde_json::{Value, json};
use skep_test_support::model::{Turn, openai};
use skep_test_support::{Reply, Request};

use crate::gateway::CHAT;
use crate::gateway_given::{others, seen};
use crate::gateway_memory::{ASKED, FACT, House, chat};

/// An agent that reads what its workspace shares, with a key that may all that memories take and one that may only
/// call.
struct Deckhand {
    house: House,
    id: String,
    whole: String,
    narrow: String,
}

impl Deckhand {
    async fn new() -> Self {
        let house = House::new().await;
        let made = async |path: &str, body: Value| {
            let request = Request::new("POST", path).bearer(&house.daemon.a.token("owner"));
            let reply = request.json(&body).send(house.daemon.address).await;
            reply.unwrap().json()
        };
        let agent = json!({ "name": "deckhand", "policy": "shared" });
        let agent = made("/api/v1/agents", agent).await;
        let id = agent["id"].as_str().unwrap().to_owned();
        let key = async |permissions: Value| {
            let asked = json!({ "label": "k", "agent": id, "permissions": permissions });
            let key = made("/api/v1/keys", asked).await;
            key["secret"].as_str().unwrap().to_owned()
        };
        let whole = key(json!(["gateway:use", "memory:read", "session:capture"])).await;
        let narrow = key(json!(["gateway:use"])).await;
        Self {
            house,
            id,
            whole,
            narrow,
        }
    }

    /// A call under the key `k`, to a model that says this if it is asked.
    async fn call(&self, secret: &str, says: &str, wishes: &[(&'static str, &str)]) -> Reply {
        self.house.model.then(Turn::Write(openai(says, 1, 1)));
        let request = Request::new("POST", CHAT).bearer(secret);
        let mut request = request.header("Idempotency-Key", "k");
        for (name, value) in wishes {
            request = request.header(name, value);
        }
        let request = request.bytes(chat(&[ASKED]).as_bytes());
        request.send(self.house.daemon.address).await.unwrap()
    }

    async fn done(&self, who: &str, (method, path): (&'static str, &str), body: Value) {
        let request = Request::new(method, path).bearer(&self.house.daemon.a.token(who));
        let request = match body {
            Value::Null => request.header("Content-Length", "0"),
            body => request.json(&body),
        };
        let reply = request.send(self.house.daemon.address).await.unwrap();
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
    }

    /// What the agent may not read any more, whichever way that came about.
    async fn withdraw(&self, memory: &str, way: &str) {
        let memory = format!("/api/v1/memories/{memory}");
        let agent = format!("/api/v1/agents/{}", self.id);
        let reason = json!({ "reason": "as the test wants it" });
        match way {
            "forgotten" => {
                let path = format!("{memory}/forget");
                self.done("mate", ("POST", &path), reason).await;
            }
            "erased" => {
                let path = format!("{memory}/erase");
                self.done("mate", ("POST", &path), Value::Null).await;
            }
            _ => {
                let isolated = json!({ "policy": "isolated" });
                self.done("owner", ("PATCH", &agent), isolated).await;
            }
        }
    }
}

fn told(reply: &Reply) -> (u16, String, bool) {
    let again = reply.header("idempotent-replayed");
    (reply.status, again, reply.text().contains("the tide"))
}

#[tokio::test(flavor = "multi_thread")]
async fn t01_a_replay_takes_the_rights_that_its_call_takes() {
    for wish in [("X-Skep-Memory", "on"), ("X-Skep-Capture", "tides")] {
        let hand = Deckhand::new().await;
        hand.house.remember("isolated", FACT).await;
        let first = hand.call(&hand.whole, "the tide", &[wish]).await;
        assert_eq!(told(&first), (200, String::new(), true), "{wish:?}");
        let narrow = hand.call(&hand.narrow, "another", &[wish]).await;
        assert_eq!(told(&narrow), (403, String::new(), false), "{wish:?}");
        let again = hand.call(&hand.whole, "another", &[wish]).await;
        assert_eq!(told(&again), (200, "true".into(), true), "{wish:?}");
        assert_eq!(hand.house.model.asked().len(), 1, "{wish:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn t01_what_is_set_for_an_agent_is_not_given_again_to_a_key_that_may_not_read() {
    let hand = Deckhand::new().await;
    hand.house.remember("isolated", FACT).await;
    let path = format!("/api/v1/agents/{}/context", hand.id);
    let on = json!({ "memory": "on" });
    hand.done("owner", ("POST", &path), on).await;
    let first = hand.call(&hand.whole, "the tide", &[]).await;
    assert_eq!(first.header("x-skep-context"), "1 block");
    // As it would be asked without a key: the call is made, and goes without memories.
    let narrow = hand.call(&hand.narrow, "another", &[]).await;
    assert_eq!(told(&narrow), (200, String::new(), false));
    let sent = hand.house.model.asked();
    assert!(sent.len() == 2 && !sent[1].body.contains("7422 when"));
    // What is kept is the answer to that one.
    let again = hand.call(&hand.narrow, "a third", &[]).await;
    assert_eq!((again.status, again.body), (200, narrow.body));
    assert_eq!(hand.house.model.asked().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn t01_an_answer_made_with_what_may_not_be_read_any_more_is_not_given_again() {
    for way in ["forgotten", "erased", "isolated"] {
        let hand = Deckhand::new().await;
        let memory = others(&hand.house, "mate").await;
        let on = [("X-Skep-Memory", "on")];
        let first = hand.call(&hand.whole, "the tide", &on).await;
        assert_eq!(told(&first), (200, String::new(), true), "{way}");
        assert_eq!(first.header("x-skep-context"), "1 block", "{way}");
        hand.withdraw(&memory, way).await;
        let anew = hand.call(&hand.whole, "another", &on).await;
        assert_eq!(told(&anew), (200, String::new(), false), "{way}");
        let sent = hand.house.model.asked();
        assert!(
            sent.len() == 2 && !sent[1].body.contains("7422 when"),
            "{way}"
        );
        // That one is kept under the key.
        let again = hand.call(&hand.whole, "a third", &on).await;
        assert_eq!(told(&again), (200, "true".into(), false), "{way}");
        assert_eq!(again.body, anew.body, "{way}");
        assert_eq!(hand.house.model.asked().len(), 2, "{way}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn t11_who_is_shown_a_memory_by_an_answer_of_before_is_in_the_record() {
    let hand = Deckhand::new().await;
    let memory = others(&hand.house, "mate").await;
    let on = [("X-Skep-Memory", "on")];
    let mut calls = Vec::new();
    for says in ["the tide", "another", "a third"] {
        let reply = hand.call(&hand.whole, says, &on).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert!(reply.text().contains("the tide"));
        calls.push((format!("POST {CHAT}"), reply.header("x-request-id")));
    }
    calls.reverse();
    assert_eq!(seen(&hand.house, "mate", &memory).await, calls);
}
