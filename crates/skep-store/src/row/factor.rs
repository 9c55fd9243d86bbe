//! Rows of second factors.

use skep_crypto::Sealed;
use skep_domain::{FactorId, FactorKind, Timestamp, UserId};

use crate::row::Fingerprint;

/// Something that a human proves themselves with beside a password.
#[derive(Clone, Debug)]
pub struct FactorRow {
    /// Whose.
    pub user: UserId,
    /// Its id.
    pub id: FactorId,
    /// What it is.
    pub kind: FactorKind,
    /// Of a passkey's own id.
    pub fingerprint: Option<Fingerprint>,
    /// Whether its holder has shown that it works.
    pub confirmed: bool,
    /// Raised by every change.
    pub version: u64,
    /// Label and secret.
    pub body: Sealed,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last used.
    pub used_at: Option<Timestamp>,
}

/// A change to one factor.
#[derive(Clone, Debug)]
pub struct FactorChange {
    /// Whose.
    pub user: UserId,
    /// Which.
    pub id: FactorId,
    /// The version that was read.
    pub version: u64,
    /// Whether its holder has shown that it works.
    pub confirmed: bool,
    /// Label and secret.
    pub body: Sealed,
    /// When it was last used.
    pub used_at: Option<Timestamp>,
}
