//! Setting aside and settling within a transaction, many calls in each.

use std::collections::hash_map::Entry::{Occupied, Vacant};
use std::collections::{BTreeMap, HashMap, HashSet};

use skep_domain::{BudgetId, OrganizationId, Timestamp, UsageId};
use skep_store::row::{BudgetRow, RateCardRow, SpendChange, SpendRow};
use skep_store::{DoorTx, ModelCall, Reservation};

use super::notice;
use super::record::{self, Entry, signed};
use super::rule::{self, Standing};
use super::{CallOutcome, Ended, Reserved};
use crate::AppError;

/// How long a call may last; what nobody settled by then counts as spent.
const LONGEST: i64 = 3_600_000_000;

/// What an organization's budgets and prices are within a transaction.
struct Book {
    budgets: Vec<BudgetRow>,
    cards: Vec<RateCardRow>,
    spends: Vec<SpendRow>,
}

/// Changes of counts, added up: set aside, spent.
pub(super) type Changes = BTreeMap<(OrganizationId, BudgetId, Timestamp), (i64, i64)>;

/// What a call cost: what it was charged at, or all that was set aside where nobody knows.
fn cost_of(
    Ended {
        held,
        price,
        ending,
    }: &Ended,
) -> u64 {
    match (ending.outcome, price) {
        (CallOutcome::NotSent, _) => 0,
        (CallOutcome::Lost, _) => held.amount,
        (_, Some(price)) => price.of(ending.usage).0,
        (_, None) => 0,
    }
}

/// Frees what was set aside, counts what was spent, and records it. A call whose time was over is recorded
/// already, with the most that it may have cost: what it really cost is recorded beside that.
///
/// What a budget counts is told where it passes one of these shares of its limit.
pub(super) async fn settle_all(
    tx: &mut DoorTx,
    ended: &[Ended],
    percents: &[u8],
) -> Result<(), AppError> {
    if ended.is_empty() {
        return Ok(());
    }
    let ids = ended
        .iter()
        .map(|Ended { held, .. }| (held.call.organization, held.id));
    let taken = tx.take_reservations(ids.collect()).await?;
    let taken: HashSet<UsageId> = taken.into_iter().collect();
    let mut changes = Changes::new();
    let mut entries: BTreeMap<OrganizationId, Vec<Entry>> = BTreeMap::new();
    for one in ended {
        let Ended { held, ending, .. } = one;
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
    change(tx, &changes).await?;
    notice::tell(tx, &changes, percents).await?;
    for (organization, entries) in entries {
        record::append(tx, organization, &entries).await?;
    }
    Ok(())
}

/// Decides on calls in the order in which they asked, each beside all before it.
pub(super) async fn reserve_all(
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
    change(tx, &changes).await?;
    Ok(outcomes)
}

async fn change(tx: &mut DoorTx, changes: &Changes) -> Result<(), AppError> {
    let mut of: BTreeMap<OrganizationId, Vec<SpendChange>> = BTreeMap::new();
    for (&(organization, budget, start), &(reserved, spent)) in changes {
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
