//! The part of the port about capture itself.

use async_trait::async_trait;
use skep_domain::{Principal, Timestamp};
use skep_store::backend::CaptureRows;
use skep_store::row::{BindingRow, Fingerprint, OutcomeCount, PauseRow};
use skep_store::{ScopeKey, StoreError};

use super::SqliteTx;
use crate::capture;

#[async_trait]
impl CaptureRows for SqliteTx {
    async fn add_capture_counts(
        &mut self,
        scope: &ScopeKey,
        counts: Vec<OutcomeCount>,
    ) -> Result<(), StoreError> {
        self.run(scope, move |rows| capture::add_counts(rows, &counts))
            .await
    }
    async fn capture_counts(&mut self, scope: &ScopeKey) -> Result<Vec<OutcomeCount>, StoreError> {
        self.run(scope, move |rows| capture::counts(rows)).await
    }
    async fn raise_spool(
        &mut self,
        scope: &ScopeKey,
        spool: Fingerprint,
        dropped: u64,
    ) -> Result<u64, StoreError> {
        self.run(scope, move |rows| {
            capture::raise_spool(rows, spool, dropped)
        })
        .await
    }
    async fn put_pause(
        &mut self,
        scope: &ScopeKey,
        row: PauseRow,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.run(scope, move |rows| capture::put_pause(rows, &row, now))
            .await
    }
    async fn remove_pause(
        &mut self,
        scope: &ScopeKey,
        holder: Option<Principal>,
        session: Option<Fingerprint>,
    ) -> Result<bool, StoreError> {
        self.run(scope, move |rows| {
            capture::remove_pause(rows, holder, session)
        })
        .await
    }
    async fn pauses(
        &mut self,
        scope: &ScopeKey,
        principal: Principal,
        session: Option<Fingerprint>,
        now: Timestamp,
    ) -> Result<Vec<PauseRow>, StoreError> {
        self.run(scope, move |rows| {
            capture::pauses(rows, principal, session, now)
        })
        .await
    }
    async fn put_binding(
        &mut self,
        scope: &ScopeKey,
        owner: Principal,
        row: BindingRow,
    ) -> Result<(), StoreError> {
        self.run(scope, move |rows| capture::put_binding(rows, owner, &row))
            .await
    }
    async fn remove_binding(
        &mut self,
        scope: &ScopeKey,
        owner: Principal,
        directory: Fingerprint,
    ) -> Result<bool, StoreError> {
        self.run(scope, move |rows| {
            capture::remove_binding(rows, owner, directory)
        })
        .await
    }
    async fn bindings(
        &mut self,
        scope: &ScopeKey,
        owner: Principal,
        directories: Vec<Fingerprint>,
    ) -> Result<Vec<BindingRow>, StoreError> {
        self.run(scope, move |rows| {
            capture::bindings(rows, owner, &directories)
        })
        .await
    }
}
