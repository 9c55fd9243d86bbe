//! Access tokens at the door of every other route.

use skep_authz::{Caller, Denied, Presented};
use skep_jose::{JoseError, ProofRequest, VerifiedToken};

use crate::{App, AppError};

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
        let expect = self.expect().map_err(|_| BAD)?;
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
