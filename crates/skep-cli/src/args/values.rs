//! What single arguments may be: kinds, harnesses, spans, moments.

use clap::builder::PossibleValuesParser;
use skep_api::{Harness, Instant, MemoryKind, Tier};

/// What a statement may be remembered as.
pub(super) fn statements() -> PossibleValuesParser {
    named(MemoryKind::STATEMENTS)
}

/// What a memory may be.
pub(super) fn kinds() -> PossibleValuesParser {
    named(MemoryKind::ALL)
}

fn named(kinds: &'static [MemoryKind]) -> PossibleValuesParser {
    kinds
        .iter()
        .map(|kind| kind.as_str())
        .collect::<Vec<_>>()
        .into()
}

pub(super) fn harnesses() -> PossibleValuesParser {
    Harness::ALL
        .iter()
        .map(|harness| harness.as_str())
        .collect::<Vec<_>>()
        .into()
}

pub(super) fn tiers() -> PossibleValuesParser {
    Tier::ALL
        .iter()
        .map(|tier| tier.as_str())
        .collect::<Vec<_>>()
        .into()
}

/// Seconds of a span such as `90`, `30m`, `1h` or `2d`.
pub(super) fn span(text: &str) -> Result<u64, String> {
    let (digits, unit) = match text.char_indices().next_back() {
        Some((at, 's')) => (&text[..at], 1),
        Some((at, 'm')) => (&text[..at], 60),
        Some((at, 'h')) => (&text[..at], 3_600),
        Some((at, 'd')) => (&text[..at], 86_400),
        _ => (text, 1),
    };
    let count: Option<u64> = digits.parse().ok().filter(|count| *count > 0);
    count
        .and_then(|count| count.checked_mul(unit))
        .ok_or_else(|| "expected a span such as 90s, 30m, 1h or 2d".to_owned())
}

pub(super) fn moment(text: &str) -> Result<Instant, String> {
    let date = text.len() == 10
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'-');
    let whole = if date {
        format!("{text}T23:59:59.999999Z")
    } else {
        text.to_owned()
    };
    whole.parse().map_err(|_| {
        if date && text >= "9999" {
            return "too far ahead: leave it out to see what is known now".to_owned();
        }
        "expected a date such as 2026-11-21 or a time such as 2026-11-21T04:05:06Z".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::{moment, span};

    #[test]
    fn spans_have_units() {
        for (text, seconds) in [
            ("90", 90),
            ("90s", 90),
            ("30m", 1_800),
            ("1h", 3_600),
            ("2d", 172_800),
        ] {
            assert_eq!(span(text), Ok(seconds));
        }
        for bad in [
            "",
            "h",
            "0",
            "-1h",
            "1w",
            "1.5h",
            "é",
            "99999999999999999999d",
        ] {
            assert!(span(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_date_means_its_end() {
        assert_eq!(
            moment("2026-11-21").unwrap().to_string(),
            "2026-11-21T23:59:59.999999Z"
        );
        assert_eq!(
            moment("2026-11-21T06:00:00+02:00").unwrap().to_string(),
            "2026-11-21T04:00:00Z"
        );
        for bad in ["yesterday", "2026-13-40", "", "2026-11-21 "] {
            assert!(moment(bad).is_err(), "{bad:?}");
        }
    }
}
