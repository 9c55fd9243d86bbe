//! Background work and the deletion of a workspace, as everybody sees them from outside.

use serde_json::{Value, json};
use skep_api::{ROUTES, Route};
use skep_domain::{Id, OrganizationRole, Role, WorkspaceId};
use skep_test_support::{Newcomer, Pass, Reply, Request, TestDaemon};

use crate::bodies::{is_oauth, is_public, request, seed};

const NODE: [u8; 16] = [7; 16];

async fn send(daemon: &TestDaemon, request: Request, token: &str) -> Reply {
    request.bearer(token).send(daemon.address).await.unwrap()
}

async fn get(daemon: &TestDaemon, path: &str, token: &str) -> Value {
    let reply = send(daemon, Request::new("GET", path), token).await;
    assert_eq!(reply.status, 200, "{path}: {:?}", reply.json());
    reply.json()
}

async fn post(daemon: &TestDaemon, path: &str, body: Value, token: &str) -> Reply {
    send(daemon, Request::new("POST", path).json(&body), token).await
}

/// Asks for the numbers of rows; the job.
async fn ask(daemon: &TestDaemon, token: &str) -> String {
    let request =
        Request::new("POST", "/api/v1/workspaces/inventory").header("Content-Length", "0");
    let reply = send(daemon, request, token).await;
    assert_eq!(reply.status, 202, "{:?}", reply.json());
    reply.json()["job"].as_str().unwrap().to_owned()
}

async fn delete(daemon: &TestDaemon, workspace: &str, token: &str) -> Reply {
    let path = format!("/api/v1/workspaces/{workspace}");
    send(daemon, Request::new("DELETE", &path), token).await
}

async fn do_all(daemon: &TestDaemon) {
    while daemon.app.do_next_job(NODE).await.unwrap() {}
}

fn admin() -> Newcomer {
    Newcomer {
        organization: OrganizationRole::Admin,
        ..Newcomer::with(Role::Admin)
    }
}

/// The owner as a member, another workspace of theirs, and an administrator who works in it.
async fn another(daemon: &TestDaemon) -> (WorkspaceId, String, Pass) {
    let owner = daemon.a.caller(&daemon.store, "owner").await;
    daemon.app.ensure_owner(&owner).await.unwrap();
    let id = daemon.another_workspace(daemon.a.organization).await;
    let pass = daemon.admit((daemon.a.organization, id), admin()).await;
    let said = json!({ "text": "The drydock opens at six." });
    let kept = post(daemon, "/api/v1/memories", said, &pass.token).await;
    assert_eq!(kept.status, 200);
    let listed = get(daemon, "/api/v1/workspaces", &daemon.a.token("owner")).await;
    let mut items = listed["items"].as_array().unwrap().iter();
    let text = items.find(|item| item["name"] == "another").unwrap()["id"].clone();
    (id, text.as_str().unwrap().to_owned(), pass)
}

#[tokio::test(flavor = "multi_thread")]
async fn t06_a_job_is_done_in_the_name_of_who_asked_as_they_stand_then() {
    let daemon = TestDaemon::start_patient().await;
    let owner = daemon.a.token("owner");
    let own = (daemon.a.organization, daemon.a.workspace);
    seed(&daemon, &daemon.a).await;
    let [stays, revoked, suspended] = [
        daemon.admit(own, admin()).await,
        daemon.admit(own, admin()).await,
        daemon.admit(own, admin()).await,
    ];
    let of_who_stays = ask(&daemon, &stays.token).await;
    let of_who_goes = ask(&daemon, &revoked.token).await;
    daemon.revoke(&daemon.a, revoked.credential).await;
    do_all(&daemon).await;
    let job = async |id: &str| get(&daemon, &format!("/api/v1/jobs/{id}"), &owner).await;
    let done = job(&of_who_stays).await;
    assert_eq!(done["state"], "done", "{done}");
    assert!(done["rows"]["memory"].as_u64().unwrap() > 0, "{done}");
    let refused = job(&of_who_goes).await;
    assert_eq!(refused["state"], "refused", "{refused}");
    assert_eq!(refused["reason"], "invalid credential");
    assert!(refused.get("rows").is_none());

    let late = ask(&daemon, &suspended.token).await;
    let named = Request::new("PATCH", "/api/v1/orgs").json(&json!({ "name": "harbour" }));
    assert_eq!(send(&daemon, named, &owner).await.status, 200);
    let standing = json!({ "organization": "harbour", "standing": "suspended" });
    let reply = post(&daemon, "/api/v1/orgs/standing", standing, &owner).await;
    assert_eq!(reply.status, 200, "{:?}", reply.json());
    do_all(&daemon).await;
    let refused = job(&late).await;
    assert_eq!(refused["state"], "refused", "{refused}");
    assert_eq!(refused["reason"], "the organization is suspended");
    let record = get(&daemon, "/api/v1/audit", &owner).await;
    let entries = record["items"].as_array().unwrap();
    let of_jobs: Vec<(&str, &str)> = entries
        .iter()
        .map(|entry| {
            (
                entry["action"].as_str().unwrap(),
                entry["outcome"].as_str().unwrap(),
            )
        })
        .filter(|(action, _)| action.starts_with("job."))
        .collect();
    assert_eq!(
        of_jobs
            .iter()
            .filter(|one| **one == ("job.inventory.refused", "denied"))
            .count(),
        2
    );
    assert!(
        of_jobs.contains(&("job.inventory.done", "allowed")),
        "{of_jobs:?}"
    );
}

fn bare(reply: &Reply) -> (u16, String) {
    let mut body = reply.json();
    body["error"]["request_id"] = "".into();
    if body["request_id"].is_string() {
        body["request_id"] = "".into();
    }
    (reply.status, body.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn t18_a_deleted_workspace_answers_as_one_that_never_was() {
    let daemon = TestDaemon::start_patient().await;
    let owner = daemon.a.token("owner");
    let (id, text, pass) = another(&daemon).await;
    let question = json!({ "query": "when does the drydock open" });
    let found = post(&daemon, "/api/v1/recall", question, &pass.token).await;
    assert!(String::from_utf8_lossy(&found.body).contains("drydock"));
    let ids = seed(&daemon, &daemon.a).await;
    let accepted = delete(&daemon, &text, &owner).await;
    assert_eq!(accepted.status, 202, "{:?}", accepted.json());
    let job = accepted.json()["job"].as_str().unwrap().to_owned();
    for round in ["accepted", "erased"] {
        let guarded = |route: &&Route| !is_public(route) && !is_oauth(route);
        for route in ROUTES.iter().filter(guarded) {
            let of_deleted = send(&daemon, request(route, &ids), &pass.token).await;
            let of_garbage = send(&daemon, request(route, &ids), "skep_sk_nonsense").await;
            assert_eq!(
                bare(&of_deleted),
                bare(&of_garbage),
                "{round}: {}",
                route.path
            );
        }
        let listed = get(&daemon, "/api/v1/workspaces", &owner).await;
        assert_eq!(listed["items"].as_array().unwrap().len(), 1, "{listed}");
        let again = delete(&daemon, &text, &owner).await;
        assert_eq!(again.status, 404);
        let keys = get(&daemon, "/api/v1/keys", &owner).await;
        assert!(!keys.to_string().contains(&text), "{round}: {keys}");
        do_all(&daemon).await;
    }
    let receipt = get(&daemon, &format!("/api/v1/jobs/{job}"), &owner).await;
    assert_eq!(receipt["state"], "done", "{receipt}");
    assert_eq!(receipt["workspace"], text);
    for (table, rows) in [
        ("memory", 1),
        ("credential", 1),
        ("workspace_member", 1),
        ("workspace", 1),
    ] {
        assert_eq!(receipt["rows"][table], rows, "{receipt}");
    }
    assert!(receipt["accepted_at"].is_string() && receipt["finished_at"].is_string());
    assert!(!receipt.to_string().contains("drydock") && !receipt.to_string().contains("another"));
    let file = format!("{:032x}", u128::from_be_bytes(id.to_bytes()));
    let data = std::fs::read_dir(daemon.data().join("ws")).unwrap();
    let names = data.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let left: Vec<String> = names.filter(|name| name.starts_with(&file)).collect();
    assert!(left.is_empty(), "{left:?}");
    // Its name is free again.
    let made = post(
        &daemon,
        "/api/v1/workspaces",
        json!({ "name": "another" }),
        &owner,
    )
    .await;
    assert_eq!(made.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn t18_who_may_delete_which_workspace() {
    let daemon = TestDaemon::start_patient().await;
    let (_, text, pass) = another(&daemon).await;
    let own = (daemon.a.organization, daemon.a.workspace);
    let member = daemon.admit(own, Newcomer::with(Role::Admin)).await;
    let seeded = seed(&daemon, &daemon.a).await;
    let owner = daemon.a.token("owner");
    let cases = [
        // A key shows no second factor.
        (&text, &pass.token, 403, "STEP_UP_REQUIRED"),
        (&text, &member.token, 403, "STEP_UP_REQUIRED"),
        (
            &text,
            &daemon.a.token("colleague"),
            403,
            "PERMISSION_DENIED",
        ),
        (&text, &daemon.b.token("owner"), 403, "PERMISSION_DENIED"),
        // Whoever runs the daemon comes in by it.
        (&seeded.workspace, &owner, 409, "CONFLICT"),
    ];
    for (workspace, token, status, code) in cases {
        let reply = delete(&daemon, workspace, token).await;
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (status, code),
            "{:?}",
            reply.json()
        );
    }
    // A right in one's own workspace is none in another one: the owner of the suite is no member there.
    daemon.another_workspace(daemon.b.organization).await;
    let theirs = daemon.b.token("owner");
    let listed = get(&daemon, "/api/v1/workspaces", &theirs).await;
    let mut items = listed["items"].as_array().unwrap().iter();
    let other = items.find(|item| item["current"] == false).unwrap()["id"].as_str();
    let reply = delete(&daemon, other.unwrap(), &theirs).await;
    assert_eq!(
        (reply.status, reply.code().as_str()),
        (403, "PERMISSION_DENIED")
    );
    let workspaces = get(&daemon, "/api/v1/workspaces", &owner).await;
    assert_eq!(workspaces["items"].as_array().unwrap().len(), 2);
}
