//! Rows of templates and of who may use them.

use skep_domain::{AccessState, TemplateState};

use crate::StoreError;
use crate::column::{
    Columns, Stored, code, id, id_option, principal, principal_option, sealed, sealed_option, time,
    time_option,
};
use crate::row::{AccessRow, TemplateRow};

const DECIDER: &str = "the kind of who decided";

impl Stored for TemplateRow {
    fn read<F: From<StoreError>>(row: &impl Columns<F>) -> Result<Self, F> {
        Ok(Self {
            id: id(row, 0)?,
            name: row.get(1)?,
            version: row.get(2)?,
            state: code(row, 3, TemplateState::from_code, "the state of a template")?,
            drafter: principal(row, 4)?,
            at: time(row, 6)?,
            decided: principal_option(row, 7, DECIDER)?.zip(time_option(row, 9)?),
            body: sealed(row, 10)?,
            decision: sealed_option(row, 11)?,
        })
    }
}

impl Stored for AccessRow {
    fn read<F: From<StoreError>>(row: &impl Columns<F>) -> Result<Self, F> {
        Ok(Self {
            id: id(row, 0)?,
            template: row.get(1)?,
            agent: id_option(row, 2)?,
            state: code(row, 3, AccessState::from_code, "the state of a grant")?,
            asker: principal(row, 4)?,
            at: time(row, 6)?,
            until: time_option(row, 7)?,
            decided: principal_option(row, 8, DECIDER)?.zip(time_option(row, 10)?),
            body: sealed(row, 11)?,
            decision: sealed_option(row, 12)?,
        })
    }
}
