//! What distilling needs.

use async_trait::async_trait;
use skep_domain::{MemoryId, SessionId};
use skep_store::backend::DistilRows;
use skep_store::row::{Fingerprint, HistoryRow, StoredMemoryRow};
use skep_store::{ScopeKey, StoreError};

use super::{PostgresTx, step};
use crate::distil;

#[async_trait]
impl DistilRows for PostgresTx {
    async fn distilled(
        &mut self,
        scope: &ScopeKey,
        session: SessionId,
        limit: u32,
    ) -> Result<Vec<StoredMemoryRow>, StoreError> {
        step!(self, scope, distil::list, session, limit)
    }

    async fn distilled_as(
        &mut self,
        scope: &ScopeKey,
        session: SessionId,
        fingerprint: Fingerprint,
    ) -> Result<Option<MemoryId>, StoreError> {
        step!(self, scope, distil::get, session, fingerprint)
    }

    async fn set_state_for_upkeep(
        &mut self,
        scope: &ScopeKey,
        id: MemoryId,
        entry: HistoryRow,
    ) -> Result<bool, StoreError> {
        step!(self, scope, distil::set_state, id, &entry)
    }

    async fn put_command_runs(
        &mut self,
        scope: &ScopeKey,
        session: SessionId,
        runs: Vec<Fingerprint>,
    ) -> Result<Vec<u64>, StoreError> {
        step!(self, scope, distil::put_command_runs, session, &runs)
    }
}
