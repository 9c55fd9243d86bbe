//! Budgets and rate cards as people make them, and what they and calls come to.

use std::ops::Range;

use skep_authz::Authorized;
use skep_authz::rights::{BudgetManage, UsageRead};
use skep_domain::{BudgetId, BudgetPeriod, BudgetScope, Limits, ModelPattern, Timestamp};
use skep_llm::{Cost, Price};
use skep_store::ModelCall;
use skep_store::row::{RateCardRow, UsageDayRow};

use super::rule::{self, Standing, Verdict};
use crate::{App, AppError};

/// What some models cost from now on.
#[derive(Clone, Debug)]
pub struct NewRateCard {
    /// Which.
    pub models: ModelPattern,
    /// For a million tokens.
    pub price: Price,
}

/// The greatest amount: sums of it do not overflow.
const MOST: u64 = 1 << 50;

impl App {
    /// Makes a budget, or gives the one of its scope, period and kind another limit. What was spent before
    /// counts no more than it did: a new budget begins with nothing spent.
    ///
    /// # Errors
    /// [`AppError::Invalid`], [`AppError::Conflict`] when there are as many as may be.
    pub async fn put_budget(
        &self,
        authorized: Authorized<BudgetManage>,
        (scope, period): (BudgetScope, BudgetPeriod),
        limit: Cost,
        hard: bool,
    ) -> Result<Standing, AppError> {
        bounded("limit", limit)?;
        let mut tx = self.store.begin_org(authorized).await?;
        let held = tx.list_budgets().await?;
        let same = |scope: &BudgetScope, period, hard| {
            held.iter()
                .any(|held| held.scope == *scope && (held.period, held.hard) == (period, hard))
        };
        if held.len() >= Limits::BUDGETS && !same(&scope, period, hard) {
            return Err(AppError::Conflict(
                "the organization has as many budgets as it may: remove one first",
            ));
        }
        let id = tx.put_budget((scope, period), limit.0, hard).await?;
        let (budgets, spends, now) = (tx.list_budgets().await?, tx.list_spends().await?, tx.now());
        tx.commit().await?;
        let made = budgets.into_iter().find(|budget| budget.id == id);
        let made = made.ok_or(AppError::Internal(
            "a budget that was just made is not there",
        ))?;
        Ok(Standing::of(made, &spends, now))
    }

    /// Removes a budget and what it counted.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn remove_budget(
        &self,
        authorized: Authorized<BudgetManage>,
        id: BudgetId,
    ) -> Result<(), AppError> {
        let mut tx = self.store.begin_org(authorized).await?;
        if !tx.remove_budget(id).await? {
            return Err(AppError::NotFound("budget"));
        }
        Ok(tx.commit().await?)
    }

    /// Every budget as it stands now.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn list_budgets(
        &self,
        authorized: Authorized<UsageRead>,
    ) -> Result<Vec<Standing>, AppError> {
        self.meter.catch_up().await;
        let mut tx = self.store.begin_org(authorized).await?;
        let now = tx.now();
        let (budgets, spends) = tx.list_budgets(now).await?;
        let standings = budgets.into_iter();
        Ok(standings
            .map(|budget| Standing::of(budget, &spends, now))
            .collect())
    }

    /// Whether a call would be allowed now, by which prices and beside which budgets. Nothing is set aside.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn explain_budget(
        &self,
        authorized: Authorized<UsageRead>,
        call: &ModelCall,
    ) -> Result<Verdict, AppError> {
        self.meter.catch_up().await;
        let mut tx = self.store.begin_org(authorized).await?;
        let now = tx.now();
        let cards = tx.list_rate_cards().await?;
        let (budgets, spends) = tx.list_budgets(now).await?;
        let standings = budgets.into_iter();
        let standings = standings.map(|budget| Standing::of(budget, &spends, now));
        Ok(rule::judge(call, &cards, standings))
    }

    /// Says what some models cost from now on; gives the version that says so.
    ///
    /// # Errors
    /// [`AppError::Invalid`], [`AppError::Conflict`] when there are as many as may be.
    pub async fn put_rate_card(
        &self,
        authorized: Authorized<BudgetManage>,
        new: NewRateCard,
    ) -> Result<RateCardRow, AppError> {
        let price = new.price;
        let parts = [price.cache_read, price.cache_write, price.reasoning];
        let prices = [price.input, price.output].into_iter();
        for price in prices.chain(parts.into_iter().flatten()) {
            bounded("price", price)?;
        }
        let mut tx = self.store.begin_org(authorized).await?;
        let held = tx.list_rate_cards().await?;
        let last = held.iter().find(|held| held.models == new.models);
        if let Some(last) = last
            && rule::price(last) == price
        {
            return Ok(last.clone());
        }
        if held.len() >= Limits::RATE_CARDS && last.is_none() {
            return Err(AppError::Conflict(
                "the organization has as many rate cards as it may: let one cover more models, with *",
            ));
        }
        if last.is_some_and(|last| last.version >= Limits::RATE_CARD_VERSIONS) {
            return Err(AppError::Conflict(
                "this rate card has as many versions as it may: say the price of a closer pattern",
            ));
        }
        let mut row = RateCardRow {
            models: new.models,
            version: 0,
            input: price.input.0,
            output: price.output.0,
            cache_read: price.cache_read.map(|cost| cost.0),
            cache_write: price.cache_write.map(|cost| cost.0),
            reasoning: price.reasoning.map(|cost| cost.0),
            created_at: tx.now(),
        };
        row.version = tx.put_rate_card(row.clone()).await?;
        tx.commit().await?;
        Ok(row)
    }

    /// The rate cards that count now, or every version of one, newest first.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn list_rate_cards(
        &self,
        authorized: Authorized<UsageRead>,
        of: Option<&ModelPattern>,
    ) -> Result<Vec<RateCardRow>, AppError> {
        let mut tx = self.store.begin_org(authorized).await?;
        Ok(match of {
            None => tx.list_rate_cards().await?,
            Some(models) => {
                let all = Limits::RATE_CARD_VERSIONS;
                tx.list_rate_card_versions(models, all).await?
            }
        })
    }

    /// What calls came to, by day, model, member or agent, and key; says whether that is all of it.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn list_usage_days(
        &self,
        authorized: Authorized<UsageRead>,
        days: Range<Timestamp>,
    ) -> Result<(Vec<UsageDayRow>, bool), AppError> {
        self.meter.catch_up().await;
        let mut tx = self.store.begin_org(authorized).await?;
        let limit = Limits::USAGE_ROWS;
        let mut rows = tx.list_usage_days(days, limit + 1).await?;
        let whole = rows.len() <= limit as usize;
        rows.truncate(limit as usize);
        Ok((rows, whole))
    }
}

fn bounded(field: &str, cost: Cost) -> Result<(), AppError> {
    if cost.0 <= MOST {
        return Ok(());
    }
    let message = format!("{field} is more than {} units", MOST / 1_000_000);
    Err(crate::error::Invalid::unknown(field, &message))
}
