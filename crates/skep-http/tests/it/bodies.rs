//! A request for every route, built from the route table, that its handler would accept.

use serde_json::{Value, json};
use skep_api::{BodyLimit, Gate, Method, Route, RouteId};
use skep_test_support::{Request, Tenant, TestDaemon};

/// The smallest body that a route accepts; ids are the tenant's own.
pub(crate) fn body(route: RouteId, memory: &str) -> Value {
    match route {
        RouteId::Capture => json!({
            "session": { "harness": "claude-code", "external_id": "s-1" },
            "turns": [{ "client_event_id": "e-1", "role": "user", "at": "2026-01-01T00:00:00Z", "text": "hello" }],
        }),
        RouteId::ImportCursor => json!({ "source": "git:/somewhere" }),
        RouteId::MemoryCreate => json!({ "text": "The harbour master listens on port 7411." }),
        RouteId::MemoryForget => json!({ "reason": "it is wrong" }),
        RouteId::Recall => json!({ "query": "which port does the harbour master use" }),
        RouteId::ExplainRecall | RouteId::SourceSync => json!({}),
        RouteId::RelationList => json!({ "name": "src/lib.rs" }),
        RouteId::ProposalCreate => json!({ "action": "merge", "name": "a.rs", "other": "b.rs" }),
        RouteId::Inject => json!({
            "harness": "claude-code", "external_id": "s-2", "moment": "prompt",
            "prompt": "which port does the harbour master listen on", "deadline_ms": 60_000,
        }),
        RouteId::Resolve => json!({ "id": memory }),
        RouteId::CapturePause | RouteId::CaptureResume => json!({
            "session": { "harness": "codex", "external_id": "another" },
        }),
        RouteId::SessionCapture => json!({ "off": false }),
        RouteId::ProjectBind => json!({ "directory": "/srv/harbour", "project": "harbour" }),
        RouteId::ProjectUnbind => json!({ "directory": "/srv/harbour" }),
        RouteId::SourceCreate => json!({ "kind": "folder", "location": "/srv/notes" }),
        RouteId::SourceList
        | RouteId::SourceGet
        | RouteId::SourcePurge
        | RouteId::CaptureRules
        | RouteId::ProjectList
        | RouteId::Healthz
        | RouteId::Readyz
        | RouteId::OpenApi
        | RouteId::EntityList
        | RouteId::ProposalList
        | RouteId::ProposalAccept
        | RouteId::ProposalReject
        | RouteId::SystemHealth
        | RouteId::SessionList
        | RouteId::SessionGet
        | RouteId::SessionTurns
        | RouteId::SessionContext
        | RouteId::InjectionList
        | RouteId::SessionEnd
        | RouteId::MemoryList
        | RouteId::MemoryGet => Value::Null,
    }
}

/// The path of a route with an id in it.
pub(crate) fn path(route: &Route, session: &str, memory: &str) -> String {
    let id = if route.path.contains("/sessions/") {
        session
    } else {
        memory
    };
    if route.path.contains("/proposals/") {
        let id = format!("prp_{}", &memory[4..]);
        return route.path.replace("{id}", &id);
    }
    if route.path.contains("/sources/") {
        let id = format!("src_{}", &memory[4..]);
        return route.path.replace("{id}", &id);
    }
    route.path.replace("{id}", id)
}

/// A whole request for a route.
pub(crate) fn request(route: &Route, session: &str, memory: &str) -> Request {
    let request = Request::new(route.method.as_str(), &path(route, session, memory));
    if route.body == BodyLimit::Empty {
        if route.method == Method::Post {
            request.header("Content-Length", "0")
        } else {
            request
        }
    } else {
        request.json(&body(route.id, memory))
    }
}

pub(crate) fn is_public(route: &Route) -> bool {
    route.gate == Gate::Public
}

/// Makes a session and a memory in a tenant, and gives their ids.
pub(crate) async fn seed(daemon: &TestDaemon, tenant: &Tenant) -> (String, String) {
    let token = tenant.token("owner");
    let captured = Request::new("POST", "/api/v1/capture")
        .bearer(&token)
        .json(&body(RouteId::Capture, ""))
        .send(daemon.address)
        .await
        .unwrap();
    let kept = Request::new("POST", "/api/v1/memories")
        .bearer(&token)
        .json(&body(RouteId::MemoryCreate, ""))
        .send(daemon.address)
        .await
        .unwrap();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    (
        text(&captured.json()["session"]),
        text(&kept.json()["memory"]["id"]),
    )
}

/// Counts of a tenant, to see that nothing was stored.
pub(crate) async fn counts(daemon: &TestDaemon, tenant: &Tenant) -> Value {
    let reply = Request::new("GET", "/api/v1/system/health")
        .bearer(&tenant.token("owner"))
        .send(daemon.address)
        .await
        .unwrap();
    let workspace = reply.json()["workspace"].clone();
    json!([
        workspace["sessions"],
        workspace["turns"],
        workspace["memories"]
    ])
}
