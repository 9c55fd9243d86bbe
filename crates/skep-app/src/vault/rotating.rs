//! New keys for the vault, put in force at once and brought to its records beside everything else.

use std::sync::Arc;
use std::time::Duration;

use skep_authz::Caller;
use skep_vault::{Rotation, Vault};
use tokio::time::sleep;

use crate::{App, AppError, RotationView};

/// Records that are sealed anew in one go.
const STEP: u64 = 64;
/// The rest after a step, and after one that failed.
const REST: Duration = Duration::from_millis(5);
const REST_AFTER_FAILURE: Duration = Duration::from_mins(1);

/// The loop that finishes rotations, also those that an earlier process began.
pub struct VaultDesk {
    app: Arc<App>,
}

impl App {
    /// Puts a new key of this host's vault in force; its records follow.
    ///
    /// # Errors
    /// [`AppError::Denied`] for anybody but whoever runs the installation; [`AppError::Conflict`] where
    /// no vault is kept.
    pub async fn rotate_vault(&self, caller: &Caller) -> Result<RotationView, AppError> {
        caller.require_installation()?;
        self.on_vault(Vault::rotate).await?;
        self.vault_bell.notify_one();
        self.rotation(caller).await
    }
}

impl VaultDesk {
    /// The loop of an application.
    #[must_use]
    pub fn new(app: Arc<App>) -> Self {
        Self { app }
    }

    /// Works whenever a rotation is under way, until it is dropped.
    pub async fn run(self) {
        let app = &self.app;
        if app.vault.is_none() {
            return std::future::pending().await;
        }
        loop {
            match app.on_vault(|vault| vault.go_on_rotating(STEP)).await {
                Ok(Rotation {
                    under_way: true,
                    damaged: 0,
                    ..
                }) => sleep(REST).await,
                Ok(Rotation {
                    under_way: true,
                    damaged,
                    ..
                }) => {
                    tracing::warn!(
                        damaged,
                        "records of the vault do not open, and keep an older key"
                    );
                    sleep(REST_AFTER_FAILURE).await;
                }
                Ok(_) => app.vault_bell.notified().await,
                Err(error) => {
                    tracing::error!(%error, "a rotation of the vault's key does not go on");
                    sleep(REST_AFTER_FAILURE).await;
                }
            }
        }
    }
}
