//! Keys of the installation that follow each other: peppers of stored credentials, and what signs access
//! tokens.

use skep_authz::Caller;
use skep_domain::Timestamp;
use skep_jose::{KeyLife, KeyRing};
use skep_store::StoreError;
use skep_store::row::PepperUse;

use crate::{App, AppError};

/// The keys that count.
#[derive(Clone, Debug)]
pub struct RotationView {
    /// The number of the pepper that new credentials are made under.
    pub pepper: u32,
    /// What each pepper guards.
    pub peppers: Vec<PepperUse>,
    /// What signs, signed, and will sign.
    pub signing: Vec<KeyLife>,
    /// How this host's vault is sealed.
    pub vault: Option<skep_vault::Rotation>,
}

impl App {
    /// The peppers and signing keys that count, and when those that were replaced are done with.
    ///
    /// # Errors
    /// [`AppError::Denied`] for anybody but whoever runs the installation.
    pub async fn rotation(&self, caller: &Caller) -> Result<RotationView, AppError> {
        caller.require_installation()?;
        let (pepper, peppers) = self.store.peppers().await?;
        let now = self.store.now();
        Ok(RotationView {
            pepper,
            peppers,
            signing: self.key_ring(now).overview(now),
            vault: self.vault.as_ref().map(|vault| vault.rotation()),
        })
    }

    /// Makes new credentials under another pepper. Those that are there go on working under theirs, and
    /// a login comes under the new one with its next renewal.
    ///
    /// # Errors
    /// As [`App::rotation`].
    pub async fn rotate_pepper(&self, caller: &Caller) -> Result<RotationView, AppError> {
        caller.require_installation()?;
        self.store.raise_pepper().await?;
        self.rotation(caller).await
    }

    /// Signs access tokens with another key from now on. Those that were issued count until they end.
    ///
    /// # Errors
    /// [`AppError::Conflict`] while tokens of the key before the present one may still count: there are
    /// never more than two generations.
    pub async fn rotate_signing(&self, caller: &Caller) -> Result<RotationView, AppError> {
        caller.require_installation()?;
        let (generation, since) = self.store.signing();
        let free = Timestamp::from_micros(since.as_micros() + KeyRing::overlap_micros());
        if generation > 0 && self.store.now() < free {
            return Err(AppError::Conflict(
                "the keys were changed a moment ago: eleven minutes later nothing of the ones before counts any more",
            ));
        }
        match self.store.raise_signing().await {
            Err(StoreError::Conflict(_)) => Err(AppError::Conflict("somebody else did just now")),
            outcome => {
                outcome?;
                self.rotation(caller).await
            }
        }
    }
}
