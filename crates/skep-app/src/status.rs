//! What the daemon knows about itself and the caller's workspace.

use skep_authz::{Authorized, rights::DiagnosticsRead};
use skep_domain::Timestamp;
use skep_store::row::CountsRow;

use crate::{App, AppError, CaptureState, HotStats, ModelState};

/// The state of things.
#[derive(Clone, Debug)]
pub struct Status {
    /// Since when the daemon runs.
    pub started_at: Timestamp,
    /// The storage backend.
    pub store: &'static str,
    /// The embedding model.
    pub embedder: String,
    /// The workspace's name.
    pub workspace: String,
    /// Counts of the workspace.
    pub counts: CountsRow,
    /// How capture stands.
    pub capture: CaptureState,
    /// Its `seq`.
    pub seq: u64,
    /// The indexes in memory.
    pub hot: HotStats,
    /// The pass with a model, where one is configured.
    pub model: Option<ModelState>,
    /// What went wrong in upkeep last, if the next attempt has not mended it.
    pub problem: Option<String>,
}

impl App {
    /// Looks around.
    ///
    /// # Errors
    /// [`AppError`].
    pub async fn status(
        &self,
        authorized: Authorized<DiagnosticsRead>,
    ) -> Result<Status, AppError> {
        let tenant = (authorized.organization(), authorized.workspace());
        let workspace = self.store.workspace_name(&authorized).await?;
        let mut tx = self.store.begin(authorized).await?;
        Ok(Status {
            started_at: self.started_at,
            store: self.store.backend_name(),
            embedder: self.embedder.model_id().to_owned(),
            workspace,
            counts: tx.counts(self.model).await?,
            capture: self.capture_state(&mut tx, tenant).await?,
            seq: tx.seq().await?,
            model: self.model_state(&mut tx).await?,
            hot: self.hot.stats(),
            problem: self.dirty.problem(),
        })
    }
}
