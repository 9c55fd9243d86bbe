//! Places of entries as the entry names them that says they were erased: `audit:1-3,5`.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use crate::Log;

/// The action of an entry that says what was erased. Nothing erases one of these.
pub const ERASE: &str = "audit.erase";

/// The log, and places as `17` or, of several in a row, `17-19`.
#[must_use]
pub fn places_text(log: Log, places: &BTreeSet<u64>) -> String {
    let mut runs: Vec<(u64, u64)> = Vec::new();
    for place in places {
        match runs.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(*place) => *last = *place,
            _ => runs.push((*place, *place)),
        }
    }
    let runs = runs.iter().map(|(first, last)| {
        if first == last {
            first.to_string()
        } else {
            format!("{first}-{last}")
        }
    });
    format!("{log}:{}", runs.collect::<Vec<_>>().join(","))
}

/// What [`places_text`] wrote, as runs of places; `None` for anything else.
#[must_use]
pub fn parse_places(text: &str) -> Option<(Log, Vec<RangeInclusive<u64>>)> {
    let (log, runs) = text.split_once(':')?;
    let runs = runs.split(',').map(|run| {
        let (first, last) = run.split_once('-').unwrap_or((run, run));
        Some(first.parse().ok()?..=last.parse().ok()?)
    });
    Some((Log::parse(log)?, runs.collect::<Option<_>>()?))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{parse_places, places_text};
    use crate::Log;

    #[test]
    fn places_in_a_row_are_named_by_their_first_and_last() {
        for (places, said) in [
            (vec![17], "audit:17"),
            (vec![1, 2, 3, 5, 7, 8], "audit:1-3,5,7-8"),
            (
                vec![u64::MAX - 1, u64::MAX],
                "audit:18446744073709551614-18446744073709551615",
            ),
        ] {
            let set: BTreeSet<u64> = places.iter().copied().collect();
            assert_eq!(places_text(Log::Audit, &set), said);
            if places[0] < 20 {
                let (log, runs) = parse_places(said).unwrap();
                assert_eq!(
                    (log, runs.into_iter().flatten().collect()),
                    (Log::Audit, places)
                );
            }
        }
        for nonsense in [
            "", "audit", "audit:", "others:1", "audit:1,", "audit:1-", "audit:-1",
        ] {
            assert_eq!(parse_places(nonsense), None, "{nonsense}");
        }
    }
}
