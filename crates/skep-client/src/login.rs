//! Logging in as a program without a browser (RFC 8628), renewing, and logging out.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use hyper::header::{CONTENT_TYPE, HOST, HeaderValue};
use serde::de::DeserializeOwned;
use skep_api::oauth::{DeviceAuthorization, OAuthFault, ServerMetadata, TokenResponse};
use skep_api::{Route, RouteId};
use zeroize::Zeroizing;

use crate::connection::{Answer, Connection, SendError};
use crate::credentials::{Active, Login, Logins};
use crate::endpoint::Credential;
use crate::origin::Origin;
use crate::private::Turn;
use crate::proof::{ProofKey, Proved};
use crate::session::{Session, now};
use crate::{Client, ClientError, Endpoint, Home};

const CLIENT: &str = "skep-cli";
const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// What a poll came to.
pub enum Polled {
    /// Somebody let us in, and the login is kept and active.
    LoggedIn(Box<Login>),
    /// Nobody decided yet; wait so many seconds more than before.
    Waiting(u64),
}

/// A login under way.
pub struct LoginFlow {
    origin: Origin,
    key: ProofKey,
    nonce: Option<String>,
}

impl LoginFlow {
    /// Begins with a fresh key.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn new(origin: Origin) -> std::io::Result<Self> {
        Ok(Self::with(origin, ProofKey::generate()?))
    }

    const fn with(origin: Origin, key: ProofKey) -> Self {
        Self {
            origin,
            key,
            nonce: None,
        }
    }

    /// Asks for a code to show.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn start(&mut self, device: &str) -> Result<DeviceAuthorization, ClientError> {
        self.check_name().await?;
        let fields = [("client_id", CLIENT), ("device_name", device)];
        let route = RouteId::OAuthDeviceStart;
        match self.form::<DeviceAuthorization>(route, &fields, 0).await? {
            Ok(started) => Ok(started),
            Err(fault) => Err(self.refused(&fault)),
        }
    }

    /// A proof names the server as it names itself: under another name none would hold.
    async fn check_name(&self) -> Result<(), ClientError> {
        let row = RouteId::OAuthServerMetadata.row();
        let request = self.request(row, Bytes::new())?;
        let answer = self.exchange(request).await?;
        let metadata: ServerMetadata = serde_json::from_slice(&answer.body)
            .map_err(|_| self.protocol("it has no metadata of OAuth"))?;
        if metadata.issuer == self.origin.to_string() {
            return Ok(());
        }
        Err(ClientError::Name {
            endpoint: self.origin.to_string(),
            name: metadata.issuer,
        })
    }

    /// Asks whether somebody decided.
    ///
    /// # Errors
    /// [`ClientError`] when it was refused, or has ended.
    pub async fn poll(
        &mut self,
        home: &Home,
        device: &DeviceAuthorization,
    ) -> Result<Polled, ClientError> {
        let fields = [
            ("grant_type", DEVICE_GRANT),
            ("client_id", CLIENT),
            ("device_code", device.device_code.as_str()),
        ];
        let route = RouteId::OAuthToken;
        match self.form::<TokenResponse>(route, &fields, now()).await? {
            Ok(tokens) => Ok(Polled::LoggedIn(Box::new(self.keep(home, tokens).await?))),
            Err(fault) => match fault.error.as_str() {
                "authorization_pending" => Ok(Polled::Waiting(0)),
                "slow_down" => Ok(Polled::Waiting(5)),
                _ => Err(self.refused(&fault)),
            },
        }
    }

    /// Asks what the login is for, keeps it, and makes it the active one.
    async fn keep(&mut self, home: &Home, tokens: TokenResponse) -> Result<Login, ClientError> {
        let refresh = Zeroizing::new(tokens.refresh_token);
        let endpoint = self.endpoint(Zeroizing::new(tokens.access_token), None);
        let who = Client::connect(&endpoint).await?.whoami().await?;
        let login = Login {
            issuer: self.origin.to_string(),
            organization: who.organization,
            name: who.organization_name,
            refresh,
            key: self.key.clone(),
        };
        let kept = Turn::wait(home).and_then(|_turn| {
            let mut logins = Logins::read(home)?;
            logins.put(login.clone())?;
            logins.write(home)?;
            login.active().write(home)
        });
        kept.map_err(|source| self.io(source))?;
        Ok(login)
    }

    /// Takes a login out of the home and ends it at its server. It is out even when the server
    /// cannot be told; `None` when there was none.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn end(home: &Home, active: &Active) -> Result<Option<()>, ClientError> {
        let origin = origin(active)?;
        let taken = Turn::wait(home).and_then(|_turn| {
            let mut logins = Logins::read(home)?;
            let taken = logins.take(active);
            logins.write(home)?;
            if Active::read(home)?.as_ref() == Some(active) {
                Active::delete(home)?;
            }
            Ok(taken)
        });
        let Some(login) = taken.map_err(|source| broken(active, source))? else {
            return Ok(None);
        };
        let mut flow = Self::with(origin, login.key);
        let fields = [("client_id", CLIENT), ("token", login.refresh.as_str())];
        let route = RouteId::OAuthRevoke;
        match flow.form::<serde_json::Value>(route, &fields, 0).await? {
            Ok(_) => Ok(Some(())),
            Err(fault) => Err(flow.refused(&fault)),
        }
    }

    /// Renews a kept login: the next refresh token is kept before this returns.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn renew(home: &Home, active: &Active) -> Result<Endpoint, ClientError> {
        let io = |source| broken(active, source);
        let turn = Turn::wait(home).map_err(io)?;
        let mut logins = Logins::read(home).map_err(io)?;
        let missing = || std::io::Error::other("nobody is logged in there: skep login");
        let mut login = logins.take(active).ok_or_else(|| io(missing()))?;
        let mut flow = Self::with(origin(active)?, login.key.clone());
        let fields = [
            ("grant_type", "refresh_token"),
            ("client_id", CLIENT),
            ("refresh_token", login.refresh.as_str()),
        ];
        let route = RouteId::OAuthToken;
        let answered = flow.form::<TokenResponse>(route, &fields, now()).await?;
        let tokens = answered.map_err(|fault| match fault.error.as_str() {
            "invalid_grant" => ClientError::LoginEnded {
                endpoint: active.issuer.clone(),
            },
            _ => flow.refused(&fault),
        })?;
        login.refresh = Zeroizing::new(tokens.refresh_token);
        logins.put(login).map_err(io)?;
        logins.write(home).map_err(io)?;
        drop(turn);
        let organization = Some(active.organization.clone());
        Ok(flow.endpoint(Zeroizing::new(tokens.access_token), organization))
    }

    fn endpoint(&self, token: Zeroizing<String>, organization: Option<String>) -> Endpoint {
        Endpoint::Http {
            origin: self.origin.clone(),
            credential: Credential::Login(Arc::new(Session {
                origin: self.origin.clone(),
                organization,
                token,
                key: self.key.clone(),
                nonce: Mutex::new(self.nonce.clone()),
            })),
        }
    }

    /// Sends a form, with a proof, once more with a nonce when it is asked for.
    async fn form<A: DeserializeOwned>(
        &mut self,
        route: RouteId,
        fields: &[(&str, &str)],
        now: u64,
    ) -> Result<Result<A, OAuthFault>, ClientError> {
        for _ in 0..2 {
            let answer = self.send(route, fields, now).await?;
            if answer.nonce.is_some() {
                self.nonce.clone_from(&answer.nonce);
            }
            if answer.status.is_success() {
                let read = serde_json::from_slice(&answer.body);
                return read
                    .map(Ok)
                    .map_err(|_| self.protocol("its answer does not fit"));
            }
            let fault: OAuthFault = serde_json::from_slice(&answer.body)
                .map_err(|_| self.protocol("its answer is no error of OAuth"))?;
            if fault.error != "use_dpop_nonce" {
                return Ok(Err(fault));
            }
        }
        Err(self.protocol("it takes no nonce of its own"))
    }

    async fn send(
        &self,
        route: RouteId,
        fields: &[(&str, &str)],
        now: u64,
    ) -> Result<Answer, ClientError> {
        let row = route.row();
        let body: Vec<String> = fields
            .iter()
            .map(|(name, value)| format!("{name}={}", crate::target::escaped(value)))
            .collect();
        let mut request = self.request(row, Bytes::from(body.join("&")))?;
        let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
        request.headers_mut().insert(CONTENT_TYPE, kind);
        if now > 0 {
            let proof = self.key.prove(&Proved {
                method: row.method.as_str(),
                url: &format!("{}{}", self.origin, row.path),
                token: None,
                nonce: self.nonce.as_deref(),
                now,
            });
            let proof = proof.map_err(|source| self.io(source))?;
            let proof = HeaderValue::try_from(proof).map_err(|_| self.protocol("no header"))?;
            request.headers_mut().insert("dpop", proof);
        }
        self.exchange(request).await
    }

    fn request(&self, row: &Route, body: Bytes) -> Result<Request<Full<Bytes>>, ClientError> {
        Request::builder()
            .method(row.method.as_str())
            .uri(row.path)
            .header(HOST, self.origin.authority())
            .body(Full::new(body))
            .map_err(|_| self.protocol("its address does not fit a header"))
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<Answer, ClientError> {
        let mut connection = Connection::open_http(&self.origin).await?;
        connection.send(request).await.map_err(|error| match error {
            SendError::Broken(source) => self.io(source),
            SendError::Unsent(_) => self.io(std::io::ErrorKind::ConnectionReset.into()),
            SendError::TooLarge => self.protocol("its answer is too large"),
        })
    }

    fn refused(&self, fault: &OAuthFault) -> ClientError {
        let why = fault.error_description.as_deref().unwrap_or_default();
        self.protocol(&format!("{}: {why}", fault.error))
    }

    fn protocol(&self, problem: &str) -> ClientError {
        ClientError::Protocol {
            endpoint: self.origin.to_string(),
            problem: problem.into(),
        }
    }

    fn io(&self, source: std::io::Error) -> ClientError {
        ClientError::Io {
            endpoint: self.origin.to_string(),
            source,
        }
    }
}

/// The origin that a file of the home names.
fn origin(active: &Active) -> Result<Origin, ClientError> {
    Origin::parse(&active.issuer).map_err(|error| broken(active, error.into()))
}

fn broken(active: &Active, source: std::io::Error) -> ClientError {
    ClientError::Io {
        endpoint: active.issuer.clone(),
        source,
    }
}
