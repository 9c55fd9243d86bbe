//! Background work: asked for by somebody, done later by whichever node takes it, in steps that a kill
//! may end anywhere.
//!
//! What was decided when it was accepted (an erasure) is the daemon's to do from then on, whatever
//! becomes of who asked. All else is done in the name of whoever asked, and what they may is read again
//! first: [`Store::resume`](skep_store::Store::resume).

mod erase;

use std::sync::Arc;
use std::time::Duration;

use skep_authz::Authorized;
use skep_authz::rights::{AuditRead, WorkspaceManage};
use skep_domain::{JobId, JobKind, JobState, Timestamp};
use skep_store::{AuthenticateError, Claimed, Job, NewAudit, Outcome, PageOf, Settled, StoreError};
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::{App, AppError};

/// Whoever asks for a job tells the worker of this node; others look for it.
#[derive(Default)]
pub(crate) struct Jobs {
    bell: Notify,
}

/// The loop that does jobs, one after the other, to be run by whoever owns the daemon's tasks.
pub struct Worker {
    app: Arc<App>,
    /// What it is known by, as long as it runs.
    node: [u8; 16],
}

/// A page of jobs.
#[derive(Debug)]
pub struct JobPage {
    /// The jobs, newest first.
    pub items: Vec<Job>,
    /// Whether there are more.
    pub more: bool,
}

/// How far a job came while its turn lasted.
enum Came {
    /// To its end, with what is to be kept of it.
    Through(Vec<(&'static str, u64)>),
    /// As far as its turn let it.
    Part,
    /// Whoever asked for it may not any more.
    Refused(String),
}

/// For so long a node has a job for itself; each step begins that anew.
const LEASE: Duration = Duration::from_mins(1);
/// How often a node looks for what others asked for, or left.
const LOOK: Duration = Duration::from_secs(5);
/// A job that failed so often in a row is given up, unless it is owed.
const ATTEMPTS: u32 = 5;
/// Seconds before the second attempt; each one after waits twice as long.
const FIRST_WAIT: u64 = 5;
/// Seconds that no attempt waits longer than.
const LONGEST_WAIT: u64 = 3_600;

impl Jobs {
    pub(crate) fn ring(&self) {
        self.bell.notify_one();
    }
}

impl App {
    /// Asks for the numbers of rows that the workspace has, by table.
    ///
    /// # Errors
    /// [`AppError::Overloaded`].
    pub async fn ask_inventory(
        &self,
        authorized: Authorized<WorkspaceManage>,
    ) -> Result<JobId, AppError> {
        let mut tx = self.store.begin_org(authorized).await?;
        let id = match tx.put_job(JobKind::Inventory).await {
            Err(StoreError::Conflict(_)) => Err(AppError::Overloaded("jobs of this organization")),
            outcome => Ok(outcome?),
        }?;
        tx.commit().await?;
        self.jobs.ring();
        Ok(id)
    }

    /// One job of the organization, with what it has counted.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn get_job(
        &self,
        authorized: Authorized<AuditRead>,
        id: JobId,
    ) -> Result<Job, AppError> {
        let mut tx = self.store.begin_org(authorized).await?;
        let job = tx.get_job(id).await?;
        job.ok_or(AppError::NotFound("job"))
    }

    /// A page of the organization's jobs.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn list_jobs(
        &self,
        authorized: Authorized<AuditRead>,
        page: PageOf<JobId>,
    ) -> Result<JobPage, AppError> {
        let mut tx = self.store.begin_org(authorized).await?;
        let mut items = tx.list_jobs(page.and_one()).await?;
        let more = items.len() > page.limit as usize;
        items.truncate(page.limit as usize);
        Ok(JobPage { items, more })
    }

    /// Does a turn of the next job that is due; `false` when there is none.
    ///
    /// # Errors
    /// [`AppError::Store`] when jobs cannot be taken or let go of.
    pub async fn do_next_job(&self, node: [u8; 16]) -> Result<bool, AppError> {
        let Some(job) = self.store.claim_job(node, self.lease_end()).await? else {
            return Ok(false);
        };
        // Its nodes were killed so often that it is better not tried by another one.
        let is_spent = job.failures() >= ATTEMPTS && !job.kind().is_owed();
        let came = if is_spent {
            Err(AppError::Internal("whoever did it never came back"))
        } else {
            self.do_turn(&job).await
        };
        self.end_turn(&job, came).await?;
        Ok(true)
    }

    async fn do_turn(&self, job: &Claimed) -> Result<Came, AppError> {
        match job.kind() {
            JobKind::EraseWorkspace => self.erase_turn(job).await,
            JobKind::Inventory => self.inventory_turn(job).await,
        }
    }

    /// What is not owed is done in the name of whoever asked, as they stand now.
    async fn inventory_turn(&self, job: &Claimed) -> Result<Came, AppError> {
        let caller = match self.store.resume(job).await {
            Err(AuthenticateError::Denied(denied)) => return Ok(Came::Refused(denied.to_string())),
            outcome => outcome?,
        };
        let authorized = match caller.authorize::<WorkspaceManage>() {
            Err(denied) => return Ok(Came::Refused(denied.to_string())),
            Ok(authorized) => authorized,
        };
        match self.store.count_rows(authorized).await {
            Err(StoreError::Gone) => Ok(Came::Refused("there is no such workspace".into())),
            counts => Ok(Came::Through(counts?)),
        }
    }

    async fn end_turn(&self, job: &Claimed, came: Result<Came, AppError>) -> Result<(), AppError> {
        let (settled, counts, decision) = match came {
            Ok(Came::Through(counts)) => (
                Settled::Final(JobState::Done, None),
                counts,
                Some(self.decision(job, "done", Outcome::Allowed, String::new())),
            ),
            Ok(Came::Part) => (Settled::Later, Vec::new(), None),
            Ok(Came::Refused(why)) => (
                Settled::Final(JobState::Refused, Some(why.clone())),
                Vec::new(),
                Some(self.decision(job, "refused", Outcome::Denied, why)),
            ),
            Err(error) => self.after_failure(job, &error),
        };
        let ours = self.store.settle_job(job, settled, &counts, decision);
        if !ours.await? {
            tracing::warn!("a job went to another node before this one let go of it");
        }
        Ok(())
    }

    /// Another attempt, later each time; none when it failed too often and is not owed.
    fn after_failure(
        &self,
        job: &Claimed,
        error: &AppError,
    ) -> (Settled, Vec<(&'static str, u64)>, Option<NewAudit>) {
        let why = error.to_string();
        tracing::warn!(%why, kind = job.kind().as_str(), "a job failed");
        if job.failures() + 1 >= ATTEMPTS && !job.kind().is_owed() {
            let decision = self.decision(job, "failed", Outcome::Denied, why.clone());
            return (
                Settled::Final(JobState::Failed, Some(why)),
                Vec::new(),
                Some(decision),
            );
        }
        let wait = FIRST_WAIT << job.failures().min(16);
        let wait = Duration::from_secs(wait.min(LONGEST_WAIT));
        (
            Settled::Retry(after(self.store.now(), wait), why),
            Vec::new(),
            None,
        )
    }

    fn decision(&self, job: &Claimed, what: &str, outcome: Outcome, reason: String) -> NewAudit {
        NewAudit {
            at: self.store.now(),
            action: format!("job.{}.{what}", job.kind().as_str()),
            outcome,
            organization: Some(job.organization()),
            workspace: job.workspace(),
            credential: None,
            reason,
            request: String::new(),
            peer: None,
            target: None,
            shown: Vec::new(),
        }
    }

    fn lease_end(&self) -> Timestamp {
        after(self.store.now(), LEASE)
    }
}

impl Worker {
    /// The worker of an application.
    #[must_use]
    pub fn new(app: Arc<App>) -> Self {
        let node = app.store.nonce();
        Self { app, node }
    }

    /// Runs until it is dropped; what fails is tried again.
    pub async fn run(self) {
        loop {
            match self.app.do_next_job(self.node).await {
                Ok(true) => continue,
                Ok(false) => {}
                Err(error) => tracing::warn!(%error, "jobs cannot be done now"),
            }
            // Nobody rings for what another node accepted, or for what is due by now.
            let _ = timeout(LOOK, self.app.jobs.bell.notified()).await;
        }
    }
}

fn after(now: Timestamp, wait: Duration) -> Timestamp {
    let micros = i64::try_from(wait.as_micros()).unwrap_or(i64::MAX);
    Timestamp::from_micros(now.as_micros().saturating_add(micros))
}
