//! Statements on what calls of models may cost, and did.

use std::ops::Range;

use async_trait::async_trait;
use skep_domain::{BudgetId, Id, ModelPattern, OrganizationId, Principal, Timestamp, UsageId};
use skep_store::StoreError;
use skep_store::backend::control::MeterRows;
use skep_store::column::{Stored, principal_kind};
use skep_store::row::{
    BudgetRow, RateCardRow, ReservationRow, SpendChange, SpendRow, UsageDayRow, scope_columns,
};

use super::PostgresControlTx;
use crate::statement::statements;
use crate::value::values;

statements! {
    BUDGETS = "SELECT id, scope_kind, scope, period, amount, hard, created_at, changed_at
        FROM budget WHERE organization = $1 ORDER BY id";
    PUT_BUDGET = "INSERT INTO budget (organization, id, scope_kind, scope, period, amount, hard, created_at, changed_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        ON CONFLICT (organization, scope_kind, scope, period, hard) DO UPDATE
        SET amount = excluded.amount, changed_at = excluded.changed_at
        RETURNING id";
    REMOVE_BUDGET = "DELETE FROM budget WHERE organization = $1 AND id = $2";
    RATE_CARDS = r#"SELECT models, version, input, output, cache_read, cache_write, reasoning, created_at
        FROM rate_card AS card WHERE organization = $1 AND version = (SELECT MAX(version)
            FROM rate_card WHERE organization = $1 AND models = card.models)
        ORDER BY models COLLATE "C""#;
    VERSIONS = "SELECT models, version, input, output, cache_read, cache_write, reasoning, created_at
        FROM rate_card WHERE organization = $1 AND models = $2 ORDER BY version DESC LIMIT $3";
    PUT_RATE_CARD = "INSERT INTO rate_card (organization, models, version, input, output, cache_read, cache_write, reasoning, created_at)
        SELECT $1, $2, 1 + COALESCE(MAX(version), 0), $3, $4, $5, $6, $7, $8
        FROM rate_card WHERE organization = $1 AND models = $2
        RETURNING version";
    SPENDS = "SELECT budget, start, reserved, spent
        FROM budget_spend WHERE organization = $1 AND (start >= $2 OR start = 0)";
    /// A budget that was removed meanwhile counts nothing.
    CHANGE_SPEND = "INSERT INTO budget_spend AS held (organization, budget, start, reserved, spent)
        SELECT $1, $2, $3, $4, $5 WHERE EXISTS (
            SELECT 1 FROM budget WHERE organization = $1 AND id = $2)
        ON CONFLICT (organization, budget, start) DO UPDATE
        SET reserved = GREATEST(0, held.reserved + excluded.reserved),
            spent = GREATEST(0, held.spent + excluded.spent)";
    RESERVE = "INSERT INTO reservation (id, organization, at, expires_at, amount, counted, body)
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    TAKE = "DELETE FROM reservation WHERE organization = $1 AND id = $2";
    STALE = "SELECT id, organization, at, expires_at, amount, counted, body
        FROM reservation WHERE expires_at < $1 ORDER BY expires_at LIMIT $2";
    ADD_DAY = "INSERT INTO usage_day AS held (organization, day, workspace, principal_kind, principal, credential, provider, model, calls, estimated, input, output, cache_read, cache_write, reasoning, cost)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
        ON CONFLICT (organization, day, workspace, principal_kind, principal, credential, provider, model)
        DO UPDATE SET calls = held.calls + excluded.calls,
            estimated = held.estimated + excluded.estimated,
            input = held.input + excluded.input, output = held.output + excluded.output,
            cache_read = held.cache_read + excluded.cache_read,
            cache_write = held.cache_write + excluded.cache_write,
            reasoning = held.reasoning + excluded.reasoning, cost = held.cost + excluded.cost";
    DAYS = "SELECT day, workspace, principal_kind, principal, credential, provider, model, calls, estimated, input, output, cache_read, cache_write, reasoning, cost
        FROM usage_day WHERE organization = $1 AND day >= $2 AND day < $3 ORDER BY day LIMIT $4";
}

#[async_trait]
impl MeterRows for PostgresControlTx {
    async fn budgets(
        &mut self,
        organization: OrganizationId,
    ) -> Result<Vec<BudgetRow>, StoreError> {
        let values = values![organization.to_bytes()];
        self.list(BUDGETS, values, BudgetRow::read).await
    }

    async fn put_budget(
        &mut self,
        organization: OrganizationId,
        row: BudgetRow,
    ) -> Result<BudgetId, StoreError> {
        let (kind, place) = scope_columns(&row.scope);
        let values = values![
            organization.to_bytes(),
            row.id.to_bytes(),
            kind,
            place,
            row.period as u8,
            row.limit,
            row.hard,
            row.created_at.as_micros(),
            row.changed_at.as_micros(),
        ];
        let id = self.get(PUT_BUDGET, values, |row| row.get(0)).await?;
        Ok(BudgetId::from_bytes(id))
    }

    async fn remove_budget(
        &mut self,
        organization: OrganizationId,
        id: BudgetId,
    ) -> Result<bool, StoreError> {
        let values = values![organization.to_bytes(), id.to_bytes()];
        Ok(self.run(REMOVE_BUDGET, values).await? > 0)
    }

    async fn rate_cards(
        &mut self,
        organization: OrganizationId,
    ) -> Result<Vec<RateCardRow>, StoreError> {
        let values = values![organization.to_bytes()];
        self.list(RATE_CARDS, values, RateCardRow::read).await
    }

    async fn rate_card_versions(
        &mut self,
        organization: OrganizationId,
        models: &ModelPattern,
        limit: u32,
    ) -> Result<Vec<RateCardRow>, StoreError> {
        let values = values![organization.to_bytes(), models.as_str(), limit];
        self.list(VERSIONS, values, RateCardRow::read).await
    }

    async fn put_rate_card(
        &mut self,
        organization: OrganizationId,
        row: RateCardRow,
    ) -> Result<u32, StoreError> {
        let values = values![
            organization.to_bytes(),
            row.models.as_str(),
            row.input,
            row.output,
            row.cache_read,
            row.cache_write,
            row.reasoning,
            row.created_at.as_micros(),
        ];
        self.get(PUT_RATE_CARD, values, |row| row.get(0)).await
    }

    async fn spends(
        &mut self,
        organization: OrganizationId,
        since: Timestamp,
    ) -> Result<Vec<SpendRow>, StoreError> {
        let values = values![organization.to_bytes(), since.as_micros()];
        self.list(SPENDS, values, SpendRow::read).await
    }

    async fn change_spends(
        &mut self,
        organization: OrganizationId,
        changes: Vec<SpendChange>,
    ) -> Result<(), StoreError> {
        for change in changes {
            let values = values![
                organization.to_bytes(),
                change.budget.to_bytes(),
                change.start.as_micros(),
                change.reserved,
                change.spent,
            ];
            self.run(CHANGE_SPEND, values).await?;
        }
        Ok(())
    }

    async fn put_reservations(&mut self, rows: Vec<ReservationRow>) -> Result<(), StoreError> {
        for row in rows {
            let values = values![
                row.id.to_bytes(),
                row.organization.to_bytes(),
                row.at.as_micros(),
                row.expires_at.as_micros(),
                row.amount,
                row.counted.to_bytes(),
                row.body.as_bytes(),
            ];
            self.put(RESERVE, values, "a reservation with this id")
                .await?;
        }
        Ok(())
    }

    async fn take_reservations(
        &mut self,
        ids: Vec<(OrganizationId, UsageId)>,
    ) -> Result<Vec<UsageId>, StoreError> {
        let mut taken = Vec::with_capacity(ids.len());
        for (organization, id) in ids {
            let values = values![organization.to_bytes(), id.to_bytes()];
            if self.run(TAKE, values).await? > 0 {
                taken.push(id);
            }
        }
        Ok(taken)
    }

    async fn stale_reservations(
        &mut self,
        before: Timestamp,
        limit: u32,
    ) -> Result<Vec<ReservationRow>, StoreError> {
        let values = values![before.as_micros(), limit];
        self.list(STALE, values, ReservationRow::read).await
    }

    async fn add_usage_days(
        &mut self,
        organization: OrganizationId,
        rows: Vec<UsageDayRow>,
    ) -> Result<(), StoreError> {
        for row in rows {
            let values = values![
                organization.to_bytes(),
                row.day.as_micros(),
                row.workspace.to_bytes(),
                principal_kind(row.principal),
                Principal::to_bytes(row.principal),
                row.credential.to_bytes(),
                row.provider,
                row.model,
                row.sums.calls,
                row.sums.estimated,
                row.sums.input,
                row.sums.output,
                row.sums.cache_read,
                row.sums.cache_write,
                row.sums.reasoning,
                row.sums.cost,
            ];
            self.run(ADD_DAY, values).await?;
        }
        Ok(())
    }

    async fn usage_days(
        &mut self,
        organization: OrganizationId,
        days: Range<Timestamp>,
        limit: u32,
    ) -> Result<Vec<UsageDayRow>, StoreError> {
        let values = values![
            organization.to_bytes(),
            days.start.as_micros(),
            days.end.as_micros(),
            limit
        ];
        self.list(DAYS, values, UsageDayRow::read).await
    }
}
