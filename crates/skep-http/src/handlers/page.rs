//! Paging: sizes within the limit, cursors that only fit their own listing.

use skep_api::page::PageQuery;
use skep_app::PageOf;
use skep_domain::{Id, Limits};

use crate::call::Call;
use crate::error::ApiError;

/// The page that a query asks for; `listing` binds its cursor.
pub(crate) fn wanted<I: Id>(
    call: &Call,
    query: &PageQuery,
    listing: &str,
) -> Result<PageOf<I>, ApiError> {
    let before = match &query.cursor {
        None => None,
        Some(text) => Some(I::from_bytes(open(call, text, listing)?)),
    };
    Ok(PageOf {
        limit: limit(query.limit)?,
        before,
    })
}

/// Rows per page.
pub(crate) fn limit(asked: Option<u32>) -> Result<u32, ApiError> {
    match asked {
        None => Ok(Limits::PAGE_DEFAULT),
        Some(limit) if (1..=Limits::PAGE_MAX).contains(&limit) => Ok(limit),
        Some(_) => Err(ApiError::field(
            "limit",
            "INVALID",
            format!("limit must be 1 to {}", Limits::PAGE_MAX),
        )),
    }
}

/// Opens a cursor.
pub(crate) fn open(call: &Call, text: &str, listing: &str) -> Result<[u8; 16], ApiError> {
    let refused = || {
        ApiError::field(
            "cursor",
            "INVALID",
            "This cursor is not of this listing; start again without one.",
        )
    };
    let bytes = unhex(text).ok_or_else(refused)?;
    call.app()
        .cursors(&call.caller)
        .open(listing.as_bytes(), &bytes)
        .ok_or_else(refused)
}

/// Seals a position.
pub(crate) fn seal(call: &Call, position: &[u8; 16], listing: &str) -> String {
    hex(&call
        .app()
        .cursors(&call.caller)
        .seal(listing.as_bytes(), position))
}

fn hex(bytes: &[u8; 32]) -> String {
    use std::fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(64), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    let digits = text.as_bytes();
    if digits.len() != 64 {
        return None;
    }
    for (pair, byte) in digits.chunks_exact(2).zip(&mut bytes) {
        let value = |digit: u8| char::from(digit).to_digit(16);
        *byte = (value(pair[0])? << 4 | value(pair[1])?) as u8;
    }
    Some(bytes)
}
