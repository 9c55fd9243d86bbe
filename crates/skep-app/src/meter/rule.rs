//! What a call may cost at most, which budgets it counts in, and whether it may be made: pure.
//!
//! Every budget that covers a call must have room for it. So the least of what they leave is the
//! rule, and none can be got round by another.

use skep_domain::{BudgetId, BudgetPeriod, BudgetScope, Principal, Timestamp};
use skep_llm::{Cost, Price};
use skep_store::ModelCall;
use skep_store::row::{BudgetRow, RateCardRow, SpendRow};

/// A budget and what it has counted in the window of now.
#[derive(Clone, Debug)]
pub struct Standing {
    /// The budget.
    pub budget: BudgetRow,
    /// When the window began.
    pub start: Timestamp,
    /// When it ends; never, for the whole.
    pub end: Option<Timestamp>,
    /// Set aside for calls that are under way.
    pub reserved: Cost,
    /// Spent.
    pub spent: Cost,
}

/// What may happen with a call.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// What it may cost at most; none where no rate card covers the model.
    pub most: Option<Cost>,
    /// The rate card.
    pub card: Option<RateCardRow>,
    /// Every budget that covers it, as it stood before.
    pub standings: Vec<Standing>,
    /// Why it is refused.
    pub refusal: Option<Refusal>,
}

/// Why a call is refused.
#[derive(Clone, Debug)]
pub enum Refusal {
    /// A budget has no room for it.
    Exceeded(Box<Standing>),
    /// A budget covers it, and nobody said what it costs.
    NoPrice,
}

impl Standing {
    /// What is left.
    #[must_use]
    pub fn left(&self) -> Cost {
        let taken = self.reserved.0.saturating_add(self.spent.0);
        Cost(self.budget.limit.saturating_sub(taken))
    }

    /// A budget as it stands at a moment.
    #[must_use]
    pub fn of(budget: BudgetRow, spends: &[SpendRow], at: Timestamp) -> Self {
        let start = budget.period.start(at);
        let counted = spends
            .iter()
            .find(|spend| spend.budget == budget.id && spend.start == start);
        Self {
            start,
            end: budget.period.end(at),
            reserved: Cost(counted.map_or(0, |spend| spend.reserved)),
            spent: Cost(counted.map_or(0, |spend| spend.spent)),
            budget,
        }
    }
}

/// Whether a budget covers a call.
#[must_use]
pub(crate) fn covers(scope: &BudgetScope, call: &ModelCall) -> bool {
    match scope {
        BudgetScope::Organization => true,
        BudgetScope::Workspace(id) => *id == call.workspace,
        BudgetScope::Agent(id) => call.principal == Principal::Agent(*id),
        BudgetScope::User(id) => call.principal == Principal::User(*id),
        BudgetScope::Key(id) => *id == call.credential,
        BudgetScope::Model(models) => models.covers(&call.provider, &call.model),
    }
}

/// The rate card of a model: the one whose pattern says most closely what it means.
#[must_use]
pub(crate) fn card_of<'a>(
    cards: &'a [RateCardRow],
    provider: &str,
    model: &str,
) -> Option<&'a RateCardRow> {
    cards
        .iter()
        .filter(|card| card.models.covers(provider, model))
        .max_by_key(|card| card.models.closeness())
}

/// The prices of a rate card.
#[must_use]
pub(crate) fn price(card: &RateCardRow) -> Price {
    Price {
        input: Cost(card.input),
        output: Cost(card.output),
        cache_read: card.cache_read.map(Cost),
        cache_write: card.cache_write.map(Cost),
        reasoning: card.reasoning.map(Cost),
    }
}

/// Whether a call may be made, where these budgets and prices hold and so much is counted.
#[must_use]
pub(crate) fn judge(
    call: &ModelCall,
    cards: &[RateCardRow],
    standings: impl Iterator<Item = Standing>,
) -> Verdict {
    let card = card_of(cards, &call.provider, &call.model);
    let most = card.map(|card| price(card).most(call.input, call.output));
    let standings: Vec<Standing> = standings
        .filter(|standing| covers(&standing.budget.scope, call))
        .collect();
    let mut hard = standings.iter().filter(|standing| standing.budget.hard);
    let refusal = match most {
        None => hard.next().map(|_| Refusal::NoPrice),
        Some(most) => hard
            .filter(|standing| standing.left() < most)
            .min_by_key(|standing| standing.left())
            .map(|standing| Refusal::Exceeded(Box::new(standing.clone()))),
    };
    Verdict {
        most,
        card: card.cloned(),
        standings,
        refusal,
    }
}

impl Verdict {
    /// The windows that the call counts in.
    #[must_use]
    pub fn windows(&self) -> Vec<(BudgetId, Timestamp)> {
        let window = |standing: &Standing| (standing.budget.id, standing.start);
        self.standings.iter().map(window).collect()
    }

    /// What hard budgets leave beside the call; none where no one covers it.
    #[must_use]
    pub fn left(&self) -> Option<Cost> {
        let hard = self.standings.iter().filter(|held| held.budget.hard);
        let left = hard.map(Standing::left).min()?;
        Some(Cost(left.0.saturating_sub(self.most.unwrap_or_default().0)))
    }
}

/// What a period is called in a sentence.
const fn window_name(period: BudgetPeriod) -> &'static str {
    match period {
        BudgetPeriod::Day => "today",
        BudgetPeriod::Week => "this week",
        BudgetPeriod::Month => "this month",
        BudgetPeriod::Total => "in all",
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self::Exceeded(standing) = self else {
            return f.write_str(
                "no rate card says what this model costs, and a budget bounds what may be spent on it: \
                 `skep rates set PROVIDER/MODEL --input … --output …` says so",
            );
        };
        let whose = match &standing.budget.scope {
            BudgetScope::Organization => "the organization's budget".to_owned(),
            BudgetScope::Workspace(_) => "the workspace's budget".to_owned(),
            BudgetScope::Agent(_) => "the agent's budget".to_owned(),
            BudgetScope::User(_) => "the member's budget".to_owned(),
            BudgetScope::Key(_) => "the key's budget".to_owned(),
            BudgetScope::Model(models) => format!("the budget of {}", models.as_str()),
        };
        write!(
            f,
            "{whose} has no room for this call: {} of {} spent {}, {} set aside for calls under way",
            standing.spent,
            Cost(standing.budget.limit),
            window_name(standing.budget.period),
            standing.reserved,
        )
    }
}

#[cfg(test)]
mod tests;
