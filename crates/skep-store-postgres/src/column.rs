//! Columns to values and back. What no version of this program writes is damage, not a default.

use skep_crypto::Sealed;
use skep_domain::{AgentId, Id, PolicyGroupId, Principal, Timestamp, UserId};
use skep_store::StoreError;

use crate::failure::Failure;
use crate::row::Row;

const USER: u8 = 0;
const AGENT: u8 = 1;

pub(crate) fn id<I: Id>(row: &Row, at: usize) -> Result<I, Failure> {
    Ok(I::from_bytes(row.get(at)?))
}

pub(crate) fn id_option<I: Id>(row: &Row, at: usize) -> Result<Option<I>, Failure> {
    Ok(row.get::<Option<[u8; 16]>>(at)?.map(I::from_bytes))
}

pub(crate) fn bytes_of<I: Id>(id: Option<I>) -> Option<[u8; 16]> {
    id.map(Id::to_bytes)
}

pub(crate) fn sealed(row: &Row, at: usize) -> Result<Sealed, Failure> {
    Ok(Sealed::from_bytes(row.get(at)?))
}

pub(crate) fn sealed_option(row: &Row, at: usize) -> Result<Option<Sealed>, Failure> {
    Ok(row.get::<Option<Vec<u8>>>(at)?.map(Sealed::from_bytes))
}

pub(crate) fn time(row: &Row, at: usize) -> Result<Timestamp, Failure> {
    Ok(Timestamp::from_micros(row.get(at)?))
}

pub(crate) fn time_option(row: &Row, at: usize) -> Result<Option<Timestamp>, Failure> {
    Ok(row.get::<Option<i64>>(at)?.map(Timestamp::from_micros))
}

/// An enum by its code; `what` names it when there is no such code.
pub(crate) fn code<T>(
    row: &Row,
    at: usize,
    read: fn(u8) -> Option<T>,
    what: &'static str,
) -> Result<T, Failure> {
    read(row.get(at)?).ok_or_else(|| StoreError::Damaged(what).into())
}

/// A principal from its kind and its id, in two columns.
pub(crate) fn principal(row: &Row, at: usize) -> Result<Principal, Failure> {
    principal_from(row.get(at)?, row.get(at + 1)?)
        .ok_or_else(|| StoreError::Damaged("the kind of a principal").into())
}

pub(crate) fn principal_from(kind: u8, bytes: [u8; 16]) -> Option<Principal> {
    match kind {
        USER => Some(Principal::User(UserId::from_bytes(bytes))),
        AGENT => Some(Principal::Agent(AgentId::from_bytes(bytes))),
        _ => None,
    }
}

pub(crate) const fn principal_kind(principal: Principal) -> u8 {
    match principal {
        Principal::User(_) => USER,
        Principal::Agent(_) => AGENT,
    }
}

pub(crate) fn group(row: &Row, at: usize) -> Result<Option<PolicyGroupId>, Failure> {
    Ok(row.get::<Option<[u8; 16]>>(at)?.map(PolicyGroupId))
}
