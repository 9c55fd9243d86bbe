//! Keys and tokens: narrowed, bound, revoked, shown once; suspension, drift, and the record.

use serde_json::{Value, json};
use skep_api::ROUTES;
use skep_app::{KeyKind, NewKey};
use skep_domain::{AgentId, Bindings, Harness, OrganizationRole, Permission, PermissionSet, Role};
use skep_test_support::{Newcomer, Reply, Request, Tenant, TestDaemon};

const PORT: &str = "The harbour master listens on port 7411.";

async fn call(
    daemon: &TestDaemon,
    token: &str,
    method: &str,
    path: &str,
    body: Option<Value>,
) -> Reply {
    let request = Request::new(method, &format!("/api/v1/{path}")).bearer(token);
    let request = match body {
        Some(body) => request.json(&body),
        None if method == "GET" => request,
        None => request.header("Content-Length", "0"),
    };
    request.send(daemon.address).await.unwrap()
}

async fn post(daemon: &TestDaemon, token: &str, path: &str, body: Value) -> Reply {
    call(daemon, token, "POST", path, Some(body)).await
}

/// As the owner of a tenant; it must succeed.
async fn owner(daemon: &TestDaemon, tenant: &Tenant, path: &str, body: Value) -> Value {
    let reply = post(daemon, &tenant.token("owner"), path, body).await;
    assert_eq!(reply.status, 200, "{path}: {:?}", reply.json());
    reply.json()
}

async fn agent(daemon: &TestDaemon, name: &str) -> String {
    let made = json!({ "name": name, "policy": "shared" });
    let made = owner(daemon, &daemon.a, "agents", made).await;
    made["id"].as_str().unwrap().to_owned()
}

/// A key of an agent: its secret and its id.
async fn key(daemon: &TestDaemon, mut request: Value) -> (String, String) {
    request["label"] = json!("of a test");
    let made = owner(daemon, &daemon.a, "keys", request).await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (text(&made["secret"]), text(&made["key"]["id"]))
}

fn code(reply: &Reply) -> (u16, String) {
    (reply.status, reply.code())
}

fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a11_any_change_of_a_key_is_refused_before_anything_is_read() {
    let daemon = TestDaemon::start().await;
    let agent = agent(&daemon, "deckhand").await;
    let (secret, _) = key(&daemon, json!({ "agent": agent })).await;
    let good = call(&daemon, &secret, "GET", "memories", None).await;
    assert_eq!(good.status, 200);
    let mut bodies = Vec::new();
    for at in 0..secret.len() {
        let mut bent = secret.clone().into_bytes();
        bent[at] = if bent[at] == b'A' { b'B' } else { b'A' };
        let bent = String::from_utf8(bent).unwrap();
        let reply = call(&daemon, &bent, "GET", "memories", None).await;
        assert_eq!(code(&reply), refused(401, "INVALID_CREDENTIAL"), "{at}");
        let mut body = reply.json();
        body["error"]["request_id"] = "".into();
        bodies.push(body.to_string());
    }
    for cut in [&secret[..8], &secret[..30], &secret[..secret.len() - 1]] {
        let reply = call(&daemon, cut, "GET", "memories", None).await;
        assert_eq!(code(&reply), refused(401, "INVALID_CREDENTIAL"), "{cut}");
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1, "one body for every reason");
}

#[tokio::test(flavor = "multi_thread")]
async fn a11_a_narrowed_key_does_what_it_names_and_nothing_else() {
    let daemon = TestDaemon::start().await;
    let agent = agent(&daemon, "deckhand").await;
    let narrow = json!({ "agent": agent, "permissions": ["memory:read"] });
    let (secret, _) = key(&daemon, narrow).await;
    let read = call(&daemon, &secret, "GET", "memories", None).await;
    assert_eq!(read.status, 200);
    let write = post(&daemon, &secret, "memories", json!({ "text": PORT })).await;
    assert_eq!(code(&write), refused(403, "PERMISSION_DENIED"));
    // What a role lacks is not given by naming it.
    let wide = json!({ "agent": agent, "permissions": ["memory:read", "token:manage"] });
    let (secret, _) = key(&daemon, wide).await;
    let keys = call(&daemon, &secret, "GET", "keys", None).await;
    assert_eq!(code(&keys), refused(403, "PERMISSION_DENIED"));
    let unknown = json!({ "label": "x", "permissions": ["memory:read", "memory:everything"] });
    let unknown = post(&daemon, &daemon.a.token("owner"), "keys", unknown).await;
    assert_eq!(code(&unknown), refused(400, "VALIDATION_ERROR"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a11_nobody_hands_on_what_they_lack() {
    let daemon = TestDaemon::start().await;
    daemon.own(&daemon.a).await;
    // A key of the owner's own that may only manage tokens makes keys that can do no more.
    let manager = json!({ "permissions": ["token:manage", "setting:read"] });
    let (manager, _) = key(&daemon, manager).await;
    let who = call(&daemon, &manager, "GET", "whoami", None).await.json();
    assert_eq!(who["permissions"], json!(["setting:read", "token:manage"]));
    let asked = json!({ "label": "more", "permissions": ["memory:read"] });
    let asked = post(&daemon, &manager, "keys", asked).await;
    assert_eq!(code(&asked), refused(403, "STEP_UP_REQUIRED"));
    let token = json!({ "label": "more", "expires_at": "2026-06-01T00:00:00Z" });
    let token = post(&daemon, &manager, "tokens", token).await;
    assert_eq!(code(&token), refused(403, "PERMISSION_DENIED"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a11_a_key_bound_to_projects_reads_and_writes_in_them_alone() {
    let daemon = TestDaemon::start().await;
    let agent = agent(&daemon, "deckhand").await;
    for (text, project) in [
        (PORT, Some("harbour")),
        ("The crane is green.", Some("yard")),
    ] {
        let said = json!({ "text": text, "project": project });
        owner(&daemon, &daemon.a, "memories", said).await;
    }
    owner(
        &daemon,
        &daemon.a,
        "memories",
        json!({ "text": "Tides are high." }),
    )
    .await;
    daemon.tend(&daemon.a).await;
    let bound = json!({ "agent": agent, "projects": ["harbour"] });
    let (secret, _) = key(&daemon, bound).await;
    let listed = call(&daemon, &secret, "GET", "memories", None).await.json();
    let texts: Vec<&str> = listed["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["text"].as_str().unwrap())
        .collect();
    assert_eq!(texts, [PORT]);
    for query in ["the crane is green", "tides", "which port"] {
        let found = post(&daemon, &secret, "recall", json!({ "query": query })).await;
        let found = found.json().to_string();
        assert!(
            !found.contains("crane is") && !found.contains("Tides"),
            "{found}"
        );
    }
    for (project, status) in [(Some("harbour"), 200), (Some("yard"), 403), (None, 403)] {
        let said = json!({ "text": "Pilots sleep by day.", "project": project });
        let reply = post(&daemon, &secret, "memories", said).await;
        assert_eq!(reply.status, status, "{project:?}: {:?}", reply.json());
        let mut batch =
            crate::bodies::body(skep_api::RouteId::Capture, &crate::bodies::Ids::default());
        batch["session"]["external_id"] = json!(format!("s {project:?}"));
        batch["session"]["project"] = json!(project);
        let reply = post(&daemon, &secret, "capture", batch).await;
        assert_eq!(reply.status, status, "{project:?}: {:?}", reply.json());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a11_a_key_bound_to_a_harness_captures_in_no_others_name() {
    let daemon = TestDaemon::start().await;
    let agent = agent(&daemon, "deckhand").await;
    let bound = json!({ "agent": agent, "harness": "codex" });
    let (secret, _) = key(&daemon, bound).await;
    for (harness, status) in [("codex", 200), ("claude-code", 403)] {
        let mut batch =
            crate::bodies::body(skep_api::RouteId::Capture, &crate::bodies::Ids::default());
        batch["session"]["harness"] = json!(harness);
        let reply = post(&daemon, &secret, "capture", batch).await;
        assert_eq!(reply.status, status, "{harness}: {:?}", reply.json());
        let inject = json!({ "harness": harness, "external_id": "s-9", "moment": "prompt",
                             "prompt": "which port", "deadline_ms": 60_000 });
        let reply = post(&daemon, &secret, "inject", inject).await;
        assert_eq!(reply.status, status, "{harness}: {:?}", reply.json());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a11_a_revocation_counts_from_the_next_request_on() {
    let daemon = TestDaemon::start().await;
    let agent = agent(&daemon, "deckhand").await;
    for round in 0..200 {
        let (secret, id) = key(&daemon, json!({ "agent": agent })).await;
        let before = call(&daemon, &secret, "GET", "whoami", None).await;
        assert_eq!(before.status, 200, "{round}");
        let path = format!("keys/{id}/revoke");
        let gone = call(&daemon, &daemon.a.token("owner"), "POST", &path, None).await;
        assert_eq!(gone.status, 200, "{round}");
        let after = call(&daemon, &secret, "GET", "whoami", None).await;
        assert_eq!(code(&after), refused(401, "INVALID_CREDENTIAL"), "{round}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a11_a_token_that_was_stretched_once_is_refused_at_once_when_revoked() {
    let daemon = TestDaemon::start().await;
    daemon.own(&daemon.a).await;
    let token = json!({ "label": "x", "expires_at": "2026-02-01T00:00:00Z" });
    let made = owner(&daemon, &daemon.a, "tokens", token).await;
    let (secret, id) = (
        made["secret"].as_str().unwrap(),
        made["key"]["id"].as_str().unwrap(),
    );
    for _ in 0..3 {
        let reply = call(&daemon, secret, "GET", "memories", None).await;
        assert_eq!(reply.status, 200);
    }
    // Another secret under the same id fails, though the right one passed before.
    let mut bent = secret.as_bytes().to_vec();
    bent[40] ^= 1;
    let bent = String::from_utf8(bent).unwrap();
    assert_eq!(
        call(&daemon, &bent, "GET", "memories", None).await.status,
        401
    );
    let path = format!("tokens/{id}/revoke");
    let gone = call(&daemon, &daemon.a.token("owner"), "POST", &path, None).await;
    assert_eq!(gone.status, 200);
    let after = call(&daemon, secret, "GET", "memories", None).await;
    assert_eq!(code(&after), refused(401, "INVALID_CREDENTIAL"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a07_a_key_ends_at_its_end_and_not_before() {
    let daemon = TestDaemon::start().await;
    let agent = agent(&daemon, "deckhand").await;
    let ending = json!({ "agent": agent, "expires_at": "2026-01-01T01:00:00Z" });
    let (secret, _) = key(&daemon, ending).await;
    let minute = |n: i64| 1_767_225_600_000 + n * 60_000;
    for (at, status) in [(59, 200), (60, 401), (61, 401), (59, 200)] {
        daemon.clock.set_millis(minute(at));
        let reply = call(&daemon, &secret, "GET", "memories", None).await;
        assert_eq!(reply.status, status, "{at}");
    }
    for bad in ["2025-12-31T00:00:00Z", "2027-06-01T00:00:00Z"] {
        let token = json!({ "label": "x", "expires_at": bad });
        let reply = post(&daemon, &daemon.a.token("owner"), "tokens", token).await;
        assert_eq!(code(&reply), refused(400, "VALIDATION_ERROR"), "{bad}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a12_a_secret_is_shown_once_and_kept_nowhere() {
    let daemon = TestDaemon::start().await;
    daemon.own(&daemon.a).await;
    let agent = agent(&daemon, "deckhand").await;
    let (secret, id) = key(&daemon, json!({ "agent": agent })).await;
    let token = json!({ "label": "zanzibar-label", "expires_at": "2026-02-01T00:00:00Z" });
    let token = owner(&daemon, &daemon.a, "tokens", token).await;
    let token = token["secret"].as_str().unwrap().to_owned();
    for path in ["keys", "tokens", "audit", "whoami"] {
        let reply = call(&daemon, &daemon.a.token("owner"), "GET", path, None).await;
        let shown = reply.json().to_string();
        assert!(
            !shown.contains(&secret) && !shown.contains(&token),
            "{path}"
        );
    }
    let listed = call(&daemon, &daemon.a.token("owner"), "GET", "keys", None).await;
    assert_eq!(listed.json()["items"][0]["id"], json!(id));
    let needles = [
        &secret[31..60],
        &token[32..60],
        "zanzibar-label",
        "deckhand",
    ];
    let found = crate::canary::grep(&daemon.data(), &needles);
    assert!(found.is_empty(), "{found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_agent_is_refused_everywhere_from_its_next_request_on() {
    let daemon = TestDaemon::start().await;
    let id = agent(&daemon, "deckhand").await;
    let (secret, _) = key(&daemon, json!({ "agent": id })).await;
    let stand = async |standing: &str| {
        let body = Some(json!({ "standing": standing }));
        let token = daemon.a.token("owner");
        let reply = call(&daemon, &token, "PATCH", &format!("agents/{id}"), body).await;
        assert_eq!(reply.status, 200);
    };
    stand("suspended").await;
    for path in ["memories", "whoami", "sessions"] {
        let reply = call(&daemon, &secret, "GET", path, None).await;
        assert_eq!(code(&reply), refused(403, "AGENT_SUSPENDED"), "{path}");
    }
    stand("active").await;
    let reply = call(&daemon, &secret, "GET", "memories", None).await;
    assert_eq!(reply.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_organization_is_refused_but_for_whoever_runs_the_daemon() {
    let daemon = TestDaemon::start().await;
    let agent = agent(&daemon, "deckhand").await;
    let (secret, _) = key(&daemon, json!({ "agent": agent })).await;
    let token = daemon.a.token("owner");
    let named = call(
        &daemon,
        &token,
        "PATCH",
        "orgs",
        Some(json!({ "name": "harbour" })),
    )
    .await;
    assert_eq!(named.status, 200);
    for (standing, expected) in [("suspended", 403), ("active", 200)] {
        let body = json!({ "organization": "harbour", "standing": standing });
        let stranger = post(&daemon, &secret, "orgs/standing", body.clone()).await;
        assert_eq!(stranger.status, 403);
        owner(&daemon, &daemon.b, "orgs/standing", body).await;
        let reply = call(&daemon, &secret, "GET", "memories", None).await;
        assert_eq!(reply.status, expected, "{standing}: {:?}", reply.json());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a18_a_client_that_believes_to_be_elsewhere_is_refused_and_nothing_is_stored() {
    let daemon = TestDaemon::start().await;
    let agent = agent(&daemon, "deckhand").await;
    let (secret, _) = key(&daemon, json!({ "agent": agent })).await;
    let own = call(&daemon, &secret, "GET", "whoami", None).await.json();
    let theirs = call(&daemon, &daemon.b.token("owner"), "GET", "whoami", None)
        .await
        .json();
    let before = crate::bodies::counts(&daemon, &daemon.a).await;
    for (header, field) in [
        ("X-Skep-Organization", "organization"),
        ("X-Skep-Workspace", "workspace"),
    ] {
        let send = async |value: &str| {
            let request = Request::new("POST", "/api/v1/memories").bearer(&secret);
            let request = request.header(header, value).json(&json!({ "text": PORT }));
            code(&request.send(daemon.address).await.unwrap())
        };
        let mismatch = refused(403, "ORG_MISMATCH");
        for other in [theirs[field].as_str().unwrap(), "", "org_x", "*"] {
            assert_eq!(send(other).await, mismatch, "{header} {other}");
        }
        assert_eq!(crate::bodies::counts(&daemon, &daemon.a).await, before);
        let request = Request::new("GET", "/api/v1/memories").bearer(&secret);
        let right = request.header(header, own[field].as_str().unwrap());
        assert_eq!(right.send(daemon.address).await.unwrap().status, 200);
    }
    let token = daemon.a.token("owner");
    let record = daemon.record(&token).await;
    let drifts = record
        .iter()
        .filter(|entry| entry["reason"] == "ORG_MISMATCH");
    let times: u64 = drifts.map(|entry| entry["times"].as_u64().unwrap()).sum();
    assert_eq!(times, 8, "{record:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn l03_what_cannot_be_recorded_does_not_happen_and_reading_goes_on() {
    let daemon = TestDaemon::start().await;
    let token = daemon.a.token("owner");
    let before = crate::bodies::counts(&daemon, &daemon.a).await;
    let held = daemon.hold_the_record().await;
    let write = post(&daemon, &token, "memories", json!({ "text": PORT }));
    let read = call(&daemon, &token, "GET", "memories", None);
    let (write, read) = tokio::join!(write, read);
    assert_eq!(code(&write), refused(503, "AUDIT_UNAVAILABLE"));
    assert!(
        write.head.to_lowercase().contains("retry-after: 1"),
        "{}",
        write.head
    );
    assert_eq!(read.status, 200);
    drop(held);
    assert_eq!(crate::bodies::counts(&daemon, &daemon.a).await, before);
    let again = post(&daemon, &token, "memories", json!({ "text": PORT })).await;
    assert_eq!(again.status, 200, "{:?}", again.json());
}

#[tokio::test(flavor = "multi_thread")]
async fn l04_each_route_that_is_recorded_leaves_one_entry_and_each_refusal_one() {
    let daemon = TestDaemon::start_quiet().await;
    let ids = crate::bodies::seed(&daemon, &daemon.a).await;
    let own = (daemon.a.organization, daemon.a.workspace);
    let reader = Newcomer::with(Role::Readonly);
    let reader = daemon.admit(own, reader).await.token;
    let owner = daemon.a.token("owner");
    let mut seen = daemon.record(&owner).await.len();
    for route in ROUTES
        .iter()
        .filter(|route| route.gate.permission().is_some())
    {
        for (token, refused) in [(&reader, true), (&owner, false)] {
            let request = crate::bodies::request(route, &ids).bearer(token);
            let reply = request.send(daemon.address).await.unwrap();
            let denied = reply.code() == "PERMISSION_DENIED" && refused;
            let record = daemon.record_whole(&owner).await;
            // What is shown of others', and what is told of many refusals, are entries beside those.
            let beside = |entry: &&Value| {
                let action = entry["action"].as_str().unwrap();
                action != "content.read" && !action.starts_with("alert.")
            };
            let new = record[..record.len() - seen].iter().filter(beside);
            let new: Vec<&Value> = new.collect();
            seen = record.len();
            let expected = usize::from(denied || route.audit.is_some());
            assert_eq!(new.len(), expected, "{} {refused}: {new:?}", route.path);
            if let Some(entry) = new.first() {
                let outcome = if denied { "denied" } else { "allowed" };
                assert_eq!(entry["outcome"], outcome, "{}", route.path);
                if let Some(action) = route.audit {
                    assert_eq!(entry["action"], action);
                }
            }
        }
    }
    let record = daemon.record_whole(&owner).await;
    let places: Vec<u64> = record
        .iter()
        .map(|entry| entry["seq"].as_u64().unwrap())
        .collect();
    let whole: Vec<u64> = (1..=places.len() as u64).rev().collect();
    assert_eq!(places, whole, "without gaps");
}

#[tokio::test(flavor = "multi_thread")]
async fn a11_a_key_made_by_a_narrow_one_is_no_wider() {
    let daemon = TestDaemon::start_quiet().await;
    let own = (daemon.a.organization, daemon.a.workspace);
    let narrow = [Permission::TokenManage, Permission::MemoryRead];
    let maker = Newcomer {
        organization: OrganizationRole::Admin,
        permissions: Some(PermissionSet::of(&narrow)),
        ..Newcomer::with(Role::Admin)
    };
    let maker = daemon.admit(own, maker).await.token;
    let header = format!("Bearer {maker}");
    let maker = daemon
        .app
        .authenticate_header(Some(header.as_bytes()))
        .await
        .unwrap();
    let make = async |permissions: Option<&[Permission]>| {
        let new = NewKey {
            kind: KeyKind::Api,
            agent: None,
            label: "of a narrow one".into(),
            bindings: Bindings {
                permissions: permissions.map(PermissionSet::of),
                ..Bindings::default()
            },
            projects: Vec::new(),
            expires_at: None,
        };
        let right = maker.authorize().unwrap();
        daemon.app.create_key(right, &maker, new).await
    };
    let wide = make(Some(&[Permission::MemoryRead, Permission::MemoryDelete])).await;
    assert!(wide.is_err(), "what the maker lacks is refused");
    for asked in [None, Some(&narrow[..1])] {
        let narrow_one = make(asked).await.unwrap();
        let header = format!("Bearer {}", narrow_one.secret.expose());
        let caller = daemon
            .app
            .authenticate_header(Some(header.as_bytes()))
            .await
            .unwrap();
        assert!(
            caller.permissions().is_within(PermissionSet::of(&narrow)),
            "{asked:?}"
        );
    }
}

/// Whatever a key proves and whatever is asked for: an agent's key, by a maker who may little; a
/// human's, by one who is bound.
#[tokio::test(flavor = "multi_thread")]
async fn a11_what_a_maker_is_bound_to_binds_what_it_makes() {
    let daemon = TestDaemon::start_quiet().await;
    daemon.own(&daemon.a).await;
    let owner = daemon.a.caller(&daemon.store, "owner").await;
    let agent = agent(&daemon, "deckhand").await;
    let shown = |text: &str| format!("Bearer {text}");
    let key_by = async |maker: &skep_authz::Caller, asked: Bindings, projects: &[&str]| {
        let new = NewKey {
            kind: KeyKind::Api,
            agent: None,
            label: "of a bound one".into(),
            bindings: asked,
            projects: projects.iter().map(|name| (*name).to_owned()).collect(),
            expires_at: None,
        };
        let right = maker.authorize().unwrap();
        let made = daemon.app.create_key(right, maker, new).await.unwrap();
        let header = shown(made.secret.expose());
        let header = Some(header.as_bytes());
        daemon.app.authenticate_header(header).await.unwrap()
    };
    let bound = Bindings {
        harness: Some(Harness::Codex),
        ..Bindings::default()
    };
    let bound = key_by(&owner, bound, &["harbour"]).await;
    assert!(bound.bindings().projects.is_bound());
    let asked = Bindings {
        harness: Some(Harness::ClaudeCode),
        ..Bindings::default()
    };
    let next = key_by(&bound, asked, &[]).await;
    assert_eq!(next.bindings().harness, Some(Harness::Codex));
    assert_eq!(next.bindings().projects, bound.bindings().projects);
    // An agent's role is wider than what this maker may.
    let narrow = Bindings {
        permissions: Some(PermissionSet::of(&[
            Permission::TokenManage,
            Permission::MemoryRead,
        ])),
        ..Bindings::default()
    };
    let narrow = key_by(&owner, narrow, &[]).await;
    let right = narrow.authorize().unwrap();
    let new = NewKey {
        kind: KeyKind::Api,
        agent: Some(daemon_agent(&daemon, &owner, &agent)),
        label: "of an agent".into(),
        bindings: Bindings::default(),
        projects: Vec::new(),
        expires_at: None,
    };
    let made = daemon.app.create_key(right, &narrow, new).await.unwrap();
    let key = made.secret.expose().clone();
    let read = call(&daemon, &key, "GET", "memories", None).await;
    assert_eq!(read.status, 200);
    let write = post(&daemon, &key, "memories", json!({ "text": PORT })).await;
    assert_eq!(write.status, 403);
}

/// The id behind its text.
fn daemon_agent(daemon: &TestDaemon, of: &skep_authz::Caller, text: &str) -> AgentId {
    struct Tags<'a>(skep_app::IdTags<'a>);
    impl skep_api::id::Tagger for Tags<'_> {
        fn tag(&self, kind: skep_domain::IdKind, uuid: &[u8; 16]) -> [u8; 4] {
            self.0.tag(kind, uuid)
        }
        fn verify(&self, kind: skep_domain::IdKind, uuid: &[u8; 16], tag: [u8; 4]) -> bool {
            self.0.verify(kind, uuid, tag)
        }
    }
    skep_api::id::parse(&Tags(daemon.app.id_tags(of)), text).unwrap()
}
