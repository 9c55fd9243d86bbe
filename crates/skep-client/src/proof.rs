//! Proofs of possession (RFC 9449) as the client makes them: one key, one signature a request.
//!
//! This crate keeps the daemon's ciphers and keys out of its tree, so it names the signature itself.
//! The key is the client's own, and is worth nothing but its own login.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use base64ct::{Base64UrlUnpadded, Encoding};
use ed25519_dalek::{Signer, SigningKey};

/// The key that a login is bound to. Wiped when dropped.
#[derive(Clone)]
pub(crate) struct ProofKey(SigningKey);

/// The request that a proof is for.
pub(crate) struct Proved<'r> {
    pub(crate) method: &'r str,
    /// The server's own URL with the path of the request.
    pub(crate) url: &'r str,
    pub(crate) token: Option<&'r str>,
    pub(crate) nonce: Option<&'r str>,
    /// Seconds since 1970.
    pub(crate) now: u64,
}

/// Random bits for the marks around text that somebody else wrote.
///
/// # Errors
/// When the system has none to give.
pub fn nonce() -> std::io::Result<[u8; 16]> {
    let random = random()?;
    let mut nonce = [0; 16];
    nonce.copy_from_slice(&random[..16]);
    Ok(nonce)
}

impl ProofKey {
    /// A fresh key, from the system's randomness.
    ///
    /// # Errors
    /// When the system has none to give.
    pub(crate) fn generate() -> std::io::Result<Self> {
        Ok(Self(SigningKey::from_bytes(&*random()?)))
    }

    /// The key of a seed in base64url.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut seed = Zeroizing::new([0; 32]);
        let read = Base64UrlUnpadded::decode(text, seed.as_mut_slice()).ok()?;
        (read.len() == 32).then(|| Self(SigningKey::from_bytes(&seed)))
    }

    /// The seed in base64url, for the credentials file.
    pub(crate) fn text(&self) -> Zeroizing<String> {
        let seed = Zeroizing::new(self.0.to_bytes());
        Zeroizing::new(encode(&*seed))
    }

    pub(crate) fn prove(&self, request: &Proved<'_>) -> std::io::Result<String> {
        let public = encode(self.0.verifying_key().as_bytes());
        let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": public });
        let header = json!({ "typ": "dpop+jwt", "alg": "EdDSA", "jwk": jwk });
        let mut claims = json!({
            "htm": request.method, "htu": request.url, "iat": request.now,
            "jti": encode(&*random()?),
        });
        if let Some(nonce) = request.nonce {
            claims["nonce"] = Value::from(nonce);
        }
        if let Some(token) = request.token {
            claims["ath"] = Value::from(encode(&Sha256::digest(token.as_bytes())));
        }
        let message = [header, claims]
            .map(|part| encode(part.to_string().as_bytes()))
            .join(".");
        let signature = self.0.sign(message.as_bytes()).to_bytes();
        Ok(format!("{message}.{}", encode(&signature)))
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the client's own key and the ids of its proofs; no test depends on them"
)]
fn random() -> std::io::Result<Zeroizing<[u8; 32]>> {
    let mut bytes = Zeroizing::new([0; 32]);
    getrandom::fill(bytes.as_mut_slice()).map_err(std::io::Error::other)?;
    Ok(bytes)
}

/// A name for a text that does not tell it, and fits a file name.
#[must_use]
pub fn digest(text: &str) -> String {
    let whole = encode(&Sha256::digest(text.as_bytes()));
    whole.chars().take(22).collect()
}

fn encode(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}
