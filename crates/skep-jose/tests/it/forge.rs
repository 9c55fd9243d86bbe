//! An installation with one key, and a way to sign whatever one likes under it.

use base64ct::{Base64UrlUnpadded, Encoding};
use serde_json::{Value, json};
use skep_crypto::{MacKey, Plain, SeededRandom, SigningKey};
use skep_domain::{Id, OrganizationId, Principal, Timestamp, UserId, WorkspaceId};
use skep_jose::{Confirmation, Expect, Grant, KeyRing, RingKey, SignedToken, Thumbprint};

/// 2026-11-21T12:00:00Z.
pub(crate) const NOW: i64 = 1_795_262_400;
pub(crate) const EXPECT: Expect<'static> = Expect {
    issuer: "https://skep.example",
    audience: "https://skep.example/api",
};

pub(crate) struct House {
    pub(crate) ring: KeyRing,
    /// The ring's own key: what is forged with it has a sound signature.
    pub(crate) key: SigningKey,
    pub(crate) kid: String,
    /// A client's key.
    pub(crate) client: SigningKey,
    pub(crate) nonce: MacKey,
}

impl House {
    pub(crate) fn new() -> Self {
        let seed = [7; 32];
        let ring_key = RingKey::from_seed(&Plain::new(seed), at(0));
        let kid = ring_key.kid().to_owned();
        Self {
            ring: KeyRing::new([ring_key]),
            key: SigningKey::from_seed(&seed),
            kid,
            client: SigningKey::from_seed(&[8; 32]),
            nonce: MacKey::from_bytes(&[9; 32]),
        }
    }

    pub(crate) fn issue(&self, confirmation: Confirmation) -> String {
        let issued = self.ring.issue(
            &grant(confirmation),
            &EXPECT,
            at(NOW),
            &SeededRandom::new(1),
        );
        issued.unwrap().token.expose().clone()
    }

    pub(crate) fn header(&self) -> Value {
        json!({"alg": "EdDSA", "typ": "at+jwt", "kid": self.kid})
    }

    pub(crate) fn verify(&self, token: &str) -> Result<SignedToken, skep_jose::JoseError> {
        self.ring.verify(token, &EXPECT, at(NOW))
    }

    pub(crate) fn jkt(&self) -> Thumbprint {
        let jwk = jwk(&self.client);
        let text = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":{}}}"#, jwk["x"]);
        Thumbprint::from_bytes(skep_crypto::sha256(text.as_bytes()))
    }
}

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(seconds * 1_000_000)
}

pub(crate) fn grant(confirmation: Confirmation) -> Grant {
    Grant {
        principal: Principal::User(UserId::from_bytes([1; 16])),
        organization: OrganizationId::from_bytes([2; 16]),
        workspace: Some(WorkspaceId::from_bytes([3; 16])),
        session: [4; 16],
        client: "skep-cli".to_owned(),
        confirmation,
    }
}

/// Claims that pass.
pub(crate) fn claims() -> Value {
    json!({
        "iss": EXPECT.issuer,
        "aud": EXPECT.audience,
        "exp": NOW + 600,
        "nbf": NOW,
        "iat": NOW,
        "jti": "05050505-0505-0505-0505-050505050505",
        "sub": "user:01010101-0101-0101-0101-010101010101",
        "org": "02020202-0202-0202-0202-020202020202",
        "ws": "03030303-0303-0303-0303-030303030303",
        "sid": "04040404-0404-0404-0404-040404040404",
        "client_id": "skep-cli",
        "cnf": {},
    })
}

pub(crate) fn jwk(key: &SigningKey) -> Value {
    json!({"kty": "OKP", "crv": "Ed25519", "x": encode(&key.public_key().to_bytes())})
}

pub(crate) fn encode(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

/// Signs two texts, whatever they are.
pub(crate) fn signed(header: &str, claims: &str, key: &SigningKey) -> String {
    let message = format!(
        "{}.{}",
        encode(header.as_bytes()),
        encode(claims.as_bytes())
    );
    let signature = key.sign(message.as_bytes()).to_bytes();
    format!("{message}.{}", encode(&signature))
}

/// The same value with a member set, or taken out with `null`.
pub(crate) fn with(mut value: Value, name: &str, member: Value) -> Value {
    if member.is_null() {
        value.as_object_mut().unwrap().remove(name);
    } else {
        value[name] = member;
    }
    value
}
