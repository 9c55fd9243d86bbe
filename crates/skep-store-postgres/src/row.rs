//! Columns as PostgreSQL has them: integers of any width, ids in their own type or as bytes. What they mean is
//! the same everywhere: see [`skep_store::column`].

use skep_store::column::{Columns, Value};
use tokio_postgres::types::{FromSql, Type};

use crate::failure::Failure;

/// A row of an answer.
pub(crate) struct Row(pub(crate) tokio_postgres::Row);

impl Row {
    pub(crate) fn get<T: Value>(&self, at: usize) -> Result<T, Failure> {
        Columns::get(self, at)
    }
}

/// The bytes of a column of whatever type.
struct Raw<'a>(&'a [u8]);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(raw))
    }

    fn accepts(ty: &Type) -> bool {
        matches!(*ty, Type::BYTEA | Type::UUID)
    }
}

/// An integer of whatever width.
struct Number(i64);

impl<'a> FromSql<'a> for Number {
    fn from_sql(
        ty: &Type,
        raw: &'a [u8],
    ) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(match *ty {
            Type::INT2 => i16::from_sql(ty, raw)?.into(),
            Type::INT4 => i32::from_sql(ty, raw)?.into(),
            _ => i64::from_sql(ty, raw)?,
        }))
    }

    fn accepts(ty: &Type) -> bool {
        matches!(*ty, Type::INT2 | Type::INT4 | Type::INT8)
    }
}

impl Columns<Failure> for Row {
    fn number(&self, at: usize) -> Result<Option<i64>, Failure> {
        let found: Option<Number> = self.0.try_get(at)?;
        Ok(found.map(|number| number.0))
    }

    fn flag(&self, at: usize) -> Result<Option<bool>, Failure> {
        Ok(self.0.try_get(at)?)
    }

    fn bytes(&self, at: usize) -> Result<Option<&[u8]>, Failure> {
        let found: Option<Raw<'_>> = self.0.try_get(at)?;
        Ok(found.map(|raw| raw.0))
    }

    fn text(&self, at: usize) -> Result<Option<&str>, Failure> {
        Ok(self.0.try_get(at)?)
    }
}
