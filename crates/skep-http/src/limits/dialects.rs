//! What is left of an allowance, in the headers that the clients of model providers look at.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use skep_api::Instant;
use skep_domain::Timestamp;
use skep_domain::gcra::Standing;

use super::micros;
use crate::dialect::Dialect;

/// What is counted.
#[derive(Clone, Copy)]
pub(super) enum Of {
    Requests,
    Tokens,
}

/// The headers of what there is at most, what is left, and when all of it is back.
const fn names(dialect: Dialect, of: Of) -> [&'static str; 3] {
    match (dialect, of) {
        (Dialect::OpenAi, Of::Requests) => [
            "x-ratelimit-limit-requests",
            "x-ratelimit-remaining-requests",
            "x-ratelimit-reset-requests",
        ],
        (Dialect::OpenAi, Of::Tokens) => [
            "x-ratelimit-limit-tokens",
            "x-ratelimit-remaining-tokens",
            "x-ratelimit-reset-tokens",
        ],
        (Dialect::Anthropic, Of::Requests) => [
            "anthropic-ratelimit-requests-limit",
            "anthropic-ratelimit-requests-remaining",
            "anthropic-ratelimit-requests-reset",
        ],
        (Dialect::Anthropic, Of::Tokens) => [
            "anthropic-ratelimit-tokens-limit",
            "anthropic-ratelimit-tokens-remaining",
            "anthropic-ratelimit-tokens-reset",
        ],
    }
}

/// Writes them. When all is back, OpenAI says as a time span and Anthropic as a moment.
pub(super) fn write(
    headers: &mut HeaderMap,
    (dialect, of): (Dialect, Of),
    standing: &Standing,
    now: Timestamp,
) {
    let [limit, remaining, reset] = names(dialect, of).map(HeaderName::from_static);
    headers.insert(limit, HeaderValue::from(standing.limit));
    headers.insert(remaining, HeaderValue::from(standing.remaining));
    let full_in = micros(standing.full_in);
    let back = match dialect {
        Dialect::OpenAi => span(full_in),
        Dialect::Anthropic => moment(now, full_in),
    };
    if let Ok(back) = HeaderValue::try_from(back) {
        headers.insert(reset, back);
    }
}

/// As OpenAI writes it: `6m0s`, `1.5s`, `20ms`.
fn span(micros: u64) -> String {
    let millis = micros.div_ceil(1_000);
    let (minutes, rest) = (millis / 60_000, millis % 60_000);
    let seconds = format!("{}.{:03}", rest / 1_000, rest % 1_000);
    let seconds = seconds.trim_end_matches('0').trim_end_matches('.');
    match (minutes, millis) {
        (0, ..1_000) => format!("{millis}ms"),
        (0, _) => format!("{seconds}s"),
        _ => format!("{minutes}m{seconds}s"),
    }
}

/// As Anthropic writes it, in whole seconds: no earlier than it is.
fn moment(now: Timestamp, micros: u64) -> String {
    let micros = i64::try_from(micros).unwrap_or(i64::MAX);
    let at = now.as_micros().saturating_add(micros);
    let whole = at.saturating_add(999_999) / 1_000_000 * 1_000_000;
    Instant(Timestamp::from_micros(whole)).to_string()
}

#[cfg(test)]
mod tests {
    use skep_domain::Timestamp;

    use super::{moment, span};

    #[test]
    fn times_are_written_as_each_provider_writes_them() {
        let told = [
            0,
            1,
            20_000,
            999_000,
            1_000_000,
            1_500_000,
            60_000_000,
            360_000_000,
            61_250_000,
        ];
        assert_eq!(
            told.map(span),
            [
                "0ms", "1ms", "20ms", "999ms", "1s", "1.5s", "1m0s", "6m0s", "1m1.25s"
            ]
        );
        let now = Timestamp::from_micros(1_767_225_600_000_001);
        assert_eq!(moment(now, 0), "2026-01-01T00:00:01Z");
        assert_eq!(moment(now, 19_999_999), "2026-01-01T00:00:20Z");
    }
}
