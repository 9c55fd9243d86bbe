//! Runs of approved programs with secrets: asked for by somebody, done by the daemon in their turn, shown
//! redacted. Whoever asks names a template and fills it in; what may be run, and by whom, is asked again when
//! its turn has come.

mod desk;
mod plan;
mod proxy;
mod queue;
mod turn;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use skep_authz::Authorized;
use skep_authz::rights::{SecretApprove, SecretUse};
use skep_domain::{ExecId, Limits, OrganizationId, WorkspaceId};
use skep_exec::{Missing, Runner};
use skep_store::{ExecJob, ExecOutcome, NewExec, PageOf};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use crate::{App, AppError};

pub use desk::ExecDesk;
use queue::Queue;

/// How many run, how many wait, and how long they are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExecSettings {
    /// Programs that run at a time.
    pub workers: usize,
    /// Runs that wait; one more is refused.
    pub queue: usize,
    /// Days that a run is kept after it ended.
    pub keep_days: u32,
}

/// What is asked for.
#[derive(Clone, Debug, Default)]
pub struct AskExec {
    /// The name of a template.
    pub template: String,
    /// What is filled in.
    pub arguments: BTreeMap<String, String>,
}

/// A run, and how it ended if it did.
#[derive(Debug)]
pub struct ExecSeen {
    /// What was asked for, and how far it has come.
    pub job: ExecJob,
    /// How it ended.
    pub outcome: Option<ExecOutcome>,
}

/// A page of runs.
#[derive(Debug)]
pub struct ExecPage {
    /// The runs, newest first, without what they showed.
    pub items: Vec<ExecJob>,
    /// The last one looked at, if there may be more.
    pub next: Option<ExecId>,
}

/// How programs are run here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExecState {
    /// Programs that run at a time.
    pub workers: usize,
    /// Runs that may wait.
    pub queue: usize,
    /// Those that wait.
    pub waiting: usize,
    /// Those that run.
    pub running: usize,
    /// Layers of the sandbox that this machine has not, and why; nothing until that was tried.
    pub missing: Option<Vec<(String, String)>>,
    /// Why no program could be run at all, if so.
    pub problem: Option<String>,
}

/// The host that programs run on.
#[derive(Clone, Debug)]
pub struct ExecHost {
    /// The same at each start, and no other daemon's.
    pub host: [u8; 16],
    /// An empty folder of the daemon's own, in which a run that sends something has a socket.
    pub sockets: PathBuf,
}

/// Everything that runs need.
pub(crate) struct Exec {
    runner: Arc<Runner>,
    settings: ExecSettings,
    /// Whose vault the secrets are in.
    host: [u8; 16],
    /// The folder of the proxies' sockets, one for each run that sends, and the number of the next one.
    sockets: PathBuf,
    next: AtomicU64,
    queue: Queue,
    /// Rung for whoever takes runs, when there is something to take.
    bell: Notify,
    /// Rung for whoever waits for a run, when one has come further.
    moved: Notify,
    tried: OnceLock<Result<Vec<Missing>, String>>,
}

/// How often whoever waits looks again: another host may have done it.
const AGAIN: Duration = Duration::from_secs(1);

impl App {
    /// Runs programs with this runner.
    #[must_use]
    pub fn with_exec(mut self, runner: Arc<Runner>, settings: ExecSettings, at: ExecHost) -> Self {
        self.exec = Some(Exec {
            runner,
            settings,
            host: at.host,
            sockets: at.sockets,
            next: AtomicU64::new(0),
            queue: Queue::new(settings.queue),
            bell: Notify::new(),
            moved: Notify::new(),
            tried: OnceLock::new(),
        });
        self
    }

    pub(crate) fn exec(&self) -> Result<&Exec, AppError> {
        self.exec.as_ref().ok_or(AppError::Conflict(
            "this daemon runs no programs: exec.enabled is false, or its system is no Linux",
        ))
    }

    /// Asks for a run. Its place in the queue is taken before it is kept, so that what was accepted runs
    /// in the order in which it was asked for.
    ///
    /// # Errors
    /// [`AppError::QueueFull`]; [`AppError::Invalid`] for what may not be filled in; as [`App::usable`].
    pub async fn ask_exec(
        &self,
        authorized: Authorized<SecretUse>,
        ask: AskExec,
        label: impl FnOnce(ExecId) -> String + Send,
    ) -> Result<ExecJob, AppError> {
        let exec = self.exec()?;
        let usable = self.usable(&authorized, &ask.template).await?;
        plan::check(&usable.template, &ask.arguments)?;
        let (Some(asker), Some(credential)) = (authorized.principal(), authorized.credential())
        else {
            return Err(AppError::Internal("upkeep runs nothing"));
        };
        let id: ExecId = self.store.mint();
        let tenant = (authorized.organization(), authorized.workspace());
        let now = self.store.now();
        let place = exec.queue.reserve(tenant, id, now.as_micros());
        let place = place.ok_or(AppError::QueueFull)?;
        let new = NewExec {
            id,
            label: label(id),
            host: exec.host,
            turn: place.turn(),
            credential,
            template: usable.id,
            name: usable.template.name().as_str().to_owned(),
            digest: usable.template.digest(),
            arguments: ask.arguments.into_iter().collect(),
            at: now,
        };
        let mut tx = self.store.begin(authorized).await?;
        tx.put_exec(&new).await?;
        let kept = tx.commit().await;
        match &kept {
            Ok(_) => place.keep(),
            // Whoever asked is told that it failed, and asks again: it must not run as well.
            Err(_) => place.doubt(),
        }
        exec.bell.notify_one();
        kept?;
        Ok(waiting(new, asker))
    }

    /// A run of the caller's, or anybody's for who may approve templates. Waits for its end for as long
    /// as is asked for, within bounds.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn get_exec(
        &self,
        authorized: Authorized<SecretUse>,
        all: Option<Authorized<SecretApprove>>,
        id: ExecId,
        wait: u32,
    ) -> Result<ExecSeen, AppError> {
        let until = Instant::now() + Duration::from_secs(wait.min(Limits::EXEC_WAIT).into());
        loop {
            // Whoever is told of a step first hears of it, whenever it is taken.
            let mut moved = self
                .exec
                .as_ref()
                .map(|exec| Box::pin(exec.moved.notified()));
            if let Some(moved) = &mut moved {
                moved.as_mut().enable();
            }
            let mut tx = self.store.begin(authorized.to_look()).await?;
            let found = tx.get_exec(id, all.as_ref()).await?;
            drop(tx);
            let (job, outcome) = found.ok_or(AppError::NotFound("run"))?;
            let now = Instant::now();
            if job.state.is_final() || now >= until || self.is_stopping() {
                return Ok(ExecSeen { job, outcome });
            }
            let look = until.min(now + AGAIN);
            match moved {
                Some(moved) => drop(timeout_at(look, moved).await),
                None => tokio::time::sleep_until(look).await,
            }
        }
    }

    /// The caller's runs, or everybody's for who may approve templates; newest first.
    ///
    /// # Errors
    /// [`AppError`].
    pub async fn list_execs(
        &self,
        authorized: Authorized<SecretUse>,
        all: Option<Authorized<SecretApprove>>,
        page: PageOf<ExecId>,
    ) -> Result<ExecPage, AppError> {
        let mut tx = self.store.begin(authorized.to_look()).await?;
        let items = tx.list_execs(all.as_ref(), page).await?;
        let full = items.len() == page.limit as usize;
        let next = items.last().filter(|_| full).map(|last| last.id);
        Ok(ExecPage { items, next })
    }

    /// Ends a run of the caller's, or anybody's for who may approve templates: one that waits is over at
    /// once, a program that runs is killed with all that it has started.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn cancel_exec(
        &self,
        authorized: Authorized<SecretUse>,
        all: Option<Authorized<SecretApprove>>,
        id: ExecId,
    ) -> Result<ExecJob, AppError> {
        let mut tx = self.store.begin(authorized).await?;
        let job = tx.cancel_exec(id, all.as_ref(), self.store.now()).await?;
        let job = job.ok_or(AppError::NotFound("run"))?;
        tx.commit().await?;
        if let Some(exec) = &self.exec {
            exec.queue.cancel(id);
            exec.moved.notify_waiters();
        }
        Ok(job)
    }

    /// How programs are run here; `None` where they are not.
    #[must_use]
    pub fn exec_state(&self) -> Option<ExecState> {
        let exec = self.exec.as_ref()?;
        let (waiting, running) = exec.queue.count();
        let told = |missing: &Missing| (missing.layer.to_string(), missing.reason.clone());
        let tried = exec.tried.get();
        Some(ExecState {
            workers: exec.settings.workers,
            queue: exec.settings.queue,
            waiting,
            running,
            missing: tried
                .and_then(|tried| tried.as_ref().ok())
                .map(|missing| missing.iter().map(told).collect()),
            problem: tried.and_then(|tried| tried.as_ref().err()).cloned(),
        })
    }

    /// Runs nothing more of a workspace that is deleted, and ends what runs.
    pub(crate) fn forget_execs_of(&self, workspace: WorkspaceId) {
        if let Some(exec) = &self.exec {
            exec.queue.forget(workspace);
        }
    }
}

impl App {
    /// Runs nothing more of an organization that has closed its workspaces, and ends what runs.
    pub(crate) fn forget_execs_of_organization(&self, organization: OrganizationId) {
        if let Some(exec) = &self.exec {
            exec.queue.forget_organization(organization);
        }
    }
}

fn waiting(new: NewExec, asker: skep_domain::Principal) -> ExecJob {
    ExecJob {
        id: new.id,
        label: new.label,
        host: new.host,
        turn: new.turn,
        state: skep_domain::ExecState::Queued,
        asker,
        credential: new.credential,
        template: new.template,
        name: new.name,
        digest: new.digest,
        arguments: new.arguments,
        created_at: new.at,
        started_at: None,
        ended_at: None,
        is_cancelled: false,
    }
}

impl Exec {
    /// A run whose turn has come, for whoever takes it.
    fn take(&self) -> Option<queue::Taken> {
        self.queue.take(self.settings.workers)
    }

    /// Where the proxy of a run listens.
    fn socket(&self) -> PathBuf {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.sockets.join(format!("{number:x}"))
    }
}
