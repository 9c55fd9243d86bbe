//! Other nodes of the same installation: what they announce is taken up here, and what one that is gone has
//! left is looked for.

use std::sync::Arc;
use std::time::Duration;

use skep_store::{Announcement, Heard};
use tokio::time::sleep;

use crate::{App, AppError};

/// Between attempts to read again what another node has changed.
const PAUSE: Duration = Duration::from_millis(200);

/// Listens to other nodes, to be run by whoever owns the daemon's tasks.
pub struct Nodes {
    app: Arc<App>,
}

impl Nodes {
    /// The loop of an application.
    #[must_use]
    pub fn new(app: Arc<App>) -> Self {
        Self { app }
    }

    /// Runs until it is dropped; without other nodes there is nothing to do.
    pub async fn run(self) {
        while let Some(heard) = self.app.store.hear().await {
            match heard {
                Heard::Told(Announcement::Keys) | Heard::Missed => self.read_keys().await,
                Heard::Told(Announcement::Revoked(_)) => {}
                Heard::Gone => self.take_over().await,
            }
        }
        std::future::pending::<()>().await;
    }

    async fn read_keys(&self) {
        while let Err(error) = self.app.store.read_keys().await {
            tracing::warn!(%error, "keys that another node may have changed could not be read");
            sleep(PAUSE).await;
        }
    }

    /// What waits in which workspace, nobody but the node that is gone knew: so all are looked at, once.
    async fn take_over(&self) {
        tracing::info!("another node is gone: workspaces are looked through for what it left");
        while let Err(error) = self.app.mark_all().await {
            tracing::warn!(%error, "the workspaces could not be listed");
            sleep(PAUSE).await;
        }
    }
}

impl App {
    /// Has upkeep look at every workspace.
    pub(crate) async fn mark_all(&self) -> Result<(), AppError> {
        for tenant in self.store.workspaces().await? {
            self.dirty.mark(tenant);
            self.mark_for_model(tenant);
        }
        Ok(())
    }
}
