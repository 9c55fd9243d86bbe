//! One method for each route of the table.

mod people;

use std::io;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use hyper::header::{ACCEPT, CONTENT_TYPE, HeaderValue, USER_AGENT};
use serde::Serialize;
use serde::de::DeserializeOwned;
use skep_api::capture::{
    Binding, BindingsResponse, CaptureRequest, CaptureResponse, CursorRequest, CursorResponse,
    PauseRequest, PausesResponse, ResumeRequest, RulesResponse, SessionCaptureRequest,
    UnbindRequest, UnbindResponse,
};
use skep_api::explain::{ExplainRequest, Explanation};
use skep_api::inject::{InjectRequest, InjectResponse, Injection};
use skep_api::memory::{
    EditRequest, ForgetRequest, Memory, MemoryQuery, RememberRequest, RememberResponse,
    ResolveRequest, ResolveResponse,
};
use skep_api::ontology::{
    Decision, EntityList, EntityQuery, Proposal, ProposalQuery, ProposalRequest, RelationRequest,
    RelationResponse,
};
use skep_api::page::{Page, PageQuery};
use skep_api::recall::{RecallRequest, RecallResponse};
use skep_api::removal::{Erased, RewindRequest, RewindResponse};
use skep_api::review::{Conflict, Held, History, ResolveConflictRequest, ReviewRequest};
use skep_api::session::{EndResponse, Session, Turn};
use skep_api::source::{
    AddSourceRequest, FetchRequest, FetchResponse, PurgeResponse, Source, SyncRequest, SyncResponse,
};
use skep_api::system::{Health, Probe};
use skep_api::{ErrorEnvelope, RouteId};
use tokio::time::timeout;

use crate::connection::{Answer, Connection, SendError, introduce};
use crate::target::{path, with_query};
use crate::{ClientError, Endpoint};

/// Ordinary calls answer in milliseconds; this is for a machine that swaps.
const PATIENCE: Duration = Duration::from_secs(30);
/// A batch may wait for another writer's.
const CAPTURE_PATIENCE: Duration = Duration::from_mins(2);
/// A server elsewhere may be slow, and what it sends is cut and kept.
const FETCH_PATIENCE: Duration = Duration::from_mins(5);
/// Ending a session distils all that is left of it.
const END_PATIENCE: Duration = Duration::from_mins(15);

/// A connection to one daemon; one request at a time.
pub struct Client {
    endpoint: Endpoint,
    connection: Option<Connection>,
}

/// A request before it has a connection.
struct Call {
    route: RouteId,
    target: String,
    body: Option<Vec<u8>>,
    patience: Duration,
}

impl Client {
    /// Connects. A connection that closes later is made anew when it is needed.
    ///
    /// # Errors
    /// [`ClientError::Unreachable`] when nobody answers.
    pub async fn connect(endpoint: &Endpoint) -> Result<Self, ClientError> {
        Ok(Self {
            endpoint: endpoint.clone(),
            connection: Some(Connection::open(endpoint).await?),
        })
    }

    /// Where this client is connected to.
    #[must_use]
    pub const fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// `GET /healthz`.
    ///
    /// # Errors
    /// As [`ClientError`] says; so with every method.
    pub async fn healthz(&mut self) -> Result<Probe, ClientError> {
        self.get(RouteId::Healthz, None, &[]).await
    }

    /// `GET /readyz`.
    pub async fn readyz(&mut self) -> Result<Probe, ClientError> {
        self.get(RouteId::Readyz, None, &[]).await
    }

    /// `GET /openapi.json`.
    pub async fn open_api(&mut self) -> Result<serde_json::Value, ClientError> {
        self.get(RouteId::OpenApi, None, &[]).await
    }

    /// `GET /api/v1/system/health`.
    pub async fn health(&mut self) -> Result<Health, ClientError> {
        self.get(RouteId::SystemHealth, None, &[]).await
    }

    /// `POST /api/v1/capture`.
    pub async fn capture(
        &mut self,
        batch: &CaptureRequest,
    ) -> Result<CaptureResponse, ClientError> {
        self.post(RouteId::Capture, None, Some(batch), CAPTURE_PATIENCE)
            .await
    }

    /// `POST /api/v1/sources`.
    pub async fn add_source(&mut self, request: &AddSourceRequest) -> Result<Source, ClientError> {
        self.post(RouteId::SourceCreate, None, Some(request), PATIENCE)
            .await
    }

    /// `GET /api/v1/sources`.
    pub async fn sources(&mut self, page: &PageQuery) -> Result<Page<Source>, ClientError> {
        self.get(RouteId::SourceList, None, &paging(page)).await
    }

    /// `GET /api/v1/sources/{id}`.
    pub async fn source(&mut self, id: &str) -> Result<Source, ClientError> {
        self.get(RouteId::SourceGet, Some(id), &[]).await
    }

    /// `POST /api/v1/sources/{id}/sync`.
    pub async fn sync_source(
        &mut self,
        id: &str,
        request: &SyncRequest,
    ) -> Result<SyncResponse, ClientError> {
        self.post(
            RouteId::SourceSync,
            Some(id),
            Some(request),
            CAPTURE_PATIENCE,
        )
        .await
    }

    /// `POST /api/v1/sources/{id}/fetch`.
    pub async fn fetch_source(
        &mut self,
        id: &str,
        request: &FetchRequest,
    ) -> Result<FetchResponse, ClientError> {
        self.post(
            RouteId::SourceFetch,
            Some(id),
            Some(request),
            FETCH_PATIENCE,
        )
        .await
    }

    /// `POST /api/v1/sources/{id}/purge`.
    pub async fn purge_source(&mut self, id: &str) -> Result<PurgeResponse, ClientError> {
        self.post(RouteId::SourcePurge, Some(id), None::<&()>, END_PATIENCE)
            .await
    }

    /// `GET /api/v1/capture/rules`.
    pub async fn capture_rules(&mut self) -> Result<RulesResponse, ClientError> {
        self.get(RouteId::CaptureRules, None, &[]).await
    }

    /// `POST /api/v1/capture/pause`.
    pub async fn pause(&mut self, request: &PauseRequest) -> Result<PausesResponse, ClientError> {
        self.post(RouteId::CapturePause, None, Some(request), PATIENCE)
            .await
    }

    /// `POST /api/v1/capture/resume`.
    pub async fn resume(&mut self, request: &ResumeRequest) -> Result<PausesResponse, ClientError> {
        self.post(RouteId::CaptureResume, None, Some(request), PATIENCE)
            .await
    }

    /// `POST /api/v1/sessions/{id}/capture`.
    pub async fn switch_session(
        &mut self,
        id: &str,
        request: &SessionCaptureRequest,
    ) -> Result<SessionCaptureRequest, ClientError> {
        self.post(RouteId::SessionCapture, Some(id), Some(request), PATIENCE)
            .await
    }

    /// `GET /api/v1/projects`.
    pub async fn bindings(&mut self) -> Result<BindingsResponse, ClientError> {
        self.get(RouteId::ProjectList, None, &[]).await
    }

    /// `POST /api/v1/projects/bind`.
    pub async fn bind(&mut self, request: &Binding) -> Result<Binding, ClientError> {
        self.post(RouteId::ProjectBind, None, Some(request), PATIENCE)
            .await
    }

    /// `POST /api/v1/projects/unbind`.
    pub async fn unbind(&mut self, request: &UnbindRequest) -> Result<UnbindResponse, ClientError> {
        self.post(RouteId::ProjectUnbind, None, Some(request), PATIENCE)
            .await
    }

    /// `POST /api/v1/imports/cursor`.
    pub async fn import_cursor(
        &mut self,
        request: &CursorRequest,
    ) -> Result<CursorResponse, ClientError> {
        self.post(RouteId::ImportCursor, None, Some(request), PATIENCE)
            .await
    }

    /// `GET /api/v1/sessions`.
    pub async fn sessions(&mut self, page: &PageQuery) -> Result<Page<Session>, ClientError> {
        self.get(RouteId::SessionList, None, &paging(page)).await
    }

    /// `GET /api/v1/sessions/{id}`.
    pub async fn session(&mut self, id: &str) -> Result<Session, ClientError> {
        self.get(RouteId::SessionGet, Some(id), &[]).await
    }

    /// `GET /api/v1/sessions/{id}/turns`.
    pub async fn session_turns(
        &mut self,
        id: &str,
        page: &PageQuery,
    ) -> Result<Page<Turn>, ClientError> {
        self.get(RouteId::SessionTurns, Some(id), &paging(page))
            .await
    }

    /// `POST /api/v1/sessions/{id}/end`.
    pub async fn end_session(&mut self, id: &str) -> Result<EndResponse, ClientError> {
        self.post(RouteId::SessionEnd, Some(id), None::<&()>, END_PATIENCE)
            .await
    }

    /// `POST /api/v1/memories`.
    pub async fn remember(
        &mut self,
        request: &RememberRequest,
    ) -> Result<RememberResponse, ClientError> {
        self.post(RouteId::MemoryCreate, None, Some(request), PATIENCE)
            .await
    }

    /// `GET /api/v1/memories`.
    pub async fn memories(&mut self, query: &MemoryQuery) -> Result<Page<Memory>, ClientError> {
        let mut parameters = paging(&query.page()).to_vec();
        parameters.push(("kind", query.kind.clone()));
        parameters.push(("as_of", query.as_of.map(|at| at.to_string())));
        self.get(RouteId::MemoryList, None, &parameters).await
    }

    /// `GET /api/v1/memories/{id}`.
    pub async fn memory(&mut self, id: &str) -> Result<Memory, ClientError> {
        self.get(RouteId::MemoryGet, Some(id), &[]).await
    }

    /// `POST /api/v1/memories/{id}/forget`.
    pub async fn forget(
        &mut self,
        id: &str,
        request: &ForgetRequest,
    ) -> Result<Memory, ClientError> {
        self.post(RouteId::MemoryForget, Some(id), Some(request), PATIENCE)
            .await
    }

    /// `PATCH /api/v1/memories/{id}`.
    pub async fn edit(
        &mut self,
        id: &str,
        request: &EditRequest,
    ) -> Result<RememberResponse, ClientError> {
        self.post(RouteId::MemoryEdit, Some(id), Some(request), PATIENCE)
            .await
    }

    /// `GET /api/v1/memories/{id}/history`.
    pub async fn memory_history(&mut self, id: &str) -> Result<History, ClientError> {
        self.get(RouteId::MemoryHistory, Some(id), &[]).await
    }

    /// `POST /api/v1/memories/{id}/erase`.
    pub async fn erase_memory(&mut self, id: &str) -> Result<Erased, ClientError> {
        self.post(RouteId::MemoryErase, Some(id), None::<&()>, END_PATIENCE)
            .await
    }

    /// `POST /api/v1/sessions/{id}/erase`.
    pub async fn erase_session(&mut self, id: &str) -> Result<Erased, ClientError> {
        self.post(RouteId::SessionErase, Some(id), None::<&()>, END_PATIENCE)
            .await
    }

    /// `POST /api/v1/rewind`.
    pub async fn rewind(&mut self, request: &RewindRequest) -> Result<RewindResponse, ClientError> {
        self.post(RouteId::Rewind, None, Some(request), END_PATIENCE)
            .await
    }

    /// `GET /api/v1/conflicts`.
    pub async fn conflicts(&mut self, page: &PageQuery) -> Result<Page<Conflict>, ClientError> {
        self.get(RouteId::ConflictList, None, &paging(page)).await
    }

    /// `POST /api/v1/conflicts/{id}/resolve`.
    pub async fn resolve_conflict(
        &mut self,
        id: &str,
        request: &ResolveConflictRequest,
    ) -> Result<Conflict, ClientError> {
        self.post(RouteId::ConflictResolve, Some(id), Some(request), PATIENCE)
            .await
    }

    /// `GET /api/v1/quarantine`.
    pub async fn quarantine(&mut self, page: &PageQuery) -> Result<Page<Held>, ClientError> {
        self.get(RouteId::QuarantineList, None, &paging(page)).await
    }

    /// `POST /api/v1/quarantine/{id}/accept`.
    pub async fn accept(
        &mut self,
        id: &str,
        request: &ReviewRequest,
    ) -> Result<Memory, ClientError> {
        self.post(RouteId::QuarantineAccept, Some(id), Some(request), PATIENCE)
            .await
    }

    /// `POST /api/v1/quarantine/{id}/reject`.
    pub async fn reject(
        &mut self,
        id: &str,
        request: &ReviewRequest,
    ) -> Result<Memory, ClientError> {
        self.post(RouteId::QuarantineReject, Some(id), Some(request), PATIENCE)
            .await
    }

    /// `POST /api/v1/recall`.
    pub async fn recall(&mut self, request: &RecallRequest) -> Result<RecallResponse, ClientError> {
        self.post(RouteId::Recall, None, Some(request), PATIENCE)
            .await
    }

    /// `POST /api/v1/explain/recall`.
    pub async fn explain_recall(
        &mut self,
        request: &ExplainRequest,
    ) -> Result<Explanation, ClientError> {
        self.post(RouteId::ExplainRecall, None, Some(request), PATIENCE)
            .await
    }

    /// `POST /api/v1/inject`.
    pub async fn inject(&mut self, request: &InjectRequest) -> Result<InjectResponse, ClientError> {
        self.post(RouteId::Inject, None, Some(request), PATIENCE)
            .await
    }

    /// `GET /api/v1/injections`.
    pub async fn injections(&mut self, page: &PageQuery) -> Result<Page<Injection>, ClientError> {
        self.get(RouteId::InjectionList, None, &paging(page)).await
    }

    /// `GET /api/v1/sessions/{id}/context`.
    pub async fn session_context(
        &mut self,
        id: &str,
        page: &PageQuery,
    ) -> Result<Page<Injection>, ClientError> {
        self.get(RouteId::SessionContext, Some(id), &paging(page))
            .await
    }

    /// `POST /api/v1/resolve`.
    pub async fn resolve(
        &mut self,
        request: &ResolveRequest,
    ) -> Result<ResolveResponse, ClientError> {
        self.post(RouteId::Resolve, None, Some(request), PATIENCE)
            .await
    }

    /// `GET /api/v1/entities`.
    pub async fn entities(&mut self, query: &EntityQuery) -> Result<EntityList, ClientError> {
        let limit = query.limit.map(|limit| limit.to_string());
        self.get(RouteId::EntityList, None, &[("limit", limit)])
            .await
    }

    /// `POST /api/v1/relations`.
    pub async fn relations(&mut self, name: String) -> Result<RelationResponse, ClientError> {
        let request = RelationRequest { name };
        self.post(RouteId::RelationList, None, Some(&request), PATIENCE)
            .await
    }

    /// `POST /api/v1/ontology/proposals`.
    pub async fn propose(&mut self, request: &ProposalRequest) -> Result<Proposal, ClientError> {
        self.post(RouteId::ProposalCreate, None, Some(request), PATIENCE)
            .await
    }

    /// `GET /api/v1/ontology/proposals`.
    pub async fn proposals(
        &mut self,
        query: &ProposalQuery,
    ) -> Result<Page<Proposal>, ClientError> {
        let parameters = [
            ("limit", query.limit.map(|limit| limit.to_string())),
            ("cursor", query.cursor.clone()),
            ("state", query.state.clone()),
        ];
        self.get(RouteId::ProposalList, None, &parameters).await
    }

    /// `POST /api/v1/ontology/proposals/{id}/accept` or `…/reject`.
    pub async fn decide_proposal(
        &mut self,
        id: &str,
        accepted: bool,
    ) -> Result<Decision, ClientError> {
        let route = if accepted {
            RouteId::ProposalAccept
        } else {
            RouteId::ProposalReject
        };
        self.post(route, Some(id), None::<&()>, PATIENCE).await
    }

    async fn get<A: DeserializeOwned>(
        &mut self,
        route: RouteId,
        id: Option<&str>,
        parameters: &[(&str, Option<String>)],
    ) -> Result<A, ClientError> {
        self.call(Call {
            route,
            target: with_query(path(route, id), parameters),
            body: None,
            patience: PATIENCE,
        })
        .await
    }

    async fn post<B: Serialize, A: DeserializeOwned>(
        &mut self,
        route: RouteId,
        id: Option<&str>,
        body: Option<&B>,
        patience: Duration,
    ) -> Result<A, ClientError> {
        let body = body
            .map(serde_json::to_vec)
            .transpose()
            .map_err(|error| self.protocol(format!("the request is not JSON: {error}")))?;
        self.call(Call {
            route,
            target: path(route, id),
            body,
            patience,
        })
        .await
    }

    async fn call<A: DeserializeOwned>(&mut self, call: Call) -> Result<A, ClientError> {
        let answer = match timeout(call.patience, self.exchange(&call)).await {
            Ok(answer) => answer?,
            Err(_late) => {
                // The answer may still come: this connection is of no more use.
                self.connection = None;
                return Err(self.broken(io::ErrorKind::TimedOut.into()));
            }
        };
        if answer.status.is_success() {
            return serde_json::from_slice(&answer.body)
                .map_err(|error| self.protocol(format!("{} does not fit: {error}", call.target)));
        }
        Err(
            match serde_json::from_slice::<ErrorEnvelope>(&answer.body) {
                Ok(envelope) => ClientError::Refused(envelope),
                Err(_) => self.protocol(format!(
                    "status {} without an error envelope",
                    answer.status.as_u16()
                )),
            },
        )
    }

    /// Sends, once more on a fresh connection if the first was closed meanwhile.
    async fn exchange(&mut self, call: &Call) -> Result<Answer, ClientError> {
        let mut request = self.request(call)?;
        let mut fresh = self.connection.is_none();
        loop {
            let connection = match &mut self.connection {
                Some(connection) => connection,
                empty => empty.insert(Connection::open(&self.endpoint).await?),
            };
            let error = match connection.send(request).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            self.connection = None;
            request = match error {
                SendError::Unsent(unsent) if !fresh => *unsent,
                SendError::Broken(_) if !fresh && !call.route.row().mutates() => {
                    self.request(call)?
                }
                SendError::Unsent(_) => {
                    return Err(self.broken(io::ErrorKind::ConnectionReset.into()));
                }
                SendError::Broken(source) => return Err(self.broken(source)),
                SendError::TooLarge => {
                    return Err(self.protocol("the answer is larger than 64 MiB".into()));
                }
            };
            fresh = true;
        }
    }

    fn request(&self, call: &Call) -> Result<Request<Full<Bytes>>, ClientError> {
        let body = call.body.clone().unwrap_or_default();
        let mut request = Request::builder()
            .method(call.route.row().method.as_str())
            .uri(&call.target)
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| self.protocol(format!("{:?}: {error}", call.target)))?;
        let headers = request.headers_mut();
        introduce(&self.endpoint, headers)?;
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(
            USER_AGENT,
            HeaderValue::from_static(concat!("skep/", env!("CARGO_PKG_VERSION"))),
        );
        if call.body.is_some() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        Ok(request)
    }

    fn protocol(&self, problem: String) -> ClientError {
        ClientError::Protocol {
            endpoint: self.endpoint.to_string(),
            problem,
        }
    }

    fn broken(&self, source: io::Error) -> ClientError {
        ClientError::Io {
            endpoint: self.endpoint.to_string(),
            source,
        }
    }
}

fn paging(page: &PageQuery) -> [(&'static str, Option<String>); 2] {
    [
        ("limit", page.limit.map(|limit| limit.to_string())),
        ("cursor", page.cursor.clone()),
    ]
}
