//! Runs of programs, on a thread that may block.

use async_trait::async_trait;
use skep_crypto::Sealed;
use skep_domain::{ExecId, Principal, Timestamp};
use skep_store::backend::{ExecRows, PageOf};
use skep_store::row::{ExecChange, ExecRow};
use skep_store::{ScopeKey, StoreError};

use super::SqliteTx;
use crate::exec;

#[async_trait]
impl ExecRows for SqliteTx {
    async fn put_exec(&mut self, scope: &ScopeKey, row: ExecRow) -> Result<(), StoreError> {
        self.run(scope, move |rows| exec::put(rows, &row)).await
    }

    async fn exec(&mut self, scope: &ScopeKey, id: ExecId) -> Result<Option<ExecRow>, StoreError> {
        self.run(scope, move |rows| exec::get(rows, id)).await
    }

    async fn exec_outcome(
        &mut self,
        scope: &ScopeKey,
        id: ExecId,
    ) -> Result<Option<Sealed>, StoreError> {
        self.run(scope, move |rows| exec::outcome(rows, id)).await
    }

    async fn execs(
        &mut self,
        scope: &ScopeKey,
        of: Option<Principal>,
        page: PageOf<ExecId>,
    ) -> Result<Vec<ExecRow>, StoreError> {
        self.run(scope, move |rows| exec::list(rows, of, page))
            .await
    }

    async fn open_execs(
        &mut self,
        scope: &ScopeKey,
        host: [u8; 16],
    ) -> Result<Vec<ExecRow>, StoreError> {
        self.run(scope, move |rows| exec::open(rows, host)).await
    }

    async fn change_exec(
        &mut self,
        scope: &ScopeKey,
        change: ExecChange,
    ) -> Result<bool, StoreError> {
        self.run(scope, move |rows| exec::change(rows, &change))
            .await
    }

    async fn cancel_exec(&mut self, scope: &ScopeKey, id: ExecId) -> Result<bool, StoreError> {
        self.run(scope, move |rows| exec::cancel(rows, id)).await
    }

    async fn expire_execs(
        &mut self,
        scope: &ScopeKey,
        before: Timestamp,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        self.run(scope, move |rows| exec::expire(rows, before, now))
            .await
    }

    async fn prune_execs(
        &mut self,
        scope: &ScopeKey,
        before: Timestamp,
        most: (u32, u64),
    ) -> Result<u64, StoreError> {
        self.run(scope, move |rows| exec::prune(rows, before, most))
            .await
    }
}
