//! Explanations: complete for whoever may know, silent for everybody else, and the same on replay.

use serde_json::{Value, json};
use skep_test_support::{Request, TestDaemon};

const QUERY: &str = "when does the harbour gate open";

/// A daemon with a shared memory, one that is the owner's alone, and one that the shared agent
/// keeps to itself.
async fn harbour() -> TestDaemon {
    let daemon = TestDaemon::start_quiet().await;
    for (persona, visibility, text) in [
        ("owner", "workspace", "The harbour gate opens at six."),
        (
            "owner",
            "private",
            "The harbour gate code is on the blue card.",
        ),
        ("shared", "own", "The harbour gate log is kept for a week."),
    ] {
        let body = json!({ "text": text, "visibility": visibility });
        post(&daemon, persona, "memories", body).await;
    }
    daemon.tend(&daemon.a).await;
    daemon
}

async fn post(daemon: &TestDaemon, persona: &str, path: &str, body: Value) -> (u16, Value) {
    let reply = Request::new("POST", &format!("/api/v1/{path}"))
        .bearer(&daemon.a.token(persona))
        .json(&body)
        .send(daemon.address)
        .await
        .unwrap();
    (reply.status, reply.json())
}

async fn recall(daemon: &TestDaemon, persona: &str, body: Value) -> String {
    let (status, answer) = post(daemon, persona, "recall", body).await;
    assert_eq!(status, 200, "{answer}");
    answer["explain_id"].as_str().unwrap().to_owned()
}

async fn explain(daemon: &TestDaemon, persona: &str, body: Value) -> Value {
    let (status, told) = post(daemon, persona, "explain/recall", body).await;
    assert_eq!(status, 200, "{told}");
    told
}

/// `key: decision`, in order.
fn decisions(told: &Value) -> Vec<String> {
    let candidates = told["candidates"].as_array().unwrap();
    let line = |one: &Value| {
        let key = one["key"].as_str().unwrap();
        format!("{key} {}", one["decision"].as_str().unwrap())
    };
    let mut lines: Vec<String> = candidates.iter().map(line).collect();
    lines.sort();
    lines
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recall_is_explained_and_replays() {
    let daemon = harbour().await;
    let id = recall(&daemon, "owner", json!({ "query": QUERY, "k": 2 })).await;
    let told = explain(&daemon, "owner", json!({ "id": id })).await;
    assert_eq!(told["query"], QUERY);
    let answered = told["candidates"].as_array().unwrap();
    let answered = answered.iter().filter(|one| one["answered"] == true);
    assert_eq!(answered.count(), 2);
    let over = decisions(&told);
    assert_eq!(
        over.iter()
            .filter(|line| line.ends_with("over the count"))
            .count(),
        1,
        "{over:?}"
    );
    let same = json!({ "search_is_the_same": true, "ring_is_the_same": true, "decision_is_the_same": true });
    assert_eq!(told["replay"], same);
    // Without an id: the caller's last.
    let last = explain(&daemon, "owner", json!({})).await;
    assert_eq!(last["id"], told["id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn t10_each_reader_is_explained_by_their_own_ring() {
    let daemon = harbour().await;
    let asked = recall(&daemon, "isolated", json!({ "query": QUERY })).await;
    let told = explain(&daemon, "owner", json!({ "id": asked })).await;
    let isolated = told["asker"].as_str().unwrap().to_owned();
    assert!(isolated.starts_with("agt_"));
    insta::assert_debug_snapshot!(decisions(&told), @r#"
    [
        "The harbour gate code is on the blue card. hidden by the reading ring",
        "The harbour gate log is kept for a week. hidden by the reading ring",
        "The harbour gate opens at six. hidden by the reading ring",
    ]
    "#);
    let own = recall(&daemon, "owner", json!({ "query": QUERY })).await;
    let shared = recall(&daemon, "shared", json!({ "query": QUERY })).await;
    let shared = explain(&daemon, "owner", json!({ "id": shared })).await["asker"].clone();
    let told = explain(&daemon, "owner", json!({ "id": own, "as": shared })).await;
    insta::assert_debug_snapshot!(decisions(&told), @r#"
    [
        "The harbour gate code is on the blue card. hidden by the reading ring",
        "The harbour gate log is kept for a week. answered",
        "The harbour gate opens at six. answered",
    ]
    "#);
    assert!(told["replay"].is_null());
}

#[tokio::test(flavor = "multi_thread")]
async fn t11_nobody_learns_of_what_their_ring_hides() {
    let daemon = harbour().await;
    let shared = recall(&daemon, "shared", json!({ "query": QUERY })).await;
    let told = explain(&daemon, "shared", json!({ "id": shared })).await;
    assert!(!told.to_string().contains("blue card"), "{told}");
    assert!(told["hidden"].is_null(), "not even how many");
    let places = told["candidates"].as_array().unwrap().iter();
    assert!((1..).zip(places).all(|(place, one)| one["place"] == place));
    let told = explain(&daemon, "owner", json!({ "id": shared })).await;
    assert_eq!(told["hidden"], 0);
    let owners = recall(&daemon, "owner", json!({ "query": QUERY })).await;
    let owner = explain(&daemon, "owner", json!({ "id": owners })).await["asker"].clone();
    // Another's recall, one's own as another, and one that never was: the same answer.
    let agent = explain(&daemon, "shared", json!({})).await["asker"].clone();
    let invented = format!("rcl_{}", &agent.as_str().unwrap()[4..]);
    let mut answers = Vec::new();
    for body in [json!({ "id": owners }), json!({ "as": owner })] {
        let (status, mut answer) = post(&daemon, "shared", "explain/recall", body).await;
        answer["error"]["request_id"] = "".into();
        answers.push((status, answer));
    }
    assert_eq!(answers[0].0, 404);
    assert_eq!(answers[0], answers[1]);
    let (status, _) = post(
        &daemon,
        "owner",
        "explain/recall",
        json!({ "id": invented }),
    )
    .await;
    assert_eq!(status, 403);
    let nobody = json!({ "as": agent.as_str().unwrap().replace("agt_", "usr_") });
    assert_eq!(
        post(&daemon, "owner", "explain/recall", nobody).await.0,
        403
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_since_is_said() {
    let daemon = harbour().await;
    let asked = recall(&daemon, "owner", json!({ "query": QUERY, "k": 50 })).await;
    let told = explain(&daemon, "owner", json!({ "id": asked })).await;
    let gone = &told["candidates"][0];
    let path = format!("memories/{}/forget", gone["id"].as_str().unwrap());
    let (status, _) = post(&daemon, "owner", &path, json!({ "reason": "wrong" })).await;
    assert_eq!(status, 200);
    let told = explain(&daemon, "owner", json!({ "id": asked })).await;
    assert_eq!(told["candidates"][0]["changed_since"], true);
    assert_eq!(told["candidates"][0]["decision"], "answered");
    let replay = json!({ "ring_is_the_same": false, "decision_is_the_same": true });
    assert_eq!(told["replay"], replay);
}
