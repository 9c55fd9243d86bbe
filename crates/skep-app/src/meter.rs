//! Budgets of calls of models: what a call may cost at most is set aside before it is made, and what it
//! cost is settled when it ended, however it ended.
//!
//! One task does both, for all calls that ask at the same time in one transaction. What is set aside
//! outlives the daemon: a call that nobody settles, because the daemon was killed, counts with the most
//! that it may have cost. So what is spent is never more than a budget allows, and a call is never
//! forgotten.

mod counting;
mod desk;
mod edit;
mod notice;
mod record;
pub(crate) mod rule;

use std::sync::{Mutex, MutexGuard, PoisonError};

use skep_llm::{Cost, Price, Usage};
use skep_store::Reservation;
use tokio::sync::{Notify, oneshot, watch};

pub use desk::MeterDesk;
pub use edit::NewRateCard;
pub use rule::{Refusal, Standing, Verdict};
pub use skep_store::ModelCall;

use crate::{App, AppError};

/// Calls that wait for a decision; one more is told that budgets cannot be asked.
const WAITING: usize = 4_096;

/// What is set aside for a call. Dropped without [`App::settle_call`], it counts as spent whole when its time
/// is over.
#[derive(Debug)]
#[must_use = "a call that is not settled counts with the most that it may have cost"]
pub struct Reserved {
    reservation: Reservation,
    price: Option<Price>,
    left: Option<Cost>,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ending {
    /// Tokens.
    pub usage: Usage,
    /// Who counted them.
    pub measured: Measured,
    /// How.
    pub outcome: CallOutcome,
}

/// Who counted tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measured {
    /// The provider said so.
    Provider,
    /// We did, since the provider did not say.
    Counted,
    /// Nobody: they are what was set aside.
    Reserved,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallOutcome {
    /// The answer came to its end.
    Finished,
    /// The caller went away.
    Cancelled,
    /// The provider failed, or its answer could not be read.
    Failed,
    /// Nothing went to the provider: it cost nothing.
    NotSent,
    /// Nobody knows: the daemon ended before the call did.
    Lost,
}

/// What a call came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settled {
    /// What it cost; none where no rate card covers the model.
    pub cost: Option<Cost>,
    /// What the budgets that cover it leave, as far as is known; none where there are none.
    pub left: Option<Cost>,
}

/// Somebody who waits for leave to call.
struct Asking {
    call: ModelCall,
    told: oneshot::Sender<Result<Reserved, AppError>>,
}

/// A call that ended.
struct Ended {
    held: Reservation,
    price: Option<Price>,
    ending: Ending,
}

/// What waits for the task.
#[derive(Default)]
struct Waiting {
    asking: Vec<Asking>,
    ended: Vec<Ended>,
    /// Calls that ended, ever.
    count: u64,
    /// Somebody waits for all of them to be settled.
    is_hurried: bool,
}

/// Where calls wait for the task.
pub(crate) struct Meter {
    waiting: Mutex<Waiting>,
    /// Somebody waits, or there is much to settle.
    bell: Notify,
    /// A call ended, and nobody waits for that.
    ended: Notify,
    /// Of the calls that ended, how many are settled.
    settled: watch::Sender<u64>,
}

/// What somebody waits for. If they leave, what was set aside for them meanwhile is given back: nothing was sent.
struct Awaited<'a> {
    app: &'a App,
    answer: oneshot::Receiver<Result<Reserved, AppError>>,
}

impl Drop for Awaited<'_> {
    fn drop(&mut self) {
        self.answer.close();
        if let Ok(Ok(reserved)) = self.answer.try_recv() {
            let _ = self.app.settle_call(reserved, Ending::NOT_SENT);
        }
    }
}

impl Ending {
    /// Of a call of which nothing went to a provider.
    pub(crate) const NOT_SENT: Self = Self {
        usage: Usage {
            input: 0,
            output: 0,
            cache_read: 0,
            cache_write: 0,
            reasoning: 0,
        },
        measured: Measured::Counted,
        outcome: CallOutcome::NotSent,
    };
}

impl Measured {
    /// Its name in records.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Provider => "provider",
            Self::Counted => "counted",
            Self::Reserved => "reserved",
        }
    }
}

impl CallOutcome {
    /// Its name in records.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
            Self::NotSent => "not_sent",
            Self::Lost => "lost",
        }
    }
}

impl Reserved {
    /// Under which the call's usage is recorded.
    #[must_use]
    pub const fn id(&self) -> skep_domain::UsageId {
        self.reservation.id
    }

    /// What it may cost at most; none where no rate card covers the model.
    #[must_use]
    pub fn most(&self) -> Option<Cost> {
        self.price.map(|_| Cost(self.reservation.amount))
    }

    /// What the budgets that cover it leave beside it; none where there are none.
    #[must_use]
    pub const fn left(&self) -> Option<Cost> {
        self.left
    }

    /// What so many tokens cost of this call; none where no rate card covers the model.
    #[must_use]
    pub fn cost(&self, ending: Ending) -> Option<Cost> {
        let price = self.price?;
        Some(match ending.outcome {
            CallOutcome::NotSent => Cost(0),
            _ => price.of(ending.usage),
        })
    }
}

impl Meter {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until all calls that have ended by now are settled, so that whoever looks sees them.
    pub(crate) async fn catch_up(&self) {
        let mut settled = self.settled.subscribe();
        let count = {
            let mut waiting = self.waiting();
            if *settled.borrow() >= waiting.count {
                return;
            }
            waiting.is_hurried = true;
            waiting.count
        };
        self.bell.notify_one();
        let _ = tokio::time::timeout(desk::PATIENCE, settled.wait_for(|all| *all >= count)).await;
    }
}

impl Default for Meter {
    fn default() -> Self {
        Self {
            waiting: Mutex::default(),
            bell: Notify::new(),
            ended: Notify::new(),
            settled: watch::Sender::new(0),
        }
    }
}

impl App {
    /// Sets aside what a call may cost at most, in every budget that covers it. Nothing may go to the
    /// provider before.
    ///
    /// # Errors
    /// [`AppError::BudgetExceeded`], or [`AppError::BudgetUnavailable`] when nothing can be set aside now.
    pub async fn reserve_call(&self, call: ModelCall) -> Result<Reserved, AppError> {
        let (told, answer) = oneshot::channel();
        {
            let mut waiting = self.meter.waiting();
            if waiting.asking.len() >= WAITING {
                return Err(AppError::BudgetUnavailable);
            }
            waiting.asking.push(Asking { call, told });
        }
        self.meter.bell.notify_one();
        let mut answer = Awaited { app: self, answer };
        let outcome = tokio::time::timeout(desk::PATIENCE, &mut answer.answer).await;
        match outcome {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) | Err(_) => Err(AppError::BudgetUnavailable),
        }
    }

    /// Settles a call that ended. It is recorded within a moment; nobody waits for it, since what is set
    /// aside stays until it is.
    pub fn settle_call(&self, reserved: Reserved, ending: Ending) -> Settled {
        let cost = reserved.cost(ending);
        let Reserved {
            reservation,
            price,
            left,
        } = reserved;
        let unused = reservation
            .amount
            .saturating_sub(cost.unwrap_or_default().0);
        let left = left.map(|left| Cost(left.0.saturating_add(unused)));
        {
            let mut waiting = self.meter.waiting();
            waiting.ended.push(Ended {
                held: reservation,
                price,
                ending,
            });
            waiting.count += 1;
        }
        self.meter.ended.notify_one();
        Settled { cost, left }
    }
}

impl std::fmt::Debug for Meter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Meter")
    }
}
