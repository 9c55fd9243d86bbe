//! What distilling needs, on a thread that may block.

use async_trait::async_trait;
use skep_domain::{MemoryId, SessionId};
use skep_store::backend::DistilRows;
use skep_store::row::{Fingerprint, HistoryRow, StoredMemoryRow};
use skep_store::{ScopeKey, StoreError};

use super::SqliteTx;
use crate::distil;

#[async_trait]
impl DistilRows for SqliteTx {
    async fn distilled(
        &mut self,
        scope: &ScopeKey,
        session: SessionId,
        limit: u32,
    ) -> Result<Vec<StoredMemoryRow>, StoreError> {
        self.run(scope, move |rows| distil::list(rows, session, limit))
            .await
    }

    async fn distilled_as(
        &mut self,
        scope: &ScopeKey,
        session: SessionId,
        fingerprint: Fingerprint,
    ) -> Result<Option<MemoryId>, StoreError> {
        self.run(scope, move |rows| distil::get(rows, session, fingerprint))
            .await
    }

    async fn set_state_for_upkeep(
        &mut self,
        scope: &ScopeKey,
        id: MemoryId,
        entry: HistoryRow,
    ) -> Result<bool, StoreError> {
        self.run(scope, move |rows| distil::set_state(rows, id, &entry))
            .await
    }

    async fn put_command_runs(
        &mut self,
        scope: &ScopeKey,
        session: SessionId,
        runs: Vec<Fingerprint>,
    ) -> Result<Vec<u64>, StoreError> {
        self.run(scope, move |rows| {
            distil::put_command_runs(rows, session, &runs)
        })
        .await
    }
}
