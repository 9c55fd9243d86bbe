//! Keys that verify, as JSON Web Keys (RFC 7517, 7518, 8037) and by thumbprint (RFC 7638).

use std::fmt;

use serde_json::{Value, json};
use skep_crypto::{P256Key, PublicKey, RsaKey, sha256};

use crate::JoseError;
use crate::strict::{Members, decode, encode, text};

/// Members that only a private or a symmetric key has.
const PRIVATE: &[&str] = &["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// The algorithms we verify. Which one it is follows from the key, never from a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// Ed25519.
    EdDsa,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// RSA PKCS #1 v1.5 with SHA-256: single sign-on providers only.
    Rs256,
}

/// A public key with the one algorithm it is good for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VerifyingKey {
    /// For [`Algorithm::EdDsa`].
    Ed25519(PublicKey),
    /// For [`Algorithm::Es256`].
    P256(P256Key),
    /// For [`Algorithm::Rs256`].
    Rsa(RsaKey),
}

/// SHA-256 over the required members of a key (RFC 7638): the same key has the same one.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Thumbprint([u8; 32]);

impl Algorithm {
    /// The name in a header.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
        }
    }
}

impl VerifyingKey {
    /// The only algorithm that a token under this key may name.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        match self {
            Self::Ed25519(_) => Algorithm::EdDsa,
            Self::P256(_) => Algorithm::Es256,
            Self::Rsa(_) => Algorithm::Rs256,
        }
    }

    /// The thumbprint of the key.
    #[must_use]
    pub fn thumbprint(&self) -> Thumbprint {
        // The members are sorted by name and need no escapes, as RFC 7638 has it.
        Thumbprint(sha256(
            Value::Object(self.required()).to_string().as_bytes(),
        ))
    }

    /// The key as a JWK, without `kid` and `use`.
    #[must_use]
    pub fn to_jwk(&self) -> Value {
        Value::Object(self.required())
    }

    /// Reads a public key whose `kty`, `crv`, `alg`, `use` and `key_ops` allow one of our
    /// algorithms and contradict each other nowhere.
    pub(crate) fn from_members(jwk: &Members) -> Result<Self, JoseError> {
        if PRIVATE.iter().any(|name| jwk.contains_key(*name)) {
            return Err(JoseError::Key("more than a public key"));
        }
        let key = match (text(jwk, "kty"), text(jwk, "crv")) {
            (Some("OKP"), Some("Ed25519")) => ed25519(jwk),
            (Some("EC"), Some("P-256")) => p256(jwk),
            (Some("RSA"), None) => rsa(jwk),
            _ => Err(JoseError::Key("kind of key not supported")),
        }?;
        let algorithm = key.algorithm().as_str();
        if jwk.get("alg").is_some_and(|named| named != algorithm) {
            return Err(JoseError::Key("another algorithm"));
        }
        let verifies = |operations: &Value| {
            operations
                .as_array()
                .is_some_and(|all| all.iter().any(|one| one == "verify"))
        };
        if jwk.get("use").is_some_and(|named| named != "sig")
            || jwk.get("key_ops").is_some_and(|named| !verifies(named))
        {
            return Err(JoseError::Key("not for signatures"));
        }
        Ok(key)
    }

    fn required(&self) -> Members {
        let required = match self {
            Self::Ed25519(key) => json!({
                "crv": "Ed25519", "kty": "OKP", "x": encode(&key.to_bytes()),
            }),
            Self::P256(key) => {
                let point = key.to_bytes();
                json!({
                    "crv": "P-256", "kty": "EC",
                    "x": encode(&point[1..33]), "y": encode(&point[33..]),
                })
            }
            Self::Rsa(key) => json!({
                "e": encode(key.e()), "kty": "RSA", "n": encode(key.n()),
            }),
        };
        match required {
            Value::Object(members) => members,
            _ => Members::new(),
        }
    }
}

impl Thumbprint {
    /// Wraps the 32 bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 32] {
        self.0
    }

    /// Reads the base64url form, as in `cnf.jkt` and `dpop_jkt`.
    ///
    /// # Errors
    /// [`JoseError::Refused`] for anything but 32 bytes in their one spelling.
    pub fn parse(text: &str) -> Result<Self, JoseError> {
        if text.len() != 43 {
            return Err(JoseError::Refused("no thumbprint"));
        }
        decode(text)?
            .try_into()
            .map(Self)
            .map_err(|_| JoseError::Refused("no thumbprint"))
    }
}

/// The base64url form.
impl fmt::Display for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&encode(&self.0))
    }
}

impl fmt::Debug for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Thumbprint({self})")
    }
}

fn ed25519(jwk: &Members) -> Result<VerifyingKey, JoseError> {
    PublicKey::from_bytes(&number(jwk, "x")?)
        .map(VerifyingKey::Ed25519)
        .map_err(|_| JoseError::Key("no Ed25519 point to verify with"))
}

fn p256(jwk: &Members) -> Result<VerifyingKey, JoseError> {
    let key = P256Key::from_coordinates(&number(jwk, "x")?, &number(jwk, "y")?);
    Ok(VerifyingKey::P256(key))
}

fn rsa(jwk: &Members) -> Result<VerifyingKey, JoseError> {
    RsaKey::from_components(&bytes(jwk, "n")?, &bytes(jwk, "e")?)
        .map(VerifyingKey::Rsa)
        .map_err(|_| JoseError::Key("no RSA key to trust"))
}

fn bytes(jwk: &Members, name: &str) -> Result<Vec<u8>, JoseError> {
    const MISSING: JoseError = JoseError::Key("a member is missing or misspelt");
    decode(text(jwk, name).ok_or(MISSING)?).map_err(|_| MISSING)
}

/// A number of full length: RFC 7518 has no shorter form of a coordinate.
fn number(jwk: &Members, name: &str) -> Result<[u8; 32], JoseError> {
    bytes(jwk, name)?
        .try_into()
        .map_err(|_| JoseError::Key("a coordinate of another length"))
}

#[cfg(test)]
mod tests {
    use super::VerifyingKey;
    use crate::strict::object;

    /// RFC 7638, section 3.1, and RFC 8037, appendix A.3.
    #[test]
    fn thumbprints_are_the_published_ones() {
        let rsa = concat!(
            r#"{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","#,
            r#""e":"AQAB","alg":"RS256","kid":"2011-04-29"}"#
        );
        let ed =
            r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
        for (jwk, expected) in [
            (rsa, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"),
            (ed, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"),
        ] {
            let key = VerifyingKey::from_members(&object(jwk.as_bytes()).unwrap()).unwrap();
            assert_eq!(key.thumbprint().to_string(), expected);
        }
    }
}
