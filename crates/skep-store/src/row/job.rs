//! Rows of background work.

use skep_crypto::Sealed;
use skep_domain::{
    CredentialId, JobId, JobKind, JobState, OrganizationId, Principal, Timestamp, WorkspaceId,
};

use crate::StoreError;

/// A job to keep. There is none without an organization, and none that nobody asked for.
#[derive(Clone, Debug)]
pub struct NewJobRow {
    /// Its id.
    pub id: JobId,
    /// Whose it is.
    pub organization: OrganizationId,
    /// What it is about, if that is one workspace.
    pub workspace: Option<WorkspaceId>,
    /// What it does.
    pub kind: JobKind,
    /// Who asked.
    pub principal: Principal,
    /// With what.
    pub credential: CredentialId,
    /// When.
    pub created_at: Timestamp,
    /// So many of the organization may wait or run, this one included.
    pub bound: u32,
}

impl NewJobRow {
    /// Whether it may be kept beside so many of its organization that wait or run.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when those are as many as may.
    pub fn fits(&self, waiting: u32) -> Result<(), StoreError> {
        if waiting >= self.bound {
            return Err(StoreError::Conflict("as many jobs as may wait"));
        }
        Ok(())
    }
}

/// A job as whoever asked for it may see it, but for what is sealed.
#[derive(Clone, Debug)]
pub struct JobFacts {
    /// Its id.
    pub id: JobId,
    /// Whose it is.
    pub organization: OrganizationId,
    /// What it is about, if that is one workspace.
    pub workspace: Option<WorkspaceId>,
    /// What it does.
    pub kind: JobKind,
    /// How far it is.
    pub state: JobState,
    /// Who asked.
    pub principal: Principal,
    /// With what.
    pub credential: CredentialId,
    /// Attempts in a row that failed, or whose node never came back.
    pub failures: u32,
    /// Not tried before.
    pub not_before: Timestamp,
    /// Until when whoever works on it has it for themselves.
    pub lease_until: Option<Timestamp>,
    /// Who works on it, or did last.
    pub node: Option<[u8; 16]>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it came to its end.
    pub finished_at: Option<Timestamp>,
}

/// A job.
#[derive(Clone, Debug)]
pub struct JobRow {
    /// What it is.
    pub facts: JobFacts,
    /// How often somebody took it: which of them holds it now.
    pub claims: u64,
    /// Why it failed or was refused, sealed.
    pub note: Option<Sealed>,
}

/// Who wants a job.
#[derive(Clone, Copy, Debug)]
pub struct JobAsk {
    /// Whoever works on it.
    pub node: [u8; 16],
    /// The present.
    pub now: Timestamp,
    /// Until when they have it for themselves.
    pub until: Timestamp,
}

/// That somebody has a job: nothing is done for it without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobLease {
    /// The job.
    pub id: JobId,
    /// Who has it.
    pub node: [u8; 16],
    /// Which of its claims this is.
    pub claims: u64,
}

/// What becomes of a job that somebody had.
#[derive(Clone, Debug)]
pub enum JobEnd {
    /// It came to its end, in this state.
    Final {
        /// One that is final.
        state: JobState,
        /// When.
        at: Timestamp,
        /// Why, sealed.
        note: Option<Sealed>,
    },
    /// It goes on later, behind what waits already.
    Later,
    /// It failed this time.
    Retry {
        /// Not before.
        not_before: Timestamp,
        /// Why, sealed.
        note: Sealed,
    },
}

/// What a step of an erasure did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EraseStep {
    /// Rows that it erased.
    pub rows: u64,
    /// Where the next one goes on.
    pub next: u32,
    /// Whether nothing is left.
    pub is_done: bool,
}
