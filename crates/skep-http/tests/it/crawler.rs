//! The crawler: every route of the table as everybody who could come by. What is expected follows
//! from the row; what it comes to is a matrix that a reviewer reads. A route that is added shows up
//! in the matrix, and fails until somebody has read its line.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io;
use std::sync::{Arc, Mutex, OnceLock};

use serde_json::json;
use skep_api::{Gate, ROUTES, Route};
use skep_domain::{
    Id, OrganizationRole, Permission, PermissionSet, Principal, Role, Timestamp, WorkspaceId,
};
use skep_test_support::{Newcomer, Reply, Request, Tenant, TestDaemon};
use tracing_subscriber::fmt::format::FmtSpan;

use crate::bodies::{self, Ids, request, seed};

/// What stands in every text of the tenant that nobody else may see anything of.
const CANARY: &str = "wharfinger-canary-4471";

/// What stands in what belongs to the whole organization: its keys, the names of its workspaces.
const ORGANIZATION_CANARY: &str = "chandler-canary-9082";

/// Everybody who has no business on the route, whatever their role would be.
const OUTSIDERS: [&str; 7] = [
    "anonymous",
    "garbage",
    "expired",
    "revoked",
    "suspended agent",
    "other org",
    "other workspace",
];

struct Outsider {
    name: &'static str,
    token: Option<String>,
}

fn tenant_of(tenant: &Tenant) -> (skep_domain::OrganizationId, WorkspaceId) {
    (tenant.organization, tenant.workspace)
}

fn admin() -> Newcomer {
    Newcomer {
        organization: OrganizationRole::Admin,
        ..Newcomer::with(Role::Admin)
    }
}

async fn outsiders(daemon: &TestDaemon) -> Vec<Outsider> {
    let own = tenant_of(&daemon.a);
    let expired = Newcomer {
        expires_at: Some(Timestamp::from_micros(1_767_225_600_000_000 - 1)),
        ..admin()
    };
    let expired = daemon.admit(own, expired).await;
    let revoked = daemon.admit(own, admin()).await;
    daemon.revoke(&daemon.a, revoked.credential).await;
    let another = daemon.another_workspace(daemon.a.organization).await;
    let elsewhere = daemon
        .admit((daemon.a.organization, another), admin())
        .await;
    let other = daemon.admit(tenant_of(&daemon.b), admin()).await;
    let tokens = [
        None,
        Some("skep_sk_nonsense".to_owned()),
        Some(expired.token),
        Some(revoked.token),
        Some(suspended(daemon).await),
        Some(other.token),
        Some(elsewhere.token),
    ];
    let named = OUTSIDERS.into_iter().zip(tokens);
    named
        .map(|(name, token)| Outsider { name, token })
        .collect()
}

/// The key of an agent that was suspended after it was made.
async fn suspended(daemon: &TestDaemon) -> String {
    let token = daemon.a.token("owner");
    let send = async |request: Request| request.send(daemon.address).await.unwrap().json();
    let make = Request::new("POST", "/api/v1/agents").bearer(&token);
    let agent = send(make.json(&json!({ "name": "stowaway" }))).await;
    let id = agent["id"].as_str().unwrap().to_owned();
    let key = json!({ "label": "of a stowaway", "agent": id });
    let key = send(
        Request::new("POST", "/api/v1/keys")
            .bearer(&token)
            .json(&key),
    )
    .await;
    let path = format!("/api/v1/agents/{id}");
    let stop = Request::new("PATCH", &path).bearer(&token);
    send(stop.json(&json!({ "standing": "suspended" }))).await;
    key["secret"].as_str().unwrap().to_owned()
}

/// Puts the canary into the tenant's memories, sessions, names and labels.
async fn plant(daemon: &TestDaemon) {
    let token = daemon.a.token("owner");
    let mut batch = bodies::body(skep_api::RouteId::Capture, &Ids::default());
    batch["session"]["external_id"] = json!("planted");
    batch["session"]["title"] = json!(CANARY);
    batch["session"]["project"] = json!(CANARY);
    batch["turns"][0]["text"] = json!(format!("Remember that {CANARY} opens at six."));
    for (path, body) in [
        ("capture", batch),
        (
            "memories",
            json!({ "text": format!("The {CANARY} gate opens at six."), "project": CANARY }),
        ),
        ("agents", json!({ "name": CANARY })),
        (
            "keys",
            json!({ "label": ORGANIZATION_CANARY, "connector": ORGANIZATION_CANARY }),
        ),
        ("workspaces", json!({ "name": ORGANIZATION_CANARY })),
        ("participants/self", json!({ "name": CANARY })),
    ] {
        let request = Request::new("POST", &format!("/api/v1/{path}"));
        let reply = request
            .bearer(&token)
            .json(&body)
            .send(daemon.address)
            .await;
        assert_eq!(reply.unwrap().status, 200, "{path}");
    }
}

/// What an answer says, without what names the request.
fn body_of(reply: &Reply) -> String {
    let Ok(mut body) = serde_json::from_slice::<serde_json::Value>(&reply.body) else {
        return String::from_utf8_lossy(&reply.body).into_owned();
    };
    if body["error"].is_object() {
        body["error"]["request_id"] = "".into();
    }
    body.to_string()
}

fn cell(reply: &Reply) -> String {
    if reply.status < 400 {
        reply.status.to_string()
    } else {
        format!("{} {}", reply.status, short(&reply.code()))
    }
}

/// A code of the envelope, short enough for a column; OAuth's and pages' errors have none.
fn short(code: &str) -> String {
    code.split('_')
        .map(|word| word.get(..4).unwrap_or(word))
        .collect::<Vec<_>>()
        .join("_")
        .to_lowercase()
}

/// What logging writes, at every level.
#[derive(Clone, Default)]
pub(crate) struct Log(pub(crate) Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Everything that this process logs, of whichever test.
pub(crate) fn log_everything() -> Log {
    static LOG: OnceLock<Log> = OnceLock::new();
    let log = LOG.get_or_init(|| {
        let log = Log::default();
        let sink = log.clone();
        tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .with_span_events(FmtSpan::FULL)
            .with_writer(move || sink.clone())
            .init();
        log
    });
    log.clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn t01_outsiders_get_one_answer_for_each_reason_and_no_trace_of_the_tenant() {
    let log = log_everything();
    let daemon = TestDaemon::start_patient().await;
    let ids = seed(&daemon, &daemon.a).await;
    plant(&daemon).await;
    let everybody = outsiders(&daemon).await;
    let planted = log.0.lock().unwrap().len();
    let mut matrix = format!("{:46}", "route");
    for one in &everybody {
        write!(matrix, " {:19}", one.name).unwrap();
    }
    let mut bodies: BTreeMap<(u16, String), BTreeSet<String>> = BTreeMap::new();
    for route in ROUTES {
        write!(matrix, "\n{:6}{:40}", route.method.as_str(), route.path).unwrap();
        for one in &everybody {
            let bare = request(route, &ids);
            let bare = match &one.token {
                Some(token) => bare.bearer(token),
                None => bare,
            };
            let reply = bare.send(daemon.address).await.unwrap();
            write!(matrix, " {:19}", cell(&reply)).unwrap();
            expect(route, one, &reply);
            let seen = format!("{}{}", reply.head, String::from_utf8_lossy(&reply.body));
            let open = one.name == "other workspace";
            assert!(
                !seen.contains(CANARY) && (open || !seen.contains(ORGANIZATION_CANARY)),
                "{} {}: {seen}",
                one.name,
                route.path
            );
            // Pages say it each in their own words.
            let of_the_api = route.path.starts_with("/api/");
            if of_the_api && (reply.status == 401 || reply.code().ends_with("SUSPENDED")) {
                let class = (reply.status, reply.code());
                bodies.entry(class).or_default().insert(body_of(&reply));
            }
        }
    }
    for (class, bodies) in &bodies {
        assert_eq!(
            bodies.len(),
            1,
            "{class:?} has more than one body: {bodies:?}"
        );
    }
    assert_eq!(
        bodies.len(),
        3,
        "missing, invalid, suspended: {:?}",
        bodies.keys()
    );
    let log = log.0.lock().unwrap();
    let log = String::from_utf8_lossy(&log[planted..]);
    for canary in [CANARY, ORGANIZATION_CANARY] {
        assert!(!log.contains(canary), "the log knows {canary}");
    }
    assert!(
        log.len() > 200,
        "the log was listened to: {} bytes",
        log.len()
    );
    insta::assert_snapshot!(
        matrix
            .lines()
            .map(str::trim_end)
            .collect::<Vec<_>>()
            .join("\n")
    );
}

/// What the row says of somebody who has no business there.
fn expect(route: &Route, one: &Outsider, reply: &Reply) {
    let found = (reply.status, reply.code());
    let at = format!("{} on {} {}", one.name, route.method.as_str(), route.path);
    assert!(reply.status < 500, "{at}: {found:?}");
    if route.gate == Gate::Public {
        return;
    }
    let is = |status: u16, code: &str| {
        assert_eq!((found.0, found.1.as_str()), (status, code), "{at}");
    };
    match one.name {
        "anonymous" => is(401, "MISSING_CREDENTIAL"),
        "garbage" | "expired" | "revoked" => is(401, "INVALID_CREDENTIAL"),
        "suspended agent" => is(403, "AGENT_SUSPENDED"),
        // Known, with every right in their own place: an id of this one is nobody's there.
        _ if route.path.contains("{id}") => {
            let organization_wide = one.name == "other workspace"
                && ["keys", "members", "jobs", "budgets"]
                    .contains(&route.path.split('/').nth(3).unwrap_or_default());
            match route.gate {
                Gate::SteppedUp(_) => is(403, "STEP_UP_REQUIRED"),
                Gate::InPerson => is(403, "PERMISSION_DENIED"),
                _ if organization_wide => assert!([200, 404].contains(&found.0), "{at}: {found:?}"),
                _ => is(403, "PERMISSION_DENIED"),
            }
        }
        _ => {}
    }
}

/// The matrix of those who belong to the workspace, each route on a daemon of its own, so that what one
/// does is not in another's way.
async fn matrix_of(name: &str, newcomer: Newcomer) -> String {
    let mut matrix = String::new();
    // Doors are open to all; what they answer to whom has tests of its own.
    for route in ROUTES.iter().filter(|route| route.gate != Gate::Public) {
        let daemon = TestDaemon::start_quiet().await;
        let ids = seed(&daemon, &daemon.a).await;
        let own = tenant_of(&daemon.a);
        let (token, may) = if newcomer.workspace == Some(Role::Agent) {
            let agent = agent_of(&daemon, &ids).await;
            let Principal::Agent(agent) = agent else {
                unreachable!("an agent is one")
            };
            (
                daemon.admit_agent(own, agent).await.token,
                Role::Agent.permissions(),
            )
        } else {
            let may = match newcomer.organization {
                OrganizationRole::Member => newcomer.workspace.unwrap().permissions(),
                OrganizationRole::Owner | OrganizationRole::Admin => Role::Admin.permissions(),
            };
            let may = newcomer.permissions.map_or(may, |set| may.narrowed_to(set));
            (daemon.admit(own, newcomer.clone()).await.token, may)
        };
        let reply = request(route, &ids)
            .bearer(&token)
            .send(daemon.address)
            .await
            .unwrap();
        writeln!(
            matrix,
            "{:6}{:40} {}",
            route.method.as_str(),
            route.path,
            cell(&reply)
        )
        .unwrap();
        judge(name, route, may, &reply);
    }
    matrix
}

async fn agent_of(daemon: &TestDaemon, ids: &Ids) -> Principal {
    let owner = daemon.a.caller(&daemon.store, "owner").await;
    let tags = bodies::Tags(daemon.app.id_tags(&owner));
    Principal::Agent(skep_api::id::parse(&tags, &ids.agent).unwrap())
}

/// The row decides: without the permission nobody gets past the gate, with it nobody is stopped there.
fn judge(name: &str, route: &Route, may: PermissionSet, reply: &Reply) {
    let at = format!("{name} on {} {}", route.method.as_str(), route.path);
    assert!(
        reply.status < 500,
        "{at}: {} {}",
        reply.status,
        reply.code()
    );
    let needs = |permission: Permission| {
        let body = reply.json();
        let said = body["error"]["message"].as_str().unwrap_or_default();
        said == format!("This needs the permission {}.", permission.as_str())
    };
    match route.gate {
        Gate::Public | Gate::Oneself => assert_ne!(reply.status, 401, "{at}"),
        // All of these are keys.
        Gate::Install | Gate::InPerson => assert_eq!(reply.status, 403, "{at}"),
        Gate::Permission(permission) if may.contains(permission) => {
            assert!(
                !needs(permission) && reply.status != 401,
                "{at}: {}",
                reply.code()
            );
        }
        Gate::SteppedUp(permission) if may.contains(permission) => {
            assert_eq!(
                (reply.status, reply.code().as_str()),
                (403, "STEP_UP_REQUIRED"),
                "{at}"
            );
        }
        Gate::Permission(permission) | Gate::SteppedUp(permission) => {
            assert_eq!(
                (reply.status, reply.code().as_str()),
                (403, "PERMISSION_DENIED"),
                "{at}"
            );
            assert!(needs(permission), "{at}: the missing permission is named");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a10_an_admin_reaches_what_an_admin_may() {
    insta::assert_snapshot!(matrix_of("admin", admin()).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a10_an_operator_reaches_what_an_operator_may() {
    let operator = Newcomer::with(Role::Operator);
    insta::assert_snapshot!(matrix_of("operator", operator).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a10_a_reader_reaches_what_a_reader_may() {
    let reader = Newcomer::with(Role::Readonly);
    insta::assert_snapshot!(matrix_of("readonly", reader).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a10_an_agent_reaches_what_an_agent_may() {
    insta::assert_snapshot!(matrix_of("agent", Newcomer::with(Role::Agent)).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a11_a_key_narrowed_to_one_permission_reaches_that_alone() {
    let narrowed = Newcomer {
        permissions: Some(PermissionSet::of(&[Permission::MemoryRead])),
        ..admin()
    };
    insta::assert_snapshot!(matrix_of("narrowed", narrowed).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a10_a_member_without_a_role_in_the_workspace_is_nobody_there() {
    let daemon = TestDaemon::start_quiet().await;
    let ids = seed(&daemon, &daemon.a).await;
    let stranger = Newcomer {
        workspace: None,
        ..Newcomer::with(Role::Readonly)
    };
    let pass = daemon.admit(tenant_of(&daemon.a), stranger).await;
    for route in ROUTES.iter().filter(|route| route.gate != Gate::Public) {
        let reply = request(route, &ids)
            .bearer(&pass.token)
            .send(daemon.address)
            .await
            .unwrap();
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (401, "INVALID_CREDENTIAL"),
            "{}",
            route.path
        );
    }
    assert!(matches!(pass.principal, Principal::User(user) if user.to_bytes() != [0; 16]));
}
