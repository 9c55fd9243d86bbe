//! The main way through: capture, end, recall, resolve, forget.

use serde_json::{Value, json};
use skep_test_support::{Request, TestDaemon};

async fn post(daemon: &TestDaemon, path: &str, body: Value) -> Value {
    let request = Request::new("POST", path)
        .bearer(&daemon.a.token("owner"))
        .json(&body);
    let reply = request.send(daemon.address).await.unwrap();
    assert_eq!(reply.status, 200, "{path}: {:?}", reply.json());
    reply.json()
}

async fn end(daemon: &TestDaemon, session: &Value) -> Value {
    let path = format!("/api/v1/sessions/{}/end", session.as_str().unwrap());
    let request = Request::new("POST", &path)
        .bearer(&daemon.a.token("owner"))
        .header("Content-Length", "0");
    request.send(daemon.address).await.unwrap().json()
}

fn commit(number: u32, message: &str, paths: &[&str]) -> Value {
    json!({
        "client_event_id": format!("{number:040x}"), "role": "commit",
        "at": format!("2026-01-{:02}T00:00:00Z", number + 1), "text": message, "paths": paths,
    })
}

fn history() -> Value {
    json!({
        "session": { "harness": "git", "external_id": "root", "title": "harbour", "project": "harbour" },
        "turns": [
            commit(1, "Use fixed-point numbers for tide heights\n\nFloating point drifted by a centimetre over a month, so that alarms\ncame late.", &["src/tide.rs"]),
            commit(2, "Fix the berth planner losing the last ship\n\nThe loop stopped one short because the list was sorted in place.", &["src/berth.rs"]),
            commit(3, "fmt", &["src/berth.rs"]),
        ],
        "cursor": { "source": "git:harbour", "position": "3" },
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn history_comes_back_with_its_commit_and_a_second_import_adds_nothing() {
    let daemon = TestDaemon::start().await;
    let captured = post(&daemon, "/api/v1/capture", history()).await;
    assert_eq!(
        (&captured["stored"], &captured["duplicates"]),
        (&json!(3), &json!(0))
    );
    let ended = end(&daemon, &captured["session"]).await;
    assert_eq!(ended["session"]["memories"], json!(2), "{ended}");
    daemon.tend(&daemon.a).await;

    let question = json!({ "query": "why do tide heights not use floating point?" });
    let answer = post(&daemon, "/api/v1/recall", question.clone()).await;
    let first = &answer["items"][0];
    assert!(
        first["memory"]["text"]
            .as_str()
            .unwrap()
            .contains("drifted by a centimetre"),
        "{answer}"
    );
    assert_eq!(
        first["memory"]["provenance"]["references"],
        json!([format!("{:040x}", 1)])
    );
    assert_eq!(answer["degraded"], json!(false));
    assert!(
        first["scores"]["lexical"].as_f64() > Some(0.0)
            && first["scores"]["vector"].as_f64() > Some(0.0),
        "{first}"
    );

    let again = post(&daemon, "/api/v1/capture", history()).await;
    assert_eq!(
        (&again["stored"], &again["duplicates"]),
        (&json!(0), &json!(3))
    );
    let ended = end(&daemon, &again["session"]).await;
    assert_eq!(ended["session"]["memories"], json!(2), "{ended}");
    let position = post(
        &daemon,
        "/api/v1/imports/cursor",
        json!({ "source": "git:harbour" }),
    )
    .await;
    assert_eq!(position["position"], json!("3"));

    let raw = post(
        &daemon,
        "/api/v1/resolve",
        json!({ "id": first["memory"]["id"], "tier": "raw" }),
    )
    .await;
    assert!(
        raw["turns"][0]["text"]
            .as_str()
            .unwrap()
            .starts_with("Use fixed-point"),
        "{raw}"
    );
    let forget = format!(
        "/api/v1/memories/{}/forget",
        first["memory"]["id"].as_str().unwrap()
    );
    let forgotten = post(&daemon, &forget, json!({ "reason": "no longer so" })).await;
    assert_eq!(forgotten["state"], json!("forgotten"));
    let answer = post(&daemon, "/api/v1/recall", question).await;
    let ids: Vec<&Value> = answer["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| &item["memory"]["id"])
        .collect();
    assert!(
        !ids.contains(&&first["memory"]["id"]),
        "a forgotten memory came back at once"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn x10_secrets_are_taken_out_before_anything_is_stored() {
    let daemon = TestDaemon::start().await;
    // Put together here, so that scanners of this repository have nothing to find.
    let secret = format!("{}{}", "ghp_", "a1B2c3D4".repeat(4) + "e5F6");
    let kept = post(
        &daemon,
        "/api/v1/memories",
        json!({ "text": format!("The deploy token is {secret} for now.") }),
    )
    .await;
    assert_eq!(kept["redacted"], json!(1));
    assert!(!kept.to_string().contains(&secret));
    assert!(
        kept["memory"]["text"]
            .as_str()
            .unwrap()
            .contains("[redacted:"),
        "{kept}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_statement_twice_is_one_memory() {
    let daemon = TestDaemon::start().await;
    let first = post(
        &daemon,
        "/api/v1/memories",
        json!({ "text": "Pilots board at the fairway buoy." }),
    )
    .await;
    let second = post(
        &daemon,
        "/api/v1/memories",
        json!({ "text": "pilots board at the  fairway buoy" }),
    )
    .await;
    assert_eq!(
        (&first["known"], &second["known"]),
        (&json!(false), &json!(true))
    );
    assert_eq!(first["memory"]["id"], second["memory"]["id"]);
}
