//! Rows of skills.

use skep_domain::{Principal, SkillState};

use crate::StoreError;
use crate::column::{
    Columns, Stored, code, id, principal, principal_from, sealed, sealed_option, time, time_option,
};
use crate::row::SkillRow;

impl Stored for SkillRow {
    fn read<F: From<StoreError>>(row: &impl Columns<F>) -> Result<Self, F> {
        let decider: Option<Principal> = match (row.get(7)?, row.get(8)?) {
            (Some(kind), Some(bytes)) => principal_from(kind, bytes),
            _ => None,
        };
        Ok(Self {
            id: id(row, 0)?,
            name: row.get(1)?,
            version: row.get(2)?,
            state: code(row, 3, SkillState::from_code, "the state of a skill")?,
            proposer: principal(row, 4)?,
            at: time(row, 6)?,
            decided: decider.zip(time_option(row, 9)?),
            body: sealed(row, 10)?,
            decision: sealed_option(row, 11)?,
        })
    }
}
