//! The part of the port about capture itself.

use async_trait::async_trait;
use skep_domain::{Principal, Timestamp};
use skep_store::backend::CaptureRows;
use skep_store::row::{BindingRow, Fingerprint, OutcomeCount, PauseRow};
use skep_store::{ScopeKey, StoreError};

use super::{PostgresTx, step};
use crate::capture;

#[async_trait]
impl CaptureRows for PostgresTx {
    async fn add_capture_counts(
        &mut self,
        scope: &ScopeKey,
        counts: Vec<OutcomeCount>,
    ) -> Result<(), StoreError> {
        step!(self, scope, capture::add_counts, &counts)
    }
    async fn capture_counts(&mut self, scope: &ScopeKey) -> Result<Vec<OutcomeCount>, StoreError> {
        step!(self, scope, capture::counts)
    }
    async fn raise_spool(
        &mut self,
        scope: &ScopeKey,
        spool: Fingerprint,
        dropped: u64,
    ) -> Result<u64, StoreError> {
        step!(self, scope, capture::raise_spool, spool, dropped)
    }
    async fn put_pause(
        &mut self,
        scope: &ScopeKey,
        row: PauseRow,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        step!(self, scope, capture::put_pause, &row, now)
    }
    async fn remove_pause(
        &mut self,
        scope: &ScopeKey,
        holder: Option<Principal>,
        session: Option<Fingerprint>,
    ) -> Result<bool, StoreError> {
        step!(self, scope, capture::remove_pause, holder, session)
    }
    async fn pauses(
        &mut self,
        scope: &ScopeKey,
        principal: Principal,
        session: Option<Fingerprint>,
        now: Timestamp,
    ) -> Result<Vec<PauseRow>, StoreError> {
        step!(self, scope, capture::pauses, principal, session, now)
    }
    async fn put_binding(
        &mut self,
        scope: &ScopeKey,
        owner: Principal,
        row: BindingRow,
    ) -> Result<(), StoreError> {
        step!(self, scope, capture::put_binding, owner, &row)
    }
    async fn remove_binding(
        &mut self,
        scope: &ScopeKey,
        owner: Principal,
        directory: Fingerprint,
    ) -> Result<bool, StoreError> {
        step!(self, scope, capture::remove_binding, owner, directory)
    }
    async fn bindings(
        &mut self,
        scope: &ScopeKey,
        owner: Principal,
        directories: Vec<Fingerprint>,
    ) -> Result<Vec<BindingRow>, StoreError> {
        step!(self, scope, capture::bindings, owner, &directories)
    }
}
