//! Statements of the pass with a model: how far it came, what it cost.

use rusqlite::params;
use skep_domain::{Id, SessionId};
use skep_store::row::{
    ModelBudgetRow, ModelDayRow, ModelPassRow, ModelPassState, ModelQueueRow, ModelSpentRow,
};

use crate::failure::Failure;
use crate::rows::Rows;

/// What was read before stays read; what was tried before may be tried again.
pub(crate) fn set_due(rows: &mut Rows<'_>, session: SessionId) -> Result<(), Failure> {
    rows.writing()?;
    let sql = "INSERT INTO model_pass (workspace_id, session, state, next, tries, is_tainted)
               VALUES (?1, ?2, 0, 0, 0, 0)
               ON CONFLICT (workspace_id, session) DO UPDATE SET state = 0, tries = 0";
    rows.statement(sql)?
        .execute(params![rows.workspace, session.to_bytes()])?;
    Ok(())
}

pub(crate) fn due(rows: &Rows<'_>, limit: u32) -> Result<Vec<ModelPassRow>, Failure> {
    let sql = "SELECT session, state, next, tries, is_tainted
               FROM model_pass INDEXED BY model_pass_by_state
               WHERE workspace_id = ?1 AND state = 0 ORDER BY session DESC LIMIT ?2";
    rows.list(sql, params![rows.workspace, limit])
}

pub(crate) fn get(rows: &Rows<'_>, session: SessionId) -> Result<Option<ModelPassRow>, Failure> {
    let sql = "SELECT session, state, next, tries, is_tainted FROM model_pass
               WHERE workspace_id = ?1 AND session = ?2";
    rows.find(sql, params![rows.workspace, session.to_bytes()])
}

pub(crate) fn put(rows: &mut Rows<'_>, row: &ModelPassRow) -> Result<(), Failure> {
    rows.writing()?;
    let sql = "UPDATE model_pass SET state = ?3, next = ?4, tries = ?5, is_tainted = ?6
               WHERE workspace_id = ?1 AND session = ?2";
    rows.statement(sql)?.execute(params![
        rows.workspace,
        row.session.to_bytes(),
        row.state.code(),
        row.next,
        row.tries,
        row.is_tainted,
    ])?;
    Ok(())
}

pub(crate) fn queue(rows: &Rows<'_>) -> Result<ModelQueueRow, Failure> {
    let sql = "SELECT COUNT(*) FROM model_pass INDEXED BY model_pass_by_state
               WHERE workspace_id = ?1 AND state = ?2";
    let mut count = rows.statement(sql)?;
    let mut of = |state: ModelPassState| {
        count.query_row(params![rows.workspace, state.code()], |row| row.get(0))
    };
    Ok(ModelQueueRow {
        due: of(ModelPassState::Due)?,
        given_up: of(ModelPassState::GivenUp)?,
    })
}

pub(crate) fn day(rows: &Rows<'_>, day: i64) -> Result<ModelDayRow, Failure> {
    let sql = "SELECT calls, reserved, reserved_cost, input, output, cost FROM model_day
               WHERE workspace_id = ?1 AND day = ?2";
    let found: Option<ModelDayRow> = rows.find(sql, params![rows.workspace, day])?;
    let sql = "SELECT reason, items FROM model_refusal
               WHERE workspace_id = ?1 AND day = ?2 ORDER BY reason";
    let mut refused = rows.statement(sql)?;
    let refused = refused.query_map(params![rows.workspace, day], |row| {
        Ok((row.get(0)?, row.get(1)?))
    })?;
    Ok(ModelDayRow {
        refused: refused.collect::<Result<_, _>>()?,
        ..found.unwrap_or_default()
    })
}

/// One writer at a time is what makes this exact: nobody else reserves between the sum and the row.
pub(crate) fn reserve(
    rows: &mut Rows<'_>,
    today: i64,
    need: ModelBudgetRow,
    most: ModelBudgetRow,
) -> Result<bool, Failure> {
    rows.writing()?;
    let sums = day(rows, today)?;
    let is_enough = sums.tokens().saturating_add(need.tokens) <= most.tokens
        && sums.cost().saturating_add(need.cost) <= most.cost;
    if !is_enough {
        return Ok(false);
    }
    let sql = "INSERT INTO model_day
                   (workspace_id, day, calls, reserved, reserved_cost, input, output, cost)
               VALUES (?1, ?2, 1, ?3, ?4, 0, 0, 0)
               ON CONFLICT (workspace_id, day) DO UPDATE SET calls = calls + 1,
                   reserved = reserved + excluded.reserved,
                   reserved_cost = reserved_cost + excluded.reserved_cost";
    rows.statement(sql)?
        .execute(params![rows.workspace, today, need.tokens, need.cost])?;
    Ok(true)
}

pub(crate) fn settle(
    rows: &mut Rows<'_>,
    day: i64,
    reserved: ModelBudgetRow,
    spent: ModelSpentRow,
) -> Result<(), Failure> {
    rows.writing()?;
    let sql = "UPDATE model_day SET reserved = MAX(0, reserved - ?3),
                   reserved_cost = MAX(0, reserved_cost - ?4),
                   input = input + ?5, output = output + ?6, cost = cost + ?7
               WHERE workspace_id = ?1 AND day = ?2";
    rows.statement(sql)?.execute(params![
        rows.workspace,
        day,
        reserved.tokens,
        reserved.cost,
        spent.input,
        spent.output,
        spent.cost,
    ])?;
    Ok(())
}

pub(crate) fn count_refusals(
    rows: &mut Rows<'_>,
    day: i64,
    refused: &[(String, u64)],
) -> Result<(), Failure> {
    if refused.is_empty() {
        return Ok(());
    }
    rows.writing()?;
    let mut put = rows.statement(
        "INSERT INTO model_refusal (workspace_id, day, reason, items) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (workspace_id, day, reason) DO UPDATE SET items = items + excluded.items",
    )?;
    for (reason, items) in refused {
        put.execute(params![rows.workspace, day, reason, items])?;
    }
    Ok(())
}
