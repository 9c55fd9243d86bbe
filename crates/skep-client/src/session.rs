//! A login in use: its access token in memory, and a proof of its key with each request.

use std::sync::{Mutex, PoisonError};

use hyper::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use zeroize::Zeroizing;

use crate::origin::Origin;
use crate::proof::{ProofKey, Proved};

/// Which organization we believe to be in: a daemon that knows better refuses.
const ORGANIZATION: HeaderName = HeaderName::from_static("x-skep-organization");

/// An access token, in memory only, with the key that it is bound to.
pub struct Session {
    pub(crate) origin: Origin,
    /// The active organization; none before anybody asked which one the login is for.
    pub(crate) organization: Option<String>,
    pub(crate) token: Zeroizing<String>,
    pub(crate) key: ProofKey,
    pub(crate) nonce: Mutex<Option<String>>,
}

impl Session {
    /// Shows the token and proves the key, for one request.
    pub(crate) fn introduce(
        &self,
        method: &str,
        target: &str,
        headers: &mut HeaderMap,
    ) -> std::io::Result<()> {
        let path = target.split('?').next().unwrap_or_default();
        let nonce = self.nonce().clone();
        let proof = self.key.prove(&Proved {
            method,
            url: &format!("{}{path}", self.origin),
            token: Some(&self.token),
            nonce: nonce.as_deref(),
            now: now(),
        })?;
        let token = Zeroizing::new(format!("DPoP {}", self.token.as_str()));
        let mut credential = value(&token)?;
        credential.set_sensitive(true);
        headers.insert(AUTHORIZATION, credential);
        headers.insert("dpop", value(&proof)?);
        if let Some(organization) = &self.organization {
            headers.insert(ORGANIZATION, value(organization)?);
        }
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

fn value(text: &str) -> std::io::Result<HeaderValue> {
    HeaderValue::from_str(text).map_err(std::io::Error::other)
}

/// Shows where, never with what.
impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}

/// Seconds since 1970: a server compares them with its own.
#[expect(
    clippy::disallowed_methods,
    reason = "a proof says when it was made, by the clock of this machine"
)]
pub(crate) fn now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(1, |since| since.as_secs())
}
