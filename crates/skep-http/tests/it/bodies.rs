//! A request for every route, built from the route table, that its handler would accept.

use serde_json::{Value, json};
use skep_api::{BodyLimit, Gate, Method, Route, RouteId};
use skep_test_support::{Request, Tenant, TestDaemon};

/// One of everything that has an id.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ids {
    pub(crate) session: String,
    pub(crate) memory: String,
    /// One that the owner added.
    pub(crate) participant: String,
    /// The owner.
    pub(crate) own: String,
}

impl Ids {
    /// The same with each id changed.
    pub(crate) fn map(&self, change: impl Fn(&str) -> String) -> Self {
        Self {
            session: change(&self.session),
            memory: change(&self.memory),
            participant: change(&self.participant),
            own: change(&self.own),
        }
    }
}

/// The smallest body that a route accepts; ids are the tenant's own.
pub(crate) fn body(route: RouteId, ids: &Ids) -> Value {
    let (memory, participant) = (&ids.memory, &ids.participant);
    match route {
        RouteId::SessionJoin => json!({ "participant": participant, "turn": 0 }),
        RouteId::SessionLeave => json!({ "participant": participant }),
        RouteId::ParticipantAdd => json!({ "name": "another-harbour-pilot" }),
        RouteId::ParticipantSelf => json!({ "name": "myself" }),
        RouteId::ParticipantCardEdit => json!({ "facts": ["sails"], "hidden": [memory] }),
        RouteId::ParticipantMerge => json!({ "into": ids.own }),
        RouteId::ObservationCreate => json!({ "text": "Pilots at night." }),
        RouteId::ConsentGive | RouteId::ConsentRevoke => {
            json!({ "subject": participant, "note": "said so on the phone" })
        }
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
        | RouteId::SessionRecent
        | RouteId::SessionMembers
        | RouteId::ParticipantList
        | RouteId::ParticipantGet
        | RouteId::ParticipantCard
        | RouteId::ParticipantUnmerge
        | RouteId::ParticipantDelete
        | RouteId::ObservationList
        | RouteId::ConsentList
        | RouteId::MemoryList
        | RouteId::MemoryGet => Value::Null,
    }
}

/// The path of a route with an id in it.
pub(crate) fn path(route: &Route, ids: &Ids) -> String {
    let id = if route.path.contains("/sessions/") {
        &ids.session
    } else if route.path.contains("/participants/") {
        &ids.participant
    } else {
        &ids.memory
    };
    if route.path.contains("/proposals/") {
        let id = format!("prp_{}", &ids.memory[4..]);
        return route.path.replace("{id}", &id);
    }
    if route.path.contains("/sources/") {
        let id = format!("src_{}", &ids.memory[4..]);
        return route.path.replace("{id}", &id);
    }
    route.path.replace("{id}", id)
}

/// A whole request for a route.
pub(crate) fn request(route: &Route, ids: &Ids) -> Request {
    let request = Request::new(route.method.as_str(), &path(route, ids));
    if route.body == BodyLimit::Empty {
        if route.method == Method::Post {
            request.header("Content-Length", "0")
        } else {
            request
        }
    } else {
        request.json(&body(route.id, ids))
    }
}

pub(crate) fn is_public(route: &Route) -> bool {
    route.gate == Gate::Public
}

/// Makes one of everything in a tenant: the participant agreed to be observed and is in the session.
pub(crate) async fn seed(daemon: &TestDaemon, tenant: &Tenant) -> Ids {
    let token = tenant.token("owner");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let post = |path: String, body: Value| {
        let request = Request::new("POST", &path).bearer(&token).json(&body);
        async move { request.send(daemon.address).await.unwrap().json() }
    };
    let nobody = Ids::default();
    let captured = post("/api/v1/capture".into(), body(RouteId::Capture, &nobody)).await;
    let kept = post(
        "/api/v1/memories".into(),
        body(RouteId::MemoryCreate, &nobody),
    )
    .await;
    let named = json!({ "name": "harbour-pilot", "kind": "human" });
    let pilot = post("/api/v1/participants".into(), named).await;
    let owned = json!({ "name": "harbour-master" });
    let own = post("/api/v1/participants/self".into(), owned).await;
    let ids = Ids {
        session: text(&captured["session"]),
        memory: text(&kept["memory"]["id"]),
        participant: text(&pilot["id"]),
        own: text(&own["id"]),
    };
    let consent = body(RouteId::ConsentGive, &ids);
    post("/api/v1/consents".into(), consent).await;
    ids
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
