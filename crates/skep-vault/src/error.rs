//! What can go wrong with a vault, named for what the caller can do.

use skep_crypto::{CryptoError, PrivateError};
use skep_domain::{Limits, RecordClass};

/// Every failure of this crate. None carries a value.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The value is too short or too long.
    #[error(
        "the value of a {} has {} to {} bytes",
        .0.as_str(), least(*.0), Limits::RECORD_VALUE
    )]
    Size(RecordClass),
    /// There are as many records of this class as one place holds.
    #[error(
        "there are {} records here already, which is the most; remove one first",
        Limits::RECORDS
    )]
    Full,
    /// The caller may not reach this place.
    #[error("what belongs to an agent is used by that agent alone")]
    NotYours,
    /// A file or directory is not ours alone, or the system refused.
    #[error("the vault: {0}")]
    File(#[from] PrivateError),
    /// The vault was sealed with another root key, or on another machine.
    #[error(
        "the vault was sealed with another root key or on another machine, and does not open here; \
         bring back the root key it was made with, or set its secrets anew on this machine"
    )]
    WrongKey,
    /// The organization whose record it is keeps a key of its own, which is not at hand.
    #[error("the organization's own key is needed for this, and was not given")]
    Closed,
    /// A file of the vault is not what was written.
    #[error("the vault: {what} is damaged or was moved; restore it from a copy, or set it anew")]
    Damaged {
        /// The file.
        what: String,
    },
}

/// The shortest value of a class.
pub(crate) const fn least(class: RecordClass) -> usize {
    match class {
        RecordClass::Secret => Limits::SECRET_VALUE_MIN,
        RecordClass::Setting | RecordClass::Own => 1,
    }
}

/// What to make of a key that did not open something.
pub(crate) fn unopened(error: &CryptoError, what: &str) -> VaultError {
    match error {
        CryptoError::WrongKey => VaultError::WrongKey,
        _ => VaultError::Damaged { what: what.into() },
    }
}
