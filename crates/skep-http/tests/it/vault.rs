//! Secrets go in and come out nowhere; settings come out as what they are.

use std::fmt::Write as _;

use serde_json::{Value, json};
use skep_api::ROUTES;
use skep_domain::Role;
use skep_test_support::{Newcomer, Request, TestDaemon};

use crate::bodies::{request, seed};
use crate::canary::{forms, grep};
use crate::crawler::log_everything;

const VALUE: &str = "qxvaultcanarywvzk-4471";

async fn send(
    daemon: &TestDaemon,
    token: &str,
    (method, path): (&str, &str),
    body: Value,
) -> (u16, Value) {
    let request = Request::new(method, &format!("/api/v1/{path}"));
    let request = if body.is_null() {
        request
    } else {
        request.json(&body)
    };
    let reply = request.bearer(token).send(daemon.address).await.unwrap();
    (reply.status, reply.json())
}

async fn set(daemon: &TestDaemon, persona: &str, body: Value) -> (u16, Value) {
    let token = daemon.a.token(persona);
    send(daemon, &token, ("POST", "secrets"), body).await
}

async fn names(daemon: &TestDaemon, token: &str) -> Vec<(String, String)> {
    let (status, list) = send(daemon, token, ("GET", "secrets"), Value::Null).await;
    assert_eq!(status, 200, "{list}");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let items = list["items"].as_array().unwrap().iter();
    items
        .map(|item| (text(&item["scope"]), text(&item["name"])))
        .collect()
}

/// As it would stand in an answer: as it is, reversed, in other cases, encoded.
fn spellings() -> Vec<Vec<u8>> {
    let hex = VALUE.bytes().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    });
    // Base64 at each of its three offsets, without what its neighbours change.
    let base64 = [
        "cXh2YXVsdGNhbmFye",
        "F4dmF1bHRjYW5hcnl3",
        "xeHZhdWx0Y2FuYXJ5d",
    ];
    let encoded = base64.iter().map(|text| text.as_bytes().to_vec());
    let mut all: Vec<Vec<u8>> = forms(VALUE).into();
    all.push(hex.into_bytes());
    all.extend(encoded);
    all
}

fn holds(text: &[u8]) -> bool {
    let any = |needle: &Vec<u8>| text.windows(needle.len()).any(|window| window == needle);
    spellings().iter().any(any)
}

#[tokio::test(flavor = "multi_thread")]
async fn x01_no_route_no_error_and_no_log_has_the_value_of_a_secret() {
    let log = log_everything();
    let daemon = TestDaemon::start_patient().await;
    let ids = seed(&daemon, &daemon.a).await;
    let places = [
        json!({ "name": "TOKEN", "value": VALUE }),
        json!({ "name": "TOKEN", "value": VALUE, "scope": "organization" }),
        json!({ "name": "TOKEN", "value": VALUE, "scope": "agent", "agent": ids.agent }),
    ];
    for body in places {
        let (status, answer) = set(&daemon, "owner", body).await;
        assert_eq!(status, 200, "{answer}");
        assert!(!holds(answer.to_string().as_bytes()));
    }
    // What is refused holds a value as well.
    for body in [
        json!({ "name": "a b", "value": VALUE }),
        json!({ "name": VALUE, "value": "x" }),
        json!({ "name": "TOKEN", "value": VALUE, "scope": "nowhere" }),
        json!({ "name": "TOKEN", "value": { "deep": VALUE } }),
        json!({ "name": "TOKEN", "value": VALUE, "more": VALUE }),
        json!({ "name": "TOKEN", "value": VALUE.repeat(3_000) }),
    ] {
        let (status, answer) = set(&daemon, "owner", body).await;
        assert_eq!(status, 400, "{answer}");
        assert!(!holds(answer.to_string().as_bytes()), "{answer}");
    }
    for route in ROUTES {
        for persona in ["owner", "shared", "isolated"] {
            let asked = request(route, &ids).bearer(&daemon.a.token(persona));
            let reply = asked.send(daemon.address).await.unwrap();
            let seen = [reply.head.as_bytes(), &reply.body].concat();
            assert!(!holds(&seen), "{} as {persona}", route.path);
        }
    }
    assert!(!holds(&log.0.lock().unwrap()), "a log has it");
    assert_eq!(grep(&daemon.data(), &[VALUE]), [""; 0]);
    assert!(!holds(format!("{:?}", daemon.app).as_bytes()));
}

#[tokio::test(flavor = "multi_thread")]
async fn t01_secrets_are_told_of_where_they_belong() {
    let daemon = TestDaemon::start().await;
    let ids = seed(&daemon, &daemon.a).await;
    for (name, scope, agent) in [
        ("W", "workspace", None),
        ("O", "organization", None),
        ("A", "agent", Some(&ids.agent)),
    ] {
        let body = json!({ "name": name, "value": VALUE, "scope": scope, "agent": agent });
        let (status, answer) = set(&daemon, "owner", body).await;
        assert_eq!((status, &answer["scope"]), (200, &json!(scope)), "{answer}");
    }
    let told = |all: &[(&str, &str)]| -> Vec<(String, String)> {
        all.iter()
            .map(|(scope, name)| ((*scope).into(), (*name).into()))
            .collect()
    };
    let shared = [("organization", "O"), ("workspace", "W")];
    assert_eq!(
        names(&daemon, &daemon.a.token("owner")).await,
        told(&shared)
    );
    let query = format!("secrets?agent={}", ids.agent);
    let owner = daemon.a.token("owner");
    let (_, list) = send(&daemon, &owner, ("GET", &query), Value::Null).await;
    assert_eq!(list["items"].as_array().unwrap().len(), 3, "{list}");
    assert_eq!(list["items"][2]["agent"], json!(ids.agent));
    // Another organization has none of them, and cannot name this one's agent.
    let other = daemon.b.token("owner");
    assert_eq!(names(&daemon, &other).await, []);
    for (method, path) in [("GET", query.as_str()), ("POST", "secrets")] {
        let body = match method {
            "GET" => Value::Null,
            _ => json!({ "name": "X", "value": VALUE, "scope": "agent", "agent": ids.agent }),
        };
        let (status, answer) = send(&daemon, &other, (method, path), body).await;
        assert_eq!(status, 403, "{answer}");
    }
    let removed = json!({ "name": "w" });
    let (_, gone) = send(&daemon, &owner, ("POST", "secrets/remove"), removed.clone()).await;
    assert_eq!(gone["removed"], json!(true));
    let (_, gone) = send(&daemon, &owner, ("POST", "secrets/remove"), removed).await;
    assert_eq!(gone["removed"], json!(false));
    assert_eq!(names(&daemon, &owner).await, told(&shared[..1]));
}

#[tokio::test(flavor = "multi_thread")]
async fn x03_who_may_not_manage_the_organization_changes_nothing_that_all_share() {
    let daemon = TestDaemon::start().await;
    let body = json!({ "name": "TOKEN", "value": VALUE, "scope": "organization" });
    let tenant = (daemon.a.organization, daemon.a.workspace);
    let operator = daemon
        .admit(tenant, Newcomer::with(Role::Operator))
        .await
        .token;
    for path in ["secrets", "secrets/remove", "settings"] {
        let body = match path {
            "secrets/remove" => json!({ "name": "TOKEN", "scope": "organization" }),
            _ => body.clone(),
        };
        let (status, answer) = send(&daemon, &operator, ("POST", path), body.clone()).await;
        assert_eq!(status, 403, "{path} {answer}");
        assert!(answer.to_string().contains("org:manage"), "{answer}");
    }
    let own = json!({ "name": "TOKEN", "value": VALUE });
    let (status, answer) = send(&daemon, &operator, ("POST", "secrets"), own.clone()).await;
    assert_eq!(status, 200, "{answer}");
    // An agent is told which there are, and sets none.
    let agent = daemon.a.token("shared");
    assert_eq!(names(&daemon, &agent).await.len(), 1);
    let (status, _) = send(&daemon, &agent, ("POST", "secrets"), own).await;
    assert_eq!(status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn x07_a_setting_of_the_same_name_is_another_record() {
    let daemon = TestDaemon::start().await;
    let owner = daemon.a.token("owner");
    set(&daemon, "owner", json!({ "name": "BOTH", "value": VALUE })).await;
    let (_, list) = send(&daemon, &owner, ("GET", "settings"), Value::Null).await;
    assert_eq!(list["items"], json!([]));
    let removed = json!({ "name": "BOTH" });
    let (_, gone) = send(&daemon, &owner, ("POST", "settings/remove"), removed).await;
    assert_eq!(gone["removed"], json!(false));
    let plain = json!({ "name": "BOTH", "value": "vi" });
    let (status, answer) = send(&daemon, &owner, ("POST", "settings"), plain).await;
    assert_eq!((status, &answer["value"]), (200, &json!("vi")), "{answer}");
    let (_, list) = send(&daemon, &owner, ("GET", "settings"), Value::Null).await;
    assert_eq!(list["items"][0]["value"], json!("vi"));
    assert_eq!(names(&daemon, &owner).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn x03_a_reference_leads_where_the_operator_lets_it_and_is_shown() {
    let daemon = TestDaemon::start_patient().await;
    let text = "env://CARGO_MANIFEST_DIR";
    let body = json!({ "name": "FROM_OUTSIDE", "reference": text });
    let (status, answer) = set(&daemon, "owner", body).await;
    assert_eq!((status, &answer["reference"]), (200, &json!(text)));
    let token = daemon.a.token("owner");
    let (_, list) = send(&daemon, &token, ("GET", "secrets"), Value::Null).await;
    assert_eq!(list["items"][0]["reference"], json!(text));
    for (wrong, field) in [
        (json!({ "reference": "env://PATH" }), "reference"),
        (json!({ "reference": "file:///etc/passwd" }), "reference"),
        (
            json!({ "reference": "vault://main/secret/a#b" }),
            "reference",
        ),
        (json!({ "reference": "https://example.com" }), "reference"),
        (json!({ "reference": text, "value": VALUE }), "value"),
        (json!({}), "value"),
    ] {
        let mut body = wrong.clone();
        body["name"] = json!("WRONG");
        let (status, answer) = set(&daemon, "owner", body).await;
        assert_eq!(status, 400, "{wrong} {answer}");
        assert!(answer.to_string().contains(field), "{wrong} {answer}");
    }
    assert_eq!(names(&daemon, &token).await.len(), 1);
}
