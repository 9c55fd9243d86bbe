//! What calls of models may cost, and did.

use std::ops::Range;

use async_trait::async_trait;
use skep_domain::{BudgetId, ModelPattern, OrganizationId, Timestamp, UsageId};

use crate::StoreError;
use crate::row::{BudgetRow, RateCardRow, ReservationRow, SpendChange, SpendRow, UsageDayRow};

/// Budgets, prices, what is set aside, and what a day came to.
#[async_trait]
pub trait MeterRows {
    /// The budgets of an organization, by age.
    async fn budgets(&mut self, organization: OrganizationId)
    -> Result<Vec<BudgetRow>, StoreError>;
    /// Makes a budget, or gives the one of its scope, period and kind another limit; says its id.
    async fn put_budget(
        &mut self,
        organization: OrganizationId,
        row: BudgetRow,
    ) -> Result<BudgetId, StoreError>;
    /// Removes a budget and what it counted; `false` when there is none.
    async fn remove_budget(
        &mut self,
        organization: OrganizationId,
        id: BudgetId,
    ) -> Result<bool, StoreError>;
    /// The rate cards that count now: the last version of each pattern.
    async fn rate_cards(
        &mut self,
        organization: OrganizationId,
    ) -> Result<Vec<RateCardRow>, StoreError>;
    /// Every version for a pattern, newest first.
    async fn rate_card_versions(
        &mut self,
        organization: OrganizationId,
        models: &ModelPattern,
        limit: u32,
    ) -> Result<Vec<RateCardRow>, StoreError>;
    /// Adds a version; its number is given by the backend.
    async fn put_rate_card(
        &mut self,
        organization: OrganizationId,
        row: RateCardRow,
    ) -> Result<u32, StoreError>;
    /// What budgets counted in windows that began no earlier than this, or never begin anew.
    async fn spends(
        &mut self,
        organization: OrganizationId,
        since: Timestamp,
    ) -> Result<Vec<SpendRow>, StoreError>;
    /// Changes what budgets of an organization count.
    async fn change_spends(
        &mut self,
        organization: OrganizationId,
        changes: Vec<SpendChange>,
    ) -> Result<(), StoreError>;
    /// Sets aside.
    async fn put_reservations(&mut self, rows: Vec<ReservationRow>) -> Result<(), StoreError>;
    /// Takes what was set aside for these calls; those that are not there are not in the answer.
    async fn take_reservations(
        &mut self,
        ids: Vec<(OrganizationId, UsageId)>,
    ) -> Result<Vec<UsageId>, StoreError>;
    /// What was set aside until before this moment, oldest first.
    async fn stale_reservations(
        &mut self,
        before: Timestamp,
        limit: u32,
    ) -> Result<Vec<ReservationRow>, StoreError>;
    /// Adds to the sums of days.
    async fn add_usage_days(
        &mut self,
        organization: OrganizationId,
        rows: Vec<UsageDayRow>,
    ) -> Result<(), StoreError>;
    /// The sums of days, by day; at most `limit`.
    async fn usage_days(
        &mut self,
        organization: OrganizationId,
        days: Range<Timestamp>,
        limit: u32,
    ) -> Result<Vec<UsageDayRow>, StoreError>;
}
