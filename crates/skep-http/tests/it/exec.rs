//! Runs that wait: who may ask for one, who sees it, who ends it. None is taken here; a real daemon's tests do
//! that.

use serde_json::{Value, json};
use skep_test_support::{Request, TestDaemon};

use crate::templates::{in_force, send};

async fn look(daemon: &TestDaemon, token: &str, path: &str) -> (u16, Value) {
    let request = Request::new("GET", &format!("/api/v1/{path}")).bearer(token);
    let reply = request.send(daemon.address).await.unwrap();
    (reply.status, reply.json())
}

async fn end(daemon: &TestDaemon, token: &str, path: &str) -> (u16, Value) {
    let request = Request::new("POST", &format!("/api/v1/{path}")).bearer(token);
    let request = request.header("Content-Length", "0");
    let reply = request.send(daemon.address).await.unwrap();
    (reply.status, reply.json())
}

fn wanted() -> Value {
    json!({ "template": "deploy", "arguments": { "place": "live" } })
}

#[tokio::test(flavor = "multi_thread")]
async fn x03_a_run_is_seen_and_ended_by_who_asked_and_by_who_approves_templates() {
    let daemon = TestDaemon::start().await;
    let token = |persona: &str| daemon.a.token(persona);
    in_force(&daemon, "deploy").await;
    let grant = json!({ "template": "deploy", "reason": "for all" });
    let (status, told) = send(&daemon, &token("owner"), "access/grant", grant).await;
    assert_eq!(status, 200, "{told}");
    let (status, run) = send(&daemon, &token("shared"), "exec", wanted()).await;
    assert_eq!((status, &run["state"]), (202, &json!("queued")), "{run}");
    assert_eq!(run["arguments"], json!({ "place": "live" }));
    let path = format!("exec/{}", run["id"].as_str().unwrap());
    let cancel = format!("{path}/cancel");
    for (whose, seen) in [
        (token("shared"), 200),
        (token("isolated"), 404),
        (token("colleague"), 404),
        (token("owner"), 200),
        (daemon.b.token("owner"), 403),
    ] {
        assert_eq!(look(&daemon, &whose, &path).await.0, seen, "{whose}");
        let (_, listed) = look(&daemon, &whose, "exec").await;
        let count = listed["items"].as_array().unwrap().len();
        assert_eq!(count, usize::from(seen == 200), "{listed}");
        if seen != 200 {
            assert_eq!(end(&daemon, &whose, &cancel).await.0, seen);
        }
    }
    let (_, waits) = look(&daemon, &token("shared"), &path).await;
    assert_eq!(waits["state"], "queued", "nobody else has ended it");
    let (status, ended) = end(&daemon, &token("owner"), &cancel).await;
    assert_eq!((status, &ended["state"]), (200, &json!("cancelled")));
    let (_, ended) = look(&daemon, &token("shared"), &format!("{path}?wait=30")).await;
    assert_eq!(ended["state"], "cancelled");
}

#[tokio::test(flavor = "multi_thread")]
async fn x03_an_agent_without_a_grant_is_told_how_to_ask_for_one() {
    let daemon = TestDaemon::start().await;
    in_force(&daemon, "deploy").await;
    let (status, refused) = send(&daemon, &daemon.a.token("shared"), "exec", wanted()).await;
    assert_eq!(status, 403, "{refused}");
    let told = refused["error"]["message"].as_str().unwrap();
    assert!(told.contains("skep access ask deploy"), "{told}");
    // What is another tenant's is as if it were not.
    let (status, _) = send(&daemon, &daemon.b.token("owner"), "exec", wanted()).await;
    assert_eq!(status, 404);
    let (_, none) = look(&daemon, &daemon.a.token("owner"), "exec").await;
    assert_eq!(none["items"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_is_not_taken_in() {
    let daemon = TestDaemon::start().await;
    let owner = daemon.a.token("owner");
    in_force(&daemon, "deploy").await;
    let many: serde_json::Map<String, Value> =
        (0..17).map(|n| (format!("n{n}"), json!("x"))).collect();
    for (arguments, status) in [
        (json!({}), 400),
        (json!({ "place": "moon" }), 400),
        (json!({ "place": "live", "more": "x" }), 400),
        (Value::Object(many), 400),
        (json!(["live"]), 400),
        (json!({ "place": "live" }), 202),
    ] {
        let asked = json!({ "template": "deploy", "arguments": arguments });
        let (got, told) = send(&daemon, &owner, "exec", asked).await;
        assert_eq!(got, status, "{told}");
    }
    let (_, listed) = look(&daemon, &owner, "exec").await;
    let items = listed["items"].as_array().unwrap();
    assert_eq!(items.len(), 1, "what was refused is nowhere");
    let path = format!("exec/{}?wait=31", items[0]["id"].as_str().unwrap());
    assert_eq!(look(&daemon, &owner, &path).await.0, 400);
}
