//! Our signing keys: which one signs, which ones still verify, and the document that shows them.
//!
//! A key signs for thirty days, counted from 1970, so that all nodes change at once. The next one is
//! published all that time, so that whoever caches the document knows it before it signs; the one
//! before is published until the last token under it has ended.

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

/// How long a key signs.
const TURN_SECONDS: i64 = 30 * 24 * 3600;
/// A `kid` of ours is a thumbprint; no other length is looked up.
const KID_BYTES: usize = 43;

/// One signing key of ours. The seed is wiped when dropped.
pub struct RingKey {
    kid: String,
    key: EncodingKey,
    public: VerifyingKey,
    signs_from: Timestamp,
}

/// When a key counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyLife {
    /// Its name.
    pub kid: String,
    /// From when it signs.
    pub signs_from: Timestamp,
    /// When its last token has ended, once another follows it.
    pub until: Option<Timestamp>,
    /// Whether it signs now.
    pub signs: bool,
}

/// The signing keys of an installation.
pub struct KeyRing {
    /// By `kid`, and nothing but this map is looked into.
    keys: BTreeMap<String, RingKey>,
}

impl RingKey {
    /// The key that follows from a seed.
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
}

impl KeyRing {
    /// A ring of these keys.
    #[must_use]
    pub fn new(keys: impl IntoIterator<Item = RingKey>) -> Self {
        let keys = keys.into_iter().map(|key| (key.kid.clone(), key));
        Self {
            keys: keys.collect(),
        }
    }

    /// The keys around a moment: of the turn before, the present and the next, of a generation that
    /// is in force since a moment, and of the one before it while its tokens may count. Good until
    /// [`KeyRing::turn`] gives another number, or there is another generation.
    #[must_use]
    pub fn around(
        now: Timestamp,
        (generation, since): (u32, Timestamp),
        seed: impl Fn(u64) -> Plain<[u8; 32]>,
    ) -> Self {
        let (turn, changed) = (Self::turn(now), Self::turn(since));
        let begins = |turn: u64| after(Timestamp::default(), turn.cast_signed() * TURN_SECONDS);
        let key = |generation: u32, turn: u64, from: Timestamp| {
            RingKey::from_seed(&seed(u64::from(generation) << 32 | turn), from)
        };
        let present = (turn.saturating_sub(1)..=turn + 1)
            .filter(|turn| begins(turn + 1) > since)
            .map(|turn| key(generation, turn, begins(turn).max(since)));
        // A turn that began with the change, or after it, was never the generation's before.
        let before = generation.checked_sub(1).filter(|_| turn <= changed + 1);
        let before = before.into_iter().flat_map(|generation| {
            (changed.saturating_sub(1)..=changed).map(move |turn| (generation, turn))
        });
        let before = before
            .filter(|(_, turn)| begins(*turn) < since)
            .map(|(generation, turn)| key(generation, turn, begins(turn)));
        Self::new(present.chain(before))
    }

    /// How long tokens of a key that signs no more may count.
    #[must_use]
    pub const fn overlap_micros() -> i64 {
        (TOKEN_LIFE_SECONDS + LEEWAY_SECONDS + 1) * 1_000_000
    }

    /// Every key that counts or will: its name, from when it signs, and when its last token has ended.
    #[must_use]
    pub fn overview(&self, now: Timestamp) -> Vec<KeyLife> {
        let mut lives: Vec<KeyLife> = self
            .live(now)
            .map(|key| KeyLife {
                kid: key.kid.clone(),
                signs_from: key.signs_from,
                until: self.verifies_until(key),
                signs: self.signer(now).is_some_and(|signer| signer.kid == key.kid),
            })
            .collect();
        lives.sort_by_key(|life| life.signs_from);
        lives
    }

    /// The number of the turn at a moment.
    #[must_use]
    pub fn turn(now: Timestamp) -> u64 {
        (seconds(now).max(0) / TURN_SECONDS).cast_unsigned()
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
