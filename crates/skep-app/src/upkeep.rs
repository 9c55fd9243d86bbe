//! Upkeep: what happens to a workspace after a write has been answered. Distilling and embedding
//! run here, survive a kill because their state is in the store, and never hold a caller up.

mod distil;
mod embed;
mod exchanges;
mod finish;
mod together;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use skep_authz::{Authorized, Maintain, Survey};
use skep_domain::{OrganizationId, WorkspaceId};
use skep_store::Work;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout_at};

use crate::{App, AppError};

pub(crate) use distil::TAKEN_BACK;
pub(crate) use embed::model_tag;
pub(crate) use exchanges::{CONTEXT, view};

/// A workspace and its organization.
pub(crate) type Tenant = (OrganizationId, WorkspaceId);

/// Workspaces that were written to since upkeep last looked. A set, so it is bounded by the number
/// of workspaces and a thousand writes cost one visit.
#[derive(Default)]
pub(crate) struct Dirty {
    waiting: Mutex<HashSet<Tenant>>,
    problem: Mutex<Option<String>>,
    bell: Notify,
    /// Workspaces with a session that may become complete by standing still, or that could not be tended.
    open: Mutex<HashSet<Tenant>>,
    /// Workspaces that another node was tending: it may have looked before what was written here.
    elsewhere: Mutex<HashSet<Tenant>>,
}

/// How often we look whether a session has stood still for long.
const LOOK: Duration = Duration::from_mins(1);

/// How soon a workspace that another node was tending is looked at again.
const AGAIN: Duration = Duration::from_secs(1);

/// What is distilled or embedded per transaction: short enough that writers hardly wait.
const BATCH: u32 = 256;

#[expect(
    clippy::disallowed_methods,
    reason = "distilling and embedding are the daemon's own work on a workspace"
)]
pub(crate) fn maintain(tenant: Tenant) -> Authorized<Maintain> {
    skep_authz::upkeep(tenant.0, tenant.1)
}

#[expect(
    clippy::disallowed_methods,
    reason = "indexing and counting are the daemon's own look at a workspace"
)]
pub(crate) fn survey(tenant: Tenant) -> Authorized<Survey> {
    skep_authz::survey(tenant.0, tenant.1)
}

/// Does what takes long apart from the threads that answer.
pub(crate) async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, AppError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| AppError::Internal("upkeep ended early"))
}

/// The upkeep loop, to be run by whoever owns the daemon's tasks.
pub struct Upkeep {
    app: Arc<App>,
}

impl Dirty {
    pub(crate) fn mark(&self, tenant: Tenant) {
        self.waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(tenant);
        self.bell.notify_one();
    }

    pub(crate) fn problem(&self) -> Option<String> {
        self.problem
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn set_problem(&self, problem: Option<String>) {
        *self.problem.lock().unwrap_or_else(PoisonError::into_inner) = problem;
    }

    fn set_open(&self, tenant: Tenant, is_open: bool) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if is_open {
            open.insert(tenant);
        } else {
            open.remove(&tenant);
        }
    }

    /// Does nothing more about a workspace: it was deleted.
    fn forget(&self, tenant: Tenant) {
        self.set_open(tenant, false);
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.remove(&tenant);
    }

    /// Puts every workspace that waits for time to pass back in line.
    fn mark_open(&self) {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.extend(open.iter().copied());
    }

    fn elsewhere(&self) -> std::sync::MutexGuard<'_, HashSet<Tenant>> {
        self.elsewhere
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts those that another node was tending back in line.
    fn mark_elsewhere(&self) {
        let again = std::mem::take(&mut *self.elsewhere());
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.extend(again);
    }

    fn is_clean(&self) -> bool {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.is_empty()
    }

    fn take(&self) -> Option<Tenant> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let tenant = waiting.iter().next().copied()?;
        waiting.remove(&tenant);
        Some(tenant)
    }
}

impl Upkeep {
    /// The loop of an application.
    #[must_use]
    pub fn new(app: Arc<App>) -> Self {
        Self { app }
    }

    /// Runs until it is dropped. Begins with every workspace: a kill may have left work behind.
    pub async fn run(self) {
        let dirty = &self.app.dirty;
        while let Err(error) = self.app.mark_all().await {
            tracing::warn!(%error, "the workspaces could not be listed");
            dirty.set_problem(Some(error.to_string()));
            sleep(AGAIN).await;
        }
        let (mut look, mut again) = (Instant::now() + LOOK, Instant::now() + AGAIN);
        loop {
            while let Some(tenant) = dirty.take() {
                self.tend(tenant).await;
                if look <= Instant::now() || again <= Instant::now() {
                    break;
                }
            }
            let next = if dirty.elsewhere().is_empty() {
                look
            } else {
                look.min(again)
            };
            if dirty.is_clean() {
                let _ = timeout_at(next, dirty.bell.notified()).await;
            }
            if again <= Instant::now() {
                dirty.mark_elsewhere();
                again = Instant::now() + AGAIN;
            }
            if look <= Instant::now() {
                dirty.mark_open();
                if let Err(error) = self.app.drop_deleted().await {
                    tracing::warn!(%error, "deleted workspaces could not be looked for");
                }
                if let Err(error) = self.app.sweep_doors().await {
                    tracing::warn!(%error, "what has ended at the doors could not be swept");
                }
                look = Instant::now() + LOOK;
            }
        }
    }

    async fn tend(&self, tenant: Tenant) {
        let done = match self.app.tend(tenant).await {
            // It was deleted meanwhile, perhaps by another node.
            Err(AppError::Denied(_)) => {
                self.app.drop_workspace(tenant);
                Ok(())
            }
            // What its organization closed is looked at again in a minute, and is no problem of ours.
            Err(AppError::Closed(_)) => {
                self.app.hot.forget(tenant);
                self.app.dirty.set_open(tenant, true);
                Ok(())
            }
            done => done,
        };
        if let Err(error) = &done {
            tracing::warn!(%error, "upkeep of a workspace failed; it is tried again in a minute");
            self.app.dirty.set_open(tenant, true);
        }
        let problem = done.err().map(|error| error.to_string());
        self.app.dirty.set_problem(problem);
    }
}

impl App {
    /// Drops what is in memory of a workspace that was deleted.
    pub(crate) fn drop_workspace(&self, tenant: Tenant) {
        self.hot.forget(tenant);
        self.dirty.forget(tenant);
        self.forget_execs_of(tenant.1);
    }

    /// Drops what is in memory of workspaces that other nodes deleted.
    async fn drop_deleted(&self) -> Result<(), AppError> {
        let there = self.store.workspaces().await?;
        self.hot.keep_only(&there.into_iter().collect());
        Ok(())
    }

    /// Does all upkeep that a workspace has waiting, unless another node is at it: then it is looked at again
    /// in a moment.
    ///
    /// # Errors
    /// [`AppError`]; what was done until then is kept.
    pub async fn tend(&self, tenant: Tenant) -> Result<(), AppError> {
        let held = self.store.hold(survey(tenant), Work::Upkeep).await?;
        let Some(_held) = held else {
            self.dirty.elsewhere().insert(tenant);
            return Ok(());
        };
        self.finish_removals(tenant).await?;
        let is_open = self.distil_pending(tenant).await?;
        self.dirty.set_open(tenant, is_open);
        self.embed_pending(tenant).await?;
        self.hot.refresh(tenant).await?;
        self.hot.keep_due_snapshot(tenant).await
    }
}
