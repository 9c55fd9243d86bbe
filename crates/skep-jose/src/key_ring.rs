//! Our signing keys: which one signs, which ones still verify, and the document that shows them.
//!
//! A new key is published before it signs, so that whoever caches the document knows it in time;
//! an old one is published until the last token under it has ended.

use std::collections::BTreeMap;

use jsonwebtoken::EncodingKey;
use serde_json::{Value, json};
use skep_crypto::{Plain, Random, SigningKey};
use skep_domain::Timestamp;

use crate::JoseError;
use crate::claims::{after, seconds};
use crate::jws::{self, Compact};
use crate::key::VerifyingKey;
use crate::strict::object;
use crate::token::{
    Expect, Grant, Issued, LEEWAY_SECONDS, MAX_TOKEN_BYTES, SignedToken, TOKEN_LIFE_SECONDS, TYPE,
};

/// How long a key is published before it signs: longer than anybody may cache the document.
const PUBLISHED_AHEAD_SECONDS: i64 = 900;
/// How long a key signs before the next one is due.
const SIGNS_SECONDS: i64 = 30 * 24 * 3600;
/// A `kid` of ours is a thumbprint; no other length is looked up.
const KID_BYTES: usize = 43;

/// One signing key of ours. The seed is wiped when dropped.
pub struct RingKey {
    kid: String,
    key: EncodingKey,
    public: VerifyingKey,
    signs_from: Timestamp,
}

/// The signing keys of an installation.
pub struct KeyRing {
    /// By `kid`, and nothing but this map is looked into.
    keys: BTreeMap<String, RingKey>,
}

impl RingKey {
    /// The key that follows from a stored seed.
    #[must_use]
    pub fn from_seed(seed: &Plain<[u8; 32]>, signs_from: Timestamp) -> Self {
        let public = SigningKey::from_seed(seed.expose()).public_key();
        let public = VerifyingKey::Ed25519(public);
        Self {
            kid: public.thumbprint().to_string(),
            key: EncodingKey::from_ed_der(seed.expose()),
            public,
            signs_from,
        }
    }

    /// The name of the key: its thumbprint.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// When it begins to sign.
    #[must_use]
    pub fn signs_from(&self) -> Timestamp {
        self.signs_from
    }
}

impl KeyRing {
    /// A ring of stored keys. Those whose last token has ended are left out.
    #[must_use]
    pub fn new(keys: impl IntoIterator<Item = RingKey>, now: Timestamp) -> Self {
        let keys = keys.into_iter().map(|key| (key.kid.clone(), key));
        let mut ring = Self {
            keys: keys.collect(),
        };
        let ended: Vec<_> = ring.ended(now).map(str::to_owned).collect();
        for kid in ended {
            ring.keys.remove(&kid);
        }
        ring
    }

    /// The seed of the key that has to be added now, and from when it signs: at once for the first
    /// one, after a time of mere publication for every other. `None` while the newest is young.
    #[must_use]
    pub fn due(&self, now: Timestamp, random: &dyn Random) -> Option<(Plain<[u8; 32]>, Timestamp)> {
        let newest = self.keys.values().map(RingKey::signs_from).max();
        match newest {
            None => Some((Plain::new(random.array()), now)),
            Some(from) if after(from, SIGNS_SECONDS) <= now => Some(self.next(now, random)),
            Some(_) => None,
        }
    }

    /// The seed of a key that takes over ahead of time, and from when it signs.
    #[must_use]
    pub fn next(&self, now: Timestamp, random: &dyn Random) -> (Plain<[u8; 32]>, Timestamp) {
        let from = if self.signer(now).is_some() {
            after(now, PUBLISHED_AHEAD_SECONDS)
        } else {
            now
        };
        (Plain::new(random.array()), from)
    }

    /// The keys under which no token can count any more: their rows may go.
    pub fn ended(&self, now: Timestamp) -> impl Iterator<Item = &str> {
        self.keys
            .values()
            .filter(move |key| self.verifies_until(key).is_some_and(|until| until <= now))
            .map(RingKey::kid)
    }

    /// The document of public keys, for `/.well-known/jwks.json`.
    #[must_use]
    pub fn jwks(&self, now: Timestamp) -> Value {
        let keys: Vec<Value> = self
            .live(now)
            .map(|key| {
                let mut jwk = key.public.to_jwk();
                jwk["kid"] = key.kid().into();
                jwk["alg"] = key.public.algorithm().as_str().into();
                jwk["use"] = "sig".into();
                jwk
            })
            .collect();
        json!({ "keys": keys })
    }

    /// Issues an access token.
    ///
    /// # Errors
    /// [`JoseError::Key`] when no key signs yet.
    pub fn issue(
        &self,
        grant: &Grant,
        expect: &Expect<'_>,
        now: Timestamp,
        random: &dyn Random,
    ) -> Result<Issued, JoseError> {
        let key = self.signer(now).ok_or(JoseError::Key("none signs yet"))?;
        let id = random.array();
        let issued = seconds(now);
        let ends = issued + TOKEN_LIFE_SECONDS;
        let claims = grant.claims(expect, &id, (issued, ends));
        Ok(Issued {
            token: Plain::new(jws::sign(TYPE, &key.kid, &claims, &key.key)?),
            id,
            expires_at: after(Timestamp::default(), ends),
        })
    }

    /// Verifies signature and claims of an access token.
    ///
    /// # Errors
    /// [`JoseError::Refused`] with the reason for the audit.
    pub fn verify(
        &self,
        token: &str,
        expect: &Expect<'_>,
        now: Timestamp,
    ) -> Result<SignedToken, JoseError> {
        const UNKNOWN: JoseError = JoseError::Refused("a key we do not have");
        let token = Compact::read(token, MAX_TOKEN_BYTES)?;
        token.require_type(TYPE)?;
        token.require_only(&["alg", "typ", "kid"])?;
        let kid = crate::strict::text(token.header(), "kid");
        let kid = kid.filter(|kid| kid.len() == KID_BYTES).ok_or(UNKNOWN)?;
        let key = self.live(now).find(|key| key.kid == kid).ok_or(UNKNOWN)?;
        let claims = object(&token.verify(&key.public)?)?;
        SignedToken::judge(&claims, expect, now)
    }

    fn signer(&self, now: Timestamp) -> Option<&RingKey> {
        self.keys
            .values()
            .filter(|key| key.signs_from <= now)
            .max_by_key(|key| (key.signs_from, &key.kid))
    }

    fn live(&self, now: Timestamp) -> impl Iterator<Item = &RingKey> {
        self.keys
            .values()
            .filter(move |key| self.verifies_until(key).is_none_or(|until| now < until))
    }

    /// When the last token under a key has ended, leeway included; `None` while no other key has
    /// its turn fixed.
    fn verifies_until(&self, key: &RingKey) -> Option<Timestamp> {
        self.keys
            .values()
            .filter(|other| (other.signs_from, &other.kid) > (key.signs_from, &key.kid))
            .map(|other| after(other.signs_from, TOKEN_LIFE_SECONDS + LEEWAY_SECONDS + 1))
            .min()
    }
}
