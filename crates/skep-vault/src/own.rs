//! What the daemon keeps for itself, beside everybody's records and sealed like them: nobody else's right
//! reaches it, since it is of a class that no [`Class`](crate::Class) names.

use skep_crypto::Plain;
use skep_domain::{Limits, RecordClass, RecordName, Timestamp};

use crate::VaultError;
use crate::error::least;
use crate::place::Place;
use crate::record::{Listed, Record};
use crate::vault::Vault;

/// What the daemon keeps, and when it put it there.
pub type Kept = (Plain<Vec<u8>>, Timestamp);

impl Vault {
    /// What the daemon keeps under this name. Banned by `clippy.toml` outside of the places that keep
    /// something: nothing that answers a caller may hold what this gives.
    ///
    /// # Errors
    /// [`VaultError::Damaged`].
    pub fn own(&self, name: &RecordName) -> Result<Option<Kept>, VaultError> {
        let (place, class) = (Place::own(), RecordClass::Own);
        let file = self.keys().file(&place, class, &name.key());
        let found = self.load(&place, class, file)?;
        Ok(found.map(|record| (record.value, record.about.changed_at)))
    }

    /// Keeps something for the daemon itself, in the place of what was kept under this name. As guarded
    /// as [`Vault::own`].
    ///
    /// # Errors
    /// [`VaultError::Size`], [`VaultError::Full`].
    pub fn keep_own(
        &self,
        name: &RecordName,
        value: Plain<Vec<u8>>,
        now: Timestamp,
    ) -> Result<(), VaultError> {
        if !(least(RecordClass::Own)..=Limits::RECORD_VALUE).contains(&value.expose().len()) {
            return Err(VaultError::Size(RecordClass::Own));
        }
        let about = Listed {
            name: name.clone(),
            created_at: now,
            changed_at: now,
            changed_by: None,
            reference: None,
        };
        let record = Record { about, value };
        self.keep(&Place::own(), RecordClass::Own, record)?;
        Ok(())
    }
}
