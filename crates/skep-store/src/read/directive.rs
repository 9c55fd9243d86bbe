//! Rows of standing texts.

use crate::StoreError;
use crate::column::{Columns, Stored, id, principal, sealed, time};
use crate::row::{DirectiveRow, PromotionRow};

impl Stored for DirectiveRow {
    fn read<F: From<StoreError>>(row: &impl Columns<F>) -> Result<Self, F> {
        Ok(Self {
            id: id(row, 0)?,
            workspace: id(row, 1)?,
            version: row.get(2)?,
            drafter: principal(row, 3)?,
            at: time(row, 5)?,
            body: sealed(row, 6)?,
        })
    }
}

impl Stored for PromotionRow {
    fn read<F: From<StoreError>>(row: &impl Columns<F>) -> Result<Self, F> {
        Ok(Self {
            workspace: id(row, 0)?,
            ordinal: row.get(1)?,
            version: row.get(2)?,
            promoter: principal(row, 3)?,
            at: time(row, 5)?,
        })
    }
}
