//! Turns that could not be stored, until they can be counted.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use skep_domain::{OrganizationId, WorkspaceId};

type Tenant = (OrganizationId, WorkspaceId);

/// What a failing store could not count itself. It is kept here until the next batch that succeeds
/// takes it along, or the daemon ends.
#[derive(Debug, Default)]
pub(crate) struct Losses(Mutex<HashMap<Tenant, u64>>);

impl Losses {
    pub(crate) fn note(&self, tenant: Tenant, turns: u64) {
        if turns > 0 {
            *self.lock().entry(tenant).or_default() += turns;
        }
    }

    pub(crate) fn take(&self, tenant: Tenant) -> u64 {
        self.lock().remove(&tenant).unwrap_or_default()
    }

    pub(crate) fn pending(&self, tenant: Tenant) -> u64 {
        self.lock().get(&tenant).copied().unwrap_or_default()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Tenant, u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
