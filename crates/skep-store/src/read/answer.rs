//! Rows of answers that are kept.

use crate::StoreError;
use crate::column::{Columns, Stored, sealed_option, time};
use crate::row::AnswerRow;

impl Stored for AnswerRow {
    fn read<F: From<StoreError>>(row: &impl Columns<F>) -> Result<Self, F> {
        Ok(Self {
            asked: row.get(0)?,
            claim: row.get(1)?,
            until: time(row, 2)?,
            body: sealed_option(row, 3)?,
        })
    }
}
