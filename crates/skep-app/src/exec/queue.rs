//! Whose turn it is: runs that wait and those that are under way, in memory. What is durable is in the
//! store; this is made from it when the daemon starts.
//!
//! Within an organization runs start in the order in which they were asked for. Among organizations the
//! next one is of whichever has the fewest under way, so that a long queue of one does not hold up another;
//! with one organization that is the plain order.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use skep_domain::{ExecId, OrganizationId, WorkspaceId};
use tokio::sync::watch;

use crate::upkeep::Tenant;

/// Runs of one daemon.
pub(super) struct Queue {
    bound: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    last: i64,
    waiting: BTreeMap<i64, Waiting>,
    running: BTreeMap<ExecId, Running>,
}

struct Waiting {
    tenant: Tenant,
    id: ExecId,
    /// It is durable; until then its turn cannot come, nor that of those behind it.
    is_kept: bool,
    /// Nobody knows whether it is durable, and whoever asked was told that it failed.
    is_doubtful: bool,
}

struct Running {
    tenant: Tenant,
    cancel: watch::Sender<bool>,
}

/// A place in the queue, given up unless it is kept.
pub(super) struct Place<'a> {
    queue: &'a Queue,
    turn: i64,
    is_kept: bool,
}

/// A run whose turn has come.
pub(super) struct Taken {
    pub(super) tenant: Tenant,
    pub(super) id: ExecId,
    pub(super) is_doubtful: bool,
    pub(super) cancelled: watch::Receiver<bool>,
}

impl Queue {
    pub(super) fn new(bound: usize) -> Self {
        Self {
            bound,
            state: Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Whoever panicked, each entry is whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The last place, if there is room for one more.
    pub(super) fn reserve(&self, tenant: Tenant, id: ExecId, now: i64) -> Option<Place<'_>> {
        let mut state = self.state();
        if state.waiting.len() >= self.bound {
            return None;
        }
        let turn = now.max(state.last.saturating_add(1));
        state.last = turn;
        let entry = Waiting {
            tenant,
            id,
            is_kept: false,
            is_doubtful: false,
        };
        state.waiting.insert(turn, entry);
        drop(state);
        Some(Place {
            queue: self,
            turn,
            is_kept: false,
        })
    }

    /// Puts one back that an earlier process had accepted.
    pub(super) fn restore(&self, tenant: Tenant, id: ExecId, turn: i64) {
        let mut state = self.state();
        state.last = state.last.max(turn);
        let entry = Waiting {
            tenant,
            id,
            is_kept: true,
            is_doubtful: false,
        };
        state.waiting.insert(turn, entry);
    }

    /// The run whose turn it is, if a worker is free.
    pub(super) fn take(&self, workers: usize) -> Option<Taken> {
        let mut state = self.state();
        if state.running.len() >= workers {
            return None;
        }
        let mut busy: BTreeMap<OrganizationId, usize> = BTreeMap::new();
        for running in state.running.values() {
            *busy.entry(running.tenant.0).or_default() += 1;
        }
        let mut first: BTreeMap<OrganizationId, (i64, bool)> = BTreeMap::new();
        for (turn, waiting) in &state.waiting {
            let entry = first.entry(waiting.tenant.0);
            entry.or_insert((*turn, waiting.is_kept));
        }
        let ready = first.into_iter().filter(|(_, (_, is_kept))| *is_kept);
        let load = |whose: &OrganizationId| busy.get(whose).copied().unwrap_or_default();
        let next = ready.min_by_key(|(whose, (turn, _))| (load(whose), *turn));
        let (_, (turn, _)) = next?;
        let taken = state.waiting.remove(&turn)?;
        let (tenant, id, is_doubtful) = (taken.tenant, taken.id, taken.is_doubtful);
        let (cancel, cancelled) = watch::channel(false);
        state.running.insert(id, Running { tenant, cancel });
        Some(Taken {
            tenant,
            id,
            is_doubtful,
            cancelled,
        })
    }

    /// A run is under way no more.
    pub(super) fn end(&self, id: ExecId) {
        self.state().running.remove(&id);
    }

    /// Lets one wait no more, or ends it.
    pub(super) fn cancel(&self, id: ExecId) {
        let mut state = self.state();
        state.waiting.retain(|_, waiting| waiting.id != id);
        if let Some(running) = state.running.get(&id) {
            running.cancel.send_replace(true);
        }
    }

    /// The same for all of a workspace.
    pub(super) fn forget(&self, workspace: WorkspaceId) {
        self.forget_where(|tenant| tenant.1 == workspace);
    }

    /// The same of all workspaces of an organization.
    pub(super) fn forget_organization(&self, organization: OrganizationId) {
        self.forget_where(|tenant| tenant.0 == organization);
    }

    fn forget_where(&self, forget: impl Fn(Tenant) -> bool) {
        let mut state = self.state();
        let waiting = &mut state.waiting;
        waiting.retain(|_, waiting| !forget(waiting.tenant));
        let running = state.running.values();
        for running in running.filter(|running| forget(running.tenant)) {
            running.cancel.send_replace(true);
        }
    }

    /// Those under way.
    pub(super) fn running(&self) -> Vec<(Tenant, ExecId)> {
        let state = self.state();
        let running = state.running.iter();
        running.map(|(id, running)| (running.tenant, *id)).collect()
    }

    /// How many wait, and how many are under way.
    pub(super) fn count(&self) -> (usize, usize) {
        let state = self.state();
        (state.waiting.len(), state.running.len())
    }
}

impl Place<'_> {
    pub(super) fn turn(&self) -> i64 {
        self.turn
    }

    /// It is durable.
    pub(super) fn keep(self) {
        self.hold(false);
    }

    /// It may be durable or not: whoever takes it looks, and does not run it.
    pub(super) fn doubt(self) {
        self.hold(true);
    }

    fn hold(mut self, is_doubtful: bool) {
        self.is_kept = true;
        if let Some(waiting) = self.queue.state().waiting.get_mut(&self.turn) {
            (waiting.is_kept, waiting.is_doubtful) = (true, is_doubtful);
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if !self.is_kept {
            self.queue.state().waiting.remove(&self.turn);
        }
    }
}

#[cfg(test)]
mod tests {
    use skep_domain::{ExecId, Id, OrganizationId, WorkspaceId};

    use super::Queue;
    use crate::upkeep::Tenant;

    fn of(organization: u8) -> Tenant {
        (
            OrganizationId::from_bytes([organization; 16]),
            WorkspaceId::from_bytes([organization; 16]),
        )
    }

    fn id(number: u8) -> ExecId {
        ExecId::from_bytes([number; 16])
    }

    fn ask(queue: &Queue, organization: u8, number: u8) -> bool {
        let place = queue.reserve(of(organization), id(number), 5);
        place.map(super::Place::keep).is_some()
    }

    fn taken(queue: &Queue, workers: usize) -> Option<u8> {
        queue.take(workers).map(|taken| taken.id.to_bytes()[0])
    }

    #[test]
    fn order_is_kept_within_an_organization() {
        let queue = Queue::new(64);
        for number in 1..=5 {
            assert!(ask(&queue, 1, number));
        }
        let order: Vec<u8> = std::iter::from_fn(|| taken(&queue, 9)).collect();
        assert_eq!(order, [1, 2, 3, 4, 5]);
    }

    #[test]
    fn no_more_run_than_there_are_workers() {
        let queue = Queue::new(64);
        for number in 1..=5 {
            ask(&queue, 1, number);
        }
        assert_eq!(taken(&queue, 2), Some(1));
        assert_eq!(taken(&queue, 2), Some(2));
        assert_eq!(taken(&queue, 2), None);
        queue.end(id(1));
        assert_eq!(taken(&queue, 2), Some(3));
        assert_eq!(queue.count(), (2, 2));
    }

    #[test]
    fn one_too_many_is_refused_and_takes_no_place() {
        let queue = Queue::new(2);
        assert!(ask(&queue, 1, 1) && ask(&queue, 1, 2));
        assert!(!ask(&queue, 1, 3));
        assert_eq!(queue.count(), (2, 0));
        // One that was not kept after all makes room.
        queue.cancel(id(2));
        drop(queue.reserve(of(1), id(4), 5).unwrap());
        assert!(ask(&queue, 1, 5));
    }

    #[test]
    fn nobody_overtakes_one_that_is_about_to_be_kept() {
        let queue = Queue::new(8);
        let first = queue.reserve(of(1), id(1), 5).unwrap();
        assert!(ask(&queue, 1, 2));
        assert_eq!(taken(&queue, 4), None);
        first.keep();
        assert_eq!(taken(&queue, 4), Some(1));
        assert_eq!(taken(&queue, 4), Some(2));
    }

    #[test]
    fn a_long_queue_of_one_organization_does_not_hold_up_another() {
        let queue = Queue::new(64);
        for number in 1..=6 {
            ask(&queue, 1, number);
        }
        assert_eq!(taken(&queue, 2), Some(1));
        ask(&queue, 2, 100);
        assert_eq!(taken(&queue, 2), Some(100));
        queue.end(id(1));
        assert_eq!(taken(&queue, 2), Some(2));
    }

    #[test]
    fn what_was_accepted_before_comes_first_and_in_its_order() {
        let queue = Queue::new(1);
        for (number, turn) in [(3, 30), (1, 10), (2, 20)] {
            queue.restore(of(1), id(number), turn);
        }
        assert!(!ask(&queue, 1, 9), "they fill the queue");
        assert_eq!(taken(&queue, 9), Some(1));
        assert_eq!(taken(&queue, 9), Some(2));
        assert_eq!(taken(&queue, 9), Some(3));
        let place = queue.reserve(of(1), id(4), 5).unwrap();
        assert!(
            place.turn() > 30,
            "a clock that was put back overtakes nobody"
        );
    }

    #[test]
    fn what_may_not_have_been_accepted_is_taken_to_be_looked_at() {
        let queue = Queue::new(8);
        queue.reserve(of(1), id(1), 5).unwrap().doubt();
        assert!(ask(&queue, 1, 2));
        let told = std::iter::from_fn(|| queue.take(9)).map(|taken| (taken.id, taken.is_doubtful));
        assert_eq!(told.collect::<Vec<_>>(), [(id(1), true), (id(2), false)]);
    }

    #[test]
    fn t17_of_a_workspace_that_is_deleted_nothing_waits_and_nothing_runs_on() {
        let queue = Queue::new(8);
        for (organization, number) in [(1, 1), (1, 2), (2, 3), (2, 4)] {
            ask(&queue, organization, number);
        }
        let first = queue.take(9).unwrap();
        let second = queue.take(9).unwrap();
        queue.forget(of(1).1);
        let ended = [&first, &second].map(|taken| (taken.id, *taken.cancelled.borrow()));
        assert_eq!(ended, [(id(1), true), (id(3), false)]);
        assert_eq!(taken(&queue, 9), Some(4));
        assert_eq!(taken(&queue, 9), None);
    }
}
