//! What is recorded of a call that ended: an entry in the organization's record of what was used, and the
//! sums of its day.

use serde::Serialize;
use skep_domain::{BudgetPeriod, Id, OrganizationId};
use skep_ledger::id_text;
use skep_store::row::{RateCardRow, UsageDayRow, UsageSums};
use skep_store::{DoorTx, NewUsage, Reservation};

use super::{Ending, Measured};
use crate::AppError;

/// A call that ended.
pub(super) struct Entry {
    pub(super) held: Reservation,
    pub(super) ending: Ending,
    pub(super) cost: u64,
    /// Whether it was recorded as lost before: this is what it really came to.
    pub(super) corrects: bool,
}

/// What stands in the record as `usage`. The order of fields is that of the bytes.
#[derive(Serialize)]
struct Facts<'a> {
    provider: &'a str,
    model: &'a str,
    outcome: &'a str,
    measured: &'a str,
    input: u64,
    output: u64,
    cache_read: u64,
    cache_write: u64,
    reasoning: u64,
    /// Millionths of a unit of currency.
    cost: u64,
    /// What was set aside.
    reserved: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    rate: Option<&'a str>,
    request: &'a str,
    /// The entry that said before that nobody knows how it ended: this one says how.
    #[serde(skip_serializing_if = "Option::is_none")]
    corrects: Option<String>,
}

/// A rate card in a word: its models and its version.
pub(super) fn rate_of(card: &RateCardRow) -> String {
    format!("{} {}", card.models.as_str(), card.version)
}

/// Records calls of an organization, each once.
pub(super) async fn append(
    tx: &mut DoorTx,
    organization: OrganizationId,
    entries: &[Entry],
) -> Result<(), AppError> {
    let events = entries.iter().map(|entry| event(tx, entry));
    let events = events.collect::<Result<Vec<_>, AppError>>()?;
    tx.append_usage(organization, &events).await?;
    tx.add_usage_days(organization, days(entries)).await?;
    Ok(())
}

/// What they add to the sums of their days, each sum once.
fn days(entries: &[Entry]) -> Vec<UsageDayRow> {
    let mut days: Vec<UsageDayRow> = Vec::new();
    for row in entries.iter().map(day) {
        let same = days.iter_mut().find(|held| is_same_sum(held, &row));
        match same {
            Some(held) => held.sums = plus(held.sums, row.sums),
            None => days.push(row),
        }
    }
    days
}

fn is_same_sum(one: &UsageDayRow, other: &UsageDayRow) -> bool {
    one.day == other.day
        && one.workspace == other.workspace
        && one.principal == other.principal
        && one.credential == other.credential
        && one.provider == other.provider
        && one.model == other.model
}

fn event(tx: &DoorTx, entry: &Entry) -> Result<NewUsage, AppError> {
    let Entry { held, ending, .. } = entry;
    let call = &held.call;
    let facts = Facts {
        provider: &call.provider,
        model: &call.model,
        outcome: ending.outcome.as_str(),
        measured: ending.measured.as_str(),
        input: ending.usage.input,
        output: ending.usage.output,
        cache_read: ending.usage.cache_read,
        cache_write: ending.usage.cache_write,
        reasoning: ending.usage.reasoning,
        cost: entry.cost,
        reserved: held.amount,
        rate: held.rate.as_deref(),
        request: &call.request,
        corrects: entry.corrects.then(|| id_text(held.id.to_bytes())),
    };
    let facts = serde_json::to_string(&facts)
        .map_err(|_| AppError::Internal("a record of usage could not be written"))?;
    Ok(NewUsage {
        id: if entry.corrects { tx.mint() } else { held.id },
        at: tx.now(),
        workspace: Some(call.workspace),
        principal: Some(call.principal),
        credential: Some(call.credential),
        facts,
    })
}

/// What it adds to the sums of its day. What was recorded as lost is there already, with the most that it
/// may have been: a correction adds what is missing, or takes away what is too much.
fn day(entry: &Entry) -> UsageDayRow {
    let held = &entry.held;
    let call = &held.call;
    let real = sums(entry);
    let sums = if entry.corrects {
        let lost = UsageSums {
            calls: 1,
            estimated: 1,
            input: signed(call.input),
            output: signed(call.output),
            cost: signed(held.amount),
            ..UsageSums::default()
        };
        less(real, lost)
    } else {
        real
    };
    UsageDayRow {
        day: BudgetPeriod::Day.start(held.at),
        workspace: call.workspace,
        principal: call.principal,
        credential: call.credential,
        provider: call.provider.clone(),
        model: call.model.clone(),
        sums,
    }
}

fn sums(Entry { ending, cost, .. }: &Entry) -> UsageSums {
    let usage = ending.usage;
    UsageSums {
        calls: 1,
        estimated: i64::from(ending.measured != Measured::Provider),
        input: signed(usage.input),
        output: signed(usage.output),
        cache_read: signed(usage.cache_read),
        cache_write: signed(usage.cache_write),
        reasoning: signed(usage.reasoning),
        cost: signed(*cost),
    }
}

fn plus(one: UsageSums, other: UsageSums) -> UsageSums {
    UsageSums {
        calls: one.calls + other.calls,
        estimated: one.estimated + other.estimated,
        input: one.input + other.input,
        output: one.output + other.output,
        cache_read: one.cache_read + other.cache_read,
        cache_write: one.cache_write + other.cache_write,
        reasoning: one.reasoning + other.reasoning,
        cost: one.cost + other.cost,
    }
}

fn less(real: UsageSums, lost: UsageSums) -> UsageSums {
    UsageSums {
        calls: real.calls - lost.calls,
        estimated: real.estimated - lost.estimated,
        input: real.input - lost.input,
        output: real.output - lost.output,
        cache_read: real.cache_read - lost.cache_read,
        cache_write: real.cache_write - lost.cache_write,
        reasoning: real.reasoning - lost.reasoning,
        cost: real.cost - lost.cost,
    }
}

/// Sums of days stay far below what overflows.
pub(super) fn signed(amount: u64) -> i64 {
    const MOST: u64 = i64::MAX as u64 / 1_024;
    amount.min(MOST).cast_signed()
}
