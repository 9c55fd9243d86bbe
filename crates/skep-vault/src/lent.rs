//! Keys of organizations that keep one of their own: what is sealed for them needs it as well, and it is lent for as
//! long as it is given.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use skep_crypto::VaultKey;
use skep_domain::{Id, OrganizationId, RecordClass};

use crate::VaultError;
use crate::place::Place;
use crate::vault::Vault;

/// The key of each organization that needs one; nothing once that was taken back.
#[derive(Default)]
pub(crate) struct Lent(Mutex<BTreeMap<[u8; 16], Option<VaultKey>>>);

/// How far records are under the keys that their organizations need.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Enclosing {
    /// Records that were sealed anew by this call.
    pub sealed: u64,
    /// Whether there are more to do.
    pub under_way: bool,
    /// Records that do not open, and are left as they are.
    pub damaged: u64,
}

impl Lent {
    fn all(&self) -> MutexGuard<'_, BTreeMap<[u8; 16], Option<VaultKey>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the records of a place are sealed with beside the host's key.
    pub(crate) fn held(&self, place: &Place) -> Result<Option<VaultKey>, VaultError> {
        match self.all().get(&place.owner()) {
            None => Ok(None),
            Some(Some(key)) => Ok(Some(key.again())),
            Some(None) => Err(VaultError::Closed),
        }
    }

    /// What a record needs that says whether it does.
    pub(crate) fn needed(
        &self,
        place: &Place,
        is_owned: bool,
    ) -> Result<Option<VaultKey>, VaultError> {
        // Also what was not sealed anew yet is closed with the rest.
        let held = self.held(place)?;
        match (is_owned, held) {
            (false, _) => Ok(None),
            (true, Some(key)) => Ok(Some(key)),
            (true, None) => Err(VaultError::Closed),
        }
    }

    fn is_lent(&self, place: &Place) -> bool {
        matches!(self.all().get(&place.owner()), Some(Some(_)))
    }
}

impl Vault {
    /// Seals what is set for an organization with this key as well from now on, and opens with it what was sealed
    /// so.
    pub fn lend(&self, organization: OrganizationId, key: VaultKey) {
        self.lent.all().insert(organization.to_bytes(), Some(key));
    }

    /// Forgets an organization's key: nothing of its opens, and nothing is set, until it is lent again.
    pub fn take_back(&self, organization: OrganizationId) {
        if let Some(lent) = self.lent.all().get_mut(&organization.to_bytes()) {
            *lent = None;
        }
    }

    /// Organizations that have records here.
    ///
    /// # Errors
    /// As [`VaultError`] says.
    pub fn organizations(&self) -> Result<Vec<OrganizationId>, VaultError> {
        let mut owners: Vec<_> = self.places()?.iter().map(Place::owner).collect();
        owners.sort_unstable();
        owners.dedup();
        owners.retain(|owner| *owner != Place::own().owner());
        Ok(owners.into_iter().map(OrganizationId::from_bytes).collect())
    }

    /// Seals records anew that are not under the key which their organization has lent, `limit` at most. A kill at
    /// any instant leaves every record readable, in one form or the other.
    ///
    /// # Errors
    /// As [`VaultError`] says.
    pub fn go_on_enclosing(&self, limit: u64) -> Result<Enclosing, VaultError> {
        let mut done = Enclosing::default();
        for place in self.places()? {
            if !self.lent.is_lent(&place) {
                continue;
            }
            for class in RecordClass::ALL {
                for file in self.files(&place, class)? {
                    if done.sealed == limit {
                        done.under_way = true;
                        return Ok(done);
                    }
                    match self.enclose(&place, class, file) {
                        Ok(sealed) => done.sealed += u64::from(sealed),
                        Err(VaultError::Damaged { .. }) => done.damaged += 1,
                        // It was taken back meanwhile.
                        Err(VaultError::Closed) => {}
                        Err(other) => return Err(other),
                    }
                }
            }
        }
        Ok(done)
    }

    /// Whether there was something to do.
    fn enclose(
        &self,
        place: &Place,
        class: RecordClass,
        file: [u8; 16],
    ) -> Result<bool, VaultError> {
        let _writing = self.writing();
        if self
            .head_of(place, class, file)?
            .is_none_or(|head| head.is_owned)
        {
            return Ok(false);
        }
        let Some(record) = self.load(place, class, file)? else {
            return Ok(false);
        };
        let directory = self.directory.make_inside(&place.directory())?;
        self.store(&directory, place, class, file, &record)?;
        Ok(true)
    }
}
