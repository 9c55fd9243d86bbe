//! `jsonwebtoken`'s signing and verifying, done by skep-crypto.

use std::sync::OnceLock;

use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::signature::{self, Signer, Verifier};
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind, EncodingKey};
use skep_crypto::{CryptoError, P256Key, PublicKey, RsaKey, Signature, SigningKey};

use crate::JoseError;

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: signer,
    verifier_factory: verifier,
    // Their JWK conversions are not used; ours are in `key`.
    key_utils: KeyUtils::new_unimplemented(),
};

/// Makes the crate use our provider. Without one it panics, with another it would read our keys in
/// another form; both end here instead.
pub(crate) fn ready() -> Result<(), JoseError> {
    static INSTALLED: OnceLock<bool> = OnceLock::new();
    if *INSTALLED.get_or_init(|| PROVIDER.install_default().is_ok()) {
        Ok(())
    } else {
        Err(JoseError::Key("another cryptography is installed"))
    }
}

struct EdSigner(SigningKey);

impl Signer<Vec<u8>> for EdSigner {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, signature::Error> {
        Ok(self.0.sign(message).to_bytes().to_vec())
    }
}

impl JwtSigner for EdSigner {
    fn algorithm(&self) -> Algorithm {
        Algorithm::EdDSA
    }
}

/// A key as the crate hands it over: Ed25519 and P-256 as raw bytes, RSA in its two parts.
enum AnyVerifier {
    Ed25519(PublicKey),
    P256(P256Key),
    Rsa(RsaKey),
}

impl Verifier<Vec<u8>> for AnyVerifier {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        match self {
            Self::Ed25519(key) => <[u8; 64]>::try_from(signature.as_slice())
                .map_err(|_| CryptoError::BadSignature)
                .and_then(|bytes| key.verify(message, &Signature::from_bytes(bytes))),
            Self::P256(key) => key.verify(message, signature),
            Self::Rsa(key) => key.verify(message, signature),
        }
        .map_err(|_| signature::Error::new())
    }
}

impl JwtVerifier for AnyVerifier {
    fn algorithm(&self) -> Algorithm {
        match self {
            Self::Ed25519(_) => Algorithm::EdDSA,
            Self::P256(_) => Algorithm::ES256,
            Self::Rsa(_) => Algorithm::RS256,
        }
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the crate's signature, not ours"
)]
fn signer(algorithm: &Algorithm, key: &EncodingKey) -> Result<Box<dyn JwtSigner>, Error> {
    match (algorithm, <&[u8; 32]>::try_from(key.as_bytes())) {
        (Algorithm::EdDSA, Ok(seed)) => Ok(Box::new(EdSigner(SigningKey::from_seed(seed)))),
        _ => Err(ErrorKind::InvalidAlgorithm.into()),
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the crate's signature, not ours"
)]
fn verifier(algorithm: &Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>, Error> {
    let key = match (algorithm, key.kind()) {
        (Algorithm::EdDSA, DecodingKeyKind::SecretOrDer(bytes)) => bytes
            .as_slice()
            .try_into()
            .ok()
            .and_then(|bytes| PublicKey::from_bytes(bytes).ok())
            .map(AnyVerifier::Ed25519),
        (Algorithm::ES256, DecodingKeyKind::SecretOrDer(bytes)) => {
            P256Key::from_bytes(bytes).ok().map(AnyVerifier::P256)
        }
        (Algorithm::RS256, DecodingKeyKind::RsaModulusExponent { n, e }) => {
            RsaKey::from_components(n, e).ok().map(AnyVerifier::Rsa)
        }
        _ => return Err(ErrorKind::InvalidAlgorithm.into()),
    };
    match key {
        Some(key) => Ok(Box::new(key)),
        None => Err(ErrorKind::InvalidKeyFormat.into()),
    }
}
