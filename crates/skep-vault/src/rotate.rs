//! New keys for what is sealed already, while it is used.

use std::sync::PoisonError;

use skep_domain::RecordClass;

use crate::VaultError;
use crate::place::Place;
use crate::vault::Vault;

/// How far a rotation is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rotation {
    /// The number of the key in force.
    pub number: u32,
    /// Records that were sealed anew by this call.
    pub sealed: u64,
    /// Whether records under an older key are left.
    pub under_way: bool,
    /// Records that do not open, and are left as they are with the older key.
    pub damaged: u64,
    /// Records whose organization keeps a key of its own and does not give it: they keep the older one.
    pub closed: u64,
}

impl Vault {
    /// Puts a new key in force, unless a rotation is under way already. Everything stays readable:
    /// the older key is live until nothing is sealed with it.
    ///
    /// # Errors
    /// As [`VaultError`] says.
    pub fn rotate(&self) -> Result<Rotation, VaultError> {
        let _writing = self.writing();
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        if keys.live() < 2 {
            keys.add(&self.directory, &*self.random)?;
        }
        Ok(Rotation {
            number: keys.newest(),
            under_way: true,
            ..Rotation::default()
        })
    }

    /// Which key is in force, and whether an older one still counts.
    #[must_use]
    pub fn rotation(&self) -> Rotation {
        let keys = self.keys();
        Rotation {
            number: keys.newest(),
            under_way: keys.live() > 1,
            ..Rotation::default()
        }
    }

    /// Goes on with a rotation that is under way, for `limit` records at most: also with one that a
    /// process did not finish. A kill at any instant leaves every record readable, under one key or
    /// the other.
    ///
    /// # Errors
    /// As [`VaultError`] says.
    pub fn go_on_rotating(&self, limit: u64) -> Result<Rotation, VaultError> {
        let mut done = Rotation {
            number: self.keys().newest(),
            ..Rotation::default()
        };
        if self.keys().live() < 2 {
            return Ok(done);
        }
        for place in self.places()? {
            for class in RecordClass::ALL {
                for file in self.files(&place, class)? {
                    if done.sealed == limit {
                        done.under_way = true;
                        return Ok(done);
                    }
                    match self.seal_anew(&place, class, file) {
                        Ok(sealed) => done.sealed += u64::from(sealed),
                        Err(VaultError::Damaged { .. }) => done.damaged += 1,
                        Err(VaultError::Closed) => done.closed += 1,
                        Err(other) => return Err(other),
                    }
                }
            }
        }
        if done.damaged + done.closed > 0 {
            // Its key stays: what is damaged may be restored from a copy, what is closed be opened again.
            done.under_way = true;
            return Ok(done);
        }
        let _writing = self.writing();
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        keys.retire(&self.directory, &*self.random)?;
        Ok(done)
    }

    /// Whether there was something to do.
    fn seal_anew(
        &self,
        place: &Place,
        class: RecordClass,
        file: [u8; 16],
    ) -> Result<bool, VaultError> {
        let _writing = self.writing();
        let head = self.head_of(place, class, file)?;
        if head.is_some_and(|head| head.number == self.keys().newest()) {
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
