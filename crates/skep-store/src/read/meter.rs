//! Rows of what calls of models may cost, and did.

use skep_domain::{BudgetPeriod, ModelPattern};

use crate::StoreError;
use crate::column::{Columns, Stored, code, id, principal, sealed, time};
use crate::row::{
    BudgetRow, Counted, RateCardRow, ReservationRow, SpendRow, UsageDayRow, UsageSums,
    scope_of_columns,
};

impl Stored for BudgetRow {
    fn read<F: From<StoreError>>(row: &impl Columns<F>) -> Result<Self, F> {
        let (kind, place): (u8, Vec<u8>) = (row.get(1)?, row.get(2)?);
        let scope = scope_of_columns(kind, &place);
        Ok(Self {
            id: id(row, 0)?,
            scope: scope.ok_or(StoreError::Damaged("the scope of a budget"))?,
            period: code(row, 3, BudgetPeriod::from_code, "the period of a budget")?,
            limit: row.get(4)?,
            hard: row.get(5)?,
            created_at: time(row, 6)?,
            changed_at: time(row, 7)?,
        })
    }
}

impl Stored for SpendRow {
    fn read<F: From<StoreError>>(row: &impl Columns<F>) -> Result<Self, F> {
        Ok(Self {
            budget: id(row, 0)?,
            start: time(row, 1)?,
            reserved: row.get(2)?,
            spent: row.get(3)?,
        })
    }
}

impl Stored for RateCardRow {
    fn read<F: From<StoreError>>(row: &impl Columns<F>) -> Result<Self, F> {
        let models: String = row.get(0)?;
        let models = ModelPattern::parse(&models);
        Ok(Self {
            models: models.map_err(|_| StoreError::Damaged("the models of a rate card"))?,
            version: row.get(1)?,
            input: row.get(2)?,
            output: row.get(3)?,
            cache_read: row.get(4)?,
            cache_write: row.get(5)?,
            reasoning: row.get(6)?,
            created_at: time(row, 7)?,
        })
    }
}

impl Stored for ReservationRow {
    fn read<F: From<StoreError>>(row: &impl Columns<F>) -> Result<Self, F> {
        let counted: Vec<u8> = row.get(5)?;
        Ok(Self {
            id: id(row, 0)?,
            organization: id(row, 1)?,
            at: time(row, 2)?,
            expires_at: time(row, 3)?,
            amount: row.get(4)?,
            counted: Counted::from_bytes(&counted)?,
            body: sealed(row, 6)?,
        })
    }
}

impl Stored for UsageDayRow {
    fn read<F: From<StoreError>>(row: &impl Columns<F>) -> Result<Self, F> {
        Ok(Self {
            day: time(row, 0)?,
            workspace: id(row, 1)?,
            principal: principal(row, 2)?,
            credential: id(row, 4)?,
            provider: row.get(5)?,
            model: row.get(6)?,
            sums: UsageSums {
                calls: row.get(7)?,
                estimated: row.get(8)?,
                input: row.get(9)?,
                output: row.get(10)?,
                cache_read: row.get(11)?,
                cache_write: row.get(12)?,
                reasoning: row.get(13)?,
                cost: row.get(14)?,
            },
        })
    }
}
