//! Rows of sinks.

use skep_ledger::Log;

use crate::StoreError;
use crate::column::{Columns, Stored, code, id, sealed, time, time_option};
use crate::row::{BehindRow, LogKey, SinkRow, SinkState, SinkTurnRow};

impl Stored for SinkRow {
    fn read<F: From<StoreError>>(row: &impl Columns<F>) -> Result<Self, F> {
        Ok(Self {
            organization: id(row, 0)?,
            id: row.get(1)?,
            name: row.get(2)?,
            created_at: time(row, 3)?,
            changed_at: time(row, 4)?,
            body: sealed(row, 5)?,
        })
    }
}

impl Stored for SinkTurnRow {
    fn read<F: From<StoreError>>(row: &impl Columns<F>) -> Result<Self, F> {
        Ok(Self {
            state: code(row, 0, SinkState::from_code, "the state of a sink")?,
            holder: row.get(1)?,
            held_until: time(row, 2)?,
            failures: row.get(3)?,
            failing_since: time_option(row, 4)?,
            not_before: time(row, 5)?,
            delivered_at: time_option(row, 6)?,
            problem: row.get(7)?,
        })
    }
}

impl Stored for BehindRow {
    fn read<F: From<StoreError>>(row: &impl Columns<F>) -> Result<Self, F> {
        Ok(Self {
            log: log_key(row)?,
            next: row.get(2)?,
            end: row.get(3)?,
        })
    }
}

/// How far a sink has come with a log.
impl Stored for (LogKey, u64) {
    fn read<F: From<StoreError>>(row: &impl Columns<F>) -> Result<Self, F> {
        Ok((log_key(row)?, row.get(2)?))
    }
}

fn log_key<F: From<StoreError>>(row: &impl Columns<F>) -> Result<LogKey, F> {
    let known = |code: u8| Log::from_code(code);
    let log = code(row, 1, known, "the log of a cursor")?;
    let key = LogKey::from_columns(row.get(0)?, log.code());
    Ok(key.ok_or(StoreError::Damaged("the log of a cursor"))?)
}
