//! Background work of an organization: asked for, listed, and what it came to.

use skep_authz::rights::{AuditRead, WorkspaceManage};
use skep_domain::{Id, JobId, JobKind, Limits};

use super::keys::JOB_NOTE;
use super::{ControlKeys, OrgTx};
use crate::StoreError;
use crate::backend::PageOf;
use crate::row::{JobFacts, JobRow, NewJobRow};

/// A job. Of an erasure that is done, it is the receipt.
#[derive(Clone, Debug)]
pub struct Job {
    /// What it is.
    pub facts: JobFacts,
    /// Why it failed or was refused.
    pub note: Option<String>,
    /// Rows by table: erased, or counted.
    pub counts: Vec<(String, u64)>,
}

impl OrgTx<WorkspaceManage> {
    /// Queues a job about the workspace that the right was proved in.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when as many of the organization wait as may.
    pub async fn put_job(&mut self, kind: JobKind) -> Result<JobId, StoreError> {
        let (Some(principal), Some(credential)) = (self.principal, self.credential) else {
            return Err(StoreError::Refused("upkeep asks for no job".into()));
        };
        let row = NewJobRow {
            id: self.mint(),
            organization: self.organization,
            workspace: Some(self.workspace),
            kind,
            principal,
            credential,
            created_at: self.door.now,
            bound: Limits::JOBS,
        };
        let id = row.id;
        self.door.rows.put_job(row).await?;
        Ok(id)
    }
}

impl OrgTx<AuditRead> {
    /// One job of the organization.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get_job(&mut self, id: JobId) -> Result<Option<Job>, StoreError> {
        let organization = self.organization;
        let Some(row) = self.door.rows.job(organization, id).await? else {
            return Ok(None);
        };
        let counts = self.door.rows.job_counts(id).await?;
        open(&self.door.keys, row, counts).map(Some)
    }

    /// A page of the organization's jobs, newest first, without what they counted.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_jobs(&mut self, page: PageOf<JobId>) -> Result<Vec<Job>, StoreError> {
        let organization = self.organization;
        let rows = self.door.rows.jobs(organization, page).await?;
        let keys = &self.door.keys;
        let opened = rows.into_iter().map(|row| open(keys, row, Vec::new()));
        opened.collect()
    }
}

fn open(keys: &ControlKeys, row: JobRow, counts: Vec<(String, u64)>) -> Result<Job, StoreError> {
    let at = (row.facts.organization.to_bytes(), row.facts.id.to_bytes());
    let note = row.note.map(|note| keys.open_text(JOB_NOTE, at, &note));
    Ok(Job {
        facts: row.facts,
        note: note.transpose()?,
        counts,
    })
}
