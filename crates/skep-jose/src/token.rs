//! Access tokens: what is in one, and how far one is trusted at which point.
//!
//! A string becomes a [`SignedToken`] when its signature and claims hold, and a [`VerifiedToken`]
//! only when its binding was proved too. Nothing takes the former.

use serde_json::{Value, json};
use skep_crypto::Plain;
use skep_domain::{AgentId, Id, OrganizationId, Principal, Timestamp, UserId, WorkspaceId};
use uuid::Uuid;

use crate::JoseError;
use crate::claims::{begun, instant, not_ended, required};
use crate::dpop::{Proof, VerifiedProof};
use crate::key::Thumbprint;
use crate::replay::Replay;
use crate::strict::{Members, text};

/// A longer token is refused unread.
pub const MAX_TOKEN_BYTES: usize = 4096;
/// How long an access token counts.
pub const TOKEN_LIFE_SECONDS: i64 = 600;
/// By how much clocks may differ.
pub const LEEWAY_SECONDS: i64 = 30;

pub(crate) const TYPE: &str = "at+jwt";

/// What an access token is bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confirmation {
    /// Whoever shows it must prove to hold the key of this thumbprint (RFC 9449).
    Key(Thumbprint),
    /// Nothing: the client registered as one that makes no proofs. In the token this is an empty
    /// `cnf`, so that leaving the claim out never means it.
    Bearer,
}

/// What an access token is to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Who acts.
    pub principal: Principal,
    /// The tenant.
    pub organization: OrganizationId,
    /// The partition, unless the token is for the organization alone.
    pub workspace: Option<WorkspaceId>,
    /// The stored row that must be alive whenever the token is shown: `sid`.
    pub session: [u8; 16],
    /// The client it was issued to: `client_id`.
    pub client: String,
    /// What it is bound to: `cnf`.
    pub confirmation: Confirmation,
}

/// A fresh access token.
pub struct Issued {
    /// The token, to be shown once.
    pub token: Plain<String>,
    /// Its `jti`.
    pub id: [u8; 16],
    /// When it ends.
    pub expires_at: Timestamp,
}

/// Whom a token must be from and for. Both are compared byte for byte.
#[derive(Clone, Copy, Debug)]
pub struct Expect<'e> {
    /// The issuer: `iss`.
    pub issuer: &'e str,
    /// The resource: `aud`, one string.
    pub audience: &'e str,
}

/// A token whose signature and claims hold, and whose binding was not proved yet. It grants
/// nothing.
#[derive(Debug)]
pub struct SignedToken {
    grant: Grant,
    id: [u8; 16],
    expires_at: Timestamp,
}

/// An access token of ours that holds in every respect a token can hold by itself. That the row
/// behind `sid` is alive is for the store to say.
///
/// ```compile_fail,E0451
/// fn forge(token: skep_jose::SignedToken) -> skep_jose::VerifiedToken {
///     skep_jose::VerifiedToken { token }
/// }
/// ```
#[derive(Debug)]
pub struct VerifiedToken {
    token: SignedToken,
}

impl Grant {
    /// The claims of a token for this grant.
    pub(crate) fn claims(
        &self,
        expect: &Expect<'_>,
        id: &[u8; 16],
        (issued, ends): (i64, i64),
    ) -> Members {
        let mut claims = Members::new();
        let mut put = |name: &str, value: Value| claims.insert(name.to_owned(), value);
        put("iss", expect.issuer.into());
        put("aud", expect.audience.into());
        put("exp", ends.into());
        put("nbf", issued.into());
        put("iat", issued.into());
        put("jti", uuid_text(*id).into());
        put("sub", subject(self.principal).into());
        put("org", uuid_text(self.organization.to_bytes()).into());
        if let Some(workspace) = self.workspace {
            put("ws", uuid_text(workspace.to_bytes()).into());
        }
        put("sid", uuid_text(self.session).into());
        put("client_id", self.client.as_str().into());
        put("cnf", self.confirmation.claim());
        claims
    }

    fn read(claims: &Members) -> Result<Self, JoseError> {
        Ok(Self {
            principal: principal(required(claims, "sub")?)?,
            organization: OrganizationId::from_bytes(uuid(required(claims, "org")?)?),
            workspace: match claims.get("ws") {
                None => None,
                Some(_) => Some(WorkspaceId::from_bytes(uuid(required(claims, "ws")?)?)),
            },
            session: uuid(required(claims, "sid")?)?,
            client: required(claims, "client_id")?.to_owned(),
            confirmation: Confirmation::read(claims)?,
        })
    }
}

impl Confirmation {
    fn claim(self) -> Value {
        match self {
            Self::Key(thumbprint) => json!({"jkt": thumbprint.to_string()}),
            Self::Bearer => json!({}),
        }
    }

    fn read(claims: &Members) -> Result<Self, JoseError> {
        let cnf = claims
            .get("cnf")
            .and_then(Value::as_object)
            .ok_or(JoseError::Refused("no confirmation"))?;
        match (text(cnf, "jkt"), cnf.len()) {
            (Some(thumbprint), 1) => Thumbprint::parse(thumbprint).map(Self::Key),
            (None, 0) => Ok(Self::Bearer),
            _ => Err(JoseError::Refused("a confirmation we do not issue")),
        }
    }
}

impl SignedToken {
    /// Judges the claims of a token whose signature holds.
    pub(crate) fn judge(
        claims: &Members,
        expect: &Expect<'_>,
        now: Timestamp,
    ) -> Result<Self, JoseError> {
        // A string each: a list with our name in it was meant for somebody else too.
        if text(claims, "iss") != Some(expect.issuer) {
            return Err(JoseError::Refused("another issuer"));
        }
        if text(claims, "aud") != Some(expect.audience) {
            return Err(JoseError::Refused("another audience"));
        }
        let (issued, from) = (instant(claims, "iat")?, instant(claims, "nbf")?);
        let until = instant(claims, "exp")?;
        begun(issued, LEEWAY_SECONDS, now)?;
        begun(from, LEEWAY_SECONDS, now)?;
        not_ended(until, LEEWAY_SECONDS, now)?;
        Ok(Self {
            grant: Grant::read(claims)?,
            id: uuid(required(claims, "jti")?)?,
            expires_at: until,
        })
    }

    /// What the token says, its binding not proved: enough to take it out of use, no more.
    #[must_use]
    pub fn claimed(&self) -> &Grant {
        &self.grant
    }

    /// Takes a token that came with the scheme `Bearer`.
    ///
    /// # Errors
    /// [`JoseError::Refused`] for one that is bound to a key: a stolen one would come this way.
    pub fn as_bearer(self) -> Result<VerifiedToken, JoseError> {
        match self.grant.confirmation {
            Confirmation::Bearer => Ok(VerifiedToken { token: self }),
            Confirmation::Key(_) => Err(JoseError::Refused("a bound token without its proof")),
        }
    }

    /// Takes a token that came with the scheme `DPoP` and this proof, and spends the proof.
    ///
    /// # Errors
    /// [`JoseError::Refused`] unless the proof is by the key that the token is bound to and names
    /// this token; whatever [`Proof::spend`] says.
    pub async fn with_proof(
        self,
        proof: Proof,
        replay: &dyn Replay,
        now: Timestamp,
    ) -> Result<VerifiedToken, JoseError> {
        if self.grant.confirmation != Confirmation::Key(proof.thumbprint()) {
            return Err(JoseError::Refused("proof by another key"));
        }
        if !proof.names_a_token() {
            return Err(JoseError::Refused("proof for no token"));
        }
        // Only now, so that proofs by strangers' keys take no room in the memory of used ones.
        let _: VerifiedProof = proof.spend(replay, now).await?;
        Ok(VerifiedToken { token: self })
    }
}

impl VerifiedToken {
    /// What the token says.
    #[must_use]
    pub fn grant(&self) -> &Grant {
        &self.token.grant
    }

    /// The id of this token: `jti`.
    #[must_use]
    pub fn id(&self) -> [u8; 16] {
        self.token.id
    }

    /// When it ends.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        self.token.expires_at
    }
}

fn subject(principal: Principal) -> String {
    let kind = match principal {
        Principal::User(_) => "user",
        Principal::Agent(_) => "agent",
    };
    format!("{kind}:{}", uuid_text(principal.to_bytes()))
}

fn principal(subject: &str) -> Result<Principal, JoseError> {
    match subject.split_once(':') {
        Some(("user", id)) => Ok(Principal::User(UserId::from_bytes(uuid(id)?))),
        Some(("agent", id)) => Ok(Principal::Agent(AgentId::from_bytes(uuid(id)?))),
        _ => Err(JoseError::Refused("no principal")),
    }
}

fn uuid_text(bytes: [u8; 16]) -> String {
    Uuid::from_bytes(bytes).hyphenated().to_string()
}

fn uuid(text: &str) -> Result<[u8; 16], JoseError> {
    Uuid::try_parse(text)
        .map(Uuid::into_bytes)
        .ok()
        .filter(|bytes| uuid_text(*bytes) == text)
        .ok_or(JoseError::Refused("no id"))
}
