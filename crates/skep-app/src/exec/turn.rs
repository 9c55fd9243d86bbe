//! One run whose turn has come: whether it still may, the record of it, the program, what came of it.
//!
//! Nothing of what is decided here was decided when it was asked for: whoever asked is looked up as they
//! stand now, the template must be what it was then, and no secret is fetched before that is so. The record
//! says so before the program starts, or it does not start.

use std::sync::Arc;
use std::time::Duration;

use skep_authz::rights::SecretUse;
use skep_authz::{Authorized, Caller};
use skep_crypto::Plain;
use skep_domain::{ExecState, Id, RecordName};
use skep_exec::{ExecError, Exit, Missing, Outcome, Plan};
use skep_store::{ExecEnd, ExecJob, ExecOutcome, StoreError};
use skep_vault::template::Owner;
use tokio::time::sleep;

use super::queue::Taken;
use super::{plan, proxy};
use crate::access::{Decision, Standing};
use crate::leases::RunLease;
use crate::templates::Usable;
use crate::upkeep::{Tenant, maintain};
use crate::{App, AppError};

/// How often a run is tried whose record or whose asker cannot be reached, and the first wait between.
const TRIES: u32 = 5;
const FIRST_WAIT: Duration = Duration::from_secs(1);

/// What whoever asked can do about walls that are not there.
const WALLS: &str = ". Let the daemon make user namespaces, which containers and some distributions refuse \
    (skep status says what is missing), run it on a host that does, or have a template approved that says \
    without which it may run";

/// Whoever asked for a run, and what it is of.
pub(super) struct Asker {
    caller: Caller,
    pub(super) authorized: Authorized<SecretUse>,
    pub(super) usable: Usable,
}

/// A run that may start.
struct Ready {
    caller: Caller,
    plan: Plan,
    /// Which secrets, as the record says it.
    secrets: String,
    /// Its proxy, which ends with this.
    way_out: Option<RunLease>,
}

/// What came of a run.
struct Came {
    state: ExecState,
    outcome: ExecOutcome,
}

impl App {
    /// Does one run, to its end in the store.
    pub(super) async fn do_exec(self: &Arc<Self>, mut taken: Taken) {
        let id = taken.id;
        if let Err(error) = self.turn(&mut taken).await {
            tracing::warn!(%error, "a run could not be done or noted");
        }
        let Some(exec) = &self.exec else { return };
        exec.queue.end(id);
        exec.moved.notify_waiters();
        exec.bell.notify_one();
    }

    async fn turn(self: &Arc<Self>, taken: &mut Taken) -> Result<(), AppError> {
        let tenant = taken.tenant;
        let Some(job) = self.waiting_exec(taken).await? else {
            return Ok(());
        };
        if taken.is_doubtful {
            let why = "that this was accepted could not be told to whoever asked: ask again";
            return self
                .turned_down(&job, tenant, &AppError::Unfit(why.into()))
                .await;
        }
        let mut tries = 0;
        let ready = loop {
            let made = match self.readied(&job, tenant).await {
                Ok(ready) => self.record_start(&job, &ready).await.map(|()| ready),
                Err(error) => Err(error),
            };
            tries += 1;
            match made {
                Err(error) if is_passing(&error) && tries < TRIES => {
                    tracing::warn!(%error, "a run waits for a part of the daemon");
                    sleep(FIRST_WAIT * (1 << (tries - 1))).await;
                }
                made => break made,
            }
        };
        let ready = match ready {
            Ok(ready) => ready,
            Err(error) => return self.turned_down(&job, tenant, &error).await,
        };
        if !self.start(&job, tenant).await? {
            return self.record_end(&job, &ready.caller, "cancelled").await;
        }
        let exec = self.exec()?;
        let cancelled = async {
            // Nobody cancels any more when the sender is gone, which is when all ends.
            let _gone = taken.cancelled.wait_for(|cancelled| *cancelled).await;
        };
        let came = came(exec.runner.run(ready.plan, cancelled).await);
        drop(ready.way_out);
        let how = came.told();
        match self.conclude(&job, tenant, ExecState::Running, &came).await {
            // What it showed is lost; that it ended is in the record all the same.
            Err(AppError::Closed(_)) => {}
            outcome => outcome?,
        }
        self.record_end(&job, &ready.caller, &how).await
    }

    /// The run, if it still waits.
    async fn waiting_exec(&self, taken: &Taken) -> Result<Option<ExecJob>, AppError> {
        let mut tx = self.store.begin(maintain(taken.tenant)).await?;
        let job = tx.get_open_exec(taken.id).await?;
        let host = self.exec()?.host;
        Ok(job.filter(|job| job.state == ExecState::Queued && job.host == host))
    }

    /// Whoever asked, as they stand now, and what was approved, if it is what they asked for.
    async fn asker(&self, job: &ExecJob, tenant: Tenant) -> Result<Asker, AppError> {
        let whom = (tenant.0, Some(tenant.1));
        let caller = self.store.stands(whom, job.asker, job.credential).await;
        let caller = caller.map_err(AppError::unchecked)?;
        let authorized = caller.authorize::<SecretUse>()?;
        let usable = self.usable(&authorized, &job.name).await?;
        if usable.id != job.template || usable.template.digest() != job.digest {
            return Err(AppError::Conflict(
                "the template was changed since this was asked for: read what it does now, and ask again",
            ));
        }
        Ok(Asker {
            caller,
            authorized,
            usable,
        })
    }

    /// The run with its secrets, which are fetched when all else is so.
    async fn readied(self: &Arc<Self>, job: &ExecJob, tenant: Tenant) -> Result<Ready, AppError> {
        let asker = self.asker(job, tenant).await?;
        let usable = &asker.usable;
        let program = plan::program(&usable.template)?;
        let way_out = self.way_out(job, &asker, program).await?;
        let mut values = Vec::with_capacity(program.secrets.len());
        for secret in &program.secrets {
            let name = secret.record();
            let name = name.map_err(|_| AppError::Internal("a template's secret has no name"))?;
            let value = self
                .secret_of(&asker.authorized, secret.owner, &name)
                .await?;
            values.push(value);
        }
        let secrets = usable.template.secrets().into_iter();
        let secrets: Vec<String> = secrets
            .map(|(owner, name)| self.mark_of_used(&asker.authorized, owner, &name))
            .collect::<Result<_, _>>()?;
        let arguments = job.arguments.iter().cloned().collect();
        let egress = proxy::egress(way_out.as_ref());
        let mut draft = plan::draft(usable, &arguments, values, egress)?;
        if let Some(lease) = &way_out {
            draft = proxy::told(lease, program, draft);
            self.can_be_sent(&asker, program).await?;
        }
        let plan = draft.plan();
        let plan = plan.map_err(|error| AppError::Unfit(error.to_string()))?;
        Ok(Ready {
            caller: asker.caller,
            plan,
            secrets: secrets.join(" "),
            way_out,
        })
    }

    pub(super) async fn secret_of(
        &self,
        authorized: &Authorized<SecretUse>,
        owner: Owner,
        name: &RecordName,
    ) -> Result<Plain<Vec<u8>>, AppError> {
        match self.use_secret(authorized, owner, name).await {
            Err(AppError::NotFound(_)) => Err(AppError::Unfit(format!(
                "this host's vault has no secret {} for it",
                name.as_str()
            ))),
            outcome => outcome,
        }
    }

    /// Before anything runs: what is not recorded does not happen.
    async fn record_start(&self, job: &ExecJob, ready: &Ready) -> Result<(), AppError> {
        let digest = crate::skills::hex(&job.digest);
        let template = format!("{:032x}", u128::from_be_bytes(job.template.to_bytes()));
        let decision = Decision {
            action: "exec.run".into(),
            reason: format!(
                "template {template} sha256:{digest} secrets {}",
                ready.secrets
            ),
            target: Some(job.label.clone()),
            ..Decision::default()
        };
        self.record_allowed(decision, Some(&ready.caller)).await
    }

    async fn record_end(&self, job: &ExecJob, caller: &Caller, how: &str) -> Result<(), AppError> {
        let decision = Decision {
            action: "exec.end".into(),
            reason: how.to_owned(),
            target: Some(job.label.clone()),
            ..Decision::default()
        };
        self.record_allowed(decision, Some(caller)).await
    }

    /// The run does not start, for a reason that whoever asked is told.
    async fn turned_down(
        &self,
        job: &ExecJob,
        tenant: Tenant,
        error: &AppError,
    ) -> Result<(), AppError> {
        let state = match error {
            AppError::Unfit(_) | AppError::Invalid(_) => ExecState::Failed,
            error if is_passing(error) => ExecState::Failed,
            AppError::Internal(_) | AppError::Elsewhere(_) => ExecState::Failed,
            _ => ExecState::Refused,
        };
        let came = Came {
            state,
            outcome: ExecOutcome {
                reason: Some(error.to_string()),
                ..ExecOutcome::default()
            },
        };
        self.conclude(job, tenant, ExecState::Queued, &came).await?;
        let decision = Decision {
            action: "exec.run".into(),
            reason: "not run: it may not be any more, or could not".into(),
            target: Some(job.label.clone()),
            ..Decision::default()
        };
        self.record_denied_to(decision, &standing(job, tenant));
        Ok(())
    }

    async fn start(&self, job: &ExecJob, tenant: Tenant) -> Result<bool, AppError> {
        let mut tx = self.store.begin(maintain(tenant)).await?;
        let started = tx.start_exec(job.id, self.store.now()).await?;
        tx.commit().await?;
        if let Some(exec) = &self.exec {
            exec.moved.notify_waiters();
        }
        Ok(started)
    }

    /// Notes how it ended, again and again while the store cannot be written: what was done is told.
    async fn conclude(
        &self,
        job: &ExecJob,
        tenant: Tenant,
        from: ExecState,
        came: &Came,
    ) -> Result<(), AppError> {
        let mut wait = FIRST_WAIT;
        for _ in 1..TRIES {
            match self.note_end(job, tenant, from, came).await {
                Err(StoreError::Unavailable(why)) => {
                    tracing::warn!(%why, "the end of a run cannot be noted: trying again");
                    sleep(wait).await;
                    wait *= 2;
                }
                outcome => return Ok(outcome?),
            }
        }
        Ok(self.note_end(job, tenant, from, came).await?)
    }

    async fn note_end(
        &self,
        job: &ExecJob,
        tenant: Tenant,
        from: ExecState,
        came: &Came,
    ) -> Result<(), StoreError> {
        let mut tx = self.store.begin(maintain(tenant)).await?;
        let end = ExecEnd {
            from,
            to: came.state,
            at: self.store.now(),
            outcome: &came.outcome,
        };
        tx.end_exec(job.id, end).await?;
        tx.commit().await.map(|_| ())
    }
}

/// Whose a run is, for the record.
pub(super) fn standing(job: &ExecJob, (organization, workspace): Tenant) -> Standing {
    Standing {
        organization,
        workspace,
        principal: job.asker,
        credential: job.credential,
    }
}

impl Came {
    /// How it ended, for the record: never what it printed.
    fn told(&self) -> String {
        match &self.outcome.exit {
            Some((kind, number)) => format!("{kind} {number}"),
            None => self.state.as_str().to_owned(),
        }
    }
}

fn came(run: Result<Outcome, ExecError>) -> Came {
    let outcome = match run {
        Ok(outcome) => outcome,
        Err(error) => return not_started(error),
    };
    let (kind, number) = match outcome.exit {
        Exit::Code(code) => ("code", code),
        Exit::Signal(signal) => ("signal", signal),
        Exit::TimedOut => ("timed_out", 0),
        Exit::Cancelled => ("cancelled", 0),
        Exit::OutputCap => ("output_cap", 0),
        Exit::Lost => ("lost", 0),
    };
    let state = match outcome.exit {
        Exit::Cancelled => ExecState::Cancelled,
        _ => ExecState::Ended,
    };
    let counted = outcome.redacted.into_iter();
    Came {
        state,
        outcome: ExecOutcome {
            exit: Some((kind.into(), number)),
            reason: None,
            stdout: outcome.stdout,
            stderr: outcome.stderr,
            is_cut: outcome.cut,
            redacted: counted.map(|(name, count)| (name, count as u64)).collect(),
            applied: outcome
                .applied
                .layers()
                .map(|layer| layer.name().to_owned())
                .collect(),
            missing: named(outcome.missing),
        },
    }
}

fn not_started(error: ExecError) -> Came {
    let mut reason = error.to_string();
    let mut missing = Vec::new();
    if let ExecError::Refused { missing: found } = error {
        reason.push_str(WALLS);
        missing = named(found);
    }
    Came {
        state: ExecState::Failed,
        outcome: ExecOutcome {
            reason: Some(reason),
            missing,
            ..ExecOutcome::default()
        },
    }
}

/// Layers by name, and why each could not be applied.
fn named(missing: Vec<Missing>) -> Vec<(String, String)> {
    let missing = missing.into_iter();
    missing
        .map(|missing| (missing.layer.name().to_owned(), missing.reason))
        .collect()
}

/// Whether it may be otherwise in a moment.
fn is_passing(error: &AppError) -> bool {
    matches!(
        error,
        AppError::Store(_)
            | AppError::AuthUnavailable(_)
            | AppError::AuthServiceAway
            | AppError::AuditUnavailable
            | AppError::BudgetUnavailable
            | AppError::Overloaded(_)
    )
}
