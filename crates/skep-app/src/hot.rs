//! The indexes in memory: one per workspace in use, brought up to date before each recall, the
//! least recently used dropped when they outgrow the budget.

mod catch_up;
mod snapshot;

pub use catch_up::indexed_text;

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use skep_domain::OrganizationId;
use skep_index::{Embedder, WorkspaceIndex};
use skep_store::Store;
use skep_store::row::ModelTag;
use tokio::sync::{RwLock, oneshot};
use tokio::task::JoinSet;

use crate::AppError;
use crate::recall::{Trace, Traces};
use crate::upkeep::Tenant;

/// Every index in memory.
pub(crate) struct Hot {
    store: Arc<Store>,
    embedder: Arc<dyn Embedder>,
    model: ModelTag,
    budget: u64,
    held: Mutex<HashMap<Tenant, Arc<Held>>>,
    /// Those under way; they end with this.
    loads: Mutex<JoinSet<()>>,
    /// Counts uses; its value at the last use is what "least recently" means.
    uses: AtomicU64,
}

/// One index and what is known about it.
pub(crate) struct Held {
    pub(crate) index: Arc<RwLock<WorkspaceIndex>>,
    bytes: AtomicU64,
    last_use: AtomicU64,
    /// What the last recalls were decided from.
    pub(crate) traces: Traces,
    /// Rows read into the index since there was a snapshot of it: what a kill would cost.
    unsaved: AtomicU64,
    /// From how many such rows on another snapshot is due.
    due: AtomicU64,
}

/// What the indexes take.
#[derive(Clone, Copy, Debug, Default)]
pub struct HotStats {
    /// Workspaces held.
    pub workspaces: u64,
    /// Bytes they take.
    pub bytes: u64,
    /// Bytes they may take.
    pub budget: u64,
}

impl Hot {
    pub(crate) fn new(
        store: Arc<Store>,
        embedder: Arc<dyn Embedder>,
        model: ModelTag,
        budget: u64,
    ) -> Self {
        Self {
            store,
            embedder,
            model,
            budget,
            held: Mutex::default(),
            loads: Mutex::default(),
            uses: AtomicU64::new(0),
        }
    }

    /// The index of a workspace, holding at least everything up to `seq`. Loading goes on when the
    /// caller gives up: whoever asks again finds it further on, and waits for the same load.
    pub(crate) async fn at_least(
        self: &Arc<Self>,
        tenant: Tenant,
        seq: u64,
    ) -> Result<Arc<Held>, AppError> {
        let held = self.hold(tenant);
        if held.index.read().await.seq() < seq {
            let (hot, loading) = (Arc::clone(self), Arc::clone(&held));
            let (tell, told) = oneshot::channel();
            self.set_going(async move {
                // Nobody may be waiting any more.
                let _ = tell.send(hot.catch_up(tenant, &loading).await);
            });
            told.await
                .map_err(|_| AppError::Internal("loading ended early"))??;
        }
        Ok(held)
    }

    /// Has a load of its own done, whoever waits for it. Loads of one workspace wait for each other at
    /// its index, so there are hardly more of them than workspaces.
    fn set_going(&self, load: impl Future<Output = ()> + Send + 'static) {
        let mut loads = self.loads.lock().unwrap_or_else(PoisonError::into_inner);
        while loads.try_join_next().is_some() {}
        loads.spawn(load);
    }

    /// The index of a workspace, if it is in memory.
    fn find(&self, tenant: Tenant) -> Option<Arc<Held>> {
        self.lock().get(&tenant).cloned()
    }

    /// Brings an index up to date if it is in memory; does not load one that is not.
    pub(crate) async fn refresh(&self, tenant: Tenant) -> Result<(), AppError> {
        match self.find(tenant) {
            Some(held) => self.catch_up(tenant, &held).await,
            None => Ok(()),
        }
    }

    /// Every index in memory.
    fn all(&self) -> Vec<(Tenant, Arc<Held>)> {
        self.lock()
            .iter()
            .map(|(tenant, held)| (*tenant, Arc::clone(held)))
            .collect()
    }

    /// The newest recall of a workspace that fits, if its index is in memory.
    pub(crate) fn trace(
        &self,
        tenant: Tenant,
        fits: impl Fn(&Trace) -> bool,
    ) -> Option<Arc<Trace>> {
        let held = self.lock().get(&tenant).cloned()?;
        held.traces.find(fits)
    }

    pub(crate) fn stats(&self) -> HotStats {
        let held = self.lock();
        HotStats {
            workspaces: held.len() as u64,
            bytes: held
                .values()
                .map(|held| held.bytes.load(Ordering::Relaxed))
                .sum(),
            budget: self.budget,
        }
    }

    /// Drops what is held of a workspace: it was deleted.
    pub(crate) fn forget(&self, tenant: Tenant) {
        self.lock().remove(&tenant);
    }

    /// Drops what is held of an organization's workspaces: it has withdrawn their keys.
    pub(crate) fn forget_organization(&self, organization: OrganizationId) {
        self.lock().retain(|tenant, _| tenant.0 != organization);
    }

    /// Organizations with an index in memory.
    pub(crate) fn organizations(&self) -> HashSet<OrganizationId> {
        self.lock().keys().map(|tenant| tenant.0).collect()
    }

    /// Drops what is held of workspaces that are not among these: others delete them too.
    pub(crate) fn keep_only(&self, there: &HashSet<Tenant>) {
        self.lock().retain(|tenant, _| there.contains(tenant));
    }

    fn hold(&self, tenant: Tenant) -> Arc<Held> {
        let use_number = self.uses.fetch_add(1, Ordering::Relaxed);
        let mut all = self.lock();
        let held = all.entry(tenant).or_insert_with(|| {
            let index = self.empty();
            Arc::new(Held {
                index: Arc::new(RwLock::new(index)),
                bytes: AtomicU64::new(0),
                last_use: AtomicU64::new(use_number),
                traces: Traces::default(),
                unsaved: AtomicU64::new(0),
                due: AtomicU64::new(snapshot::due(0)),
            })
        });
        held.last_use.store(use_number, Ordering::Relaxed);
        Arc::clone(held)
    }

    fn empty(&self) -> WorkspaceIndex {
        WorkspaceIndex::new(self.embedder.model_id(), self.embedder.dim())
    }

    /// Drops the least recently used until the rest fits. The newest stays, however large: a
    /// workspace that is in use has to be somewhere.
    fn evict(&self) {
        let mut all = self.lock();
        let mut bytes: u64 = all
            .values()
            .map(|held| held.bytes.load(Ordering::Relaxed))
            .sum();
        while bytes > self.budget && all.len() > 1 {
            let Some((oldest, size)) = all
                .iter()
                .min_by_key(|(_, held)| held.last_use.load(Ordering::Relaxed))
                .map(|(workspace, held)| (*workspace, held.bytes.load(Ordering::Relaxed)))
            else {
                return;
            };
            all.remove(&oldest);
            bytes = bytes.saturating_sub(size);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Tenant, Arc<Held>>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
