//! Credentials that another daemon knows: this one asks it, and lets nobody in on its own word.

use std::sync::Arc;

use async_trait::async_trait;
use skep_authz::{Caller, Denied, Presented};
use skep_crypto::InstallToken;

use super::oauth::{Shown, ShownError};
use crate::{App, AppError};

/// Another daemon that knows credentials.
#[async_trait]
pub trait Elsewhere: Send + Sync {
    /// Who presents this credential?
    ///
    /// # Errors
    /// [`AppError::AuthServiceAway`] when it cannot be asked, what it said else.
    async fn validate(&self, shown: Shown<'_>) -> Result<Caller, ShownError>;

    /// A nonce for a proof of possession that it will take; empty when none is known.
    fn nonce(&self) -> String;

    /// Where it is, and whether it answered lately.
    fn standing(&self) -> (String, bool);
}

impl App {
    /// Asks there about every credential but the installation's own.
    #[must_use]
    pub fn with_elsewhere(mut self, elsewhere: Arc<dyn Elsewhere>) -> Self {
        self.elsewhere = Some(elsewhere);
        self
    }

    /// Where credentials are checked and whether that daemon answered lately; `None` if here.
    #[must_use]
    pub fn asks_elsewhere(&self) -> Option<(String, bool)> {
        self.elsewhere
            .as_ref()
            .map(|elsewhere| elsewhere.standing())
    }

    /// The bearer of an `Authorization` header, when another daemon is asked about it. What proves
    /// the installation is known here and nowhere else.
    pub(super) async fn ask_about(
        &self,
        header: Option<&[u8]>,
    ) -> Option<Result<Caller, AppError>> {
        const BAD: AppError = AppError::Denied(Denied::InvalidCredential);
        let elsewhere = self.elsewhere.as_ref()?;
        let (scheme, token) = header?.split_at_checked(7)?;
        if !scheme.eq_ignore_ascii_case(b"bearer ") || InstallToken::parse(token).is_ok() {
            return None;
        }
        let Ok(token) = std::str::from_utf8(token) else {
            return Some(Err(BAD));
        };
        Some(match elsewhere.validate(Shown::bearer(token)).await {
            Ok(caller) => Ok(caller),
            Err(ShownError::App(error)) => Err(error),
            Err(ShownError::NonceNeeded) => Err(BAD),
        })
    }

    /// A signed token, or one with a proof, when another daemon is asked about it.
    pub(super) async fn ask_about_token(
        &self,
        shown: Shown<'_>,
    ) -> Option<Result<Caller, ShownError>> {
        Some(self.elsewhere.as_ref()?.validate(shown).await)
    }

    /// Browsers log in where they are known.
    pub(super) fn presented_cookie(&self, cookie: &[u8]) -> Result<Presented, Denied> {
        if self.elsewhere.is_some() {
            return Err(Denied::InvalidCredential);
        }
        Presented::browser(cookie, self.store.instance_keys())
    }
}
