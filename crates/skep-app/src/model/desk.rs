//! What the pass with a model keeps in memory: which workspaces wait, which is being read, and
//! whether the endpoint is left alone for a while.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use skep_domain::Timestamp;
use tokio::sync::Notify;

use super::{ModelPort, ModelSettings};
use crate::upkeep::Tenant;

/// One endpoint, and the work for it.
pub(crate) struct Desk {
    pub(super) settings: ModelSettings,
    pub(super) port: Arc<dyn ModelPort>,
    state: Mutex<State>,
    bell: Notify,
}

#[derive(Default)]
struct State {
    waiting: BTreeSet<Tenant>,
    /// Not before then.
    parked: BTreeMap<Tenant, Timestamp>,
    busy: BTreeSet<Tenant>,
    /// Calls that failed one after the other.
    failures: u32,
    paused_until: Option<Timestamp>,
    problem: Option<String>,
}

/// That a workspace is being read, by nobody else.
pub(super) struct Alone<'a> {
    desk: &'a Desk,
    tenant: Tenant,
}

/// Seconds to leave an endpoint alone after its first failure; twice as long after each further one.
const PAUSE: u64 = 30;
const PAUSE_MAX: u64 = 60 * 60;
/// What an operator has to mend is not mended in seconds.
const PAUSE_MENDING: u64 = 15 * 60;
/// Seconds that an endpoint may ask for.
const PAUSE_ASKED: u64 = 24 * 60 * 60;

impl Desk {
    pub(super) fn new(settings: ModelSettings, port: Arc<dyn ModelPort>) -> Self {
        Self {
            settings,
            port,
            state: Mutex::default(),
            bell: Notify::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// There is something to do, unless it is parked.
    pub(super) fn mark(&self, tenant: Tenant) {
        let mut state = self.state();
        if !state.parked.contains_key(&tenant) {
            state.waiting.insert(tenant);
            self.bell.notify_one();
        }
    }

    pub(super) async fn wait(&self) {
        self.bell.notified().await;
    }

    pub(super) fn has_work(&self) -> bool {
        !self.state().waiting.is_empty()
    }

    pub(super) fn take_all(&self) -> BTreeSet<Tenant> {
        std::mem::take(&mut self.state().waiting)
    }

    /// Leaves a workspace alone for some seconds.
    pub(super) fn park(&self, tenant: Tenant, now: Timestamp, seconds: u64) {
        self.state().parked.insert(tenant, later(now, seconds));
    }

    /// Puts those whose time has come back in line.
    pub(super) fn unpark(&self, now: Timestamp) {
        let mut state = self.state();
        let (due, parked) = std::mem::take(&mut state.parked)
            .into_iter()
            .partition(|(_, until)| *until <= now);
        state.parked = parked;
        let due: BTreeMap<Tenant, Timestamp> = due;
        state.waiting.extend(due.into_keys());
    }

    pub(super) fn begin(&self, tenant: Tenant) -> Option<Alone<'_>> {
        let is_free = self.state().busy.insert(tenant);
        // Not `then_some`: one that is made is one that is dropped, and would free the workspace.
        is_free.then(|| Alone { desk: self, tenant })
    }

    /// Until when no call is made; `None` when one may be.
    pub(super) fn paused_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.state().paused_until.filter(|until| *until > now)
    }

    pub(super) fn problem(&self) -> Option<String> {
        self.state().problem.clone()
    }

    pub(super) fn succeeded(&self) {
        let mut state = self.state();
        state.failures = 0;
        state.paused_until = None;
        state.problem = None;
    }

    /// Leaves the endpoint alone: longer each time, as long as it asks for, and long where somebody
    /// has to mend something first.
    pub(super) fn failed(&self, problem: &Problem, now: Timestamp) {
        let mut state = self.state();
        let doubled = PAUSE << state.failures.min(10);
        let own = if problem.needs_mending {
            doubled.max(PAUSE_MENDING)
        } else {
            doubled
        };
        let asked = problem.retry_after.unwrap_or_default().min(PAUSE_ASKED);
        state.failures = state.failures.saturating_add(1);
        state.paused_until = Some(later(now, own.min(PAUSE_MAX).max(asked)));
        state.problem = Some(problem.text.clone());
    }
}

/// Why a call did not succeed, as far as the endpoint goes.
pub(super) struct Problem {
    pub(super) text: String,
    pub(super) retry_after: Option<u64>,
    pub(super) needs_mending: bool,
}

impl Drop for Alone<'_> {
    fn drop(&mut self) {
        self.desk.state().busy.remove(&self.tenant);
    }
}

pub(super) fn later(now: Timestamp, seconds: u64) -> Timestamp {
    let micros = i64::try_from(seconds)
        .unwrap_or(i64::MAX)
        .saturating_mul(1_000_000);
    Timestamp::from_micros(now.as_micros().saturating_add(micros))
}
