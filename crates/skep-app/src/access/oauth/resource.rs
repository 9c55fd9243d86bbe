//! Access tokens at the door of every other route.

use serde::{Deserialize, Serialize};
use skep_authz::{Caller, Denied, Presented};
use skep_jose::{Expect, JoseError, ProofRequest, VerifiedToken};

use crate::{App, AppError};

/// What an access token is for (RFC 8707). One for the tools of agents does not open the interface for
/// programs, nor the other way round, whoever it was given to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub enum Resource {
    /// The interface for programs.
    #[default]
    Api,
    /// The tools for agents.
    Mcp,
}

impl Resource {
    /// Where it begins, below the server's own URL.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::Api => "",
            Self::Mcp => "/mcp",
        }
    }

    /// As it is kept with a login.
    pub(super) fn kept(self) -> Option<String> {
        (self == Self::Mcp).then(|| "mcp".to_owned())
    }

    /// The one that was kept; none for a word of another version.
    pub(super) fn of(kept: Option<&str>) -> Option<Self> {
        match kept {
            None => Some(Self::Api),
            Some("mcp") => Some(Self::Mcp),
            Some(_) => None,
        }
    }
}

/// An access token as a request shows it.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'r> {
    /// The token.
    pub token: &'r str,
    /// Whether it came with the scheme `DPoP`.
    pub with_proof: bool,
    /// The `DPoP` header.
    pub proof: Option<&'r str>,
    /// The method of the request.
    pub method: &'r str,
    /// Its path.
    pub path: &'r str,
    /// What is asked for.
    pub resource: Resource,
}

impl<'r> Shown<'r> {
    /// A credential that whoever has it may use: nothing else of the request matters.
    #[must_use]
    pub const fn bearer(token: &'r str) -> Self {
        Self {
            token,
            with_proof: false,
            proof: None,
            method: "",
            path: "",
            resource: Resource::Api,
        }
    }
}

/// Why it was refused.
#[derive(Debug, thiserror::Error)]
pub enum ShownError {
    /// The proof has to be made again, with a fresh nonce.
    #[error("a nonce of this server is needed")]
    NonceNeeded,
    /// Anything else.
    #[error(transparent)]
    App(#[from] AppError),
}

impl App {
    /// Who shows this access token?
    ///
    /// # Errors
    /// [`ShownError`].
    pub async fn authenticate_token(&self, shown: Shown<'_>) -> Result<Caller, ShownError> {
        if let Some(answer) = self.ask_about_token(shown).await {
            return answer;
        }
        let token = self.verify_token(shown).await?;
        Ok(self.authenticate(Presented::access_token(&token)).await?)
    }

    async fn verify_token(&self, shown: Shown<'_>) -> Result<VerifiedToken, ShownError> {
        const BAD: ShownError = ShownError::App(AppError::Denied(Denied::InvalidCredential));
        let now = self.store.now();
        let audience = self.audience(shown.resource).map_err(|_| BAD)?;
        let expect = Expect {
            issuer: self.own_issuer().map_err(|_| BAD)?,
            audience: &audience,
        };
        let mut token = self.key_ring(now).verify(shown.token, &expect, now);
        if token.is_err() && self.found_new_keys(now).await {
            token = self.key_ring(now).verify(shown.token, &expect, now);
        }
        let token = token.map_err(refused)?;
        match (shown.with_proof, shown.proof) {
            // A proof beside a bearer token is not looked at: nothing is bound to it.
            (false, _) => token.as_bearer().map_err(refused),
            (true, None) => Err(BAD),
            (true, Some(proof)) => {
                let url = format!("{}{}", expect.issuer, shown.path);
                let request = ProofRequest {
                    method: shown.method,
                    url: &url,
                    token: Some(shown.token),
                };
                let proof = self.prover().check(proof, &request, now).map_err(refused)?;
                let replay = &*self.oauth.replay;
                token.with_proof(proof, replay, now).await.map_err(refused)
            }
        }
    }
}

fn refused(error: JoseError) -> ShownError {
    match error {
        JoseError::NonceNeeded => ShownError::NonceNeeded,
        JoseError::ReplayAway => {
            ShownError::App(AppError::Overloaded("used proofs are remembered"))
        }
        JoseError::Refused(_) | JoseError::Key(_) => {
            ShownError::App(AppError::Denied(Denied::InvalidCredential))
        }
    }
}
