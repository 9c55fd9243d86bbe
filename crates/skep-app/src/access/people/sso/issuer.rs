//! What an issuer publishes about itself (`OpenID` Connect Discovery 1.0), its keys, and its token
//! endpoint. Kept for an hour, apart for each organization; keys are asked for again when a token names
//! one that is not among them, once a minute at most.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64ct::{Base64, Encoding};
use serde::Deserialize;
use skep_crypto::Plain;
use skep_domain::{OrganizationId, Timestamp};
use skep_egress::{Request, Response, Secret, Target};
use skep_jose::ForeignKeys;

use super::super::factors::percent;
use super::super::ticket::{HOUR, MINUTE};
use super::calls::{IssuerCalls, unfit};
use super::settings::Provider;
use crate::{App, AppError};

/// How long what an issuer says of itself counts.
const FRESH: i64 = HOUR;
/// How often keys are asked for again at most.
const AGAIN: i64 = MINUTE;
/// Issuers that are remembered.
const HELD: usize = 256;

/// Where an issuer does what.
#[derive(Clone)]
pub(super) struct Endpoints {
    pub(super) authorization: String,
    pub(super) token: Target,
    pub(super) keys: Target,
    /// Where it tells more than ID tokens do.
    user_info: Option<Target>,
    pub(super) client: ClientAuth,
    /// Whether its answers name it (RFC 9207).
    pub(super) names_itself: bool,
}

/// How we say who we are at the token endpoint.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum ClientAuth {
    Basic,
    Post,
    None,
}

#[derive(Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    #[serde(default)]
    userinfo_endpoint: Option<String>,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

/// What the token endpoint gives for a code.
#[derive(Deserialize)]
pub(super) struct Given {
    pub(super) id_token: String,
    pub(super) access_token: Option<String>,
}

struct Known {
    at: Timestamp,
    endpoints: Arc<Endpoints>,
    keys: Option<Arc<ForeignKeys>>,
    /// When keys were asked for last, whatever came of it.
    asked: Option<Timestamp>,
}

/// Whose issuer, which one, and whether it is asked with a secret.
type Place = (OrganizationId, String, bool);

/// What is remembered of issuers.
#[derive(Default)]
pub(crate) struct Issuers(Mutex<HashMap<Place, Known>>);

impl Issuers {
    fn known(&self) -> MutexGuard<'_, HashMap<Place, Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets an organization's: what it chose has changed.
    pub(super) fn forget(&self, organization: OrganizationId) {
        self.known().retain(|(held, ..), _| *held != organization);
    }
}

impl App {
    /// Where the issuer does what, as of an hour ago at most.
    pub(super) async fn endpoints(
        &self,
        organization: OrganizationId,
        provider: &Provider,
    ) -> Result<Arc<Endpoints>, AppError> {
        let (place, now) = (provider.place(organization), self.store.now());
        if let Some(known) = self.issuers.known().get(&place)
            && within(known.at, now, FRESH)
        {
            return Ok(Arc::clone(&known.endpoints));
        }
        let endpoints = Arc::new(discover(&self.people.issuers, provider).await?);
        let mut known = self.issuers.known();
        if known.len() >= HELD {
            known.clear();
        }
        let fresh = Known {
            at: now,
            endpoints: Arc::clone(&endpoints),
            keys: None,
            asked: None,
        };
        known.insert(place, fresh);
        Ok(endpoints)
    }

    /// The issuer's keys. Those that are held do unless a token names one that they lack.
    pub(super) async fn issuer_keys(
        &self,
        organization: OrganizationId,
        provider: &Provider,
        token: &str,
    ) -> Result<Arc<ForeignKeys>, AppError> {
        let (place, now) = (provider.place(organization), self.store.now());
        let endpoints = self.endpoints(organization, provider).await?;
        if let Some(known) = self.issuers.known().get_mut(&place) {
            let lately = known.asked.is_some_and(|at| within(at, now, AGAIN));
            match &known.keys {
                Some(keys) if lately || !keys.lacks_key_of(token) => return Ok(Arc::clone(keys)),
                _ => known.asked = Some(now),
            }
        }
        let keys = Arc::new(fetch_keys(&self.people.issuers, &endpoints).await?);
        if let Some(known) = self.issuers.known().get_mut(&place) {
            known.keys = Some(Arc::clone(&keys));
        }
        Ok(keys)
    }

    /// What the issuer tells of somebody beside their ID token, if it has a place for that.
    pub(super) async fn user_info(
        &self,
        endpoints: &Endpoints,
        access_token: Option<&str>,
    ) -> Result<Option<Response>, AppError> {
        let (Some(target), Some(token)) = (&endpoints.user_info, access_token) else {
            return Ok(None);
        };
        let request = Request::get(target.clone());
        let request = request.secret("authorization", &Secret::bearer(token))?;
        let response = self.people.issuers.send(target, request).await?;
        match response.status() {
            200 => Ok(Some(response)),
            status => Err(AppError::Upstream { status }),
        }
    }

    /// Redeems a code.
    pub(super) async fn redeem_at_issuer(
        &self,
        (provider, endpoints): (&Provider, &Endpoints),
        (code, verifier, redirect): (&str, &str, &str),
    ) -> Result<Given, AppError> {
        let mut fields = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", redirect),
            ("code_verifier", verifier),
        ];
        let secret = provider.secret.as_deref().unwrap_or_default();
        if endpoints.client != ClientAuth::Basic {
            fields.push(("client_id", &provider.client));
        }
        if endpoints.client == ClientAuth::Post {
            fields.push(("client_secret", secret));
        }
        let pairs = fields.iter().map(|(name, value)| {
            let value = percent(value);
            format!("{name}={value}")
        });
        let form = Plain::new(pairs.collect::<Vec<_>>().join("&"));
        let mut request = Request::post(endpoints.token.clone(), form.expose().clone())?
            .header("content-type", "application/x-www-form-urlencoded")?;
        if endpoints.client == ClientAuth::Basic {
            // RFC 6749, section 2.3.1: each half is encoded as in a form before they are joined.
            let pair = Plain::new(format!("{}:{}", percent(&provider.client), percent(secret)));
            let basic = format!("Basic {}", Base64::encode_string(pair.expose().as_bytes()));
            request = request.secret("authorization", &Secret::new(basic))?;
        }
        let response = self.people.issuers.send(&endpoints.token, request).await?;
        if response.status() != 200 {
            return Err(AppError::Upstream {
                status: response.status(),
            });
        }
        serde_json::from_slice(response.body())
            .map_err(|_| unfit("the issuer's token endpoint gave no ID token"))
    }
}

async fn discover(calls: &IssuerCalls, provider: &Provider) -> Result<Endpoints, AppError> {
    let issuer = calls.target(&provider.issuer, true)?;
    let listed = calls.is_listed(&issuer);
    let base = provider.issuer.trim_end_matches('/');
    let url = format!("{base}/.well-known/openid-configuration");
    let response = calls.get(&calls.target(&url, listed)?).await?;
    let document: Document = serde_json::from_slice(response.body())
        .map_err(|_| unfit("the issuer's configuration cannot be read"))?;
    if document.issuer != provider.issuer {
        return Err(unfit("the configuration is of another issuer"));
    }
    calls.target(&document.authorization_endpoint, listed)?;
    let user_info = document.userinfo_endpoint.as_deref();
    let user_info = user_info.map(|url| calls.target(url, listed));
    let methods = document.token_endpoint_auth_methods_supported;
    let has = |method: &str| match &methods {
        // Section 3: where nothing is said, it is this one.
        None => method == "client_secret_basic",
        Some(methods) => methods.iter().any(|held| held == method),
    };
    let client = match &provider.secret {
        None => ClientAuth::None,
        Some(_) if has("client_secret_basic") => ClientAuth::Basic,
        Some(_) if has("client_secret_post") => ClientAuth::Post,
        Some(_) => return Err(unfit("the issuer takes no client secret")),
    };
    Ok(Endpoints {
        authorization: document.authorization_endpoint,
        token: calls.target(&document.token_endpoint, listed)?,
        keys: calls.target(&document.jwks_uri, listed)?,
        user_info: user_info.transpose()?,
        client,
        names_itself: document.authorization_response_iss_parameter_supported,
    })
}

async fn fetch_keys(calls: &IssuerCalls, endpoints: &Endpoints) -> Result<ForeignKeys, AppError> {
    let response = calls.get(&endpoints.keys).await?;
    ForeignKeys::parse(response.body()).map_err(|error| AppError::Unfit(error.to_string()))
}

fn within(at: Timestamp, now: Timestamp, micros: i64) -> bool {
    (0..micros).contains(&(now.as_micros() - at.as_micros()))
}
