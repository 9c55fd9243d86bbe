//! Values for the parameters of a statement. Their types follow from what the statement compares them with.

use std::error::Error;

use bytes::BytesMut;
use tokio_postgres::types::{IsNull, Kind, ToSql, Type, to_sql_checked};

/// One value.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Null,
    /// For an integer of any width that holds it.
    Number(i64),
    Flag(bool),
    /// For `bytea`, and for `uuid` when it has 16.
    Bytes(Vec<u8>),
    Text(String),
    /// For an array of `uuid` or `bytea`.
    Keys(Vec<[u8; 16]>),
    /// For an array of `bigint`.
    Numbers(Vec<i64>),
}

/// Anything that is a value, in the order of the parameters.
macro_rules! values {
    ($($value:expr),* $(,)?) => {
        &[$($crate::value::Value::from($value)),*]
    };
}
pub(crate) use values;

impl ToSql for Value {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Self::Null => return Ok(IsNull::Yes),
            Self::Number(number) => return number_to_sql(*number, ty, out),
            Self::Flag(flag) if *ty == Type::BOOL => return flag.to_sql(ty, out),
            Self::Bytes(bytes) if *ty == Type::BYTEA => return bytes.to_sql(ty, out),
            Self::Bytes(bytes) if *ty == Type::UUID && bytes.len() == 16 => {
                out.extend_from_slice(bytes);
            }
            Self::Text(text) if <String as ToSql>::accepts(ty) => return text.to_sql(ty, out),
            Self::Keys(keys) => return keys_to_sql(keys, ty, out),
            Self::Numbers(numbers) if *ty == Type::INT8_ARRAY => return numbers.to_sql(ty, out),
            _ => return Err(unfit(ty)),
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

fn number_to_sql(
    number: i64,
    ty: &Type,
    out: &mut BytesMut,
) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
    match *ty {
        Type::INT2 => i16::try_from(number)?.to_sql(ty, out),
        Type::INT4 => i32::try_from(number)?.to_sql(ty, out),
        Type::INT8 => number.to_sql(ty, out),
        _ => Err(unfit(ty)),
    }
}

/// An array of 16 bytes each: the element's own type decides how they are read.
fn keys_to_sql(
    keys: &[[u8; 16]],
    ty: &Type,
    out: &mut BytesMut,
) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
    match ty.kind() {
        Kind::Array(member) if matches!(*member, Type::UUID | Type::BYTEA) => {
            let keys: Vec<Value> = keys.iter().map(|key| Value::from(*key)).collect();
            keys.to_sql(ty, out)
        }
        _ => Err(unfit(ty)),
    }
}

fn unfit(ty: &Type) -> Box<dyn Error + Sync + Send> {
    format!("a value does not fit {ty}").into()
}

macro_rules! numbers {
    ($($ty:ty)*) => {
        $(impl From<$ty> for Value {
            fn from(number: $ty) -> Self {
                Self::Number(number.into())
            }
        })*
    };
}
numbers!(u8 i16 u16 i32 u32 i64);

impl From<u64> for Value {
    /// What is stored never passes the half of it: a larger one fits no column, and is refused there.
    fn from(number: u64) -> Self {
        Self::Number(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<usize> for Value {
    fn from(number: usize) -> Self {
        Self::from(number as u64)
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl<const N: usize> From<[u8; N]> for Value {
    fn from(bytes: [u8; N]) -> Self {
        Self::Bytes(bytes.to_vec())
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Self {
        Self::Bytes(bytes.to_vec())
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Vec<[u8; 16]>> for Value {
    fn from(keys: Vec<[u8; 16]>) -> Self {
        Self::Keys(keys)
    }
}

impl From<Vec<i64>> for Value {
    fn from(numbers: Vec<i64>) -> Self {
        Self::Numbers(numbers)
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}
