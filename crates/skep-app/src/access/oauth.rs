//! OAuth 2.0 (RFC 6749, 7009, 7591, 7636, 8628, 8707, 9449): logins of programs.
//!
//! A login is a credential's row whose refresh token is another after each use. An access token says
//! which row it came from, and counts while that row does: revoking is one write.

mod authorize;
mod client;
mod device;
mod error;
mod login;
mod person;
mod replay;
mod resource;

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use skep_domain::Timestamp;
use skep_jose::{KeyRing, LocalReplay, NonceRule, Nonces, Prover, Replay};
use skep_store::Store;

use crate::App;

pub use authorize::{AuthorizeRefusal, AuthorizeRequest};
pub use client::{Client, Registration};
pub use device::{DeviceGrant, DeviceReview, DeviceStart};
pub use error::{OAuthCode, OAuthError};
pub use login::{TokenRequest, Tokens};
pub use person::Home;
use replay::StoredReplay;
pub use resource::{Resource, Shown, ShownError};

/// Proofs that are remembered at a time.
const PROOFS: usize = 200_000;

/// What OAuth keeps in memory.
pub(crate) struct OAuth {
    issuer: OnceLock<String>,
    ring: Mutex<Option<(u64, u32, Arc<KeyRing>)>>,
    replay: Arc<dyn Replay>,
    /// When it was looked last whether another node has changed the keys.
    asked_for_keys: Mutex<Timestamp>,
}

impl OAuth {
    pub(crate) fn new(store: &Arc<Store>, now: Timestamp) -> Self {
        Self {
            issuer: OnceLock::new(),
            ring: Mutex::default(),
            replay: if store.is_shared() {
                Arc::new(StoredReplay::new(Arc::clone(store)))
            } else {
                Arc::new(LocalReplay::new(PROOFS, now))
            },
            asked_for_keys: Mutex::default(),
        }
    }
}

impl App {
    /// Says under which URL this server is known: scheme, host and port, nothing after. Only the
    /// first call counts; before it, OAuth answers that it is not available.
    pub fn set_issuer(&self, issuer: String) {
        let _ = self.oauth.issuer.set(issuer);
    }

    /// The URL under which this server is known.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.oauth.issuer.get().map(String::as_str)
    }

    /// The public keys of access tokens, as a JWKS document.
    #[must_use]
    pub fn jwks(&self) -> serde_json::Value {
        let now = self.store.now();
        self.key_ring(now).jwks(now)
    }

    /// A fresh nonce for proofs of possession.
    #[must_use]
    pub fn proof_nonce(&self) -> String {
        if let Some(elsewhere) = &self.elsewhere {
            return elsewhere.nonce();
        }
        Nonces::new(&self.store.instance_keys().nonce).mint(self.store.now())
    }

    fn prover(&self) -> Prover<'_> {
        let nonces = Nonces::new(&self.store.instance_keys().nonce);
        Prover::new(nonces, NonceRule::Required, &*self.oauth.replay)
    }

    pub(super) fn key_ring(&self, now: Timestamp) -> Arc<KeyRing> {
        let (turn, signing) = (KeyRing::turn(now), self.store.signing());
        let held = self.oauth.ring.lock();
        let mut held = held.unwrap_or_else(PoisonError::into_inner);
        match &*held {
            Some((of, by, ring)) if (*of, *by) == (turn, signing.0) => Arc::clone(ring),
            _ => {
                let seeds = &self.store.instance_keys().signing;
                let ring = Arc::new(KeyRing::around(now, signing, |turn| seeds.get(turn)));
                *held = Some((turn, signing.0, Arc::clone(&ring)));
                ring
            }
        }
    }

    /// Whether another node has put other signing keys in force than are held here, which are held from now
    /// on. Looks once a second at most: anybody can show a token that no key of ours has signed.
    async fn found_new_keys(&self, now: Timestamp) -> bool {
        const AGAIN_MICROS: i64 = 1_000_000;
        if !self.store.is_shared() {
            return false;
        }
        {
            let asked = self.oauth.asked_for_keys.lock();
            let mut asked = asked.unwrap_or_else(PoisonError::into_inner);
            if (0..AGAIN_MICROS).contains(&(now.as_micros() - asked.as_micros())) {
                return false;
            }
            *asked = now;
        }
        let held = self.store.signing();
        if let Err(error) = self.store.read_keys().await {
            tracing::warn!(%error, "the signing keys in force could not be read");
        }
        self.store.signing() != held
    }

    fn own_issuer(&self) -> Result<&str, OAuthError> {
        self.issuer().ok_or(OAuthError::Unavailable)
    }

    /// Whom a token has in `aud` that is for this.
    fn audience(&self, resource: Resource) -> Result<String, OAuthError> {
        Ok(format!("{}{}", self.own_issuer()?, resource.path()))
    }

    /// What a `resource` (RFC 8707) names: this server or a path of it, which is the interface for
    /// programs unless it is that of the tools.
    fn resource(&self, named: Option<&str>) -> Result<Resource, OAuthError> {
        let issuer = self.own_issuer()?;
        let Some(named) = named else {
            return Ok(Resource::Api);
        };
        let ours =
            |rest: &&str| (rest.is_empty() || rest.starts_with(['/', '?'])) && !rest.contains('#');
        let rest = named.strip_prefix(issuer).filter(ours);
        let rest = rest.ok_or(NOT_HERE)?;
        let path = rest.split('?').next().unwrap_or_default();
        if path.trim_end_matches('/') == Resource::Mcp.path() {
            Ok(Resource::Mcp)
        } else {
            Ok(Resource::Api)
        }
    }

    /// A `resource` that is named again has to be the one that was asked for.
    fn same_resource(&self, named: Option<&str>, granted: Resource) -> Result<(), OAuthError> {
        match named {
            Some(named) if self.resource(Some(named))? != granted => Err(NOT_HERE),
            _ => Ok(()),
        }
    }
}

const NOT_HERE: OAuthError = OAuthError::refused(
    OAuthCode::InvalidTarget,
    "The resource is not this server, or not the one that was asked for.",
);
