//! Background work: deleting a workspace, taking jobs, doing them, letting go of them.

use std::collections::HashSet;
use std::sync::Arc;

use skep_authz::rights::WorkspaceManage;
use skep_authz::{Authorized, Caller, Denied, Right, resume};
use skep_domain::{
    Bindings, CredentialId, Id, JobId, JobKind, JobState, Limits, OrganizationId, Principal,
    Timestamp, WorkspaceId,
};

use super::{AuthenticateError, Store};
use crate::StoreError;
use crate::access::{CredentialBody, DoorTx, JOB_NOTE, NewAudit, Revocation, Revoked};
use crate::backend::{CredentialKey, Mode};
use crate::row::{EraseStep, JobAsk, JobEnd, JobFacts, JobLease, NewJobRow};
use crate::scope::{ControlKey, ScopeKey};

/// A job that this node has for itself, until its lease runs out. Only [`Store::claim_job`] makes one.
#[derive(Debug)]
pub struct Claimed {
    facts: JobFacts,
    lease: JobLease,
}

/// What becomes of a job.
#[derive(Clone, Debug)]
pub enum Settled {
    /// It came to its end, in a state that is final, perhaps for a reason.
    Final(JobState, Option<String>),
    /// It goes on later, behind what waits already.
    Later,
    /// It failed for a reason, and is not tried again before.
    Retry(Timestamp, String),
}

impl Claimed {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> JobId {
        self.facts.id
    }

    /// Whose it is.
    #[must_use]
    pub fn organization(&self) -> OrganizationId {
        self.facts.organization
    }

    /// What it is about, if that is one workspace.
    #[must_use]
    pub fn workspace(&self) -> Option<WorkspaceId> {
        self.facts.workspace
    }

    /// What it does.
    #[must_use]
    pub fn kind(&self) -> JobKind {
        self.facts.kind
    }

    /// Who asked for it.
    #[must_use]
    pub fn principal(&self) -> Principal {
        self.facts.principal
    }

    /// Attempts in a row that failed, or whose node never came back.
    #[must_use]
    pub fn failures(&self) -> u32 {
        self.facts.failures
    }

    /// What is recorded of it.
    #[must_use]
    pub fn decision(&self, of: NewAudit) -> NewAudit {
        NewAudit {
            organization: Some(self.facts.organization),
            workspace: self.facts.workspace,
            credential: Some(self.facts.credential),
            ..of
        }
    }

    fn scope(&self) -> Result<ScopeKey, StoreError> {
        let workspace = self.facts.workspace;
        let workspace = workspace.ok_or(StoreError::Damaged("a job without its workspace"))?;
        Ok(ScopeKey::provision(self.facts.organization, workspace))
    }
}

impl Store {
    /// Deletes a workspace of the organization in which the right was proved: from here on it is found
    /// nowhere, nothing in it can be opened, and the job erases what is left. Whether the caller may
    /// do that to another workspace than their own is the caller's part. `None` when there is none.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when too many jobs wait; nothing was changed.
    pub async fn retire_workspace(
        &self,
        authorized: Authorized<WorkspaceManage>,
        workspace: WorkspaceId,
    ) -> Result<Option<JobId>, StoreError> {
        let (Some(principal), Some(credential)) = (authorized.principal(), authorized.credential())
        else {
            return Err(StoreError::Refused("upkeep deletes no workspace".into()));
        };
        let organization = authorized.organization();
        drop(authorized);
        let job = NewJobRow {
            id: self.mint(),
            organization,
            workspace: Some(workspace),
            kind: JobKind::EraseWorkspace,
            principal,
            credential,
            created_at: self.clock.now(),
            bound: Limits::JOBS,
        };
        let id = job.id;
        let scope = ScopeKey::provision(organization, workspace);
        let retired = self.backend.retire_workspace(&scope, job).await;
        // After a failure nobody knows what is durable: what was remembered is looked up again.
        self.forget_keys(workspace);
        self.crier.tell(Revocation::Of(Revoked::Credential));
        Ok(retired?.then_some(id))
    }

    /// Forgets the opened keys of workspaces that are not among these.
    pub(super) fn keep_keys_of(&self, there: &[(OrganizationId, WorkspaceId)]) {
        let there: HashSet<WorkspaceId> = there.iter().map(|(_, id)| *id).collect();
        self.open_keys().held.retain(|id, _| there.contains(id));
    }

    pub(super) fn forget_keys(&self, workspace: WorkspaceId) {
        self.open_keys().held.remove(&workspace);
    }

    /// Takes the next job that is due, for a node, until a moment.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn claim_job(
        &self,
        node: [u8; 16],
        until: Timestamp,
    ) -> Result<Option<Claimed>, StoreError> {
        let ask = JobAsk {
            node,
            now: self.clock.now(),
            until,
        };
        let found = self.backend.claim_job(&ControlKey::new(), ask).await?;
        Ok(found.map(|row| Claimed {
            lease: JobLease {
                id: row.facts.id,
                node,
                claims: row.claims,
            },
            facts: row.facts,
        }))
    }

    /// Puts the end of a lease off; `false` when somebody else has the job by now.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn renew_job(&self, job: &Claimed, until: Timestamp) -> Result<bool, StoreError> {
        let key = ControlKey::new();
        self.backend.renew_job(&key, job.lease, until).await
    }

    /// Who asked for a job, as they stand now: what they may is read again.
    ///
    /// # Errors
    /// [`AuthenticateError`]: they may not any more, or it could not be read.
    pub async fn resume(&self, job: &Claimed) -> Result<Caller, AuthenticateError> {
        let tenant = (job.facts.organization, job.facts.workspace);
        self.stands(tenant, job.facts.principal, job.facts.credential)
            .await
    }

    /// Who asked for something that goes on, as they stand now. Whom the credential proved then it has to
    /// prove still.
    ///
    /// # Errors
    /// As [`Store::resume`].
    pub async fn stands(
        &self,
        (organization, workspace): (OrganizationId, Option<WorkspaceId>),
        principal: Principal,
        credential: CredentialId,
    ) -> Result<Caller, AuthenticateError> {
        let key = ControlKey::new();
        let mut rows = self.backend.begin_control(&key, Mode::Read).await?;
        let found = rows.credential_of(organization, credential).await?;
        let found = found.ok_or(Denied::InvalidCredential)?;
        let key = CredentialKey::Row(found.kind, credential);
        let row = rows.credential(key).await?;
        drop(rows);
        let bindings = match row.as_ref().and_then(skep_authz::StoredCredential::body) {
            None => Arc::new(Bindings::default()),
            Some(body) => {
                let body = CredentialBody::open(&self.control, organization, credential, body)?;
                Arc::new(body.bindings)
            }
        };
        let whom = (organization, workspace, principal);
        Ok(resume(row, whom, bindings, self.clock.now())?)
    }

    /// Erases up to so many rows of the workspace that a job is about, from where the last step said
    /// to go on, and puts the lease off.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when somebody else has the job by now; [`StoreError::Refused`] when
    /// the workspace was not deleted. Nothing was erased.
    pub async fn erase_step(
        &self,
        job: &Claimed,
        (from, limit): (u32, u32),
        until: Timestamp,
    ) -> Result<EraseStep, StoreError> {
        let scope = job.scope()?;
        self.forget_keys(scope.workspace());
        self.backend
            .erase_step(&scope, job.lease, (from, limit), until)
            .await
    }

    /// How many rows each table has of a workspace.
    ///
    /// # Errors
    /// [`StoreError::Gone`].
    pub async fn count_rows<P: Right>(
        &self,
        authorized: Authorized<P>,
    ) -> Result<Vec<(&'static str, u64)>, StoreError> {
        let scope = ScopeKey::of(&authorized);
        self.backend.count_rows(&scope).await
    }

    /// Lets go of a job; what it counted and what is to be recorded of it goes with that, or none of
    /// it. `false` when somebody else has it by now.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn settle_job(
        &self,
        job: &Claimed,
        settled: Settled,
        counts: &[(&'static str, u64)],
        decision: Option<NewAudit>,
    ) -> Result<bool, StoreError> {
        let mut tx = self.control_tx(Mode::Write).await?;
        let end = self.end_of(job, settled);
        if !tx.rows.settle_job(job.lease, end).await? {
            return Ok(false);
        }
        if !counts.is_empty() {
            tx.rows.set_job_counts(job.facts.id, counts).await?;
        }
        if let Some(decision) = decision {
            let whose = Some(job.facts.principal);
            tx.append_audit(&[(job.decision(decision), whose, 1)])
                .await?;
        }
        DoorTx::commit(tx).await?;
        Ok(true)
    }

    fn end_of(&self, job: &Claimed, settled: Settled) -> JobEnd {
        let at = (job.facts.organization.to_bytes(), job.facts.id.to_bytes());
        let seal = |note: String| self.control.seal(JOB_NOTE, at, note.as_bytes());
        match settled {
            Settled::Final(state, note) => JobEnd::Final {
                state,
                at: self.clock.now(),
                note: note.map(seal),
            },
            Settled::Later => JobEnd::Later,
            Settled::Retry(not_before, note) => JobEnd::Retry {
                not_before,
                note: seal(note),
            },
        }
    }
}
