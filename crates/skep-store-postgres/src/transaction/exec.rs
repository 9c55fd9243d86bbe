//! Runs of programs.

use async_trait::async_trait;
use skep_crypto::Sealed;
use skep_domain::{ExecId, Principal, Timestamp};
use skep_store::backend::{ExecRows, PageOf};
use skep_store::row::{ExecChange, ExecRow};
use skep_store::{ScopeKey, StoreError};

use super::{PostgresTx, step};
use crate::exec;

#[async_trait]
impl ExecRows for PostgresTx {
    async fn put_exec(&mut self, scope: &ScopeKey, row: ExecRow) -> Result<(), StoreError> {
        step!(self, scope, exec::put, &row)
    }

    async fn exec(&mut self, scope: &ScopeKey, id: ExecId) -> Result<Option<ExecRow>, StoreError> {
        step!(self, scope, exec::get, id)
    }

    async fn exec_outcome(
        &mut self,
        scope: &ScopeKey,
        id: ExecId,
    ) -> Result<Option<Sealed>, StoreError> {
        step!(self, scope, exec::outcome, id)
    }

    async fn execs(
        &mut self,
        scope: &ScopeKey,
        of: Option<Principal>,
        page: PageOf<ExecId>,
    ) -> Result<Vec<ExecRow>, StoreError> {
        step!(self, scope, exec::list, of, page)
    }

    async fn open_execs(
        &mut self,
        scope: &ScopeKey,
        host: [u8; 16],
    ) -> Result<Vec<ExecRow>, StoreError> {
        step!(self, scope, exec::open, host)
    }

    async fn change_exec(
        &mut self,
        scope: &ScopeKey,
        change: ExecChange,
    ) -> Result<bool, StoreError> {
        step!(self, scope, exec::change, &change)
    }

    async fn cancel_exec(&mut self, scope: &ScopeKey, id: ExecId) -> Result<bool, StoreError> {
        step!(self, scope, exec::cancel, id)
    }

    async fn expire_execs(
        &mut self,
        scope: &ScopeKey,
        before: Timestamp,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        step!(self, scope, exec::expire, before, now)
    }

    async fn prune_execs(
        &mut self,
        scope: &ScopeKey,
        before: Timestamp,
        most: (u32, u64),
    ) -> Result<u64, StoreError> {
        step!(self, scope, exec::prune, before, most)
    }
}
