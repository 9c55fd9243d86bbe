//! Logging in as a program without a browser (RFC 8628), renewing, and logging out.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue};
use serde::de::DeserializeOwned;
use skep_api::RouteId;
use skep_api::oauth::{DeviceAuthorization, OAuthFault, TokenResponse};
use zeroize::Zeroizing;

use crate::connection::{Answer, Connection, SendError};
use crate::credentials::{Credentials, Turn};
use crate::proof::{ProofKey, Proved};
use crate::{ClientError, Endpoint, Home};

const CLIENT: &str = "skep-cli";
const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// What a poll came to.
pub enum Polled {
    /// Somebody let us in: the login is kept.
    LoggedIn,
    /// Nobody decided yet; wait so many seconds more than before.
    Waiting(u64),
}

/// An access token, in memory only, with the key that it is bound to.
pub struct Session {
    issuer: String,
    token: Zeroizing<String>,
    key: ProofKey,
    nonce: Mutex<Option<String>>,
}

/// A login under way.
pub struct LoginFlow {
    issuer: String,
    address: SocketAddr,
    key: ProofKey,
    nonce: Option<String>,
}

impl Session {
    /// Shows the token and proves the key, for one request.
    pub(crate) fn introduce(
        &self,
        method: &str,
        target: &str,
        headers: &mut hyper::HeaderMap,
    ) -> std::io::Result<()> {
        let path = target.split('?').next().unwrap_or_default();
        let nonce = self.nonce().clone();
        let proof = self.key.prove(&Proved {
            method,
            url: &format!("{}{path}", self.issuer),
            token: Some(&self.token),
            nonce: nonce.as_deref(),
            now: now(),
        })?;
        let token = Zeroizing::new(format!("DPoP {}", self.token.as_str()));
        let mut credential =
            HeaderValue::try_from(token.as_str()).map_err(std::io::Error::other)?;
        credential.set_sensitive(true);
        headers.insert(AUTHORIZATION, credential);
        headers.insert(
            "dpop",
            HeaderValue::try_from(proof).map_err(std::io::Error::other)?,
        );
        Ok(())
    }

    /// Remembers what the next proof has to carry.
    pub(crate) fn note(&self, nonce: Option<&String>) {
        if let Some(nonce) = nonce {
            *self.nonce() = Some(nonce.clone());
        }
    }

    fn nonce(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.nonce.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Shows where, never with what.
impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("issuer", &self.issuer)
            .finish_non_exhaustive()
    }
}

/// Seconds since 1970: a server compares them with its own.
#[expect(
    clippy::disallowed_methods,
    reason = "a proof says when it was made, by the clock of this machine"
)]
fn now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(1, |since| since.as_secs())
}

impl LoginFlow {
    /// Begins with a fresh key, at a loopback address.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn new(address: SocketAddr) -> std::io::Result<Self> {
        Ok(Self {
            issuer: format!("http://{address}"),
            address,
            key: ProofKey::generate()?,
            nonce: None,
        })
    }

    /// Asks for a code to show.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn start(&mut self, device: &str) -> Result<DeviceAuthorization, ClientError> {
        let fields = [("client_id", CLIENT), ("device_name", device)];
        let route = RouteId::OAuthDeviceStart;
        match self.form::<DeviceAuthorization>(route, &fields, 0).await? {
            Ok(started) => Ok(started),
            Err(fault) => Err(self.refused(&fault)),
        }
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
        match self
            .form::<TokenResponse>(RouteId::OAuthToken, &fields, now())
            .await?
        {
            Ok(tokens) => {
                let key = self.key.text();
                let key = ProofKey::parse(&key).ok_or_else(|| self.protocol("no key"))?;
                let kept = Credentials {
                    issuer: self.issuer.clone(),
                    refresh: Zeroizing::new(tokens.refresh_token),
                    key,
                };
                kept.write(home).map_err(|source| self.io(source))?;
                Ok(Polled::LoggedIn)
            }
            Err(fault) => match fault.error.as_str() {
                "authorization_pending" => Ok(Polled::Waiting(0)),
                "slow_down" => Ok(Polled::Waiting(5)),
                _ => Err(self.refused(&fault)),
            },
        }
    }

    /// Ends a login at the server.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn end(address: SocketAddr, kept: Credentials) -> Result<(), ClientError> {
        let mut flow = Self {
            issuer: kept.issuer,
            address,
            key: kept.key,
            nonce: None,
        };
        let fields = [("client_id", CLIENT), ("token", kept.refresh.as_str())];
        let route = RouteId::OAuthRevoke;
        match flow.form::<serde_json::Value>(route, &fields, 0).await? {
            Ok(_) => Ok(()),
            Err(fault) => Err(flow.refused(&fault)),
        }
    }

    /// Renews a kept login: the next refresh token is kept before this returns.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn renew(home: &Home, address: SocketAddr) -> Result<Endpoint, ClientError> {
        let endpoint = format!("http://{address}");
        let broken = |source| ClientError::Io {
            endpoint: endpoint.clone(),
            source,
        };
        let turn = Turn::wait(home).map_err(broken)?;
        let kept = Credentials::read(home).map_err(broken)?;
        let missing = || std::io::Error::other("nobody is logged in: skep login");
        let mut kept = kept.ok_or_else(|| broken(missing()))?;
        let mut flow = Self {
            issuer: kept.issuer.clone(),
            address,
            key: kept.key,
            nonce: None,
        };
        let fields = [
            ("grant_type", "refresh_token"),
            ("client_id", CLIENT),
            ("refresh_token", kept.refresh.as_str()),
        ];
        let route = RouteId::OAuthToken;
        let answered = flow.form::<TokenResponse>(route, &fields, now()).await?;
        let tokens = answered.map_err(|fault| flow.refused(&fault))?;
        kept.refresh = Zeroizing::new(tokens.refresh_token);
        let text = flow.key.text();
        kept.key = ProofKey::parse(&text).ok_or_else(|| flow.protocol("no key"))?;
        kept.write(home).map_err(broken)?;
        drop(turn);
        let session = Session {
            issuer: flow.issuer,
            token: Zeroizing::new(tokens.access_token),
            key: flow.key,
            nonce: Mutex::new(flow.nonce),
        };
        let session = Arc::new(session);
        Ok(Endpoint::Login { address, session })
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
        let mut request = Request::builder()
            .method(row.method.as_str())
            .uri(row.path)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(HOST, self.address.to_string())
            .body(Full::new(Bytes::from(body.join("&"))))
            .map_err(|_| self.protocol("its address does not fit a header"))?;
        if now > 0 {
            let proof = self.key.prove(&Proved {
                method: row.method.as_str(),
                url: &format!("{}{}", self.issuer, row.path),
                token: None,
                nonce: self.nonce.as_deref(),
                now,
            });
            let proof = proof.map_err(|source| self.io(source))?;
            let proof = HeaderValue::try_from(proof).map_err(|_| self.protocol("no header"))?;
            request.headers_mut().insert("dpop", proof);
        }
        let mut connection = Connection::open_address(self.address).await?;
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
            endpoint: self.issuer.clone(),
            problem: problem.into(),
        }
    }

    fn io(&self, source: std::io::Error) -> ClientError {
        ClientError::Io {
            endpoint: self.issuer.clone(),
            source,
        }
    }
}
