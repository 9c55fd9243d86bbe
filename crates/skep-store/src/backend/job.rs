//! Background work outside a caller's transaction: taking a job, and erasing what one is about.

use async_trait::async_trait;
use skep_domain::Timestamp;

use crate::StoreError;
use crate::row::{EraseStep, JobAsk, JobLease, JobRow, NewJobRow};
use crate::scope::{ControlKey, ScopeKey};

/// The work of jobs. None of this waits for those who write the installation's own tables, where the
/// backend can help it.
#[async_trait]
pub trait JobQueue {
    /// Takes the next job that is due, or whose holder's lease ran out: by priority, then in turns
    /// between organizations. Never one that somebody else has.
    async fn claim_job(&self, key: &ControlKey, ask: JobAsk) -> Result<Option<JobRow>, StoreError>;

    /// Puts the end of a lease off; `false` when it is somebody else's by now.
    async fn renew_job(
        &self,
        key: &ControlKey,
        lease: JobLease,
        until: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Deletes a workspace, in one step: from here on it is nowhere found and its data key is gone,
    /// and a job is queued to erase what is left. Writers of the workspace end first. `false` when
    /// there is none.
    async fn retire_workspace(&self, scope: &ScopeKey, job: NewJobRow) -> Result<bool, StoreError>;

    /// Erases up to `limit` rows of a workspace that was deleted, and counts them for the job, all or
    /// nothing; the lease is put off to `until`. `from` is where the last step said to go on, or 0.
    /// [`StoreError::Conflict`] when somebody else has the job, [`StoreError::Refused`] when the
    /// workspace was not deleted; nothing is erased then.
    async fn erase_step(
        &self,
        scope: &ScopeKey,
        lease: JobLease,
        (from, limit): (u32, u32),
        until: Timestamp,
    ) -> Result<EraseStep, StoreError>;

    /// How many rows each table has of a workspace; only those that have any.
    async fn count_rows(&self, scope: &ScopeKey) -> Result<Vec<(&'static str, u64)>, StoreError>;
}
