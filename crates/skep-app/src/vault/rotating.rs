//! New keys for the vault, put in force at once and brought to its records beside everything else.

use std::sync::Arc;
use std::time::Duration;

use skep_authz::Caller;
use skep_vault::{Rotation, Vault};
use tokio::time::{sleep, timeout};

use crate::{App, AppError, RotationView};

/// Records that are sealed anew in one go.
const STEP: u64 = 64;
/// The rest after a step, and after one that failed.
const REST: Duration = Duration::from_millis(5);
const REST_AFTER_FAILURE: Duration = Duration::from_mins(1);
/// How often it looks though nobody rang.
const LOOK: Duration = Duration::from_mins(10);

/// The loop that finishes rotations, also those that an earlier process began, and puts records under the keys that
/// their organizations keep.
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
        self.in_vault(Vault::rotate).await?;
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

    /// Works whenever there is something to seal anew, until it is dropped.
    pub async fn run(self) {
        let app = &self.app;
        if app.vault.is_none() {
            return std::future::pending().await;
        }
        loop {
            app.lend_all().await;
            let rotation = app.in_vault(|vault| vault.go_on_rotating(STEP)).await;
            let enclosing = app.in_vault(|vault| vault.go_on_enclosing(STEP)).await;
            let (rotation, enclosing) = match (rotation, enclosing) {
                (Ok(rotation), Ok(enclosing)) => (rotation, enclosing),
                (Err(error), _) | (_, Err(error)) => {
                    tracing::error!(%error, "records of the vault are not sealed anew");
                    sleep(REST_AFTER_FAILURE).await;
                    continue;
                }
            };
            let kept = rotation.damaged + rotation.closed;
            if enclosing.under_way || rotation.under_way && kept == 0 {
                sleep(REST).await;
                continue;
            }
            if kept > 0 {
                let Rotation {
                    damaged, closed, ..
                } = rotation;
                tracing::warn!(
                    damaged,
                    closed,
                    "records of the vault do not open, and keep an older key"
                );
            }
            // What another node has put under a key of its own is not rung for.
            let rest = if kept > 0 { REST_AFTER_FAILURE } else { LOOK };
            let _ = timeout(rest, app.vault_bell.notified()).await;
        }
    }
}

impl App {
    /// Lends the vault what its organizations need and give.
    async fn lend_all(&self) {
        let Ok(organizations) = self.in_vault(Vault::organizations).await else {
            return;
        };
        for organization in organizations {
            // One that does not give it keeps its records closed.
            let _closed = self.lend(organization).await;
        }
    }
}
