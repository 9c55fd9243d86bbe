//! The task that sets aside and settles, many calls in one transaction.

use std::collections::hash_map::Entry::{Occupied, Vacant};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use skep_domain::{BudgetId, OrganizationId, Timestamp, UsageId};
use skep_llm::{Price, Usage};
use skep_store::row::{BudgetRow, RateCardRow, SpendChange, SpendRow};
use skep_store::{DoorTx, Mode, ModelCall, Reservation};
use tokio::time::{MissedTickBehavior, interval};

use super::record::{self, Entry, signed};
use super::rule::{self, Standing};
use super::{Ask, CallOutcome, Ending, Measured, Reserved};
use crate::access::door;
use crate::{App, AppError};

/// How long a call waits for what it may cost to be set aside.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);
/// How long a call may last; what nobody settled by then counts as spent.
const LONGEST: i64 = 3_600_000_000;
/// Between two looks for what nobody settled, and between two commits that wait for the disk.
const LOOK: Duration = Duration::from_secs(30);
const SYNC: i64 = 1_000_000;
/// Calls in one transaction: what one that waits for the lock waits at most.
const AT_ONCE: usize = 512;
/// Calls that nobody settled, looked at in one transaction.
const STALE: u32 = 200;

/// Sets aside and settles, to be run by whoever owns the daemon's tasks.
pub struct MeterDesk {
    app: Arc<App>,
    /// When a commit last waited for the disk.
    synced: Timestamp,
}

/// A call that ended.
type Ended = (Reservation, Option<Price>, Ending);

/// What an organization's budgets and prices are within a transaction.
struct Book {
    budgets: Vec<BudgetRow>,
    cards: Vec<RateCardRow>,
    spends: Vec<SpendRow>,
}

/// Changes of counts, added up.
type Changes = BTreeMap<(OrganizationId, BudgetId, Timestamp), (i64, i64)>;

impl MeterDesk {
    /// The loop of an application.
    #[must_use]
    pub fn new(app: Arc<App>) -> Self {
        let synced = app.store.now();
        Self { app, synced }
    }

    /// Sets aside and settles, until it is dropped.
    pub async fn run(mut self) {
        let mut look = interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                () = self.app.meter.bell.notified() => self.write().await,
                _ = look.tick() => {
                    if let Err(error) = self.give_up_stale(self.app.store.now()).await {
                        tracing::warn!(%error, "calls that nobody settled could not be looked for");
                    }
                }
            }
        }
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

    /// Decides on everything that waits now.
    pub async fn write(&mut self) {
        loop {
            let asks = {
                let mut asks = self.app.meter.asks();
                let count = asks.len().min(AT_ONCE);
                asks.drain(..count).collect::<Vec<Ask>>()
            };
            if asks.is_empty() {
                return;
            }
            self.decide(asks).await;
        }
    }

    async fn decide(&mut self, asks: Vec<Ask>) {
        let (mut asking, mut ended) = (Vec::new(), Vec::new());
        for ask in asks {
            match ask {
                // Whoever gave up waiting sends nothing.
                Ask::Reserve(_, told) if told.is_closed() => {}
                Ask::Reserve(call, told) => asking.push((call, told)),
                Ask::Settle(held, price, ending) => ended.push((*held, price, ending)),
            }
        }
        let (calls, told): (Vec<ModelCall>, Vec<_>) = asking.into_iter().unzip();
        match self.transact(&calls, &ended).await {
            Ok(outcomes) => {
                for (outcome, told) in outcomes.into_iter().zip(told) {
                    // Nobody waits any more: nothing was sent, so nothing is owed.
                    if let Err(Ok(reserved)) = told.send(outcome) {
                        let ending = Ending {
                            usage: Usage::default(),
                            measured: Measured::Counted,
                            outcome: CallOutcome::NotSent,
                        };
                        let _ = self.app.settle_call(reserved, ending);
                    }
                }
            }
            Err(error) => {
                let (calls, ended) = (calls.len(), ended.len());
                // What was set aside for those that ended stays, and counts whole when its time is over.
                tracing::error!(%error, calls, ended, "calls could not be counted");
                for told in told {
                    let _ = told.send(Err(AppError::BudgetUnavailable));
                }
            }
        }
    }

    async fn transact(
        &mut self,
        calls: &[ModelCall],
        ended: &[Ended],
    ) -> Result<Vec<Result<Reserved, AppError>>, AppError> {
        let now = self.app.store.now();
        let due = now.as_micros().saturating_sub(self.synced.as_micros()) >= SYNC;
        let mode = if due { Mode::Write } else { Mode::Swift };
        let mut tx = door!(self.app, mode).await?;
        settle_all(&mut tx, ended).await?;
        let outcomes = reserve_all(&mut tx, calls, now).await?;
        tx.commit().await?;
        if due {
            self.synced = now;
        }
        Ok(outcomes)
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
                (held, None, ending)
            });
            let lost: Vec<Ended> = lost.collect();
            settle_all(&mut tx, &lost).await?;
            tx.commit().await?;
            given_up += lost.len();
            tracing::warn!(
                calls = lost.len(),
                "nobody knows how these ended: they count with the most that they may have cost"
            );
        }
    }
}

/// What a call cost: what it was charged at, or all that was set aside where nobody knows.
fn cost_of((held, price, ending): &Ended) -> u64 {
    match (ending.outcome, price) {
        (CallOutcome::NotSent, _) => 0,
        (CallOutcome::Lost, _) => held.amount,
        (_, Some(price)) => price.of(ending.usage).0,
        (_, None) => 0,
    }
}

/// Frees what was set aside, counts what was spent, and records it. A call whose time was over is recorded
/// already, with the most that it may have cost: what it really cost is recorded beside that.
async fn settle_all(tx: &mut DoorTx, ended: &[Ended]) -> Result<(), AppError> {
    if ended.is_empty() {
        return Ok(());
    }
    let ids = ended
        .iter()
        .map(|(held, ..)| (held.call.organization, held.id));
    let taken = tx.take_reservations(ids.collect()).await?;
    let taken: HashSet<UsageId> = taken.into_iter().collect();
    let mut changes = Changes::new();
    let mut entries: BTreeMap<OrganizationId, Vec<Entry>> = BTreeMap::new();
    for one in ended {
        let (held, _, ending) = one;
        let cost = cost_of(one);
        let in_time = taken.contains(&held.id);
        let (freed, spent) = if in_time {
            (-signed(held.amount), signed(cost))
        } else {
            (0, signed(cost) - signed(held.amount))
        };
        for (budget, start) in &held.counted.0 {
            let key = (held.call.organization, *budget, *start);
            let change = changes.entry(key).or_default();
            change.0 += freed;
            change.1 += spent;
        }
        let of = entries.entry(held.call.organization).or_default();
        of.push(Entry {
            held: held.clone(),
            ending: *ending,
            cost,
            corrects: !in_time,
        });
    }
    change(tx, changes).await?;
    for (organization, entries) in entries {
        record::append(tx, organization, &entries).await?;
    }
    Ok(())
}

/// Decides on calls in the order in which they asked, each beside all before it.
async fn reserve_all(
    tx: &mut DoorTx,
    calls: &[ModelCall],
    now: Timestamp,
) -> Result<Vec<Result<Reserved, AppError>>, AppError> {
    let mut books: HashMap<OrganizationId, Book> = HashMap::new();
    let mut changes = Changes::new();
    let (mut outcomes, mut held) = (Vec::with_capacity(calls.len()), Vec::new());
    for call in calls {
        let organization = call.organization;
        let book = match books.entry(organization) {
            Occupied(held) => held.into_mut(),
            Vacant(place) => place.insert(Book::read(tx, organization, now).await?),
        };
        let verdict = rule::judge(call, &book.cards, book.standings(now));
        if let Some(refusal) = verdict.refusal {
            outcomes.push(Err(AppError::BudgetExceeded(refusal)));
            continue;
        }
        let amount = verdict.most.unwrap_or_default().0;
        let windows = verdict.windows();
        for (budget, start) in &windows {
            book.count(*budget, *start, amount);
            changes
                .entry((organization, *budget, *start))
                .or_default()
                .0 += signed(amount);
        }
        let reservation = Reservation {
            id: tx.mint(),
            at: now,
            expires_at: Timestamp::from_micros(now.as_micros().saturating_add(LONGEST)),
            amount,
            counted: skep_store::row::Counted(windows),
            rate: verdict.card.as_ref().map(record::rate_of),
            call: call.clone(),
        };
        held.push(reservation.clone());
        outcomes.push(Ok(Reserved {
            left: verdict.left(),
            price: verdict.card.as_ref().map(rule::price),
            reservation,
        }));
    }
    tx.put_reservations(&held).await?;
    change(tx, changes).await?;
    Ok(outcomes)
}

async fn change(tx: &mut DoorTx, changes: Changes) -> Result<(), AppError> {
    let mut of: BTreeMap<OrganizationId, Vec<SpendChange>> = BTreeMap::new();
    for ((organization, budget, start), (reserved, spent)) in changes {
        of.entry(organization).or_default().push(SpendChange {
            budget,
            start,
            reserved,
            spent,
        });
    }
    for (organization, changes) in of {
        tx.change_spends(organization, changes).await?;
    }
    Ok(())
}

impl Book {
    async fn read(
        tx: &mut DoorTx,
        organization: OrganizationId,
        now: Timestamp,
    ) -> Result<Self, AppError> {
        let budgets = tx.list_budgets_of(organization).await?;
        let spends = if budgets.is_empty() {
            Vec::new()
        } else {
            tx.list_spends_of(organization, now).await?
        };
        Ok(Self {
            budgets,
            cards: tx.list_rate_cards_of(organization).await?,
            spends,
        })
    }

    fn standings(&self, now: Timestamp) -> impl Iterator<Item = Standing> {
        let standing = move |budget: &BudgetRow| Standing::of(budget.clone(), &self.spends, now);
        self.budgets.iter().map(standing)
    }

    /// Counts for those that ask after it.
    fn count(&mut self, budget: BudgetId, start: Timestamp, amount: u64) {
        let mut spends = self.spends.iter_mut();
        let counted = spends.find(|spend| spend.budget == budget && spend.start == start);
        match counted {
            Some(spend) => spend.reserved = spend.reserved.saturating_add(amount),
            None => self.spends.push(SpendRow {
                budget,
                start,
                reserved: amount,
                spent: 0,
            }),
        }
    }
}

impl std::fmt::Debug for MeterDesk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MeterDesk")
    }
}
