//! Names: read from what the caller may see, joined by whoever has the right.

use serde_json::{Value, json};
use skep_test_support::{Request, TestDaemon};

async fn send(
    daemon: &TestDaemon,
    persona: &str,
    (method, path): (&str, &str),
    body: Value,
) -> (u16, Value) {
    let request = Request::new(method, &format!("/api/v1/{path}"));
    let request = if body.is_null() {
        request.header("Content-Length", "0")
    } else {
        request.json(&body)
    };
    let token = daemon.a.token(persona);
    let reply = request.bearer(&token).send(daemon.address).await.unwrap();
    (reply.status, reply.json())
}

async fn told(daemon: &TestDaemon, persona: &str, name: &str) -> Value {
    let body = json!({ "name": name });
    let (status, told) = send(daemon, persona, ("POST", "relations"), body).await;
    assert_eq!(status, 200, "{told}");
    told
}

fn keys(told: &Value) -> Vec<&str> {
    let memories = told["memories"].as_array().unwrap().iter();
    memories.map(|one| one["key"].as_str().unwrap()).collect()
}

const SHARED: &str = "`E0382` in src/pool.rs means the lease moved.";
const PRIVATE: &str = "`use_after_move` is what `src/pool.rs` calls the lease error.";

async fn pool() -> TestDaemon {
    let daemon = TestDaemon::start().await;
    for (text, visibility) in [(SHARED, "workspace"), (PRIVATE, "private")] {
        let body = json!({ "text": text, "visibility": visibility });
        let (status, _) = send(&daemon, "owner", ("POST", "memories"), body).await;
        assert_eq!(status, 200);
    }
    daemon.tend(&daemon.a).await;
    daemon
}

#[tokio::test(flavor = "multi_thread")]
async fn names_tell_their_memories_and_each_other() {
    let daemon = pool().await;
    let told = told(&daemon, "owner", "./src/pool.rs").await;
    assert_eq!(keys(&told), [PRIVATE, SHARED]);
    assert_eq!(told["kind"], "file");
    let relations = told["relations"].as_array().unwrap();
    let line = |one: &Value| format!("{} {}", one["relation"], one["name"]);
    let mut lines: Vec<String> = relations.iter().map(line).collect();
    lines.sort();
    assert_eq!(
        lines,
        [
            r#""fails_with" "E0382""#,
            r#""named_with" "use_after_move""#
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn t10_names_follow_the_ring() {
    let daemon = pool().await;
    for (persona, memories, names) in [("owner", 2, 3), ("shared", 1, 2), ("isolated", 0, 0)] {
        assert_eq!(
            keys(&told(&daemon, persona, "src/pool.rs").await).len(),
            memories
        );
        let (_, list) = send(&daemon, persona, ("GET", "entities"), Value::Null).await;
        assert_eq!(
            list["items"].as_array().unwrap().len(),
            names,
            "{persona} {list}"
        );
        assert_eq!(
            list.to_string().contains("use_after_move"),
            persona == "owner"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proposal_holds_once_somebody_with_the_right_accepts_it() {
    let daemon = pool().await;
    let merge = json!({ "action": "merge", "name": "E0382", "other": "lease_error", "reason": "one thing" });
    let (status, made) = send(&daemon, "shared", ("POST", "ontology/proposals"), merge).await;
    assert_eq!((status, made["state"].as_str()), (200, Some("waiting")));
    let id = made["id"].as_str().unwrap();
    let accept = format!("ontology/proposals/{id}/accept");
    assert_eq!(
        send(&daemon, "shared", ("POST", &accept), Value::Null)
            .await
            .0,
        403
    );
    assert_eq!(
        send(&daemon, "reader", ("POST", &accept), Value::Null)
            .await
            .0,
        403
    );
    assert!(keys(&told(&daemon, "owner", "lease_error").await).is_empty());

    let (_, list) = send(&daemon, "owner", ("GET", "ontology/proposals"), Value::Null).await;
    assert_eq!(list["items"][0]["reason"], "one thing");
    assert_eq!(
        send(&daemon, "owner", ("POST", &accept), Value::Null)
            .await
            .0,
        200
    );
    assert_eq!(
        send(&daemon, "owner", ("POST", &accept), Value::Null)
            .await
            .0,
        404
    );
    assert_eq!(keys(&told(&daemon, "owner", "lease_error").await), [SHARED]);

    let archive = json!({ "action": "archive", "name": "E0382" });
    let (_, made) = send(&daemon, "owner", ("POST", "ontology/proposals"), archive).await;
    let accept = format!("ontology/proposals/{}/accept", made["id"].as_str().unwrap());
    assert_eq!(
        send(&daemon, "owner", ("POST", &accept), Value::Null)
            .await
            .0,
        200
    );
    assert!(keys(&told(&daemon, "owner", "lease_error").await).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn n12_proposals_without_sense_are_refused() {
    let daemon = pool().await;
    for (body, field) in [
        (json!({ "action": "burn", "name": "a.rs" }), "action"),
        (json!({ "action": "merge", "name": "a.rs" }), "other"),
        (
            json!({ "action": "archive", "name": "a.rs", "other": "b.rs" }),
            "other",
        ),
        (
            json!({ "action": "rename", "name": " `` ", "other": "b.rs" }),
            "name",
        ),
        (
            json!({ "action": "archive", "name": "x".repeat(257) }),
            "name",
        ),
        (
            json!({ "action": "archive", "name": "a.rs", "reason": "y".repeat(1_025) }),
            "reason",
        ),
    ] {
        let (status, answer) = send(&daemon, "owner", ("POST", "ontology/proposals"), body).await;
        assert_eq!(status, 400, "{answer}");
        assert_eq!(answer["error"]["details"][0]["field"], field, "{answer}");
    }
}
