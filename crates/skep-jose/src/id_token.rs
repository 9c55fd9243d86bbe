//! What another issuer says of a person: ID tokens (`OpenID` Connect Core 1.0, section 3.1.3.7).

use serde_json::Value;
use skep_crypto::{sha256, sha512};
use skep_domain::Timestamp;

use crate::claims::{after, begun, instant, not_ended, required};
use crate::jws::Compact;
use crate::key::{Algorithm, VerifyingKey};
use crate::strict::{Members, encode, object, text};
use crate::{JoseError, LEEWAY_SECONDS};

const MAX_ID_TOKEN_BYTES: usize = 16 * 1024;
const MAX_JWKS_BYTES: usize = 256 * 1024;
const MAX_KEYS: usize = 64;
/// `OpenID` Connect Core 1.0, section 2.
const MAX_SUBJECT_BYTES: usize = 255;
/// No provider's token for a login that has just happened is older.
const AGE_SECONDS: i64 = 600;

/// The keys of one issuer, as its JWKS document has them.
#[derive(Clone, Debug)]
pub struct ForeignKeys(Vec<(Option<String>, VerifyingKey)>);

/// What an ID token must say.
#[derive(Clone, Copy, Debug)]
pub struct IdTokenExpect<'e> {
    /// The issuer, exactly as configured.
    pub issuer: &'e str,
    /// Our client id there.
    pub client: &'e str,
    /// The nonce that this login was begun with.
    pub nonce: &'e str,
}

/// An ID token of this issuer, for us, for the login in hand.
#[derive(Clone, Debug)]
pub struct VerifiedIdToken {
    subject: String,
    claims: Members,
    algorithm: Algorithm,
}

impl ForeignKeys {
    /// Reads a JWKS document. Keys that we cannot use are passed over.
    ///
    /// # Errors
    /// [`JoseError::Key`] for a document in which a `kid` names two keys or a symmetric key lies
    /// among the public ones: what such a document means is anybody's guess.
    pub fn parse(document: &[u8]) -> Result<Self, JoseError> {
        const UNREADABLE: JoseError = JoseError::Key("no set of keys");
        if document.len() > MAX_JWKS_BYTES {
            return Err(JoseError::Key("too long"));
        }
        let document = object(document).map_err(|_| UNREADABLE)?;
        let listed = document.get("keys").and_then(Value::as_array);
        let listed = listed
            .filter(|keys| keys.len() <= MAX_KEYS)
            .ok_or(UNREADABLE)?;
        let (mut keys, mut names) = (Vec::new(), std::collections::HashSet::new());
        for jwk in listed {
            let jwk = jwk.as_object().ok_or(UNREADABLE)?;
            if text(jwk, "kty") == Some("oct") {
                return Err(JoseError::Key("a symmetric key among public ones"));
            }
            let kid = text(jwk, "kid").map(str::to_owned);
            if kid.as_ref().is_some_and(|kid| !names.insert(kid.clone())) {
                return Err(JoseError::Key("two keys of one name"));
            }
            if let Ok(key) = VerifyingKey::from_members(jwk) {
                keys.push((kid, key));
            }
        }
        Ok(Self(keys))
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a token names a key that is not among these: the document may have changed.
    #[must_use]
    pub fn lacks_key_of(&self, token: &str) -> bool {
        Compact::read(token, MAX_ID_TOKEN_BYTES).is_ok_and(|token| self.find(&token).is_none())
    }

    /// Verifies an ID token.
    ///
    /// # Errors
    /// [`JoseError::Refused`] with the reason for the audit.
    pub fn verify(
        &self,
        token: &str,
        expect: &IdTokenExpect<'_>,
        now: Timestamp,
    ) -> Result<VerifiedIdToken, JoseError> {
        let token = Compact::read(token, MAX_ID_TOKEN_BYTES)?;
        refuse_other_types(&token)?;
        let key = self.find(&token);
        let key = key.ok_or(JoseError::Refused("a key the issuer does not publish"))?;
        let algorithm = key.algorithm();
        let claims = object(&token.verify(key)?)?;
        if text(&claims, "iss") != Some(expect.issuer) {
            return Err(JoseError::Refused("another issuer"));
        }
        check_audience(&claims, expect.client)?;
        let issued = instant(&claims, "iat")?;
        begun(issued, LEEWAY_SECONDS, now)?;
        not_ended(after(issued, AGE_SECONDS), LEEWAY_SECONDS, now)?;
        not_ended(instant(&claims, "exp")?, LEEWAY_SECONDS, now)?;
        if claims.contains_key("nbf") {
            begun(instant(&claims, "nbf")?, LEEWAY_SECONDS, now)?;
        }
        if text(&claims, "nonce") != Some(expect.nonce) || expect.nonce.is_empty() {
            return Err(JoseError::Refused("another login's token"));
        }
        let subject = required(&claims, "sub")?.to_owned();
        if subject.len() > MAX_SUBJECT_BYTES {
            return Err(JoseError::Refused("too long a subject"));
        }
        Ok(VerifiedIdToken {
            subject,
            claims,
            algorithm,
        })
    }

    /// The key a token names, or the only one there is for a token that names none.
    pub(crate) fn find(&self, token: &Compact<'_>) -> Option<&VerifyingKey> {
        match (token.header().get("kid"), self.0.as_slice()) {
            (Some(Value::String(kid)), keys) => keys
                .iter()
                .find(|(name, _)| name.as_ref() == Some(kid))
                .map(|(_, key)| key),
            (None, [(_, key)]) => Some(key),
            _ => None,
        }
    }
}

impl VerifiedIdToken {
    /// The person's name at the issuer: stable, never reused, of meaning there only.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The mail address, only if the issuer says it checked it.
    #[must_use]
    pub fn verified_email(&self) -> Option<&str> {
        let checked = self.claims.get("email_verified") == Some(&Value::Bool(true));
        text(&self.claims, "email").filter(|_| checked)
    }

    /// Whether the access token that came along is the one that it was issued with, where it says
    /// so (section 3.1.3.6).
    #[must_use]
    pub fn came_with(&self, access_token: Option<&str>) -> bool {
        let Some(named) = self.claims.get("at_hash") else {
            return true;
        };
        let bytes = access_token.unwrap_or_default().as_bytes();
        let hash = match self.algorithm {
            Algorithm::EdDsa => encode(&sha512(bytes)[..32]),
            Algorithm::Es256 | Algorithm::Rs256 => encode(&sha256(bytes)[..16]),
        };
        access_token.is_some() && *named == *hash
    }

    /// With what the issuer's `UserInfo` endpoint adds (section 5.3): what the token says stands, and
    /// an address comes from one place together with whether it was verified.
    ///
    /// # Errors
    /// [`JoseError::Refused`] for an answer about somebody else, or none that can be read.
    pub fn with_user_info(mut self, answer: &[u8]) -> Result<Self, JoseError> {
        let more = object(answer)?;
        if text(&more, "sub") != Some(self.subject.as_str()) {
            return Err(JoseError::Refused("what is told is of somebody else"));
        }
        let has_address = self.claims.contains_key("email");
        for (name, value) in more {
            let of_address = ["email", "email_verified"].contains(&name.as_str());
            if !(of_address && has_address) {
                self.claims.entry(name).or_insert(value);
            }
        }
        Ok(self)
    }

    /// Any other claim.
    #[must_use]
    pub fn claim(&self, name: &str) -> Option<&Value> {
        self.claims.get(name)
    }
}

/// An ID token says `JWT` or nothing; what says something else is something else.
fn refuse_other_types(token: &Compact<'_>) -> Result<(), JoseError> {
    if token.header().contains_key("jwk") {
        return Err(JoseError::Refused("a header we do not follow"));
    }
    match token.header().get("typ") {
        None => Ok(()),
        Some(Value::String(kind)) if kind.eq_ignore_ascii_case("jwt") => Ok(()),
        Some(_) => Err(JoseError::Refused("another type of token")),
    }
}

/// Section 3.1.3.7, points 3 to 5: we are meant, and where others are too, it was issued to us.
fn check_audience(claims: &Members, client: &str) -> Result<(), JoseError> {
    const OTHER: JoseError = JoseError::Refused("another audience");
    let meant = match claims.get("aud") {
        Some(Value::String(one)) => one == client,
        Some(Value::Array(all)) => {
            all.iter().any(|one| one == client)
                && (all.len() == 1 || text(claims, "azp") == Some(client))
        }
        _ => false,
    };
    let party = claims.get("azp").is_none_or(|party| party == client);
    if meant && party { Ok(()) } else { Err(OTHER) }
}
