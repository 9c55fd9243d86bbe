//! OpenAPI 3.1, built from the route table and the wire types.

mod humans;

use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use crate::access;
use crate::capture::{
    Binding, BindingsResponse, CaptureRequest, CaptureResponse, CursorRequest, CursorResponse,
    PauseRequest, PausesResponse, ResumeRequest, RulesResponse, SessionCaptureRequest,
    UnbindRequest, UnbindResponse,
};
use crate::explain::{ExplainRequest, Explanation};
use crate::inject::{InjectRequest, InjectResponse, Injection};
use crate::limit::{RateLimits, SetLimitRequest};
use crate::memory::{
    EditRequest, ForgetRequest, Memory, MemoryQuery, RememberRequest, RememberResponse,
    ResolveRequest, ResolveResponse,
};
use crate::ontology::{
    Decision, EntityList, EntityQuery, Proposal, ProposalQuery, ProposalRequest, RelationRequest,
    RelationResponse,
};
use crate::page::{Page, PageQuery};
use crate::participant as people;
use crate::posture::Posture;
use crate::recall::{RecallRequest, RecallResponse};
use crate::removal::{Erased, RewindRequest, RewindResponse};
use crate::review::{Conflict, Held, History, ResolveConflictRequest, ReviewRequest};
use crate::route::{BodyLimit, Gate, ROUTES, Route, RouteId};
use crate::session::{EndResponse, Session, Turn};
use crate::source::{
    AddSourceRequest, FetchRequest, FetchResponse, PurgeResponse, Source, SyncRequest, SyncResponse,
};
use crate::system::{Health, Probe};
use crate::{ErrorCode, ErrorEnvelope};

mod oauth;

/// What a route takes and gives, as references into `components/schemas`.
struct Shape {
    query: Option<Value>,
    body: Option<Value>,
    answer: Value,
}

/// The whole document.
#[must_use]
pub fn document() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
    });
    let mut schemas = settings.into_generator();
    let error = schema::<ErrorEnvelope>(&mut schemas);
    let mut paths = Map::new();
    for route in ROUTES.iter().filter(|route| !route.is_page()) {
        let operation = operation(route, shape(route.id, &mut schemas), &error);
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[route.method.as_str().to_lowercase()] = operation;
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Skep",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Memory that a team's coding agents share and nobody else can read.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "paths": paths,
        "components": {
            "schemas": schemas.take_definitions(true),
            "securitySchemes": {
                "token": { "type": "http", "scheme": "bearer", "description": "The install token, on loopback TCP. The Unix socket needs none: it checks the peer's user." },
            },
        },
    })
}

fn schema<T: JsonSchema>(schemas: &mut SchemaGenerator) -> Value {
    schemas.subschema_for::<T>().to_value()
}

#[expect(clippy::too_many_lines, reason = "one arm for each route")]
fn shape(id: RouteId, s: &mut SchemaGenerator) -> Shape {
    let (query, body, answer) = match id {
        RouteId::Whoami
        | RouteId::KeyCreate
        | RouteId::KeyList
        | RouteId::KeyRevoke
        | RouteId::TokenCreate
        | RouteId::TokenList
        | RouteId::TokenRevoke
        | RouteId::AgentCreate
        | RouteId::AgentList
        | RouteId::AgentEdit
        | RouteId::OrganizationList
        | RouteId::OrganizationName
        | RouteId::OrganizationStanding
        | RouteId::WorkspaceList
        | RouteId::WorkspaceCreate
        | RouteId::AuditList => return of_access(id, s),
        RouteId::OAuthServerMetadata
        | RouteId::OAuthResourceMetadata
        | RouteId::OAuthKeys
        | RouteId::OAuthDeviceStart
        | RouteId::OAuthDevicePage
        | RouteId::OAuthDeviceDecide
        | RouteId::OAuthAuthorizePage
        | RouteId::OAuthAuthorizeDecide
        | RouteId::OAuthToken
        | RouteId::OAuthRevoke
        | RouteId::OAuthRegister => return oauth::shape(id, s),
        RouteId::Setup
        | RouteId::SetupToken
        | RouteId::AuthLogin
        | RouteId::AuthSecond
        | RouteId::AuthPasskey
        | RouteId::AuthPasskeyFinish
        | RouteId::AuthInvite
        | RouteId::AuthReset
        | RouteId::AuthLogout
        | RouteId::BrowserList
        | RouteId::BrowserEnd
        | RouteId::PasswordChange
        | RouteId::StepUp
        | RouteId::StepUpPasskey
        | RouteId::StepUpPasskeyFinish
        | RouteId::FactorList
        | RouteId::TotpEnrol
        | RouteId::TotpConfirm
        | RouteId::RecoveryRenew
        | RouteId::FactorRemove
        | RouteId::PasskeyBegin
        | RouteId::PasskeyFinish
        | RouteId::InviteCreate
        | RouteId::InviteList
        | RouteId::InviteWithdraw
        | RouteId::MemberList
        | RouteId::MemberEdit
        | RouteId::MemberRemove
        | RouteId::MemberReset
        | RouteId::PageStyle
        | RouteId::PagePasskey
        | RouteId::PageLogin
        | RouteId::PageLoginSend
        | RouteId::PageSecondSend
        | RouteId::PageSetup
        | RouteId::PageSetupSend
        | RouteId::PageInvite
        | RouteId::PageInviteSend
        | RouteId::PageReset
        | RouteId::PageResetSend
        | RouteId::PageAccount
        | RouteId::PageAccountSend
        | RouteId::PageLogoutSend => return humans::shape(id, s),
        RouteId::Healthz | RouteId::Readyz => (None, None, schema::<Probe>(s)),
        RouteId::OpenApi => (None, None, json!({ "type": "object" })),
        RouteId::SystemHealth => (None, None, schema::<Health>(s)),
        RouteId::SystemPosture => (None, None, schema::<Posture>(s)),
        RouteId::LimitList => (None, None, schema::<RateLimits>(s)),
        RouteId::LimitSet => (
            None,
            Some(schema::<SetLimitRequest>(s)),
            schema::<RateLimits>(s),
        ),
        RouteId::Capture => (
            None,
            Some(schema::<CaptureRequest>(s)),
            schema::<CaptureResponse>(s),
        ),
        RouteId::SourceCreate => (
            None,
            Some(schema::<AddSourceRequest>(s)),
            schema::<Source>(s),
        ),
        RouteId::SourceList => (
            Some(schema::<PageQuery>(s)),
            None,
            schema::<Page<Source>>(s),
        ),
        RouteId::SourceGet => (None, None, schema::<Source>(s)),
        RouteId::SourceSync => (
            None,
            Some(schema::<SyncRequest>(s)),
            schema::<SyncResponse>(s),
        ),
        RouteId::SourceFetch => (
            None,
            Some(schema::<FetchRequest>(s)),
            schema::<FetchResponse>(s),
        ),
        RouteId::SourcePurge => (None, None, schema::<PurgeResponse>(s)),
        RouteId::CaptureRules => (None, None, schema::<RulesResponse>(s)),
        RouteId::CapturePause => (
            None,
            Some(schema::<PauseRequest>(s)),
            schema::<PausesResponse>(s),
        ),
        RouteId::CaptureResume => (
            None,
            Some(schema::<ResumeRequest>(s)),
            schema::<PausesResponse>(s),
        ),
        RouteId::ProjectList => (None, None, schema::<BindingsResponse>(s)),
        RouteId::ProjectBind => (None, Some(schema::<Binding>(s)), schema::<Binding>(s)),
        RouteId::ProjectUnbind => (
            None,
            Some(schema::<UnbindRequest>(s)),
            schema::<UnbindResponse>(s),
        ),
        RouteId::SessionCapture => (
            None,
            Some(schema::<SessionCaptureRequest>(s)),
            json!({ "type": "object" }),
        ),
        RouteId::ImportCursor => (
            None,
            Some(schema::<CursorRequest>(s)),
            schema::<CursorResponse>(s),
        ),
        RouteId::SessionList => (
            Some(schema::<PageQuery>(s)),
            None,
            schema::<Page<Session>>(s),
        ),
        RouteId::SessionGet => (None, None, schema::<Session>(s)),
        RouteId::SessionTurns => (Some(schema::<PageQuery>(s)), None, schema::<Page<Turn>>(s)),
        RouteId::SessionEnd => (None, None, schema::<EndResponse>(s)),
        RouteId::SessionRecent
        | RouteId::SessionMembers
        | RouteId::SessionJoin
        | RouteId::SessionLeave
        | RouteId::ParticipantList
        | RouteId::ParticipantAdd
        | RouteId::ParticipantSelf
        | RouteId::ParticipantGet
        | RouteId::ParticipantCard
        | RouteId::ParticipantCardEdit
        | RouteId::ParticipantMerge
        | RouteId::ParticipantUnmerge
        | RouteId::ParticipantDelete
        | RouteId::ObservationList
        | RouteId::ObservationCreate
        | RouteId::ConsentList
        | RouteId::ConsentGive
        | RouteId::ConsentRevoke => return of_people(id, s),
        RouteId::MemoryCreate => (
            None,
            Some(schema::<RememberRequest>(s)),
            schema::<RememberResponse>(s),
        ),
        RouteId::MemoryList => (
            Some(schema::<MemoryQuery>(s)),
            None,
            schema::<Page<Memory>>(s),
        ),
        RouteId::MemoryGet => (None, None, schema::<Memory>(s)),
        RouteId::MemoryEdit => (
            None,
            Some(schema::<EditRequest>(s)),
            schema::<RememberResponse>(s),
        ),
        RouteId::SessionErase | RouteId::MemoryErase => (None, None, schema::<Erased>(s)),
        RouteId::Rewind => (
            None,
            Some(schema::<RewindRequest>(s)),
            schema::<RewindResponse>(s),
        ),
        RouteId::MemoryHistory => (None, None, schema::<History>(s)),
        RouteId::ConflictList => (
            Some(schema::<PageQuery>(s)),
            None,
            schema::<Page<Conflict>>(s),
        ),
        RouteId::ConflictResolve => (
            None,
            Some(schema::<ResolveConflictRequest>(s)),
            schema::<Conflict>(s),
        ),
        RouteId::QuarantineList => (Some(schema::<PageQuery>(s)), None, schema::<Page<Held>>(s)),
        RouteId::QuarantineAccept | RouteId::QuarantineReject => {
            (None, Some(schema::<ReviewRequest>(s)), schema::<Memory>(s))
        }
        RouteId::MemoryForget => (None, Some(schema::<ForgetRequest>(s)), schema::<Memory>(s)),
        RouteId::Recall => (
            None,
            Some(schema::<RecallRequest>(s)),
            schema::<RecallResponse>(s),
        ),
        RouteId::ExplainRecall => (
            None,
            Some(schema::<ExplainRequest>(s)),
            schema::<Explanation>(s),
        ),
        RouteId::EntityList => (
            Some(schema::<EntityQuery>(s)),
            None,
            schema::<EntityList>(s),
        ),
        RouteId::RelationList => (
            None,
            Some(schema::<RelationRequest>(s)),
            schema::<RelationResponse>(s),
        ),
        RouteId::ProposalCreate => (
            None,
            Some(schema::<ProposalRequest>(s)),
            schema::<Proposal>(s),
        ),
        RouteId::ProposalList => (
            Some(schema::<ProposalQuery>(s)),
            None,
            schema::<Page<Proposal>>(s),
        ),
        RouteId::ProposalAccept | RouteId::ProposalReject => (None, None, schema::<Decision>(s)),
        RouteId::Inject => (
            None,
            Some(schema::<InjectRequest>(s)),
            schema::<InjectResponse>(s),
        ),
        RouteId::InjectionList | RouteId::SessionContext => (
            Some(schema::<PageQuery>(s)),
            None,
            schema::<Page<Injection>>(s),
        ),
        RouteId::Resolve => (
            None,
            Some(schema::<ResolveRequest>(s)),
            schema::<ResolveResponse>(s),
        ),
    };
    Shape {
        query,
        body,
        answer,
    }
}

/// Of participants, their sessions, consent and observations.
fn of_people(id: RouteId, s: &mut SchemaGenerator) -> Shape {
    let (query, body, answer) = match id {
        RouteId::SessionRecent => (
            Some(schema::<people::RecentQuery>(s)),
            None,
            schema::<people::Recent>(s),
        ),
        RouteId::SessionJoin => (
            None,
            Some(schema::<people::JoinRequest>(s)),
            schema::<people::Members>(s),
        ),
        RouteId::SessionLeave => (
            None,
            Some(schema::<people::LeaveRequest>(s)),
            schema::<people::Members>(s),
        ),
        RouteId::ParticipantList => (
            Some(schema::<people::ParticipantQuery>(s)),
            None,
            schema::<Page<people::Participant>>(s),
        ),
        RouteId::ParticipantAdd => (
            None,
            Some(schema::<people::AddParticipantRequest>(s)),
            schema::<people::Participant>(s),
        ),
        RouteId::ParticipantSelf => (
            None,
            Some(schema::<people::NameSelfRequest>(s)),
            schema::<people::Participant>(s),
        ),
        RouteId::ParticipantMerge => (
            None,
            Some(schema::<people::MergeRequest>(s)),
            schema::<people::Participant>(s),
        ),
        RouteId::ParticipantDelete => (None, None, schema::<people::DeleteResponse>(s)),
        RouteId::ParticipantCard => (None, None, schema::<people::Card>(s)),
        RouteId::ParticipantCardEdit => (
            None,
            Some(schema::<people::CardRequest>(s)),
            schema::<people::Participant>(s),
        ),
        RouteId::ObservationList
        | RouteId::ObservationCreate
        | RouteId::ConsentList
        | RouteId::ConsentGive
        | RouteId::ConsentRevoke => return of_consent(id, s),
        RouteId::SessionMembers => (None, None, schema::<people::Members>(s)),
        _ => (None, None, schema::<people::Participant>(s)),
    };
    Shape {
        query,
        body,
        answer,
    }
}

/// Of keys, agents, organizations and the record.
fn of_access(id: RouteId, s: &mut SchemaGenerator) -> Shape {
    let page = Some(schema::<PageQuery>(s));
    let (query, body, answer) = match id {
        RouteId::KeyCreate => (
            None,
            Some(schema::<access::CreateKeyRequest>(s)),
            schema::<access::CreatedKey>(s),
        ),
        RouteId::TokenCreate => (
            None,
            Some(schema::<access::CreateTokenRequest>(s)),
            schema::<access::CreatedKey>(s),
        ),
        RouteId::KeyList | RouteId::TokenList => (page, None, schema::<Page<access::Key>>(s)),
        RouteId::KeyRevoke | RouteId::TokenRevoke => (None, None, schema::<access::Revoked>(s)),
        RouteId::AgentCreate => (
            None,
            Some(schema::<access::CreateAgentRequest>(s)),
            schema::<access::Agent>(s),
        ),
        RouteId::AgentEdit => (
            None,
            Some(schema::<access::EditAgentRequest>(s)),
            schema::<access::Agent>(s),
        ),
        RouteId::AgentList => (page, None, schema::<Page<access::Agent>>(s)),
        RouteId::OrganizationList => (None, None, schema::<access::Organizations>(s)),
        RouteId::OrganizationName => (
            None,
            Some(schema::<access::NameRequest>(s)),
            schema::<access::Organization>(s),
        ),
        RouteId::OrganizationStanding => (
            None,
            Some(schema::<access::StandingRequest>(s)),
            schema::<access::Organization>(s),
        ),
        RouteId::WorkspaceList => (None, None, schema::<access::Workspaces>(s)),
        RouteId::WorkspaceCreate => (
            None,
            Some(schema::<access::NameRequest>(s)),
            schema::<access::Workspace>(s),
        ),
        RouteId::AuditList => (page, None, schema::<Page<access::AuditEntry>>(s)),
        _ => (None, None, schema::<access::Whoami>(s)),
    };
    Shape {
        query,
        body,
        answer,
    }
}

/// Of observations and consent.
fn of_consent(id: RouteId, s: &mut SchemaGenerator) -> Shape {
    let (query, body, answer) = match id {
        RouteId::ObservationList => (
            Some(schema::<people::ObservationQuery>(s)),
            None,
            schema::<Page<people::Observation>>(s),
        ),
        RouteId::ObservationCreate => (
            None,
            Some(schema::<people::ObserveRequest>(s)),
            schema::<people::ObserveResponse>(s),
        ),
        RouteId::ConsentList => (
            Some(schema::<people::ConsentQuery>(s)),
            None,
            schema::<people::Consents>(s),
        ),
        _ => (
            None,
            Some(schema::<people::ConsentRequest>(s)),
            schema::<people::Consents>(s),
        ),
    };
    Shape {
        query,
        body,
        answer,
    }
}

fn operation(route: &Route, shape: Shape, error: &Value) -> Value {
    let mut parameters: Vec<Value> = route
        .path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
        .collect();
    if let Some(query) = shape.query {
        parameters.push(json!({
            "name": "query", "in": "query", "style": "form", "explode": true, "schema": query,
        }));
    }
    let mut operation = json!({
        "operationId": format!("{:?}", route.id),
        "summary": route.summary,
        "parameters": parameters,
        "responses": responses(route, &shape.answer, error),
        "x-rate-class": route.rate.as_str(),
        "x-body-limit-bytes": route.body.bytes(),
    });
    if let Some(body) = shape.body {
        let kind = match route.body {
            BodyLimit::Form => "application/x-www-form-urlencoded",
            BodyLimit::Empty | BodyLimit::Json | BodyLimit::Batch => "application/json",
        };
        operation["requestBody"] =
            json!({ "required": true, "content": { kind: { "schema": body } } });
    }
    if route.gate == Gate::Public {
        operation["security"] = json!([]);
    } else {
        operation["security"] = json!([{ "token": [] }]);
    }
    match route.gate {
        Gate::Public | Gate::Oneself => {}
        Gate::Install => operation["x-installation-only"] = json!(true),
        Gate::Permission(permission) => operation["x-permission"] = json!(permission.as_str()),
        Gate::SteppedUp(permission) => {
            operation["x-permission"] = json!(permission.as_str());
            operation["x-step-up"] = json!(true);
        }
    }
    if let Some(action) = route.audit {
        operation["x-audit-action"] = json!(action);
    }
    operation
}

/// The answer, and one entry per status that an error code may bring.
fn responses(route: &Route, answer: &Value, error: &Value) -> Value {
    if let Some(own) = oauth::responses(route, answer, error) {
        return Value::Object(own);
    }
    let mut responses = Map::new();
    responses.insert(
        "200".into(),
        json!({ "description": "Done.", "content": { "application/json": { "schema": answer } } }),
    );
    if route.gate == Gate::Public {
        return Value::Object(responses);
    }
    for code in ErrorCode::ALL {
        let entry = responses.entry(code.status().to_string()).or_insert_with(
            || json!({ "description": "", "content": { "application/json": { "schema": error } } }),
        );
        let known = entry["description"].as_str().unwrap_or_default();
        let joined = if known.is_empty() {
            code.as_str().to_owned()
        } else {
            format!("{known}, {}", code.as_str())
        };
        entry["description"] = json!(joined);
    }
    Value::Object(responses)
}
