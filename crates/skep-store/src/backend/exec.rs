//! The part of the port that keeps runs of programs.

use async_trait::async_trait;
use skep_crypto::Sealed;
use skep_domain::{ExecId, Principal, Timestamp};

use super::PageOf;
use crate::StoreError;
use crate::row::{ExecChange, ExecRow};
use crate::scope::ScopeKey;

/// Runs of programs with secrets.
#[async_trait]
pub trait ExecRows: Send {
    /// Keeps one that waits. One that is there is [`StoreError::Conflict`].
    async fn put_exec(&mut self, scope: &ScopeKey, row: ExecRow) -> Result<(), StoreError>;
    /// One of them.
    async fn exec(&mut self, scope: &ScopeKey, id: ExecId) -> Result<Option<ExecRow>, StoreError>;
    /// How it ended; `None` also when it is not there.
    async fn exec_outcome(
        &mut self,
        scope: &ScopeKey,
        id: ExecId,
    ) -> Result<Option<Sealed>, StoreError>;
    /// Those of somebody, or of everybody, newest first.
    async fn execs(
        &mut self,
        scope: &ScopeKey,
        of: Option<Principal>,
        page: PageOf<ExecId>,
    ) -> Result<Vec<ExecRow>, StoreError>;
    /// Those of a host that have not ended, in the order of their turns.
    async fn open_execs(
        &mut self,
        scope: &ScopeKey,
        host: [u8; 16],
    ) -> Result<Vec<ExecRow>, StoreError>;
    /// Takes a step; `false` when it was not in the state before.
    async fn change_exec(
        &mut self,
        scope: &ScopeKey,
        change: ExecChange,
    ) -> Result<bool, StoreError>;
    /// Notes that somebody wants a run to end; `false` when it has ended.
    async fn cancel_exec(&mut self, scope: &ScopeKey, id: ExecId) -> Result<bool, StoreError>;
    /// Ends those that were asked for before a moment and that their host never came back to.
    async fn expire_execs(
        &mut self,
        scope: &ScopeKey,
        before: Timestamp,
        now: Timestamp,
    ) -> Result<u64, StoreError>;
    /// Removes those that ended before a moment, and the oldest beyond so many rows and bytes.
    async fn prune_execs(
        &mut self,
        scope: &ScopeKey,
        before: Timestamp,
        most: (u32, u64),
    ) -> Result<u64, StoreError>;
}
