//! Takes runs in their turn, for as long as the daemon is there; finds again what an earlier process left.

use std::sync::Arc;
use std::time::Duration;

use skep_crypto::Plain;
use skep_domain::{ExecState, Timestamp};
use skep_exec::{Demand, Draft, Egress, Secret};
use skep_store::{ExecEnd, ExecJob, ExecOutcome, StoreError};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::access::Decision;
use crate::exec::turn::standing;
use crate::upkeep::{Tenant, maintain};
use crate::{App, AppError};

/// Runs programs, to be run by whoever owns the daemon's tasks. Dropped, it ends what runs.
pub struct ExecDesk {
    app: Arc<App>,
}

/// How often it looks whether what runs is still wanted: another node may have been told.
const LOOK: Duration = Duration::from_secs(5);
/// How often it removes what is kept no longer, in looks.
const CLEAR: u32 = 720;
/// The rest after the store could not be read.
const REST: Duration = Duration::from_secs(5);
const DAY_MICROS: i64 = 86_400_000_000;
/// What of a program shows which layers this machine has.
const PROBE: &str = "/bin/true";
const INTERRUPTED: &str = "the daemon ended, or the organization's own key went, while the program ran: what it does may be done, or half \
     done";

impl ExecDesk {
    /// The loop of an application.
    #[must_use]
    pub fn new(app: Arc<App>) -> Self {
        Self { app }
    }

    /// Takes what was accepted before first, then what is asked for, until it is dropped.
    pub async fn run(self) {
        let app = self.app;
        let Some(exec) = &app.exec else {
            return std::future::pending().await;
        };
        app.try_sandbox().await;
        while let Err(error) = app.take_up_execs().await {
            tracing::warn!(%error, "runs that were accepted earlier cannot be read: trying again");
            sleep(REST).await;
        }
        let mut runs = JoinSet::new();
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut count = 0;
        loop {
            while let Some(taken) = exec.take() {
                let app = Arc::clone(&app);
                runs.spawn(async move { app.do_exec(taken).await });
            }
            tokio::select! {
                () = exec.bell.notified() => {}
                Some(_) = runs.join_next(), if !runs.is_empty() => {}
                _ = looks.tick() => {
                    app.look_after_execs().await;
                    if count % CLEAR == 0 {
                        app.clear_execs().await;
                    }
                    count += 1;
                }
            }
        }
    }
}

impl App {
    /// Finds out which layers of the sandbox this machine has.
    async fn try_sandbox(&self) {
        let Some(exec) = &self.exec else { return };
        let draft = Draft::new(PROBE, Egress::None, Demand::nothing());
        let canary = self.store.nonce().map(|byte| b'a' + byte % 26);
        let draft = draft.env_secret("CANARY", Secret::new("canary", Plain::new(canary.to_vec())));
        let tried = match draft.plan() {
            Ok(plan) => {
                let run = exec.runner.run(plan, std::future::pending()).await;
                run.map(|outcome| outcome.missing)
                    .map_err(|error| error.to_string())
            }
            Err(error) => Err(error.to_string()),
        };
        match &tried {
            Ok(missing) if missing.is_empty() => {}
            Ok(missing) => {
                for layer in missing {
                    tracing::info!(%layer, "a layer of the sandbox is missing");
                }
            }
            Err(problem) => tracing::warn!(problem, "no program can be run with secrets"),
        }
        let _once = exec.tried.set(tried);
    }

    /// Puts what waited back into its order. What ran is told as interrupted, and never run again by itself:
    /// what it does may be done.
    pub(super) async fn take_up_execs(&self) -> Result<(), AppError> {
        let there = self.store.workspaces().await?;
        self.take_up_execs_of(&there).await
    }

    /// The same of these workspaces. What is closed is taken up when it is opened.
    pub(crate) async fn take_up_execs_of(&self, there: &[Tenant]) -> Result<(), AppError> {
        let Ok(exec) = self.exec() else {
            return Ok(());
        };
        let running: Vec<_> = exec.queue.running();
        for tenant in there {
            let jobs = match self.open_execs(*tenant).await {
                Err(AppError::Denied(_) | AppError::Closed(_)) => continue,
                outcome => outcome?,
            };
            for job in jobs {
                if running.iter().any(|(_, id)| *id == job.id) {
                    continue;
                }
                match job.state {
                    ExecState::Running => self.interrupt(*tenant, &job).await?,
                    _ => exec.queue.restore(*tenant, job.id, job.turn),
                }
            }
        }
        exec.bell.notify_one();
        Ok(())
    }

    async fn open_execs(&self, tenant: Tenant) -> Result<Vec<ExecJob>, AppError> {
        let host = self.exec()?.host;
        let mut tx = self.store.begin(maintain(tenant)).await?;
        Ok(tx.list_open_execs(host).await?)
    }

    async fn interrupt(&self, tenant: Tenant, job: &ExecJob) -> Result<(), AppError> {
        let outcome = ExecOutcome {
            reason: Some(INTERRUPTED.into()),
            ..ExecOutcome::default()
        };
        let mut tx = self.store.begin(maintain(tenant)).await?;
        let end = ExecEnd {
            from: ExecState::Running,
            to: ExecState::Interrupted,
            at: self.store.now(),
            outcome: &outcome,
        };
        tx.end_exec(job.id, end).await?;
        tx.commit().await?;
        let decision = Decision {
            action: "exec.end".into(),
            reason: "interrupted".into(),
            target: Some(job.label.clone()),
            ..Decision::default()
        };
        self.record_denied_to(decision, &standing(job, tenant));
        Ok(())
    }

    /// Ends what runs in a workspace that was deleted meanwhile, or what somebody wants ended and told
    /// another node.
    async fn look_after_execs(&self) {
        let Some(exec) = &self.exec else { return };
        for (tenant, id) in exec.queue.running() {
            let looked = async {
                let mut tx = self.store.begin(maintain(tenant)).await?;
                tx.get_open_exec(id).await
            };
            match looked.await {
                Ok(Some(job)) if !job.is_cancelled => {}
                Ok(_) | Err(StoreError::Gone) => exec.queue.cancel(id),
                Err(error) => tracing::warn!(%error, "a run cannot be looked at"),
            }
        }
    }

    /// Removes what is kept no longer.
    async fn clear_execs(&self) {
        let Some(exec) = &self.exec else { return };
        let now = self.store.now();
        let days = i64::from(exec.settings.keep_days).saturating_mul(DAY_MICROS);
        let before = Timestamp::from_micros(now.as_micros().saturating_sub(days));
        let tenants = match self.store.workspaces().await {
            Ok(tenants) => tenants,
            Err(error) => return tracing::warn!(%error, "old runs cannot be removed"),
        };
        for tenant in tenants {
            let cleared = async {
                let mut tx = self.store.begin(maintain(tenant)).await?;
                tx.clear_execs(before, now).await?;
                tx.commit().await
            };
            match cleared.await {
                Ok(_) | Err(StoreError::Gone) => {}
                Err(error) => tracing::warn!(%error, "old runs cannot be removed"),
            }
        }
    }
}

impl std::fmt::Debug for ExecDesk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ExecDesk")
    }
}
