//! Templates: nothing is done with a secret that a human, who is somebody else, did not approve.

use serde_json::{Value, json};
use skep_app::AppError;
use skep_authz::rights::SecretUse;
use skep_domain::{OrganizationRole, Permission, PermissionSet, Role};
use skep_test_support::{Newcomer, Request, Tenant, TestDaemon};

/// A request of whoever has this token.
pub(crate) async fn send(
    daemon: &TestDaemon,
    token: &str,
    path: &str,
    body: Value,
) -> (u16, Value) {
    let method = if body.is_null() { "GET" } else { "POST" };
    let request = Request::new(method, &format!("/api/v1/{path}"));
    let request = if body.is_null() {
        request
    } else {
        request.json(&body)
    };
    let reply = request.bearer(token).send(daemon.address).await.unwrap();
    (reply.status, reply.json())
}

pub(crate) fn text(name: &str, argument: &str) -> Value {
    json!({
        "name": name, "purpose": "Put what was built on the server.",
        "program": {
            "path": "/usr/bin/deploy", "arguments": [argument, "{place}"],
            "parameters": [{ "name": "place", "choices": ["test", "live"] }],
            "secrets": [{ "name": "DEPLOY_KEY", "variable": "DEPLOY_KEY" }],
            "hosts": ["deploy.example.com"], "seconds": 60, "output": 4096,
        },
    })
}

async fn draft(daemon: &TestDaemon, token: &str, text: Value) -> Value {
    let (status, made) = send(daemon, token, "templates", text).await;
    assert_eq!((status, &made["state"]), (200, &json!("waiting")), "{made}");
    made
}

async fn approve(daemon: &TestDaemon, token: &str, made: &Value, digest: &Value) -> (u16, Value) {
    let path = format!("templates/{}/approve", made["id"].as_str().unwrap());
    send(daemon, token, &path, json!({ "digest": digest })).await
}

/// A template in force, drafted by the colleague and approved by the owner.
pub(crate) async fn in_force(daemon: &TestDaemon, name: &str) -> Value {
    let colleague = daemon.a.token("colleague");
    let made = draft(daemon, &colleague, text(name, "go")).await;
    let owner = daemon.a.token("owner");
    let (status, done) = approve(daemon, &owner, &made, &made["digest"]).await;
    assert_eq!(status, 200, "{done}");
    done
}

/// A human who may approve, can log in, and showed a second factor just now.
fn approver(name: &str) -> Newcomer {
    Newcomer {
        organization: OrganizationRole::Admin,
        address: Some(format!("{name}@example.com")),
        stepped_up: true,
        ..Newcomer::with(Role::Admin)
    }
}

fn home(tenant: &Tenant) -> (skep_domain::OrganizationId, skep_domain::WorkspaceId) {
    (tenant.organization, tenant.workspace)
}

/// What becomes of using a template, and when that ends.
async fn used(daemon: &TestDaemon, tenant: &Tenant, persona: &str, name: &str) -> &'static str {
    let caller = tenant.caller(&daemon.store, persona).await;
    let authorized = caller.authorize::<SecretUse>().unwrap();
    let all = daemon.app.usables(&authorized).await.unwrap();
    let listed = all.iter().any(|one| one.template.name().as_str() == name);
    let found = daemon.app.usable(&authorized, name).await;
    assert_eq!(found.is_ok(), listed, "a list and a look agree");
    match found {
        Ok(usable) if usable.until.is_none() => "open",
        Ok(_) => "for a time",
        Err(AppError::AccessRequired(_)) => "no grant",
        Err(AppError::NoTemplate(_)) => "none",
        Err(other) => panic!("{other}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn x03_no_agent_and_no_drafter_approves() {
    let daemon = TestDaemon::start().await;
    let anna = daemon.admit(home(&daemon.a), approver("anna")).await.token;
    let bert = daemon.admit(home(&daemon.a), approver("bert")).await.token;
    let late = Newcomer {
        stepped_up: false,
        ..approver("late")
    };
    let late = daemon.admit(home(&daemon.a), late).await.token;
    let made = draft(&daemon, &anna, text("deploy", "go")).await;
    for (token, why) in [
        (&anna, "whoever drafted"),
        (&late, "second factor"),
        (&daemon.a.token("colleague"), "secret:approve"),
        (&daemon.a.token("steward"), "secret:approve"),
        (&daemon.a.token("shared"), "secret:approve"),
        // An agent whose role would allow it.
        (&daemon.a.token("mate"), "permission"),
    ] {
        let (status, answer) = approve(&daemon, token, &made, &made["digest"]).await;
        assert_eq!(status, 403, "{why}: {answer}");
        if !why.starts_with("permission") {
            assert!(answer.to_string().contains(why), "{why}: {answer}");
        }
    }
    assert_eq!(
        used(&daemon, &daemon.a, "colleague", "deploy").await,
        "none"
    );
    let (status, done) = approve(&daemon, &bert, &made, &made["digest"]).await;
    assert_eq!(
        (status, &done["state"]),
        (200, &json!("approved")),
        "{done}"
    );
    assert_eq!(done["alone"], Value::Null);
    assert_eq!(
        used(&daemon, &daemon.a, "colleague", "deploy").await,
        "open"
    );
    // What an agent drafted is approved by a human, and decided on by no agent.
    let made = draft(&daemon, &daemon.a.token("steward"), text("other", "go")).await;
    let path = format!("templates/{}/reject", made["id"].as_str().unwrap());
    let reason = json!({ "reason": "no" });
    let (status, _) = send(&daemon, &daemon.a.token("mate"), &path, reason.clone()).await;
    assert_eq!(status, 403);
    let (status, gone) = send(&daemon, &bert, &path, reason).await;
    assert_eq!(
        (status, &gone["state"]),
        (200, &json!("rejected")),
        "{gone}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn x03_who_is_alone_approves_alone_and_the_record_says_so() {
    let daemon = TestDaemon::start().await;
    let owner = daemon.a.token("owner");
    // Nobody who could not log in to approve counts: neither an operator nor somebody suspended.
    let operator = Newcomer {
        address: Some("operator@example.com".into()),
        ..Newcomer::with(Role::Operator)
    };
    daemon.admit(home(&daemon.a), operator).await;
    let made = draft(&daemon, &owner, text("deploy", "go")).await;
    let (status, done) = approve(&daemon, &owner, &made, &made["digest"]).await;
    assert_eq!((status, &done["alone"]), (200, &json!(true)), "{done}");
    let record = daemon.record(&owner).await;
    let alone = |entry: &&Value| entry["action"] == json!("template.approve_alone");
    let alone: Vec<&Value> = record.iter().filter(alone).collect();
    assert_eq!(alone.len(), 1, "{record:?}");
    assert_eq!(alone[0]["target"], made["id"]);
    // From when somebody else could, it takes them.
    let anna = daemon.admit(home(&daemon.a), approver("anna")).await.token;
    let next = draft(&daemon, &owner, text("deploy", "stop")).await;
    let (status, answer) = approve(&daemon, &owner, &next, &next["digest"]).await;
    assert_eq!(status, 403, "{answer}");
    let (status, done) = approve(&daemon, &anna, &next, &next["digest"]).await;
    assert_eq!((status, &done["alone"]), (200, &Value::Null), "{done}");
}

#[tokio::test(flavor = "multi_thread")]
async fn x03_what_was_read_is_what_is_approved() {
    let daemon = TestDaemon::start().await;
    let (owner, colleague) = (daemon.a.token("owner"), daemon.a.token("colleague"));
    let one = draft(&daemon, &colleague, text("deploy", "go")).await;
    let two = draft(&daemon, &colleague, text("deploy", "stop")).await;
    assert_eq!((&one["version"], &two["version"]), (&json!(1), &json!(2)));
    assert_ne!(one["digest"], two["digest"]);
    // Drafting it again changes nothing.
    let again = draft(&daemon, &colleague, text("deploy", "go")).await;
    assert_eq!(again["id"], one["id"]);
    for (made, digest, code) in [
        (&one, &two["digest"], 409),
        (&two, &one["digest"], 409),
        (&one, &json!(format!("sha256:{}", "0".repeat(64))), 409),
        (&one, &json!(""), 400),
        (
            &one,
            &json!(one["digest"].as_str().unwrap().to_uppercase()),
            400,
        ),
    ] {
        let (status, answer) = approve(&daemon, &owner, made, digest).await;
        assert_eq!(status, code, "{answer}");
    }
    assert_eq!(
        used(&daemon, &daemon.a, "colleague", "deploy").await,
        "none"
    );
    let (status, _) = approve(&daemon, &owner, &one, &one["digest"]).await;
    assert_eq!(status, 200);
    let (status, answer) = approve(&daemon, &owner, &one, &one["digest"]).await;
    assert_eq!(status, 409, "{answer}");
    // Whoever looks sees both, to compare them.
    let path = format!("templates/{}", two["id"].as_str().unwrap());
    let (_, shown) = send(&daemon, &owner, &path, Value::Null).await;
    assert_eq!(shown["in_force"]["id"], one["id"], "{shown}");
    assert_eq!(shown["template"]["text"], text("deploy", "stop"));
    let (status, _) = approve(&daemon, &owner, &two, &two["digest"]).await;
    assert_eq!(status, 200);
    let caller = daemon.a.caller(&daemon.store, "owner").await;
    let authorized = caller.authorize::<SecretUse>().unwrap();
    let usable = daemon.app.usable(&authorized, "DEPLOY").await.unwrap();
    let program = usable.template.program().unwrap();
    assert_eq!(program.arguments[0], "stop");
    // What is in force is drafted by nobody again.
    let (status, answer) = send(&daemon, &colleague, "templates", text("deploy", "stop")).await;
    assert_eq!(status, 409, "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn x03_of_approvals_at_once_one_holds() {
    let daemon = TestDaemon::start().await;
    let (owner, colleague) = (daemon.a.token("owner"), daemon.a.token("colleague"));
    for round in 0..4 {
        let name = format!("deploy{round}");
        let one = draft(&daemon, &colleague, text(&name, "go")).await;
        let two = draft(&daemon, &colleague, text(&name, "stop")).await;
        let (a, b, c, d) = tokio::join!(
            approve(&daemon, &owner, &one, &one["digest"]),
            approve(&daemon, &owner, &one, &one["digest"]),
            approve(&daemon, &owner, &two, &two["digest"]),
            approve(&daemon, &owner, &two, &one["digest"]),
        );
        // One may be superseded by the other and approved again: that is a decision too.
        let held = [a.0, b.0, c.0].iter().filter(|code| **code == 200).count();
        assert!(held >= 2, "{a:?} {b:?} {c:?}");
        assert_eq!(d.0, 409, "{d:?}");
        let (_, list) = send(&daemon, &owner, "templates?limit=200", Value::Null).await;
        let items = list["items"].as_array().unwrap().iter();
        let named = items.filter(|item| item["name"] == json!(name));
        assert_eq!(named.count(), 1, "{list}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn x03_nobody_sees_or_decides_what_is_anothers() {
    let daemon = TestDaemon::start().await;
    let made = draft(&daemon, &daemon.a.token("colleague"), text("deploy", "go")).await;
    let theirs = daemon.b.token("owner");
    for act in ["", "/approve", "/reject", "/withdraw"] {
        let path = format!("templates/{}{act}", made["id"].as_str().unwrap());
        let body = match act {
            "" => Value::Null,
            "/approve" => json!({ "digest": made["digest"] }),
            _ => json!({ "reason": "x" }),
        };
        let (status, answer) = send(&daemon, &theirs, &path, body).await;
        assert_eq!(status, 403, "{path} {answer}");
    }
    // An agent, and whoever only looks, is told of no draft.
    let shared = daemon.a.token("shared");
    let path = format!("templates/{}", made["id"].as_str().unwrap());
    let (status, _) = send(&daemon, &shared, &path, Value::Null).await;
    assert_eq!(status, 404);
    let (status, _) = send(&daemon, &shared, "templates?state=waiting", Value::Null).await;
    assert_eq!(status, 403);
    let (_, list) = send(&daemon, &shared, "templates", Value::Null).await;
    assert_eq!(list["items"], json!([]));
    in_force(&daemon, "other").await;
    assert_eq!(used(&daemon, &daemon.b, "owner", "other").await, "none");
    let (status, answer) = send(
        &daemon,
        &daemon.b.token("shared"),
        "access",
        json!({ "template": "other", "reason": "x" }),
    )
    .await;
    assert_eq!(status, 404, "{answer}");
    assert!(
        answer.to_string().contains("skep template list"),
        "{answer}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn x03_a_secret_of_the_organization_takes_somebody_who_manages_it() {
    let daemon = TestDaemon::start().await;
    let narrow = Newcomer {
        permissions: Some(PermissionSet::of(&[
            Permission::SecretApprove,
            Permission::SecretList,
        ])),
        ..approver("anna")
    };
    let narrow = daemon.admit(home(&daemon.a), narrow).await.token;
    let bert = daemon.admit(home(&daemon.a), approver("bert")).await.token;
    let mut shared = text("deploy", "go");
    shared["program"]["secrets"][0]["owner"] = json!("organization");
    let made = draft(&daemon, &daemon.a.token("colleague"), shared).await;
    let (status, answer) = approve(&daemon, &narrow, &made, &made["digest"]).await;
    assert_eq!(status, 403, "{answer}");
    assert!(answer.to_string().contains("org:manage"), "{answer}");
    let own = draft(&daemon, &daemon.a.token("colleague"), text("own", "go")).await;
    let (status, answer) = approve(&daemon, &narrow, &own, &own["digest"]).await;
    assert_eq!(status, 200, "{answer}");
    let (status, answer) = approve(&daemon, &bert, &made, &made["digest"]).await;
    assert_eq!(status, 200, "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn x03_what_cannot_be_kept_is_refused_by_its_field() {
    let daemon = TestDaemon::start().await;
    let colleague = daemon.a.token("colleague");
    let change = |change: fn(&mut Value)| {
        let mut text = text("deploy", "go");
        change(&mut text);
        text
    };
    let cases = [
        ("purpose", change(|text| text["purpose"] = json!(" "))),
        (
            "program",
            change(|text| text["requests"] = json!({ "rules": [] })),
        ),
        ("program", json!({ "name": "x", "purpose": "y" })),
        (
            "without[0]",
            change(|text| text["program"]["without"] = json!(["all"])),
        ),
        (
            "arguments[0]",
            change(|text| {
                text["program"]["arguments"][0] = json!("ghp_x7Kq2mP9vR4tY8wZ1bN6cD3fG5hJ0sLaQeUo");
            }),
        ),
        (
            "secrets[0]",
            change(|text| text["program"]["secrets"][0]["input"] = json!(true)),
        ),
        (
            "parameters[0]",
            change(|text| text["program"]["parameters"][0]["least"] = json!(1)),
        ),
        (
            "rules[0].body",
            change(|text| {
                text["program"]["rules"] = json!([{
                    "secret": "a", "hosts": ["a.example"], "headers": ["x"], "body": "shred",
                }]);
            }),
        ),
        (
            "rules[0]",
            change(|text| {
                text["program"]["rules"] =
                    json!([{ "secret": "a", "hosts": ["a.example"], "headers": ["host"] }]);
            }),
        ),
    ];
    for (field, text) in cases {
        let (status, answer) = send(&daemon, &colleague, "templates", text).await;
        assert_eq!(status, 400, "{field}: {answer}");
        let at = &answer["error"]["details"][0]["field"];
        assert_eq!(at, &json!(field), "{answer}");
        assert!(!answer.to_string().contains("ghp_"), "{answer}");
    }
    let unknown = change(|text| text["program"]["shell"] = json!(true));
    let (status, answer) = send(&daemon, &colleague, "templates", unknown).await;
    assert_eq!(status, 400, "{answer}");
}
