//! Entries of the ledger that are erased, and who may do that.

use serde_json::{Value, json};
use skep_app::{AppError, EntriesToErase, Log};
use skep_authz::rights::AuditErase;
use skep_domain::{OrganizationRole, Role};
use skep_test_support::{Newcomer, Reply, Request, TestDaemon, Visitor};

const ROUTE: &str = "/api/v1/audit/erase";

async fn erase(daemon: &TestDaemon, token: &str, body: &Value) -> Reply {
    let request = Request::new("POST", ROUTE).bearer(token).json(body);
    request.send(daemon.address).await.unwrap()
}

/// A daemon with some entries in the record.
async fn filled() -> TestDaemon {
    let daemon = TestDaemon::start().await;
    for tenant in [&daemon.a, &daemon.b] {
        for n in 0..3 {
            let body = json!({ "text": format!("Lock {n} is open.") });
            let request = Request::new("POST", "/api/v1/memories").json(&body);
            let request = request.bearer(&tenant.token("owner"));
            assert_eq!(request.send(daemon.address).await.unwrap().status, 200);
        }
    }
    daemon.record_now().await;
    daemon
}

fn asked(places: &Value) -> Value {
    json!({ "places": places, "reason": "asked for under article 17" })
}

/// The places of those that were erased.
async fn tombstones(daemon: &TestDaemon, token: &str) -> Vec<u64> {
    let entries = daemon.record(token).await;
    let erased = entries.iter().filter(|entry| entry["erased"] == true);
    erased.map(|entry| entry["seq"].as_u64().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn l07_an_owner_erases_an_entry_and_the_record_says_so() {
    let daemon = filled().await;
    let owner = daemon.a.token("owner");
    let reply = erase(&daemon, &owner, &asked(&json!([2, 1, 2]))).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let done = reply.json();
    assert_eq!(
        (&done["erased"], &done["already"]),
        (&json!([1, 2]), &json!([]))
    );
    assert_eq!(done["scrubbed"], true);
    let record = daemon.record(&owner).await;
    let at = |seq: &Value| record.iter().find(|entry| entry["seq"] == *seq).unwrap();
    let says = at(&done["entry"]);
    assert_eq!(says["action"], "audit.erase");
    assert_eq!(says["target"], "audit:1-2");
    assert_eq!(says["reason"], "asked for under article 17");
    let times = record
        .iter()
        .filter(|entry| entry["action"] == "audit.erase");
    assert_eq!(times.count(), 1, "it is recorded once");
    let gone = at(&json!(2));
    assert_eq!(gone["erased"], true);
    for what in ["principal", "credential", "workspace", "target", "reason"] {
        assert!(gone.get(what).is_none(), "{gone}");
    }
    let again = erase(&daemon, &owner, &asked(&json!([2, 3]))).await.json();
    assert_eq!(
        (&again["erased"], &again["already"]),
        (&json!([3]), &json!([2]))
    );
    assert_eq!(tombstones(&daemon, &owner).await, [3, 2, 1]);
    let theirs = daemon.b.token("owner");
    assert_eq!(tombstones(&daemon, &theirs).await, [0; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn l07_what_cannot_be_erased_is_refused_whole() {
    let daemon = filled().await;
    let owner = daemon.a.token("owner");
    let says = erase(&daemon, &owner, &asked(&json!([1]))).await.json();
    // More than we have of theirs: a place is one's own.
    let many = Newcomer::with(Role::Readonly);
    for _ in 0..9 {
        let place = (daemon.b.organization, daemon.b.workspace);
        let token = daemon.admit(place, many.clone()).await.token;
        let denied = Request::new("GET", "/api/v1/audit").bearer(&token);
        denied.send(daemon.address).await.unwrap();
        daemon.record_now().await;
    }
    let of_theirs = daemon.record(&daemon.b.token("owner")).await[0]["seq"].clone();
    let next = says["entry"].as_u64().unwrap() + 1;
    assert!(of_theirs.as_u64().unwrap() > next);
    let too_many: Vec<u64> = (1..=201).collect();
    for body in [
        asked(&json!([2, 1_000_000])),
        asked(&json!([2, of_theirs])),
        asked(&json!([0])),
        asked(&json!([2, says["entry"]])),
        asked(&json!([])),
        asked(&json!(too_many)),
        json!({ "places": [2], "reason": " " }),
        json!({ "places": [2], "reason": "x".repeat(1_001) }),
        json!({ "places": [2] }),
        json!({ "places": [2], "reason": "x", "log": "others" }),
        json!({ "places": [2], "reason": "x", "log": "usage" }),
        json!({ "places": [-1], "reason": "x" }),
    ] {
        let reply = erase(&daemon, &owner, &body).await;
        assert_eq!(reply.status, 400, "{body}: {}", reply.text());
    }
    assert_eq!(tombstones(&daemon, &owner).await, [1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn l07_only_an_owner_in_person_erases() {
    let daemon = filled().await;
    let place = (daemon.a.organization, daemon.a.workspace);
    let owner = |stepped_up| Newcomer {
        organization: OrganizationRole::Owner,
        stepped_up,
        ..Newcomer::with(Role::Admin)
    };
    let mut refused = Vec::new();
    for (who, code) in [
        (owner(false), "STEP_UP_REQUIRED"),
        // A key, though it is an owner's.
        (owner(true), "PERMISSION_DENIED"),
        (Newcomer::with(Role::Operator), "PERMISSION_DENIED"),
        (Newcomer::with(Role::Readonly), "PERMISSION_DENIED"),
    ] {
        refused.push((daemon.admit(place, who).await.token, code));
    }
    refused.push((daemon.a.token("shared"), "PERMISSION_DENIED"));
    for (token, code) in refused {
        let reply = erase(&daemon, &token, &asked(&json!([1]))).await;
        assert_eq!((reply.status, &*reply.code()), (403, code));
    }
    let (app, now) = (&daemon.app, daemon.app.now());
    for role in [OrganizationRole::Admin, OrganizationRole::Owner] {
        let visitor = Visitor::with(&daemon.store, &daemon.a, (role, Some(now)));
        let visitor = visitor.await.unwrap();
        let cookie = visitor.cookie.trim_start_matches("__Host-skep=");
        let caller = app.authenticate_browser(cookie.as_bytes()).await.unwrap();
        let right = caller.authorize::<AuditErase>();
        let asked = EntriesToErase {
            log: Log::Audit,
            places: vec![2],
            reason: "asked for".into(),
        };
        let outcome = app.erase_entries(&caller, right.unwrap(), asked).await;
        if role == OrganizationRole::Owner {
            assert_eq!(outcome.unwrap().0.erased, [2]);
        } else {
            assert!(
                matches!(outcome, Err(AppError::Forbidden(_))),
                "{outcome:?}"
            );
        }
    }
    assert_eq!(tombstones(&daemon, &daemon.a.token("owner")).await, [2]);
}
