//! Reading claims: exact types, and instants with a leeway.

use skep_domain::Timestamp;

use crate::JoseError;
use crate::strict::Members;

/// The last second of the year 9999: what is later is no date but an attempt at arithmetic.
const LAST_SECOND: u64 = 253_402_300_799;

/// A `NumericDate` in whole seconds. A float, a string, a negative or an enormous number is not
/// rounded into one.
pub(crate) fn instant(claims: &Members, name: &str) -> Result<Timestamp, JoseError> {
    claims
        .get(name)
        .and_then(serde_json::Value::as_u64)
        .filter(|seconds| *seconds <= LAST_SECOND)
        .map(|seconds| after(Timestamp::default(), seconds.cast_signed()))
        .ok_or(JoseError::Refused("no instant where one is required"))
}

/// A string that is not empty.
pub(crate) fn required<'c>(claims: &'c Members, name: &str) -> Result<&'c str, JoseError> {
    crate::strict::text(claims, name)
        .filter(|text| !text.is_empty())
        .ok_or(JoseError::Refused("a claim is missing or of another type"))
}

/// This many seconds after (or, if negative, before) an instant.
pub(crate) fn after(from: Timestamp, seconds: i64) -> Timestamp {
    Timestamp::from_micros(
        from.as_micros()
            .saturating_add(seconds.saturating_mul(1_000_000)),
    )
}

/// The instant in whole seconds, rounded down.
pub(crate) fn seconds(at: Timestamp) -> i64 {
    at.as_micros().div_euclid(1_000_000)
}

/// Refuses what has ended: `until` itself is too late (RFC 7519, section 4.1.4).
pub(crate) fn not_ended(until: Timestamp, leeway: i64, now: Timestamp) -> Result<(), JoseError> {
    if now < after(until, leeway) {
        Ok(())
    } else {
        Err(JoseError::Refused("expired"))
    }
}

/// Refuses what has not begun.
pub(crate) fn begun(from: Timestamp, leeway: i64, now: Timestamp) -> Result<(), JoseError> {
    if from <= after(now, leeway) {
        Ok(())
    } else {
        Err(JoseError::Refused("from the future"))
    }
}
