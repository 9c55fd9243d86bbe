//! What somebody gets hold of for a moment must not last: a stolen session, a code that lies about,
//! what a member handed out before they were removed; and the record says who came in.

use serde_json::{Value, json};
use skep_test_support::{Request, TestDaemon};

use crate::logins::{
    ADDRESS, Browser, PASSWORD, code, edit, enrol, id_of, joined, log_in, post, send, set_up,
};

const JONAS: &str = "jonas@hive.example";
const FRED: &str = "fred@hive.example";

fn named(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_default().to_owned()
}

/// A POST without a body.
async fn ask(daemon: &TestDaemon, browser: &Browser, path: &str) -> (u16, Value) {
    let request = browser.post(path).header("Content-Length", "0");
    let reply = send(daemon, request).await;
    (reply.status, reply.json())
}

async fn reset_code(daemon: &TestDaemon, browser: &Browser, id: &str) -> String {
    let (status, made) = ask(daemon, browser, &format!("/api/v1/members/{id}/reset")).await;
    assert_eq!(status, 200, "{made}");
    named(&made, "token")
}

async fn reset(daemon: &TestDaemon, token: &str, password: &str) -> u16 {
    let body = json!({ "token": token, "password": password });
    post(daemon, "/api/v1/auth/reset", body).await.status
}

async fn invite(daemon: &TestDaemon, browser: &Browser, address: &str, role: &str) -> (u16, Value) {
    let body = json!({ "address": address, "role": role });
    let reply = send(daemon, browser.post("/api/v1/invites").json(&body)).await;
    (reply.status, reply.json())
}

async fn accept(daemon: &TestDaemon, token: &str) -> u16 {
    let body = json!({ "token": token, "name": "Mallory", "password": PASSWORD });
    post(daemon, "/api/v1/auth/invite", body).await.status
}

#[tokio::test(flavor = "multi_thread")]
async fn a11_what_somebody_handed_out_goes_with_their_standing() {
    for change in [
        json!({ "role": "member" }),
        json!({ "standing": "suspended" }),
        Value::Null,
    ] {
        let (daemon, before) = set_up().await;
        let fred = joined(&daemon, &before, FRED, "admin").await;
        joined(&daemon, &before, JONAS, "member").await;
        let (owner, _, _) = enrol(&daemon, &before).await;
        let (fred, _, _) = enrol(&daemon, &fred).await;
        let jonas = id_of(&daemon, &owner, JONAS).await;
        let letter = reset_code(&daemon, &fred, &jonas).await;
        let (status, made) = invite(&daemon, &fred, "mallory@evil.example", "admin").await;
        assert_eq!(status, 200, "{made}");
        let id = id_of(&daemon, &owner, FRED).await;
        let status = if change.is_null() {
            ask(&daemon, &owner, &format!("/api/v1/members/{id}/remove"))
                .await
                .0
        } else {
            send(&daemon, edit(&owner, &id, &change)).await.status
        };
        assert_eq!(status, 200, "{change}");
        let invited = accept(&daemon, &named(&made, "token")).await;
        let renewed = reset(&daemon, &letter, "seven quiet bees").await;
        assert_eq!((invited, renewed), (401, 401), "{change}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a19_a_new_password_voids_every_code_and_every_step_that_was_open() {
    let (daemon, before) = set_up().await;
    let jonas = joined(&daemon, &before, JONAS, "member").await;
    let (owner, _, _) = enrol(&daemon, &before).await;
    let id = id_of(&daemon, &owner, JONAS).await;
    let first = reset_code(&daemon, &owner, &id).await;
    let second = reset_code(&daemon, &owner, &id).await;
    assert_eq!(
        reset(&daemon, &first, "seven quiet bees").await,
        401,
        "one at a time"
    );
    let (_, secret, _) = enrol(&daemon, &jonas).await;
    let owed = log_in(&daemon, JONAS, PASSWORD).await.json();
    assert_eq!(reset(&daemon, &second, "seven quiet bees").await, 200);
    daemon.clock.advance_seconds(30);
    let step = json!({ "pending": owed["pending"], "code": code(&daemon, &secret) });
    let reply = post(&daemon, "/api/v1/auth/login/second", step).await;
    assert_eq!(reply.status, 401, "begun with the old password");

    // A password that is changed by its owner does the same.
    let third = reset_code(&daemon, &owner, &id).await;
    daemon.clock.advance_seconds(30);
    let owed = log_in(&daemon, JONAS, "seven quiet bees").await.json();
    let step = json!({ "pending": owed["pending"], "code": code(&daemon, &secret) });
    let inside = Browser::of(&post(&daemon, "/api/v1/auth/login/second", step).await);
    let change = json!({ "old": "seven quiet bees", "new": "eight louder bees" });
    let changed = send(&daemon, inside.post("/api/v1/auth/password").json(&change)).await;
    assert_eq!(changed.status, 200);
    assert_eq!(reset(&daemon, &third, "nine silent bees").await, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a12_a_stolen_session_makes_nothing_that_outlasts_it() {
    let (daemon, before) = set_up().await;
    joined(&daemon, &before, JONAS, "member").await;
    let (owner, secret, _) = enrol(&daemon, &before).await;
    let jonas = id_of(&daemon, &owner, JONAS).await;
    let token = json!({ "label": "script", "expires_at": "2026-12-31T00:00:00Z" });
    let make_token = async |browser: &Browser| {
        let reply = send(&daemon, browser.post("/api/v1/tokens").json(&token)).await;
        (reply.status, reply.json())
    };
    let promote = json!({ "role": "admin" });
    daemon.clock.advance_seconds(301);
    // Whoever has the cookie and not the factor.
    let (status, made) = make_token(&owner).await;
    assert_eq!(
        (status, named(&made["error"], "code")),
        (403, "STEP_UP_REQUIRED".into())
    );
    assert_eq!(
        invite(&daemon, &owner, "m@evil.example", "admin").await.0,
        403
    );
    assert_eq!(
        send(&daemon, edit(&owner, &jonas, &promote)).await.status,
        403
    );
    assert_eq!(
        invite(&daemon, &owner, "m@evil.example", "member").await.0,
        200
    );

    let again = json!({ "code": code(&daemon, &secret) });
    let reply = send(&daemon, owner.post("/api/v1/auth/step-up").json(&again)).await;
    let owner = Browser::of(&reply);
    let (status, made) = make_token(&owner).await;
    assert_eq!(status, 200, "{made}");
    assert_eq!(
        invite(&daemon, &owner, "a@hive.example", "admin").await.0,
        200
    );
    // A token has all the rights of its owner, and hands none of them on.
    let bearer = named(&made, "secret");
    for (method, path, body) in [
        (
            "POST",
            "/api/v1/invites".to_owned(),
            json!({ "address": "m@evil.example", "role": "owner" }),
        ),
        ("PATCH", format!("/api/v1/members/{jonas}"), promote),
        ("POST", "/api/v1/tokens".to_owned(), token.clone()),
    ] {
        let request = Request::new(method, &path).bearer(&bearer).json(&body);
        let reply = send(&daemon, request).await;
        assert_eq!(
            (reply.status, reply.code()),
            (403, "PERMISSION_DENIED".into()),
            "{path}"
        );
    }
    for path in [
        "/api/v1/auth/sessions",
        "/api/v1/auth/mfa",
        "/api/v1/tokens",
    ] {
        let reply = send(&daemon, Request::new("GET", path).bearer(&bearer)).await;
        assert_eq!(reply.status, 403, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_who_can_log_in_stays_owner_whoever_runs_the_daemon() {
    let (daemon, owner) = set_up().await;
    // The installation's own user owns the organization too, and nobody logs in as it.
    daemon.own(&daemon.a).await;
    daemon.own(&daemon.b).await;
    let maria = id_of(&daemon, &owner, ADDRESS).await;
    for body in [
        json!({ "role": "member" }),
        json!({ "standing": "suspended" }),
    ] {
        let reply = send(&daemon, edit(&owner, &maria, &body)).await;
        assert_eq!(reply.status, 409, "{body}");
    }
    let (status, _) = ask(&daemon, &owner, &format!("/api/v1/members/{maria}/remove")).await;
    assert_eq!(status, 409);
}

#[tokio::test(flavor = "multi_thread")]
async fn l04_the_record_says_who_came_in_who_did_not_and_to_what_it_was_done() {
    let (daemon, before) = set_up().await;
    let fred = joined(&daemon, &before, FRED, "admin").await;
    log_in(&daemon, FRED, "not the right one").await;
    log_in(&daemon, FRED, PASSWORD).await;
    let maria = id_of(&daemon, &before, ADDRESS).await;
    let refused = send(&daemon, edit(&fred, &maria, &json!({ "role": "member" }))).await;
    assert_eq!(refused.status, 403);
    daemon.record_now().await;
    let listed = send(&daemon, before.get("/api/v1/audit?limit=200"))
        .await
        .json();
    let whole = listed["items"].as_array().unwrap();
    let of = |action: &str| -> Vec<(String, bool, String)> {
        let found = whole.iter().filter(|entry| entry["action"] == action);
        let mut found: Vec<_> = found
            .map(|entry| {
                let known = entry["principal"].is_string();
                (named(entry, "outcome"), known, named(entry, "target"))
            })
            .collect();
        found.sort();
        found
    };
    let entry = |outcome: &str, target: &str| (outcome.to_owned(), true, target.to_owned());
    assert_eq!(of("setup"), [entry("allowed", "")]);
    assert_eq!(of("invite.accept")[0], entry("allowed", ""));
    assert_eq!(
        of("auth.login"),
        [entry("allowed", ""), entry("denied", "")]
    );
    let edits = of("member.edit");
    assert!(edits.contains(&entry("denied", &maria)), "{edits:?}");
    assert!(whole.iter().all(|entry| entry["request"] != ""), "{listed}");
}
