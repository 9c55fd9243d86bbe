//! Statements on what calls of models may cost, and did.

use std::ops::Range;

use async_trait::async_trait;
use rusqlite::params;
use skep_domain::{BudgetId, Id, ModelPattern, OrganizationId, Principal, Timestamp, UsageId};
use skep_store::StoreError;
use skep_store::backend::control::MeterRows;
use skep_store::column::principal_kind;
use skep_store::row::{
    BudgetRow, RateCardRow, ReservationRow, SpendChange, SpendRow, UsageDayRow, scope_columns,
};

use super::{SqliteControlTx, named};
use crate::column::stored;

const BUDGETS: &str = "SELECT id, scope_kind, scope, period, amount, hard, created_at, changed_at
    FROM budget WHERE organization = ?1 ORDER BY id";
const PUT_BUDGET: &str = "INSERT INTO budget (organization, id, scope_kind, scope, period, amount, hard, created_at, changed_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
    ON CONFLICT (organization, scope_kind, scope, period, hard) DO UPDATE
    SET amount = excluded.amount, changed_at = excluded.changed_at
    RETURNING id";
const RATE_CARDS: &str =
    "SELECT models, version, input, output, cache_read, cache_write, reasoning, created_at
    FROM rate_card AS card WHERE organization = ?1 AND version = (SELECT MAX(version)
        FROM rate_card WHERE organization = ?1 AND models = card.models)
    ORDER BY models";
const VERSIONS: &str =
    "SELECT models, version, input, output, cache_read, cache_write, reasoning, created_at
    FROM rate_card WHERE organization = ?1 AND models = ?2 ORDER BY version DESC LIMIT ?3";
const PUT_RATE_CARD: &str = "INSERT INTO rate_card (organization, models, version, input, output, cache_read, cache_write, reasoning, created_at)
    SELECT ?1, ?2, 1 + COALESCE(MAX(version), 0), ?3, ?4, ?5, ?6, ?7, ?8
    FROM rate_card WHERE organization = ?1 AND models = ?2
    RETURNING version";
const SPENDS: &str = "SELECT budget, start, reserved, spent
    FROM budget_spend WHERE organization = ?1 AND (start >= ?2 OR start = 0)";
/// A budget that was removed meanwhile counts nothing.
const CHANGE_SPEND: &str = "INSERT INTO budget_spend (organization, budget, start, reserved, spent)
    SELECT ?1, ?2, ?3, ?4, ?5 WHERE EXISTS (
        SELECT 1 FROM budget WHERE organization = ?1 AND id = ?2)
    ON CONFLICT (organization, budget, start) DO UPDATE
    SET reserved = MAX(0, reserved + excluded.reserved), spent = MAX(0, spent + excluded.spent)";
const RESERVE: &str =
    "INSERT INTO reservation (id, organization, at, expires_at, amount, counted, body)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
const STALE: &str = "SELECT id, organization, at, expires_at, amount, counted, body
    FROM reservation WHERE expires_at < ?1 ORDER BY expires_at LIMIT ?2";
const ADD_DAY: &str = "INSERT INTO usage_day (organization, day, workspace, principal_kind, principal, credential, provider, model, calls, estimated, input, output, cache_read, cache_write, reasoning, cost)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)
    ON CONFLICT (organization, day, workspace, principal_kind, principal, credential, provider, model)
    DO UPDATE SET calls = calls + excluded.calls, estimated = estimated + excluded.estimated,
        input = input + excluded.input, output = output + excluded.output,
        cache_read = cache_read + excluded.cache_read,
        cache_write = cache_write + excluded.cache_write,
        reasoning = reasoning + excluded.reasoning, cost = cost + excluded.cost";
const DAYS: &str = "SELECT day, workspace, principal_kind, principal, credential, provider, model, calls, estimated, input, output, cache_read, cache_write, reasoning, cost
    FROM usage_day WHERE organization = ?1 AND day >= ?2 AND day < ?3 ORDER BY day LIMIT ?4";

#[async_trait]
impl MeterRows for SqliteControlTx {
    async fn budgets(
        &mut self,
        organization: OrganizationId,
    ) -> Result<Vec<BudgetRow>, StoreError> {
        self.count(move |connection| {
            connection
                .prepare_cached(BUDGETS)?
                .query_and_then([organization.to_bytes()], stored)?
                .collect()
        })
        .await
    }

    async fn put_budget(
        &mut self,
        organization: OrganizationId,
        row: BudgetRow,
    ) -> Result<BudgetId, StoreError> {
        self.run(move |connection| {
            let (kind, place) = scope_columns(&row.scope);
            let id = connection.prepare_cached(PUT_BUDGET)?.query_row(
                params![
                    organization.to_bytes(),
                    row.id.to_bytes(),
                    kind,
                    place,
                    row.period as u8,
                    row.limit,
                    row.hard,
                    row.created_at.as_micros(),
                    row.changed_at.as_micros(),
                ],
                |row| row.get(0),
            )?;
            Ok(BudgetId::from_bytes(id))
        })
        .await
    }

    async fn remove_budget(
        &mut self,
        organization: OrganizationId,
        id: BudgetId,
    ) -> Result<bool, StoreError> {
        self.run(move |connection| {
            let gone = connection
                .prepare_cached("DELETE FROM budget WHERE organization = ?1 AND id = ?2")?
                .execute(params![organization.to_bytes(), id.to_bytes()])?;
            Ok(gone > 0)
        })
        .await
    }

    async fn rate_cards(
        &mut self,
        organization: OrganizationId,
    ) -> Result<Vec<RateCardRow>, StoreError> {
        self.count(move |connection| {
            connection
                .prepare_cached(RATE_CARDS)?
                .query_and_then([organization.to_bytes()], stored)?
                .collect()
        })
        .await
    }

    async fn rate_card_versions(
        &mut self,
        organization: OrganizationId,
        models: &ModelPattern,
        limit: u32,
    ) -> Result<Vec<RateCardRow>, StoreError> {
        let models = models.as_str().to_owned();
        self.run(move |connection| {
            connection
                .prepare_cached(VERSIONS)?
                .query_and_then(params![organization.to_bytes(), models, limit], stored)?
                .collect()
        })
        .await
    }

    async fn put_rate_card(
        &mut self,
        organization: OrganizationId,
        row: RateCardRow,
    ) -> Result<u32, StoreError> {
        self.run(move |connection| {
            let version = connection.prepare_cached(PUT_RATE_CARD)?.query_row(
                params![
                    organization.to_bytes(),
                    row.models.as_str(),
                    row.input,
                    row.output,
                    row.cache_read,
                    row.cache_write,
                    row.reasoning,
                    row.created_at.as_micros(),
                ],
                |row| row.get(0),
            )?;
            Ok(version)
        })
        .await
    }

    async fn spends(
        &mut self,
        organization: OrganizationId,
        since: Timestamp,
    ) -> Result<Vec<SpendRow>, StoreError> {
        self.count(move |connection| {
            connection
                .prepare_cached(SPENDS)?
                .query_and_then(params![organization.to_bytes(), since.as_micros()], stored)?
                .collect()
        })
        .await
    }

    async fn change_spends(
        &mut self,
        organization: OrganizationId,
        changes: Vec<SpendChange>,
    ) -> Result<(), StoreError> {
        self.count(move |connection| {
            let mut statement = connection.prepare_cached(CHANGE_SPEND)?;
            for change in changes {
                statement.execute(params![
                    organization.to_bytes(),
                    change.budget.to_bytes(),
                    change.start.as_micros(),
                    change.reserved,
                    change.spent,
                ])?;
            }
            Ok(())
        })
        .await
    }

    async fn put_reservations(&mut self, rows: Vec<ReservationRow>) -> Result<(), StoreError> {
        self.count(move |connection| {
            let mut statement = connection.prepare_cached(RESERVE)?;
            for row in rows {
                let put = statement.execute(params![
                    row.id.to_bytes(),
                    row.organization.to_bytes(),
                    row.at.as_micros(),
                    row.expires_at.as_micros(),
                    row.amount,
                    row.counted.to_bytes(),
                    row.body.as_bytes(),
                ]);
                named(put, "a reservation with this id")?;
            }
            Ok(())
        })
        .await
    }

    async fn take_reservations(
        &mut self,
        ids: Vec<(OrganizationId, UsageId)>,
    ) -> Result<Vec<UsageId>, StoreError> {
        self.count(move |connection| {
            let mut statement = connection
                .prepare_cached("DELETE FROM reservation WHERE organization = ?1 AND id = ?2")?;
            let mut taken = Vec::with_capacity(ids.len());
            for (organization, id) in ids {
                if statement.execute(params![organization.to_bytes(), id.to_bytes()])? > 0 {
                    taken.push(id);
                }
            }
            Ok(taken)
        })
        .await
    }

    async fn stale_reservations(
        &mut self,
        before: Timestamp,
        limit: u32,
    ) -> Result<Vec<ReservationRow>, StoreError> {
        self.count(move |connection| {
            connection
                .prepare_cached(STALE)?
                .query_and_then(params![before.as_micros(), limit], stored)?
                .collect()
        })
        .await
    }

    async fn add_usage_days(
        &mut self,
        organization: OrganizationId,
        rows: Vec<UsageDayRow>,
    ) -> Result<(), StoreError> {
        self.count(move |connection| {
            let mut statement = connection.prepare_cached(ADD_DAY)?;
            for row in rows {
                statement.execute(params![
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
                ])?;
            }
            Ok(())
        })
        .await
    }

    async fn usage_days(
        &mut self,
        organization: OrganizationId,
        days: Range<Timestamp>,
        limit: u32,
    ) -> Result<Vec<UsageDayRow>, StoreError> {
        self.run(move |connection| {
            let values = params![
                organization.to_bytes(),
                days.start.as_micros(),
                days.end.as_micros(),
                limit
            ];
            connection
                .prepare_cached(DAYS)?
                .query_and_then(values, stored)?
                .collect()
        })
        .await
    }
}
