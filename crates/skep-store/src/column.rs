//! Columns to values and back, whatever database they are in. What no version of this program writes is
//! damage, not a default.
//!
//! A backend says how its rows give an integer, a flag, bytes and text ([`Columns`]); all else follows. Whole
//! rows are read by [`Stored::read`].

use skep_crypto::Sealed;
use skep_domain::{AgentId, Id, PolicyGroupId, Principal, Timestamp, UserId};

use crate::StoreError;

pub use crate::read::{
    credential, key_columns, organization_member, pause_holder, pause_session, policy,
    policy_columns, proof_columns, ticket,
};

const USER: u8 = 0;
const AGENT: u8 = 1;

/// A row of an answer. `F` is what a backend's work ends with when it fails.
pub trait Columns<F: From<StoreError>> {
    /// An integer of whatever width.
    ///
    /// # Errors
    /// Damage, when the column holds anything else; the database's own word otherwise.
    fn number(&self, at: usize) -> Result<Option<i64>, F>;

    /// Yes or no.
    ///
    /// # Errors
    /// As [`Columns::number`].
    fn flag(&self, at: usize) -> Result<Option<bool>, F>;

    /// Bytes, and ids.
    ///
    /// # Errors
    /// As [`Columns::number`].
    fn bytes(&self, at: usize) -> Result<Option<&[u8]>, F>;

    /// Text.
    ///
    /// # Errors
    /// As [`Columns::number`].
    fn text(&self, at: usize) -> Result<Option<&str>, F>;

    /// Whatever a column is read as.
    ///
    /// # Errors
    /// Damage, when it does not fit; and as [`Columns::number`].
    fn get<T: Value>(&self, at: usize) -> Result<T, F>
    where
        Self: Sized,
    {
        T::of_column(self, at)
    }
}

/// What a column can be read as.
pub trait Value: Sized {
    /// The value of the column at a place.
    ///
    /// # Errors
    /// Damage, when it does not fit; and as [`Columns::number`].
    fn of_column<F: From<StoreError>>(row: &impl Columns<F>, at: usize) -> Result<Self, F>;
}

/// What a whole row is read as, from columns in the order that its reader has them in.
pub trait Stored: Sized {
    /// The row.
    ///
    /// # Errors
    /// Damage, when a column holds what no version of this program writes; and as [`Columns::number`].
    fn read<F: From<StoreError>>(row: &impl Columns<F>) -> Result<Self, F>;
}

macro_rules! values {
    ($($ty:ty: |$row:ident, $at:ident| $read:expr;)*) => {
        $(impl Value for $ty {
            fn of_column<F: From<StoreError>>(row: &impl Columns<F>, at: usize) -> Result<Self, F> {
                <Option<$ty>>::of_column(row, at)?.ok_or_else(|| damaged().into())
            }
        }

        impl Value for Option<$ty> {
            fn of_column<F: From<StoreError>>(
                $row: &impl Columns<F>,
                $at: usize,
            ) -> Result<Self, F> {
                Ok($read)
            }
        })*
    };
}

values! {
    u8: |row, at| row.number(at)?.map(u8::try_from).transpose().map_err(|_| damaged())?;
    u32: |row, at| row.number(at)?.map(u32::try_from).transpose().map_err(|_| damaged())?;
    u64: |row, at| row.number(at)?.map(u64::try_from).transpose().map_err(|_| damaged())?;
    i64: |row, at| row.number(at)?;
    bool: |row, at| row.flag(at)?;
    String: |row, at| row.text(at)?.map(str::to_owned);
    Vec<u8>: |row, at| row.bytes(at)?.map(<[u8]>::to_vec);
}

impl<const N: usize> Value for [u8; N] {
    fn of_column<F: From<StoreError>>(row: &impl Columns<F>, at: usize) -> Result<Self, F> {
        <Option<Self>>::of_column(row, at)?.ok_or_else(|| damaged().into())
    }
}

impl<const N: usize> Value for Option<[u8; N]> {
    fn of_column<F: From<StoreError>>(row: &impl Columns<F>, at: usize) -> Result<Self, F> {
        let bytes = row.bytes(at)?.map(<[u8; N]>::try_from);
        bytes.transpose().map_err(|_| damaged().into())
    }
}

/// A column that holds what no version of this program writes.
#[must_use]
pub fn damaged() -> StoreError {
    StoreError::Damaged("a column holds what was never written")
}

/// An id.
///
/// # Errors
/// As [`Columns::get`].
pub fn id<I: Id, F: From<StoreError>>(row: &impl Columns<F>, at: usize) -> Result<I, F> {
    Ok(I::from_bytes(row.get(at)?))
}

/// An id, or none.
///
/// # Errors
/// As [`Columns::get`].
pub fn id_option<I: Id, F: From<StoreError>>(
    row: &impl Columns<F>,
    at: usize,
) -> Result<Option<I>, F> {
    Ok(row.get::<Option<[u8; 16]>>(at)?.map(I::from_bytes))
}

/// The column of an id that may be none.
#[must_use]
pub fn bytes_of<I: Id>(id: Option<I>) -> Option<[u8; 16]> {
    id.map(Id::to_bytes)
}

/// Ids, one after the other; `what` names them when they are not.
///
/// # Errors
/// As [`Columns::get`].
pub fn ids<I: Id, F: From<StoreError>>(
    row: &impl Columns<F>,
    at: usize,
    what: &'static str,
) -> Result<Vec<I>, F> {
    let packed: Vec<u8> = row.get(at)?;
    let (ids, rest) = packed.as_chunks::<16>();
    if rest.is_empty() {
        Ok(ids.iter().map(|id| I::from_bytes(*id)).collect())
    } else {
        Err(StoreError::Damaged(what).into())
    }
}

/// Something sealed.
///
/// # Errors
/// As [`Columns::get`].
pub fn sealed<F: From<StoreError>>(row: &impl Columns<F>, at: usize) -> Result<Sealed, F> {
    Ok(Sealed::from_bytes(row.get(at)?))
}

/// Something sealed, or nothing.
///
/// # Errors
/// As [`Columns::get`].
pub fn sealed_option<F: From<StoreError>>(
    row: &impl Columns<F>,
    at: usize,
) -> Result<Option<Sealed>, F> {
    Ok(row.get::<Option<Vec<u8>>>(at)?.map(Sealed::from_bytes))
}

/// A time.
///
/// # Errors
/// As [`Columns::get`].
pub fn time<F: From<StoreError>>(row: &impl Columns<F>, at: usize) -> Result<Timestamp, F> {
    Ok(Timestamp::from_micros(row.get(at)?))
}

/// A time, or none.
///
/// # Errors
/// As [`Columns::get`].
pub fn time_option<F: From<StoreError>>(
    row: &impl Columns<F>,
    at: usize,
) -> Result<Option<Timestamp>, F> {
    Ok(row.get::<Option<i64>>(at)?.map(Timestamp::from_micros))
}

/// The column of a time that may be none.
#[must_use]
pub fn micros(time: Option<Timestamp>) -> Option<i64> {
    time.map(Timestamp::as_micros)
}

/// An enum by its code; `what` names it when there is no such code.
///
/// # Errors
/// As [`Columns::get`].
pub fn code<T, F: From<StoreError>>(
    row: &impl Columns<F>,
    at: usize,
    read: fn(u8) -> Option<T>,
    what: &'static str,
) -> Result<T, F> {
    read(row.get(at)?).ok_or_else(|| StoreError::Damaged(what).into())
}

/// A principal from its kind and its id, in two columns.
///
/// # Errors
/// As [`Columns::get`].
pub fn principal<F: From<StoreError>>(row: &impl Columns<F>, at: usize) -> Result<Principal, F> {
    principal_from(row.get(at)?, row.get(at + 1)?)
        .ok_or_else(|| StoreError::Damaged("the kind of a principal").into())
}

/// A principal, or nobody, from two columns; `what` names whoever has no such kind.
pub(crate) fn principal_option<F: From<StoreError>>(
    row: &impl Columns<F>,
    at: usize,
    what: &'static str,
) -> Result<Option<Principal>, F> {
    let (kind, bytes): (Option<u8>, Option<[u8; 16]>) = (row.get(at)?, row.get(at + 1)?);
    let Some((kind, bytes)) = kind.zip(bytes) else {
        return Ok(None);
    };
    let principal = principal_from(kind, bytes).ok_or(StoreError::Damaged(what))?;
    Ok(Some(principal))
}

/// `None` for a kind that nobody knows.
pub(crate) fn principal_from(kind: u8, bytes: [u8; 16]) -> Option<Principal> {
    match kind {
        USER => Some(Principal::User(UserId::from_bytes(bytes))),
        AGENT => Some(Principal::Agent(AgentId::from_bytes(bytes))),
        _ => None,
    }
}

/// The column of a principal's kind.
#[must_use]
pub const fn principal_kind(principal: Principal) -> u8 {
    match principal {
        Principal::User(_) => USER,
        Principal::Agent(_) => AGENT,
    }
}

/// A policy group, or none.
///
/// # Errors
/// As [`Columns::get`].
pub fn group<F: From<StoreError>>(
    row: &impl Columns<F>,
    at: usize,
) -> Result<Option<PolicyGroupId>, F> {
    Ok(row.get::<Option<[u8; 16]>>(at)?.map(PolicyGroupId))
}

#[cfg(test)]
mod tests;
