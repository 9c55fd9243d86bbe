//! One method for each route of the table, by area; here, what all of them call with.

mod access;
mod backup;
mod budgets;
mod capture;
mod directives;
mod exec;
mod humans;
mod jobs;
mod leases;
mod memories;
mod people;
mod providers;
mod recall;
mod sessions;
mod sinks;
mod skills;
mod sources;
mod templates;
mod tree;
mod vault;

use std::io;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use hyper::header::{ACCEPT, CONTENT_TYPE, HeaderValue, USER_AGENT};
use serde::Serialize;
use serde::de::DeserializeOwned;
use skep_api::limit::{RateLimits, SetLimitRequest};
use skep_api::page::PageQuery;
use skep_api::posture::Posture;
use skep_api::system::{Health, Probe, Rotation};
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

    /// `GET /api/v1/system/posture`.
    pub async fn posture(&mut self) -> Result<Posture, ClientError> {
        self.get(RouteId::SystemPosture, None, &[]).await
    }

    /// `GET /api/v1/limits`.
    pub async fn limits(&mut self) -> Result<RateLimits, ClientError> {
        self.get(RouteId::LimitList, None, &[]).await
    }

    /// `POST /api/v1/limits`.
    pub async fn set_limit(
        &mut self,
        request: &SetLimitRequest,
    ) -> Result<RateLimits, ClientError> {
        self.post(RouteId::LimitSet, None, Some(request), PATIENCE)
            .await
    }

    /// `GET /api/v1/system/keys`.
    pub async fn rotation(&mut self) -> Result<Rotation, ClientError> {
        self.get(RouteId::Rotation, None, &[]).await
    }

    /// `POST /api/v1/system/keys/pepper`.
    pub async fn rotate_pepper(&mut self) -> Result<Rotation, ClientError> {
        self.post::<(), _>(RouteId::RotatePepper, None, None, PATIENCE)
            .await
    }

    /// `POST /api/v1/system/keys/vault`.
    pub async fn rotate_vault(&mut self) -> Result<Rotation, ClientError> {
        self.post::<(), _>(RouteId::RotateVault, None, None, PATIENCE)
            .await
    }

    /// `POST /api/v1/system/keys/signing`.
    pub async fn rotate_signing(&mut self) -> Result<Rotation, ClientError> {
        self.post::<(), _>(RouteId::RotateSigning, None, None, PATIENCE)
            .await
    }

    /// `GET /api/v1/system/health`.
    pub async fn health(&mut self) -> Result<Health, ClientError> {
        self.get(RouteId::SystemHealth, None, &[]).await
    }

    /// Any route, for a program that learns only as it runs which one it asks: the body as it is sent, the
    /// answer as it came.
    pub async fn ask(
        &mut self,
        route: RouteId,
        id: Option<&str>,
        parameters: &[(&str, Option<String>)],
        body: Option<&serde_json::Value>,
    ) -> Result<serde_json::Value, ClientError> {
        self.call(Call {
            route,
            target: with_query(path(route, id), parameters),
            body: body.map(|body| body.to_string().into_bytes()),
            patience: PATIENCE,
        })
        .await
    }

    /// Status and body of whatever comes of a request, for who looks for what should be in no answer.
    pub async fn probe(
        &mut self,
        route: RouteId,
        target: &str,
        body: Option<Vec<u8>>,
    ) -> Result<(u16, Vec<u8>), ClientError> {
        let call = Call {
            route,
            target: target.to_owned(),
            body,
            patience: PATIENCE,
        };
        let answer = match timeout(call.patience, self.exchange(&call)).await {
            Ok(answer) => answer?,
            Err(_late) => {
                self.connection = None;
                return Err(self.broken(io::ErrorKind::TimedOut.into()));
            }
        };
        Ok((answer.status.as_u16(), answer.body.to_vec()))
    }

    async fn get<A: DeserializeOwned>(
        &mut self,
        route: RouteId,
        id: Option<&str>,
        parameters: &[(&str, Option<String>)],
    ) -> Result<A, ClientError> {
        self.get_within(route, id, parameters, PATIENCE).await
    }

    async fn get_within<A: DeserializeOwned>(
        &mut self,
        route: RouteId,
        id: Option<&str>,
        parameters: &[(&str, Option<String>)],
        patience: Duration,
    ) -> Result<A, ClientError> {
        self.call(Call {
            route,
            target: with_query(path(route, id), parameters),
            body: None,
            patience,
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
                Ok(answer) => {
                    self.endpoint.note(answer.nonce.as_ref());
                    return Ok(answer);
                }
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
        let method = call.route.row().method.as_str();
        let introduced = introduce(&self.endpoint, method, &call.target, headers);
        introduced.map_err(|source| self.broken(source))?;
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
