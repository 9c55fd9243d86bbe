//! Access: an agent uses a template that it was granted, as long as it was granted; which secrets were
//! changed stands in the record without their names.

use serde_json::{Value, json};
use skep_app::AppError;
use skep_authz::rights::SecretUse;
use skep_domain::{OrganizationRole, Role};
use skep_test_support::{Newcomer, TestDaemon};

use crate::templates::{in_force, send};

async fn may(daemon: &TestDaemon, persona: &str, name: &str) -> bool {
    let caller = daemon.a.caller(&daemon.store, persona).await;
    let authorized = caller.authorize::<SecretUse>().unwrap();
    let found = daemon.app.usable(&authorized, name).await;
    match &found {
        Ok(_) | Err(AppError::AccessRequired(_) | AppError::NoTemplate(_)) => found.is_ok(),
        Err(other) => panic!("{other}"),
    }
}

async fn ask(daemon: &TestDaemon, persona: &str, body: Value) -> (u16, Value) {
    send(daemon, &daemon.a.token(persona), "access", body).await
}

async fn by(daemon: &TestDaemon, persona: &str, path: &str, body: Value) -> (u16, Value) {
    send(
        daemon,
        &daemon.a.token(persona),
        &format!("access{path}"),
        body,
    )
    .await
}

fn id(value: &Value) -> &str {
    value["id"].as_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn x03_a_grant_is_for_one_agent_and_ends() {
    let daemon = TestDaemon::start().await;
    in_force(&daemon, "deploy").await;
    in_force(&daemon, "other").await;
    assert!(
        may(&daemon, "colleague", "deploy").await,
        "a human needs none"
    );
    assert!(!may(&daemon, "shared", "deploy").await);
    let wanted = json!({ "template": "deploy", "reason": "to release", "seconds": 60 });
    let (status, asked) = ask(&daemon, "shared", wanted.clone()).await;
    assert_eq!(
        (status, &asked["state"]),
        (200, &json!("waiting")),
        "{asked}"
    );
    let (_, again) = ask(&daemon, "shared", wanted.clone()).await;
    assert_eq!(again["id"], asked["id"], "it is asked for once");
    let (_, theirs) = ask(&daemon, "isolated", wanted.clone()).await;
    assert_ne!(theirs["id"], asked["id"]);
    assert!(
        !may(&daemon, "shared", "deploy").await,
        "asking is not having"
    );
    let (status, _) = ask(&daemon, "colleague", wanted).await;
    assert_eq!(status, 409, "a human needs none");
    let grant = format!("/{}/grant", id(&asked));
    for persona in ["shared", "isolated", "steward", "mate", "colleague"] {
        let (status, answer) = by(&daemon, persona, &grant, json!({})).await;
        assert_eq!(status, 403, "{persona} {answer}");
    }
    let (status, granted) = by(&daemon, "owner", &grant, json!({})).await;
    assert_eq!(
        (status, &granted["state"]),
        (200, &json!("granted")),
        "{granted}"
    );
    assert!(may(&daemon, "shared", "deploy").await);
    assert!(!may(&daemon, "isolated", "deploy").await, "another agent's");
    assert!(!may(&daemon, "shared", "other").await, "another template's");
    let (status, answer) = by(&daemon, "owner", &grant, json!({})).await;
    assert_eq!(status, 409, "{answer}");
    daemon.clock.advance_seconds(59);
    assert!(may(&daemon, "shared", "deploy").await);
    daemon.clock.advance_seconds(1);
    assert!(!may(&daemon, "shared", "deploy").await, "it has ended");
    let (_, list) = by(&daemon, "shared", "", Value::Null).await;
    assert_eq!(
        list["items"].as_array().unwrap().len(),
        1,
        "its own: {list}"
    );
    assert_eq!(list["items"][0]["state"], json!("expired"));
    let (_, all) = by(&daemon, "owner", "", Value::Null).await;
    assert_eq!(all["items"].as_array().unwrap().len(), 2, "{all}");
    let refuse = format!("/{}/refuse", id(&theirs));
    let (status, refused) = by(&daemon, "owner", &refuse, json!({ "reason": "not now" })).await;
    assert_eq!(
        (status, &refused["answer"]),
        (200, &json!("not now")),
        "{refused}"
    );
    assert!(!may(&daemon, "isolated", "deploy").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn x03_what_is_taken_back_is_gone_at_once() {
    let daemon = TestDaemon::start().await;
    let made = in_force(&daemon, "deploy").await;
    let (_, asked) = ask(
        &daemon,
        "shared",
        json!({ "template": "deploy", "reason": "x" }),
    )
    .await;
    let agent = asked["agent"].clone();
    let give = json!({ "template": "deploy", "agent": agent });
    let (status, given) = by(&daemon, "owner", "/grant", give).await;
    assert_eq!(
        (status, &given["id"]),
        (200, &asked["id"]),
        "it answers what waits"
    );
    assert!(may(&daemon, "shared", "deploy").await);
    let revoke = format!("/{}/revoke", id(&given));
    let (status, _) = by(&daemon, "shared", &revoke, json!({ "reason": "x" })).await;
    assert_eq!(status, 403);
    let (status, gone) = by(&daemon, "owner", &revoke, json!({ "reason": "done" })).await;
    assert_eq!((status, &gone["state"]), (200, &json!("revoked")), "{gone}");
    assert!(!may(&daemon, "shared", "deploy").await);
    // For every agent; and gone with the template, also when one of its name comes back.
    let (status, _) = by(&daemon, "owner", "/grant", json!({ "template": "deploy" })).await;
    assert_eq!(status, 200);
    assert!(may(&daemon, "shared", "deploy").await && may(&daemon, "isolated", "deploy").await);
    let owner = daemon.a.token("owner");
    let withdraw = format!("templates/{}/withdraw", id(&made));
    let (status, _) = send(&daemon, &owner, &withdraw, json!({ "reason": "leaked" })).await;
    assert_eq!(status, 200);
    for persona in ["shared", "colleague", "owner"] {
        assert!(!may(&daemon, persona, "deploy").await, "{persona}");
    }
    in_force(&daemon, "deploy").await;
    assert!(may(&daemon, "colleague", "deploy").await);
    assert!(
        !may(&daemon, "shared", "deploy").await,
        "the old grant is gone"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_approved_for_every_agent_needs_no_second_step() {
    let daemon = TestDaemon::start().await;
    let colleague = daemon.a.token("colleague");
    let text = crate::templates::text("deploy", "go");
    let (_, made) = send(&daemon, &colleague, "templates", text).await;
    let path = format!("templates/{}/approve", id(&made));
    let owner = daemon.a.token("owner");
    let digest = &made["digest"];
    let alone = json!({ "digest": digest, "seconds": 60 });
    let (status, _) = send(&daemon, &owner, &path, alone).await;
    assert_eq!(status, 400, "seconds of what?");
    let open = json!({ "digest": digest, "every_agent": true, "seconds": 60 });
    let (status, answer) = send(&daemon, &owner, &path, open).await;
    assert_eq!(status, 200, "{answer}");
    assert!(may(&daemon, "shared", "deploy").await && may(&daemon, "isolated", "deploy").await);
    daemon.clock.advance_seconds(60);
    assert!(!may(&daemon, "shared", "deploy").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn x03_what_all_workspaces_share_takes_a_second_factor() {
    let daemon = TestDaemon::start().await;
    let tenant = (daemon.a.organization, daemon.a.workspace);
    let admin = |stepped_up| Newcomer {
        organization: OrganizationRole::Admin,
        stepped_up,
        ..Newcomer::with(Role::Admin)
    };
    let late = daemon.admit(tenant, admin(false)).await.token;
    let lately = daemon.admit(tenant, admin(true)).await.token;
    let value = "correct-horse-battery";
    for (path, body) in [
        ("secrets", json!({ "name": "T", "value": value })),
        ("settings", json!({ "name": "T", "value": value })),
        ("secrets/remove", json!({ "name": "T" })),
        ("settings/remove", json!({ "name": "T" })),
    ] {
        let (status, answer) = send(&daemon, &late, path, body.clone()).await;
        assert_eq!(status, 200, "the workspace's own: {answer}");
        let mut shared = body;
        shared["scope"] = json!("organization");
        let (status, answer) = send(&daemon, &late, path, shared.clone()).await;
        assert_eq!(
            (status, &answer["error"]["code"]),
            (403, &json!("STEP_UP_REQUIRED")),
            "{path}"
        );
        let (status, answer) = send(&daemon, &lately, path, shared).await;
        assert_eq!(status, 200, "{path} {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_record_says_which_secret_and_not_its_name() {
    let daemon = TestDaemon::start().await;
    let owner = daemon.a.token("owner");
    for (name, scope) in [
        ("PAYROLL_KEY", "workspace"),
        ("PAYROLL_KEY", "organization"),
    ] {
        let body = json!({ "name": name, "value": "correct-horse-battery", "scope": scope });
        let (status, answer) = send(&daemon, &owner, "secrets", body).await;
        assert_eq!(status, 200, "{answer}");
    }
    let gone = json!({ "name": "payroll_key" });
    send(&daemon, &owner, "secrets/remove", gone).await;
    let (_, list) = send(&daemon, &owner, "secrets", Value::Null).await;
    let of_all = &list["items"][0]["mark"];
    assert!(of_all.as_str().unwrap().starts_with("secret_"), "{list}");
    let record = daemon.record(&owner).await;
    assert!(!format!("{record:?}").to_lowercase().contains("payroll"));
    let targets = |action: &str| -> Vec<&Value> {
        let of = record
            .iter()
            .filter(|entry| entry["action"] == json!(action));
        of.map(|entry| &entry["target"]).collect()
    };
    let (set, removed) = (targets("secret.set"), targets("secret.remove"));
    assert_eq!((set.len(), removed.len()), (2, 1), "{record:?}");
    assert!(set.contains(&of_all), "the organization's");
    assert!(
        set.contains(&removed[0]),
        "the workspace's, whatever the case"
    );
    assert_ne!(set[0], set[1], "each place has its own");
}
