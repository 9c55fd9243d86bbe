//! What is in quarantine is on no way in, and who lets it out.

use serde_json::{Value, json};
use skep_api::RouteId;
use skep_test_support::{Reply, Request, TestDaemon};

use crate::bodies::{hold, request, seed};

const CANARY: &str = "gate-canary-51";

async fn call(
    daemon: &TestDaemon,
    persona: &str,
    (method, path): (&str, &str),
    body: Option<Value>,
) -> Reply {
    let request = Request::new(method, path).bearer(&daemon.a.token(persona));
    let request = match body {
        Some(body) => request.json(&body),
        None => request.header("Content-Length", "0"),
    };
    request.send(daemon.address).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn m02_what_is_held_back_is_read_on_no_route() {
    let daemon = TestDaemon::start().await;
    let held = hold(&daemon, &daemon.a).await;
    daemon.tend(&daemon.a).await;
    let now = "2030-01-01T00:00:00Z";
    let memory = format!("/api/v1/memories/{held}");
    let question = json!({ "query": "open the gate", "k": 50 });
    let then = json!({ "query": "open the gate", "k": 50, "as_of": now });
    for persona in ["owner", "reader", "isolated", "shared"] {
        for (method, path, body) in [
            ("GET", memory.clone(), None),
            ("GET", format!("{memory}/history"), None),
            ("GET", "/api/v1/memories".into(), None),
            ("GET", format!("/api/v1/memories?as_of={now}"), None),
            ("GET", "/api/v1/conflicts".into(), None),
            ("POST", "/api/v1/recall".into(), Some(question.clone())),
            ("POST", "/api/v1/recall".into(), Some(then.clone())),
            (
                "POST",
                "/api/v1/resolve".into(),
                Some(json!({ "id": held, "tier": "key" })),
            ),
            (
                "POST",
                "/api/v1/resolve".into(),
                Some(json!({ "id": held, "tier": "raw" })),
            ),
            ("PATCH", memory.clone(), Some(json!({ "kind": "decision" }))),
            (
                "POST",
                format!("{memory}/forget"),
                Some(json!({ "reason": "x" })),
            ),
        ] {
            let reply = call(&daemon, persona, (method, &path), body).await;
            let body = String::from_utf8_lossy(&reply.body);
            assert!(!body.contains(CANARY), "{persona} {method} {path}: {body}");
            assert!(reply.status < 500, "{persona} {method} {path}");
        }
    }
    let waiting = call(&daemon, "owner", ("GET", "/api/v1/quarantine"), None).await;
    assert!(
        waiting.json()["items"][0]["memory"]["text"]
            .as_str()
            .unwrap()
            .contains(CANARY)
    );
    assert_eq!(
        waiting.json()["items"][0]["reasons"],
        json!(["it gives orders"])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn m02_a_human_accepts_or_rejects_and_an_agent_never() {
    let daemon = TestDaemon::start().await;
    let ids = seed(&daemon, &daemon.a).await;
    let accept = format!("/api/v1/quarantine/{}/accept", ids.held);
    for persona in ["reader", "isolated", "shared"] {
        let reply = call(&daemon, persona, ("POST", &accept), Some(json!({}))).await;
        assert_eq!(reply.status, 403, "{persona}");
    }
    let reply = call(
        &daemon,
        "owner",
        ("POST", &accept),
        Some(json!({ "reason": "a test" })),
    )
    .await;
    assert_eq!(
        (reply.status, reply.json()["state"].clone()),
        (200, json!("active"))
    );
    let again = call(&daemon, "owner", ("POST", &accept), Some(json!({}))).await;
    assert_eq!(again.status, 404);
    let history = format!("/api/v1/memories/{}/history", ids.held);
    let history = call(&daemon, "owner", ("GET", &history), None).await.json();
    let entries = &history["versions"][0]["entries"];
    assert_eq!(entries[0]["reasons"], json!(["it gives orders"]));
    assert_eq!(entries[1]["reasons"], json!(["a test"]));
    assert_eq!(entries[1]["state"], json!("active"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_correction_takes_the_place_and_a_weaker_word_makes_a_conflict() {
    let daemon = TestDaemon::start().await;
    let say = async |persona: &str, text: &str| {
        daemon.clock.advance_seconds(60);
        let body = Some(json!({ "text": text }));
        call(&daemon, persona, ("POST", "/api/v1/memories"), body)
            .await
            .json()
    };
    let first = say("owner", "The crane port is 7411.").await;
    let before = daemon.store.now();
    let second = say("owner", "The crane port is 7412.").await;
    assert_eq!(
        second["superseded"],
        json!([first["memory"]["id"]]),
        "{second}"
    );
    let third = say("shared", "The crane port is 9999.").await;
    assert_eq!(
        third["superseded"],
        Value::Null,
        "m04: an agent replaces no human's word"
    );
    assert_eq!(third["conflicts"].as_array().unwrap().len(), 1);

    let id = first["memory"]["id"].as_str().unwrap();
    let history = format!("/api/v1/memories/{id}/history");
    let history = call(&daemon, "owner", ("GET", &history), None).await.json();
    assert_eq!(history["versions"].as_array().unwrap().len(), 2);
    assert_eq!(
        history["versions"][0]["superseded_by"],
        second["memory"]["id"]
    );
    assert_eq!(
        history["versions"][0]["memory"]["state"],
        json!("superseded")
    );
    assert_eq!(
        history["versions"][0]["memory"]["valid_to"],
        second["memory"]["valid_from"]
    );
    let alone = call(&daemon, "isolated", ("GET", "/api/v1/conflicts"), None)
        .await
        .json();
    assert_eq!(
        alone["items"],
        json!([]),
        "t10: the ring holds for conflicts"
    );

    let path = format!("/api/v1/memories?as_of={}", skep_api::Instant(before));
    let then = call(&daemon, "owner", ("GET", &path), None).await.json();
    let texts: Vec<&str> = then["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["text"].as_str().unwrap())
        .collect();
    assert_eq!(texts, ["The crane port is 7411."]);

    let conflict = third["conflicts"][0].as_str().unwrap();
    let resolve = format!("/api/v1/conflicts/{conflict}/resolve");
    let keep = Some(json!({ "resolution": "keep-older" }));
    let refused = call(&daemon, "shared", ("POST", &resolve), keep.clone()).await;
    assert_eq!(refused.status, 403);
    let bad = Some(json!({ "resolution": "whatever" }));
    assert_eq!(
        call(&daemon, "owner", ("POST", &resolve), bad).await.status,
        400
    );
    let settled = call(&daemon, "owner", ("POST", &resolve), keep.clone())
        .await
        .json();
    assert_eq!(settled["newer"]["state"], json!("forgotten"));
    assert_eq!(settled["older"]["state"], json!("active"));
    let again = call(&daemon, "owner", ("POST", &resolve), keep).await;
    assert_eq!((again.status, again.code().as_str()), (409, "CONFLICT"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_is_a_new_version_of_ones_own() {
    let daemon = TestDaemon::start().await;
    let ids = seed(&daemon, &daemon.a).await;
    daemon.clock.advance_seconds(60);
    let path = format!("/api/v1/memories/{}", ids.memory);
    let edit =
        Some(json!({ "text": "The harbour master listens on port 7500.", "reason": "moved" }));
    let foreign = call(&daemon, "isolated", ("PATCH", &path), edit.clone()).await;
    assert_eq!(foreign.status, 404, "t10");
    let weaker = call(&daemon, "shared", ("PATCH", &path), edit.clone()).await;
    assert_eq!(
        (weaker.status, weaker.code().as_str()),
        (409, "CONFLICT"),
        "m04"
    );
    let edited = call(&daemon, "owner", ("PATCH", &path), edit.clone())
        .await
        .json();
    assert_eq!(edited["superseded"], json!([ids.memory]));
    let stale = call(&daemon, "owner", ("PATCH", &path), edit).await;
    assert_eq!((stale.status, stale.code().as_str()), (409, "CONFLICT"));
    let new = edited["memory"]["id"].as_str().unwrap();
    let kind = Some(json!({ "kind": "decision" }));
    let same_words = call(
        &daemon,
        "owner",
        ("PATCH", &format!("/api/v1/memories/{new}")),
        kind,
    )
    .await;
    assert_eq!(
        (
            same_words.status,
            same_words.json()["memory"]["kind"].clone()
        ),
        (200, json!("decision"))
    );
    let history = call(&daemon, "owner", ("GET", &format!("{path}/history")), None)
        .await
        .json();
    let versions = history["versions"].as_array().unwrap();
    assert_eq!(versions.len(), 3);
    assert_eq!(
        versions[0]["entries"][0]["reasons"],
        json!(["edited", "moved"])
    );
    assert_eq!(history["edits"], 3, "one memory");
}

/// What is for a human to decide is not an agent's, whatever role somebody gave it.
#[tokio::test(flavor = "multi_thread")]
async fn m04_an_agent_with_an_operators_role_decides_nothing_that_is_a_humans() {
    let daemon = TestDaemon::start().await;
    let ids = seed(&daemon, &daemon.a).await;
    for route in [
        RouteId::ConflictResolve,
        RouteId::QuarantineAccept,
        RouteId::QuarantineReject,
        RouteId::Rewind,
    ] {
        for (persona, refused) in [("steward", true), ("owner", false)] {
            let request = request(route.row(), &ids).bearer(&daemon.a.token(persona));
            let reply = request.send(daemon.address).await.unwrap();
            let is_refused = (reply.status, reply.code().as_str()) == (403, "PERMISSION_DENIED");
            assert_eq!(
                is_refused,
                refused,
                "{persona} {route:?}: {:?}",
                reply.json()
            );
        }
    }
}
