//! Nonces for proofs: an instant and a MAC over it, so that nothing has to be remembered.

use skep_crypto::MacKey;
use skep_domain::Timestamp;

use crate::JoseError;
use crate::claims::after;
use crate::strict::{decode, encode};

/// How long a nonce may be used. A client gets a fresh one with every answer.
pub(crate) const NONCE_SECONDS: i64 = 300;

/// What tells these MACs from any other under the same key.
const LABEL: &[u8] = b"dpop nonce";

/// Makes and reads nonces under one key, which all nodes of an installation share.
pub struct Nonces<'k>(&'k MacKey);

impl<'k> Nonces<'k> {
    /// Nonces under this key.
    #[must_use]
    pub fn new(key: &'k MacKey) -> Self {
        Self(key)
    }

    /// A nonce of this instant.
    #[must_use]
    pub fn mint(&self, now: Timestamp) -> String {
        let at = now.as_micros().to_be_bytes();
        encode(&[&at[..], &self.0.tag16(&[LABEL, &at])].concat())
    }

    /// When a nonce was made, if we made it and it may still be used.
    pub(crate) fn read(&self, nonce: &str, now: Timestamp) -> Result<Timestamp, JoseError> {
        let made = self.made_at(nonce).ok_or(JoseError::NonceNeeded)?;
        if made <= now && now < after(made, NONCE_SECONDS) {
            Ok(made)
        } else {
            Err(JoseError::NonceNeeded)
        }
    }

    fn made_at(&self, nonce: &str) -> Option<Timestamp> {
        if nonce.len() != 32 {
            return None;
        }
        let bytes: [u8; 24] = decode(nonce).ok()?.try_into().ok()?;
        let (at, tag) = bytes.split_first_chunk::<8>()?;
        let tag = <&[u8; 16]>::try_from(tag).ok()?;
        self.0
            .verify(&[LABEL, at], tag)
            .then(|| Timestamp::from_micros(i64::from_be_bytes(*at)))
    }
}
