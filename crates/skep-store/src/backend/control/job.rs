//! Background work, as a transaction on the installation's own tables sees it.

use async_trait::async_trait;
use skep_domain::{JobId, OrganizationId};

use crate::StoreError;
use crate::backend::PageOf;
use crate::row::{JobEnd, JobLease, JobRow, NewJobRow};

/// Background work.
#[async_trait]
pub trait JobRows {
    /// Queues one, behind those of its organization and level with the first of any other.
    /// [`StoreError::Conflict`] when as many wait as may.
    async fn put_job(&mut self, row: NewJobRow) -> Result<(), StoreError>;
    /// One of an organization.
    async fn job(
        &mut self,
        organization: OrganizationId,
        id: JobId,
    ) -> Result<Option<JobRow>, StoreError>;
    /// A page, newest first.
    async fn jobs(
        &mut self,
        organization: OrganizationId,
        page: PageOf<JobId>,
    ) -> Result<Vec<JobRow>, StoreError>;
    /// What it has counted so far, by name.
    async fn job_counts(&mut self, id: JobId) -> Result<Vec<(String, u64)>, StoreError>;
    /// Puts these in the place of what it has counted.
    async fn set_job_counts(
        &mut self,
        id: JobId,
        counts: &[(&'static str, u64)],
    ) -> Result<(), StoreError>;
    /// Lets go of one; `false` when somebody else has it by now, and then nothing changed.
    async fn settle_job(&mut self, lease: JobLease, end: JobEnd) -> Result<bool, StoreError>;
}
