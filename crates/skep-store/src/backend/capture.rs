//! The part of the port about capture itself: counters, pauses, bound directories.

use async_trait::async_trait;
use skep_domain::{Principal, Timestamp};

use crate::StoreError;
use crate::row::{BindingRow, Fingerprint, OutcomeCount, PauseRow};
use crate::scope::ScopeKey;

/// Rows about capture.
#[async_trait]
pub trait CaptureRows: Send {
    /// Adds to the counters.
    async fn add_capture_counts(
        &mut self,
        scope: &ScopeKey,
        counts: Vec<OutcomeCount>,
    ) -> Result<(), StoreError>;
    /// The counters that are not zero, by code.
    async fn capture_counts(&mut self, scope: &ScopeKey) -> Result<Vec<OutcomeCount>, StoreError>;
    /// Keeps the most that a spool ever said it had dropped; gives by how much that is more.
    async fn raise_spool(
        &mut self,
        scope: &ScopeKey,
        spool: Fingerprint,
        dropped: u64,
    ) -> Result<u64, StoreError>;

    /// Keeps a pause in the place of the one with the same holder and session, and lets go of those
    /// that ended before `now`.
    async fn put_pause(
        &mut self,
        scope: &ScopeKey,
        row: PauseRow,
        now: Timestamp,
    ) -> Result<(), StoreError>;
    /// Takes away the pause of a holder and a session; says whether there was one.
    async fn remove_pause(
        &mut self,
        scope: &ScopeKey,
        holder: Option<Principal>,
        session: Option<Fingerprint>,
    ) -> Result<bool, StoreError>;
    /// The pauses in force for everybody and for this principal: those of every session, and of one
    /// session those of `session`, or all of them if it is `None`.
    async fn pauses(
        &mut self,
        scope: &ScopeKey,
        principal: Principal,
        session: Option<Fingerprint>,
        now: Timestamp,
    ) -> Result<Vec<PauseRow>, StoreError>;

    /// Binds a directory, or binds it anew.
    async fn put_binding(
        &mut self,
        scope: &ScopeKey,
        owner: Principal,
        row: BindingRow,
    ) -> Result<(), StoreError>;
    /// Unbinds a directory; says whether it was bound.
    async fn remove_binding(
        &mut self,
        scope: &ScopeKey,
        owner: Principal,
        directory: Fingerprint,
    ) -> Result<bool, StoreError>;
    /// Those of these directories that the owner bound; all that they bound if none is named.
    async fn bindings(
        &mut self,
        scope: &ScopeKey,
        owner: Principal,
        directories: Vec<Fingerprint>,
    ) -> Result<Vec<BindingRow>, StoreError>;
}
