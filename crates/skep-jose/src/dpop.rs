//! Proofs of possession (RFC 9449): that whoever sends a request holds a key, now, for this
//! request and, at a resource, for this token.

use serde_json::Value;
use skep_crypto::sha256;
use skep_domain::Timestamp;

use crate::claims::{after, begun, instant, not_ended, required};
use crate::jws::Compact;
use crate::key::{Algorithm, Thumbprint, VerifyingKey};
use crate::nonce::{NONCE_SECONDS, Nonces};
use crate::replay::{Replay, Spent};
use crate::strict::{encode, object, text};
use crate::{JoseError, LEEWAY_SECONDS, target};

const TYPE: &str = "dpop+jwt";
/// A proof holds a public key, a URL and a few short claims.
const MAX_PROOF_BYTES: usize = 4096;
const MAX_JTI_BYTES: usize = 256;
/// How old a proof without a nonce may be.
const AGE_SECONDS: i64 = 60;
/// How far the client's clock may be off when a nonce of ours says how old the proof is.
const CLOCK_SECONDS: i64 = 300;

/// Whether a proof must carry a nonce.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NonceRule {
    /// Always: nothing can be signed ahead of time.
    Required,
    /// If it carries one, that must be good; if not, its own clock decides.
    WhenGiven,
}

/// The request that a proof came with.
#[derive(Clone, Copy, Debug)]
pub struct ProofRequest<'r> {
    /// The method, as received.
    pub method: &'r str,
    /// The absolute URL under which the server is known, with the path of this request.
    pub url: &'r str,
    /// The access token that came with it, if any.
    pub token: Option<&'r str>,
}

/// Checks proofs.
pub struct Prover<'p> {
    nonces: Nonces<'p>,
    rule: NonceRule,
    knows_since: Timestamp,
}

/// A proof that holds and was not used up yet.
#[derive(Debug)]
pub struct Proof {
    thumbprint: Thumbprint,
    for_token: bool,
    spent: Spent,
}

/// A proof that holds and that nobody else can use again.
#[derive(Debug)]
pub struct VerifiedProof(Thumbprint);

impl<'p> Prover<'p> {
    /// Proofs with these nonces, in front of this memory.
    #[must_use]
    pub fn new(nonces: Nonces<'p>, rule: NonceRule, replay: &dyn Replay) -> Self {
        Self {
            nonces,
            rule,
            knows_since: replay.knows_since(),
        }
    }

    /// Checks the value of a `DPoP` header.
    ///
    /// # Errors
    /// [`JoseError::NonceNeeded`] when only a fresh nonce is missing, else [`JoseError::Refused`].
    pub fn check(
        &self,
        proof: &str,
        request: &ProofRequest<'_>,
        now: Timestamp,
    ) -> Result<Proof, JoseError> {
        let proof = Compact::read(proof, MAX_PROOF_BYTES)?;
        proof.require_type(TYPE)?;
        let key = match proof.header().get("jwk") {
            Some(Value::Object(jwk)) => VerifyingKey::from_members(jwk)?,
            _ => return Err(JoseError::Refused("a proof without its key")),
        };
        // RSA proofs would be the slowest thing that an anonymous request can ask for.
        if key.algorithm() == Algorithm::Rs256 {
            return Err(JoseError::Refused("RSA proofs are not taken"));
        }
        let claims = object(&proof.verify(&key)?)?;
        if text(&claims, "htm") != Some(request.method) {
            return Err(JoseError::Refused("proof for another method"));
        }
        let named = target::normal(required(&claims, "htu")?);
        if named.is_none() || named != target::normal(request.url) {
            return Err(JoseError::Refused("proof for another URL"));
        }
        let expected = request.token.map(token_hash);
        if claims.get("ath").map(Value::as_str) != expected.as_ref().map(|hash| Some(hash.as_str()))
        {
            return Err(JoseError::Refused("proof for another token"));
        }
        let jti = required(&claims, "jti")?;
        if jti.len() > MAX_JTI_BYTES {
            return Err(JoseError::Refused("too long an id"));
        }
        let until = self.fresh_until(&claims, now)?;
        let thumbprint = key.thumbprint();
        let named = [&thumbprint.to_bytes()[..], jti.as_bytes()].concat();
        let digest = sha256(&named);
        Ok(Proof {
            thumbprint,
            for_token: request.token.is_some(),
            spent: Spent { digest, until },
        })
    }

    /// Until when the proof would pass again, were it not remembered.
    fn fresh_until(
        &self,
        claims: &crate::strict::Members,
        now: Timestamp,
    ) -> Result<Timestamp, JoseError> {
        let issued = instant(claims, "iat")?;
        let nonce = match claims.get("nonce") {
            Some(Value::String(nonce)) => Some(self.nonces.read(nonce, now)?),
            Some(_) => return Err(JoseError::Refused("a nonce that is no string")),
            None => None,
        };
        let (certainly_after, until) = match (nonce, self.rule) {
            (Some(made), _) => {
                begun(issued, CLOCK_SECONDS, now)?;
                not_ended(issued, CLOCK_SECONDS, now)?;
                (made, after(made, NONCE_SECONDS))
            }
            (None, NonceRule::WhenGiven) => {
                begun(issued, LEEWAY_SECONDS, now)?;
                not_ended(issued, AGE_SECONDS, now)?;
                // Its clock may be ahead: it may have been made, and used, that much earlier.
                (after(issued, -LEEWAY_SECONDS), after(issued, AGE_SECONDS))
            }
            (None, NonceRule::Required) => return Err(JoseError::NonceNeeded),
        };
        if certainly_after < self.knows_since {
            return Err(JoseError::NonceNeeded);
        }
        Ok(until)
    }
}

impl Proof {
    /// The key that was proved.
    #[must_use]
    pub fn thumbprint(&self) -> Thumbprint {
        self.thumbprint
    }

    pub(crate) fn names_a_token(&self) -> bool {
        self.for_token
    }

    /// Uses the proof up.
    ///
    /// # Errors
    /// [`JoseError::Refused`] if it was used before, [`JoseError::ReplayAway`] if nobody can tell.
    pub async fn spend(
        self,
        replay: &dyn Replay,
        now: Timestamp,
    ) -> Result<VerifiedProof, JoseError> {
        match replay.spend(self.spent, now).await {
            Ok(true) => Ok(VerifiedProof(self.thumbprint)),
            Ok(false) => Err(JoseError::Refused("the proof was used before")),
            Err(_) => Err(JoseError::ReplayAway),
        }
    }
}

impl VerifiedProof {
    /// The key that was proved.
    #[must_use]
    pub fn thumbprint(&self) -> Thumbprint {
        self.0
    }
}

/// What `ath` must be.
fn token_hash(token: &str) -> String {
    encode(&sha256(token.as_bytes()))
}
