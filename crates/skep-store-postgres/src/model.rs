//! Statements of the pass with a model: how far it came, what it cost.

use skep_domain::{Id, SessionId};
use skep_store::column::Stored;
use skep_store::row::{
    ModelBudgetRow, ModelDayRow, ModelPassRow, ModelPassState, ModelQueueRow, ModelSpentRow,
};

use crate::failure::Failure;
use crate::rows::Rows;
use crate::statement::statements;
use crate::value::{Value, values};

statements! {
    SET_DUE = "INSERT INTO model_pass (workspace_id, session, state, next, tries, is_tainted)
        VALUES ($1, $2, 0, 0, 0, false)
        ON CONFLICT (workspace_id, session) DO UPDATE SET state = 0, tries = 0";
    DUE = "SELECT session, state, next, tries, is_tainted FROM model_pass
        WHERE workspace_id = $1 AND state = 0 ORDER BY session DESC LIMIT $2";
    GET = "SELECT session, state, next, tries, is_tainted FROM model_pass
        WHERE workspace_id = $1 AND session = $2";
    PUT = "UPDATE model_pass SET state = $3, next = $4, tries = $5, is_tainted = $6
        WHERE workspace_id = $1 AND session = $2";
    QUEUE = "SELECT COUNT(*) FROM model_pass WHERE workspace_id = $1 AND state = $2";
    DAY = "SELECT calls, reserved, reserved_cost, input, output, cost FROM model_day
        WHERE workspace_id = $1 AND day = $2";
    /// In the order of their bytes, whatever the database's language.
    REFUSED = r#"SELECT reason, items FROM model_refusal
        WHERE workspace_id = $1 AND day = $2 ORDER BY reason COLLATE "C""#;
    RESERVE = "INSERT INTO model_day
            (workspace_id, day, calls, reserved, reserved_cost, input, output, cost)
        VALUES ($1, $2, 1, $3, $4, 0, 0, 0)
        ON CONFLICT (workspace_id, day) DO UPDATE SET calls = model_day.calls + 1,
            reserved = model_day.reserved + excluded.reserved,
            reserved_cost = model_day.reserved_cost + excluded.reserved_cost";
    SETTLE = "UPDATE model_day SET reserved = GREATEST(0, reserved - $3::bigint),
            reserved_cost = GREATEST(0, reserved_cost - $4::bigint),
            input = input + $5::bigint, output = output + $6::bigint, cost = cost + $7::bigint
        WHERE workspace_id = $1 AND day = $2";
    COUNT_REFUSALS = "INSERT INTO model_refusal (workspace_id, day, reason, items)
        VALUES ($1, $2, $3, $4)
        ON CONFLICT (workspace_id, day, reason)
        DO UPDATE SET items = model_refusal.items + excluded.items";
}

/// What was read before stays read; what was tried before may be tried again.
pub(crate) async fn set_due(rows: &mut Rows<'_>, session: SessionId) -> Result<(), Failure> {
    rows.writing().await?;
    let values = values![rows.workspace, session.to_bytes()];
    rows.run(SET_DUE, values).await?;
    Ok(())
}

pub(crate) async fn due(rows: &Rows<'_>, limit: u32) -> Result<Vec<ModelPassRow>, Failure> {
    rows.list(DUE, values![rows.workspace, limit], ModelPassRow::read)
        .await
}

pub(crate) async fn get(
    rows: &Rows<'_>,
    session: SessionId,
) -> Result<Option<ModelPassRow>, Failure> {
    let values = values![rows.workspace, session.to_bytes()];
    rows.find(GET, values, ModelPassRow::read).await
}

pub(crate) async fn put(rows: &mut Rows<'_>, row: &ModelPassRow) -> Result<(), Failure> {
    rows.writing().await?;
    let values = values![
        rows.workspace,
        row.session.to_bytes(),
        row.state.code(),
        row.next,
        row.tries,
        row.is_tainted,
    ];
    rows.run(PUT, values).await?;
    Ok(())
}

pub(crate) async fn queue(rows: &Rows<'_>) -> Result<ModelQueueRow, Failure> {
    Ok(ModelQueueRow {
        due: queued(rows, ModelPassState::Due).await?,
        given_up: queued(rows, ModelPassState::GivenUp).await?,
    })
}

async fn queued(rows: &Rows<'_>, state: ModelPassState) -> Result<u64, Failure> {
    let values = values![rows.workspace, state.code()];
    rows.get(QUEUE, values, |row| row.get(0)).await
}

pub(crate) async fn day(rows: &Rows<'_>, day: i64) -> Result<ModelDayRow, Failure> {
    let values = values![rows.workspace, day];
    let found = rows.find(DAY, values, ModelDayRow::read).await?;
    let refused = rows
        .list(REFUSED, values, |row| Ok((row.get(0)?, row.get(1)?)))
        .await?;
    Ok(ModelDayRow {
        refused,
        ..found.unwrap_or_default()
    })
}

/// One writer at a time is what makes this exact: nobody else reserves between the sum and the row.
pub(crate) async fn reserve(
    rows: &mut Rows<'_>,
    today: i64,
    need: ModelBudgetRow,
    most: ModelBudgetRow,
) -> Result<bool, Failure> {
    rows.writing().await?;
    let sums = day(rows, today).await?;
    let is_enough = sums.tokens().saturating_add(need.tokens) <= most.tokens
        && sums.cost().saturating_add(need.cost) <= most.cost;
    if !is_enough {
        return Ok(false);
    }
    let values = values![rows.workspace, today, need.tokens, need.cost];
    rows.run(RESERVE, values).await?;
    Ok(true)
}

pub(crate) async fn settle(
    rows: &mut Rows<'_>,
    day: i64,
    reserved: ModelBudgetRow,
    spent: ModelSpentRow,
) -> Result<(), Failure> {
    rows.writing().await?;
    let values = values![
        rows.workspace,
        day,
        reserved.tokens,
        reserved.cost,
        spent.input,
        spent.output,
        spent.cost,
    ];
    rows.run(SETTLE, values).await?;
    Ok(())
}

pub(crate) async fn count_refusals(
    rows: &mut Rows<'_>,
    day: i64,
    refused: &[(String, u64)],
) -> Result<(), Failure> {
    if refused.is_empty() {
        return Ok(());
    }
    rows.writing().await?;
    let workspace = rows.workspace;
    let all: Vec<Vec<Value>> = refused
        .iter()
        .map(|(reason, items)| values![workspace, day, reason.as_str(), *items].to_vec())
        .collect();
    rows.run_each(COUNT_REFUSALS, &all).await?;
    Ok(())
}
