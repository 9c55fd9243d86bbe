//! What goes on without a caller: so many calls at most, and each of them to its end.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use skep_domain::OrganizationId;
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use crate::{App, AppError};

/// Calls with a key that may be under way: of all, and of one organization.
const PLACES: usize = 512;
const OWN_PLACES: usize = 256;

/// What goes on without a caller.
#[derive(Default)]
pub(super) struct Apart {
    tasks: Mutex<JoinSet<()>>,
    /// Calls with a key that are under way.
    places: Mutex<HashMap<OrganizationId, usize>>,
    /// The run of this program: claims of an earlier one are nobody's.
    pub(super) run: OnceLock<[u8; 16]>,
}

/// One of the calls that may be under way.
pub(super) struct Place {
    app: Arc<App>,
    organization: OrganizationId,
}

impl Apart {
    /// Has something done, if there is anything to do it.
    pub(super) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        let mut tasks = self.tasks();
        while tasks.try_join_next().is_some() {}
        tasks.spawn_on(work, &runtime);
    }

    /// Waits for all of them; `false` when some had to be ended.
    pub(super) async fn end(&self, until: Instant) -> bool {
        loop {
            let mut tasks = std::mem::take(&mut *self.tasks());
            if tasks.is_empty() {
                return true;
            }
            let all = async { while tasks.join_next().await.is_some() {} };
            if timeout_at(until, all).await.is_err() {
                tasks.shutdown().await;
                return false;
            }
        }
    }

    /// Takes a place for a call that may go on without its caller: nothing else bounds how many do.
    pub(super) fn place(app: &Arc<App>, organization: OrganizationId) -> Result<Place, AppError> {
        let crowded =
            || AppError::Overloaded("too many calls with an Idempotency-Key are under way");
        let mut places = app.gateway.apart.places();
        if places.values().sum::<usize>() >= PLACES {
            return Err(crowded());
        }
        let own = places.entry(organization).or_default();
        if *own >= OWN_PLACES {
            return Err(crowded());
        }
        *own += 1;
        let app = Arc::clone(app);
        Ok(Place { app, organization })
    }

    fn places(&self) -> MutexGuard<'_, HashMap<OrganizationId, usize>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tasks(&self) -> MutexGuard<'_, JoinSet<()>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut places = self.app.gateway.apart.places();
        if let Some(own) = places.get_mut(&self.organization) {
            *own -= 1;
            if *own == 0 {
                places.remove(&self.organization);
            }
        }
    }
}
