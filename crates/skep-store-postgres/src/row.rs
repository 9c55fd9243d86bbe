//! A row as the modules of the tables read it: integers of any width, ids and digests of a fixed length.

use tokio_postgres::types::{FromSql, Type};

use crate::failure::Failure;

/// A row of an answer.
pub(crate) struct Row(pub(crate) tokio_postgres::Row);

/// What a column can be read as. What does not fit is damage.
pub(crate) trait Column: Sized {
    fn read(row: &tokio_postgres::Row, at: usize) -> Result<Self, Failure>;
}

impl Row {
    pub(crate) fn get<T: Column>(&self, at: usize) -> Result<T, Failure> {
        T::read(&self.0, at)
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

fn number(row: &tokio_postgres::Row, at: usize) -> Result<Option<i64>, Failure> {
    Ok(row.try_get::<_, Option<Number>>(at)?.map(|number| number.0))
}

fn bytes(row: &tokio_postgres::Row, at: usize) -> Result<Option<&[u8]>, Failure> {
    Ok(row.try_get::<_, Option<Raw<'_>>>(at)?.map(|raw| raw.0))
}

fn text(row: &tokio_postgres::Row, at: usize) -> Result<Option<String>, Failure> {
    Ok(row.try_get(at)?)
}

fn flag(row: &tokio_postgres::Row, at: usize) -> Result<Option<bool>, Failure> {
    Ok(row.try_get(at)?)
}

macro_rules! columns {
    ($($ty:ty: $read:ident $into:expr;)*) => {
        $(impl Column for $ty {
            fn read(row: &tokio_postgres::Row, at: usize) -> Result<Self, Failure> {
                <Option<$ty>>::read(row, at)?.ok_or_else(Failure::damaged)
            }
        }

        impl Column for Option<$ty> {
            fn read(row: &tokio_postgres::Row, at: usize) -> Result<Self, Failure> {
                $read(row, at)?.map($into).transpose()
            }
        })*
    };
}

columns! {
    u8: number |n| n.try_into().map_err(|_| Failure::damaged());
    u32: number |n| n.try_into().map_err(|_| Failure::damaged());
    u64: number |n| n.try_into().map_err(|_| Failure::damaged());
    i64: number Ok;
    bool: flag Ok;
    String: text Ok;
    Vec<u8>: bytes |b| Ok(b.to_vec());
}

impl<const N: usize> Column for [u8; N] {
    fn read(row: &tokio_postgres::Row, at: usize) -> Result<Self, Failure> {
        <Option<Self>>::read(row, at)?.ok_or_else(Failure::damaged)
    }
}

impl<const N: usize> Column for Option<[u8; N]> {
    fn read(row: &tokio_postgres::Row, at: usize) -> Result<Self, Failure> {
        let bytes = bytes(row, at)?;
        bytes
            .map(|bytes| bytes.try_into().map_err(|_| Failure::damaged()))
            .transpose()
    }
}
