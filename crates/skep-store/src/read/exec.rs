//! Rows of runs.

use skep_domain::ExecState;

use crate::StoreError;
use crate::column::{Columns, Stored, code, id, principal, sealed, time, time_option};
use crate::row::ExecRow;

impl Stored for ExecRow {
    fn read<F: From<StoreError>>(row: &impl Columns<F>) -> Result<Self, F> {
        Ok(Self {
            id: id(row, 0)?,
            host: row.get(1)?,
            turn: row.get(2)?,
            state: code(row, 3, ExecState::from_code, "the state of a run")?,
            asker: principal(row, 4)?,
            credential: id(row, 6)?,
            template: id(row, 7)?,
            created_at: time(row, 8)?,
            started_at: time_option(row, 9)?,
            ended_at: time_option(row, 10)?,
            is_cancelled: row.get(11)?,
            body: sealed(row, 12)?,
        })
    }
}
