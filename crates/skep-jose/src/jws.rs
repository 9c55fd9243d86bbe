//! Compact JSON Web Signatures (RFC 7515): the one module that names the JWT crate.
//!
//! The crate encodes and dispatches; what is let through is decided here, before it sees a byte
//! (RFC 8725): the algorithm follows from the key, and a header that asks for anything to be
//! fetched, embedded or understood beyond the plain form is refused.

use jsonwebtoken::{DecodingKey, EncodingKey, Header, crypto};
use serde_json::Value;

use crate::key::{Algorithm, VerifyingKey};
use crate::strict::{Members, decode, object, text};
use crate::{JoseError, provider};

/// What no header may name: keys and chains to fetch or to believe, extensions, other payloads.
const REFUSED: &[&str] = &["jku", "x5u", "x5c", "crit", "b64"];

/// A token that was read and not verified yet.
pub(crate) struct Compact<'t> {
    header: Members,
    message: &'t str,
    payload: Vec<u8>,
    signature: &'t str,
}

impl<'t> Compact<'t> {
    /// Takes a token apart. `most` bounds its bytes; a longer one is not looked at.
    pub(crate) fn read(token: &'t str, most: usize) -> Result<Self, JoseError> {
        const FORM: JoseError = JoseError::Refused("not three parts");
        if token.len() > most {
            return Err(JoseError::Refused("too long"));
        }
        let (message, signature) = token.rsplit_once('.').ok_or(FORM)?;
        let (header, payload) = message.split_once('.').ok_or(FORM)?;
        if signature.is_empty() || header.is_empty() || payload.contains('.') {
            return Err(FORM);
        }
        let header = object(&decode(header)?)?;
        if REFUSED.iter().any(|name| header.contains_key(*name)) {
            return Err(JoseError::Refused("a header we do not follow"));
        }
        // Checked here although the crate decodes it again: only one spelling of a signature.
        decode(signature)?;
        Ok(Self {
            header,
            message,
            payload: decode(payload)?,
            signature,
        })
    }

    pub(crate) fn header(&self) -> &Members {
        &self.header
    }

    /// Refuses a token whose `typ` is not exactly this, so that no kind of token passes for
    /// another.
    pub(crate) fn require_type(&self, expected: &str) -> Result<(), JoseError> {
        if text(&self.header, "typ") == Some(expected) {
            Ok(())
        } else {
            Err(JoseError::Refused("another type of token"))
        }
    }

    /// Refuses headers beyond these.
    pub(crate) fn require_only(&self, allowed: &[&str]) -> Result<(), JoseError> {
        if self
            .header
            .keys()
            .all(|name| allowed.contains(&name.as_str()))
        {
            Ok(())
        } else {
            Err(JoseError::Refused("a header we never write"))
        }
    }

    /// The payload, if the signature over it is this key's by this key's algorithm.
    pub(crate) fn verify(self, key: &VerifyingKey) -> Result<Vec<u8>, JoseError> {
        let algorithm = key.algorithm();
        if self.header.get("alg").and_then(Value::as_str) != Some(algorithm.as_str()) {
            return Err(JoseError::Refused("another algorithm than the key's"));
        }
        provider::ready()?;
        let message = self.message.as_bytes();
        let verdict = crypto::verify(self.signature, message, &decoding(key), theirs(algorithm));
        if verdict.unwrap_or(false) {
            Ok(self.payload)
        } else {
            Err(JoseError::Refused("the signature does not fit"))
        }
    }
}

/// Signs claims under one of our own keys.
pub(crate) fn sign(
    typ: &str,
    kid: &str,
    claims: &Members,
    key: &EncodingKey,
) -> Result<String, JoseError> {
    provider::ready()?;
    let mut header = Header::new(jsonwebtoken::Algorithm::EdDSA);
    header.typ = Some(typ.to_owned());
    header.kid = Some(kid.to_owned());
    jsonwebtoken::encode(&header, claims, key).map_err(|_| JoseError::Key("cannot sign"))
}

fn decoding(key: &VerifyingKey) -> DecodingKey {
    match key {
        VerifyingKey::Ed25519(key) => DecodingKey::from_ed_der(&key.to_bytes()),
        VerifyingKey::P256(key) => DecodingKey::from_ec_der(&key.to_bytes()),
        VerifyingKey::Rsa(key) => DecodingKey::from_rsa_raw_components(key.n(), key.e()),
    }
}

fn theirs(algorithm: Algorithm) -> jsonwebtoken::Algorithm {
    match algorithm {
        Algorithm::EdDsa => jsonwebtoken::Algorithm::EdDSA,
        Algorithm::Es256 => jsonwebtoken::Algorithm::ES256,
        Algorithm::Rs256 => jsonwebtoken::Algorithm::RS256,
    }
}

#[cfg(test)]
mod tests;
