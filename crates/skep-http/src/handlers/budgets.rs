//! Budgets, rate cards, and what calls of models came to.

use axum::response::Response;
use skep_api::Instant;
use skep_api::budget::{
    Budget, BudgetExplanation, Budgets, ExplainBudgetRequest, RateCard, RateCardQuery, RateCards,
    SetBudgetRequest, SetRateCardRequest, UsageDay, UsageDays, UsageQuery,
};
use skep_app::{BudgetStanding, Cost, ModelCall, NewRateCard, Price, RateCardRow, UsageDayRow};
use skep_authz::{Authorized, rights};
use skep_domain::{BudgetPeriod, BudgetScope, ModelPattern, Timestamp};

use super::access::within;
use super::auth::done;
use crate::call::{Call, ok};
use crate::error::ApiError;

/// Days of usage that are shown where nobody says which.
const DAYS_SHOWN: u32 = 30;
const MOST_DAYS: u32 = 400;
const MOST_TOKENS: u64 = 1_000_000_000;
const DAY: i64 = 86_400_000_000;

pub(crate) async fn list(
    authorized: Authorized<rights::UsageRead>,
    call: Call,
) -> Result<Response, ApiError> {
    let found = call.app().list_budgets(authorized).await?;
    ok(&Budgets {
        items: found.iter().map(|one| shown(&call, one)).collect(),
    })
}

pub(crate) async fn set(
    authorized: Authorized<rights::BudgetManage>,
    call: Call,
) -> Result<Response, ApiError> {
    let request: SetBudgetRequest = call.body()?;
    let scope = scope(&call, &request.scope, request.of.as_deref())?;
    let period = BudgetPeriod::parse(&request.period)
        .ok_or_else(|| invalid("period", "expected day, week, month or total"))?;
    let hard = match request.kind.as_str() {
        "hard" => true,
        "alert" => false,
        _ => return Err(invalid("kind", "expected hard or alert")),
    };
    let limit = amount("limit", &request.limit)?;
    let app = call.app();
    let made = app.put_budget(authorized, (scope, period), limit, hard);
    ok(&shown(&call, &made.await?))
}

pub(crate) async fn remove(
    authorized: Authorized<rights::BudgetManage>,
    call: Call,
) -> Result<Response, ApiError> {
    let id = call.path_id()?;
    call.app().remove_budget(authorized, id).await?;
    done()
}

pub(crate) async fn explain(
    authorized: Authorized<rights::UsageRead>,
    call: Call,
) -> Result<Response, ApiError> {
    let request: ExplainBudgetRequest = call.body()?;
    let named = request.model.split_once('/');
    let Some((provider, model)) = named.filter(|(one, other)| !one.is_empty() && !other.is_empty())
    else {
        return Err(invalid("model", "expected PROVIDER/MODEL"));
    };
    if request.input.max(request.output) > MOST_TOKENS {
        return Err(invalid("input", "no model reads or writes so many tokens"));
    }
    let asked = ModelCall {
        organization: call.caller.organization(),
        workspace: call.caller.workspace(),
        principal: call.caller.principal(),
        credential: call.caller.credential(),
        provider: provider.to_owned(),
        model: model.to_owned(),
        request: String::new(),
        input: request.input,
        output: request.output,
    };
    let verdict = call.app().explain_budget(authorized, &asked).await?;
    let hard = verdict.standings.iter().filter(|one| one.budget.hard);
    let least = hard.min_by_key(|one| one.left());
    let budgets = verdict.standings.iter().map(|one| shown(&call, one));
    ok(&BudgetExplanation {
        allowed: verdict.refusal.is_none(),
        reason: verdict.refusal.as_ref().map(ToString::to_string),
        most: verdict.most.map(|most| most.to_string()),
        rate: verdict.card.as_ref().map(card),
        budgets: budgets.collect(),
        decided_by: least.map(|one| call.text(one.budget.id)),
    })
}

pub(crate) async fn rates(
    authorized: Authorized<rights::UsageRead>,
    call: Call,
) -> Result<Response, ApiError> {
    let query: RateCardQuery = call.query()?;
    let of = query.models.as_deref().map(models).transpose()?;
    let found = call.app().list_rate_cards(authorized, of.as_ref()).await?;
    ok(&RateCards {
        items: found.iter().map(card).collect(),
    })
}

pub(crate) async fn set_rate(
    authorized: Authorized<rights::BudgetManage>,
    call: Call,
) -> Result<Response, ApiError> {
    let request: SetRateCardRequest = call.body()?;
    let part = |field: &str, price: &Option<String>| {
        let price = price.as_deref().map(|price| amount(field, price));
        price.transpose()
    };
    let new = NewRateCard {
        models: models(&request.models)?,
        price: Price {
            input: amount("input", &request.input)?,
            output: amount("output", &request.output)?,
            cache_read: part("cache_read", &request.cache_read)?,
            cache_write: part("cache_write", &request.cache_write)?,
            reasoning: part("reasoning", &request.reasoning)?,
        },
    };
    ok(&card(&call.app().put_rate_card(authorized, new).await?))
}

pub(crate) async fn usage(
    authorized: Authorized<rights::UsageRead>,
    call: Call,
) -> Result<Response, ApiError> {
    let query: UsageQuery = call.query()?;
    let now = call.app().now();
    let day = |at: Timestamp| BudgetPeriod::Day.start(at);
    let days = query.days.unwrap_or(DAYS_SHOWN);
    if !(1..=MOST_DAYS).contains(&days) {
        return Err(invalid("days", "expected 1 to 400"));
    }
    let days_before = Timestamp::from_micros(now.as_micros() - (i64::from(days) - 1) * DAY);
    let since = day(query.since.map_or(days_before, |since| since.0));
    let tomorrow = Timestamp::from_micros(day(now).as_micros() + DAY);
    let until = query.until.map_or(tomorrow, |until| day(until.0));
    let found = call.app().list_usage_days(authorized, since..until).await?;
    ok(&UsageDays {
        items: found.0.iter().map(|row| used(&call, row)).collect(),
        truncated: !found.1,
    })
}

fn scope(call: &Call, kind: &str, of: Option<&str>) -> Result<BudgetScope, ApiError> {
    let named = || of.ok_or_else(|| invalid("of", "say which: an id, or PROVIDER/MODEL"));
    Ok(match kind {
        "organization" if of.is_none() => BudgetScope::Organization,
        "organization" => return Err(invalid("of", "there is one organization: leave it out")),
        "workspace" => BudgetScope::Workspace(match of {
            None => call.caller.workspace(),
            Some(text) => call.id(text)?,
        }),
        "agent" => BudgetScope::Agent(call.id(named()?)?),
        "user" => BudgetScope::User(call.id(named()?)?),
        "key" => BudgetScope::Key(call.id(named()?)?),
        "model" => BudgetScope::Model(models(named()?)?),
        _ => {
            let known = "expected organization, workspace, agent, user, key or model";
            return Err(invalid("scope", known));
        }
    })
}

fn models(text: &str) -> Result<ModelPattern, ApiError> {
    ModelPattern::parse(text).map_err(|error| invalid("models", &error.to_string()))
}

/// An amount as people write it: digits, and at most six places.
fn amount(field: &str, text: &str) -> Result<Cost, ApiError> {
    Cost::parse(text).ok_or_else(|| {
        let told = "expected an amount such as 20 or 0.15, with at most six places";
        invalid(field, told)
    })
}

fn invalid(field: &str, message: &str) -> ApiError {
    ApiError::field(field, "INVALID", message)
}

fn shown(call: &Call, standing: &BudgetStanding) -> Budget {
    let budget = &standing.budget;
    let (scope, of) = match &budget.scope {
        BudgetScope::Organization => ("organization", None),
        BudgetScope::Workspace(id) => ("workspace", Some(call.text(*id))),
        // An agent's id is text of its workspace; which one that is is not said here.
        BudgetScope::Agent(id) => ("agent", Some(call.text(*id))),
        BudgetScope::User(id) => ("user", Some(call.text(*id))),
        BudgetScope::Key(id) => ("key", Some(call.text(*id))),
        BudgetScope::Model(models) => ("model", Some(models.as_str().to_owned())),
    };
    Budget {
        id: call.text(budget.id),
        scope: scope.into(),
        of,
        period: budget.period.as_str().into(),
        kind: if budget.hard { "hard" } else { "alert" }.into(),
        limit: Cost(budget.limit).to_string(),
        spent: standing.spent.to_string(),
        reserved: standing.reserved.to_string(),
        left: standing.left().to_string(),
        began_at: standing.end.map(|_| Instant(standing.start)),
        renews_at: standing.end.map(Instant),
        changed_at: Instant(budget.changed_at),
    }
}

fn card(row: &RateCardRow) -> RateCard {
    let part = |price: Option<u64>| price.map(|price| Cost(price).to_string());
    RateCard {
        models: row.models.as_str().into(),
        version: row.version,
        input: Cost(row.input).to_string(),
        output: Cost(row.output).to_string(),
        cache_read: part(row.cache_read),
        cache_write: part(row.cache_write),
        reasoning: part(row.reasoning),
        since: Instant(row.created_at),
    }
}

fn used(call: &Call, row: &UsageDayRow) -> UsageDay {
    let sums = row.sums;
    let count = |sum: i64| sum.max(0).cast_unsigned();
    UsageDay {
        day: Instant(row.day).to_string().chars().take(10).collect(),
        workspace: call.text(row.workspace),
        principal: within(call, row.principal, Some(row.workspace)),
        credential: call.text(row.credential),
        provider: row.provider.clone(),
        model: row.model.clone(),
        calls: count(sums.calls),
        estimated: count(sums.estimated),
        input: count(sums.input),
        output: count(sums.output),
        cache_read: count(sums.cache_read),
        cache_write: count(sums.cache_write),
        reasoning: count(sums.reasoning),
        cost: Cost(count(sums.cost)).to_string(),
    }
}
