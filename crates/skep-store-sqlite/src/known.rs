//! Credentials that were looked up, for as long as nothing changes that decides what they are worth.
//!
//! Each request looks one up. Only one process has the file, and it counts its own commits, so that what is held here
//! is what a look would find.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use skep_store::backend::{CredentialKey, StoredCredential};

/// Credentials that are held; one more, and all are looked up again.
const HELD: usize = 4_096;

/// What was found, and after which change.
#[derive(Default)]
pub(crate) struct Known(Mutex<HashMap<CredentialKey, (u64, StoredCredential)>>);

impl Known {
    /// What was found, if nothing has changed since.
    pub(crate) fn get(&self, key: &CredentialKey, change: u64) -> Option<StoredCredential> {
        let held = self.held();
        let (at, found) = held.get(key)?;
        (*at == change).then(|| found.clone())
    }

    /// Holds what was found by a look that began after this change.
    pub(crate) fn keep(&self, key: CredentialKey, change: u64, found: &StoredCredential) {
        let mut held = self.held();
        if held.len() >= HELD {
            held.clear();
        }
        held.insert(key, (change, found.clone()));
    }

    fn held(&self) -> MutexGuard<'_, HashMap<CredentialKey, (u64, StoredCredential)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
