//! The task that sets aside and settles, many calls in one transaction.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use skep_domain::Timestamp;
use skep_llm::Usage;
use skep_store::{DoorTx, Mode, ModelCall};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use super::counting::{reserve_all, settle_all};
use super::{Asking, CallOutcome, Ended, Ending, Measured, Reserved};
use crate::access::door;
use crate::{App, AppError};

/// How long a call waits for what it may cost to be set aside.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);
/// Between two looks for what nobody settled.
const LOOK: Duration = Duration::from_secs(30);
/// How long what is counted may not outlive the machine.
const SYNC: Duration = Duration::from_secs(1);
/// Calls in one transaction: what one that waits for the lock waits at most.
const AT_ONCE: usize = 512;
/// How often in a row, and after which pause, what could not be written is tried again.
const TRIES: u32 = 30;
const AGAIN: Duration = Duration::from_secs(1);
/// How long calls that ended wait for others: nobody waits for them, unless there is not enough without what they
/// give back.
const SOON: Duration = Duration::from_millis(5);
/// Calls that nobody settled, looked at in one transaction.
const STALE: u32 = 200;

/// Sets aside and settles, to be run by whoever owns the daemon's tasks.
pub struct MeterDesk {
    app: Arc<App>,
    /// When what was committed is to be on the disk, if something was.
    sync_at: Option<Instant>,
    /// Whether that came to pass.
    syncs: JoinSet<bool>,
    /// When what has ended is to be settled, if something has.
    settle_at: Option<Instant>,
    /// Transactions that failed, one after the other.
    failures: u32,
}

async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => pending().await,
    }
}

/// What one transaction is to do.
struct Work {
    calls: Vec<ModelCall>,
    ended: Arc<Vec<Ended>>,
    /// Whether what ended is to be settled whatever comes.
    settles: bool,
}

/// What it did.
struct Done {
    outcomes: Vec<Result<Reserved, AppError>>,
    /// Whether what ended is settled.
    has_settled: bool,
}

/// Why it came to nothing.
struct Failure {
    error: AppError,
    /// Whether nothing of it is written, for certain.
    is_certain: bool,
}

impl MeterDesk {
    /// The loop of an application.
    #[must_use]
    pub fn new(app: Arc<App>) -> Self {
        Self {
            app,
            sync_at: None,
            syncs: JoinSet::new(),
            settle_at: None,
            failures: 0,
        }
    }

    /// Sets aside and settles, until it is dropped.
    pub async fn run(mut self) {
        let mut look = interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                () = until(self.settle_at) => {
                    self.settle_at = None;
                    self.decide(true).await;
                    if !self.app.meter.waiting().ended.is_empty() {
                        self.settle_at.get_or_insert_with(Instant::now);
                    }
                }
                () = until(self.sync_at), if self.syncs.is_empty() => self.sync(),
                Some(synced) = self.syncs.join_next(), if !self.syncs.is_empty() => {
                    if !synced.is_ok_and(|is_synced| is_synced) {
                        self.sync_at.get_or_insert_with(|| Instant::now() + SYNC);
                    }
                }
                () = self.app.meter.ended.notified(), if self.settle_at.is_none() => {
                    self.settle_at = Some(Instant::now() + SOON);
                    self.app.settle_tokens().await;
                }
                () = self.app.meter.bell.notified() => self.decide_waiting().await,
                _ = look.tick() => {
                    if let Err(error) = self.give_up_stale(self.app.store.now()).await {
                        tracing::warn!(%error, "calls that nobody settled could not be looked for");
                    }
                }
            }
        }
    }

    /// Has the disk keep what was counted, while others count on.
    fn sync(&mut self) {
        self.sync_at = None;
        let app = Arc::clone(&self.app);
        self.syncs.spawn(async move {
            let synced = app.store.sync().await;
            if let Err(error) = &synced {
                tracing::error!(%error, "what was counted may not outlive the machine");
            }
            synced.is_ok()
        });
    }

    /// Settles what an earlier run of this daemon left, before the first call: of a store that nobody else
    /// uses, nothing can be under way now. Elsewhere another node may be at it, and it runs out by itself.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn take_over(&self) -> Result<usize, AppError> {
        if self.app.store.is_shared() {
            return Ok(0);
        }
        self.give_up_stale(Timestamp::from_micros(i64::MAX)).await
    }

    /// Decides on whoever waits now, and settles what has ended.
    pub async fn write(&mut self) {
        while self.decide(true).await {}
    }

    /// Decides on whoever waits now. What has ended is settled if somebody waits for that, or it is much.
    async fn decide_waiting(&mut self) {
        // Whoever comes meanwhile has its turn after all else that is due.
        if self.decide(self.is_due()).await {
            self.app.meter.bell.notify_one();
        }
    }

    fn is_due(&self) -> bool {
        let waiting = self.app.meter.waiting();
        waiting.is_hurried || waiting.ended.len() >= AT_ONCE
    }

    /// One transaction; `false` when there was nothing to do, or nothing can be done now.
    async fn decide(&mut self, settles: bool) -> bool {
        if settles {
            // Before anything is taken in hand: what is, is lost with this task.
            self.app.settle_tokens().await;
        }
        let (asking, ended) = {
            let mut waiting = self.app.meter.waiting();
            let asking = waiting.asking.len().min(AT_ONCE);
            let ended = waiting.ended.len().min(AT_ONCE);
            let asking: Vec<Asking> = waiting.asking.drain(..asking).collect();
            let ended: Vec<Ended> = waiting.ended.drain(..ended).collect();
            waiting.is_hurried &= !waiting.ended.is_empty();
            (asking, ended)
        };
        // Whoever gave up waiting sends nothing.
        let asking = asking.into_iter().filter(|asking| !asking.told.is_closed());
        let (calls, told): (Vec<ModelCall>, Vec<_>) =
            asking.map(|asking| (asking.call, asking.told)).unzip();
        if calls.is_empty() && (ended.is_empty() || !settles) {
            self.put_back(Arc::new(ended));
            return false;
        }
        let counts = (calls.len(), ended.len());
        let ended = Arc::new(ended);
        let work = Work {
            calls,
            ended: Arc::clone(&ended),
            settles,
        };
        match self.transact(work).await {
            Ok(done) => {
                self.failures = 0;
                if done.has_settled {
                    self.tell_settled(counts.1);
                } else {
                    self.put_back(ended);
                }
                for (outcome, told) in done.outcomes.into_iter().zip(told) {
                    // Nobody waits any more: nothing was sent, so nothing is owed.
                    if let Err(Ok(reserved)) = told.send(outcome) {
                        let _ = self.app.settle_call(reserved, Ending::NOT_SENT);
                    }
                }
                true
            }
            Err(failure) => {
                for told in told {
                    let _ = told.send(Err(AppError::BudgetUnavailable));
                }
                self.fail(failure, counts, ended);
                false
            }
        }
    }

    /// What is certain not to be written is written later. What may be is not, since it would stand there twice: what
    /// was set aside for it stays, and counts whole when its time is over.
    fn fail(&mut self, failure: Failure, (calls, count): (usize, usize), ended: Arc<Vec<Ended>>) {
        let Failure { error, is_certain } = failure;
        self.failures += 1;
        tracing::error!(%error, calls, ended = count, is_certain, "calls could not be counted");
        if is_certain && self.failures < TRIES {
            self.put_back(ended);
            self.settle_at = Some(Instant::now() + AGAIN);
        } else {
            self.tell_settled(count);
        }
    }

    /// Leaves calls that ended for later, before those that ended meanwhile.
    fn put_back(&self, ended: Arc<Vec<Ended>>) {
        // Nobody else has it: the transaction is over.
        let ended = Arc::into_inner(ended).unwrap_or_default();
        self.app.meter.waiting().ended.splice(..0, ended);
    }

    fn tell_settled(&self, count: usize) {
        let settled = &self.app.meter.settled;
        settled.send_modify(|all| *all += count as u64);
    }

    async fn transact(&mut self, work: Work) -> Result<Done, Failure> {
        let now = self.app.store.now();
        let app = Arc::clone(&self.app);
        let certain = |error: AppError| Failure {
            error,
            is_certain: true,
        };
        let work = async move {
            let done = async {
                let mut tx = door!(app, Mode::Swift).await?;
                let done = work.run(&mut tx, now, &app.alerts.budgets).await?;
                Ok::<_, AppError>((tx, done))
            };
            let (tx, done) = done.await.map_err(certain)?;
            tx.commit().await.map_err(|error| Failure {
                error: error.into(),
                is_certain: false,
            })?;
            Ok::<_, Failure>(done)
        };
        let done = self.app.store.at_once(work).await;
        let done = done.map_err(|error| certain(error.into()))??;
        self.sync_at.get_or_insert_with(|| Instant::now() + SYNC);
        Ok(done)
    }

    /// Counts with the most that they may have cost calls whose time was over before this moment.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn give_up_stale(&self, before: Timestamp) -> Result<usize, AppError> {
        let mut given_up = 0;
        loop {
            let mut tx = door!(self.app, Mode::Write).await?;
            let stale = tx.list_stale_reservations(before, STALE).await?;
            if stale.is_empty() {
                return Ok(given_up);
            }
            let lost = stale.into_iter().map(|held| {
                let usage = Usage {
                    input: held.call.input,
                    output: held.call.output,
                    ..Usage::default()
                };
                let ending = Ending {
                    usage,
                    measured: Measured::Reserved,
                    outcome: CallOutcome::Lost,
                };
                Ended {
                    held,
                    price: None,
                    ending,
                }
            });
            let lost: Vec<Ended> = lost.collect();
            settle_all(&mut tx, &lost, &self.app.alerts.budgets).await?;
            tx.commit().await?;
            given_up += lost.len();
            tracing::warn!(
                calls = lost.len(),
                "nobody knows how these ended: they count with the most that they may have cost"
            );
        }
    }
}

impl Work {
    /// Settles first what is to be settled; otherwise only if somebody would be refused without.
    async fn run(self, tx: &mut DoorTx, now: Timestamp, percents: &[u8]) -> Result<Done, AppError> {
        let Self {
            calls,
            ended,
            settles,
        } = self;
        if settles {
            settle_all(tx, &ended, percents).await?;
        }
        let mut outcomes = reserve_all(tx, &calls, now).await?;
        if settles {
            return Ok(Done {
                outcomes,
                has_settled: true,
            });
        }
        let refused = |outcome: &Result<Reserved, AppError>| outcome.is_err();
        if ended.is_empty() || !outcomes.iter().any(refused) {
            return Ok(Done {
                outcomes,
                has_settled: false,
            });
        }
        settle_all(tx, &ended, percents).await?;
        let again = calls.into_iter().zip(&mut outcomes);
        let again = again.filter(|(_, outcome)| outcome.is_err());
        let (calls, places): (Vec<ModelCall>, Vec<_>) = again.unzip();
        let outcomes_now = reserve_all(tx, &calls, now).await?;
        for (place, outcome) in places.into_iter().zip(outcomes_now) {
            *place = outcome;
        }
        Ok(Done {
            outcomes,
            has_settled: true,
        })
    }
}

impl std::fmt::Debug for MeterDesk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MeterDesk")
    }
}
