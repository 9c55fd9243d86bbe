//! Personal data: found and named, so that a policy can ask; never a reason to hold a text back.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

/// One place with personal data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Personal {
    /// `email`, `phone`, `iban`, `card`, `us-ssn`, `uk-nino`, `es-dni`, `fr-nir`, `it-cf`, `pl-pesel`.
    pub kind: &'static str,
    /// Bytes of the text.
    pub range: Range<usize>,
}

/// A shape, and what else must hold of a text in it.
struct Shape {
    kind: &'static str,
    pattern: &'static str,
    holds: fn(&str) -> bool,
}

const SHAPES: &[Shape] = &[
    Shape {
        kind: "email",
        pattern: r"(?i)\b[a-z0-9][a-z0-9._%+-]{0,63}@[a-z0-9](?:[a-z0-9-]{0,62}\.)+[a-z]{2,24}\b",
        holds: is_a_persons,
    },
    Shape {
        kind: "iban",
        pattern: r"\b[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b",
        holds: iban,
    },
    Shape {
        kind: "card",
        pattern: r"\b[3-6][0-9]{3}(?:[ -]?[0-9]{4}){2}[ -]?[0-9]{3,4}\b|\b3[47][0-9]{2}[ -]?[0-9]{6}[ -]?[0-9]{5}\b",
        holds: luhn,
    },
    Shape {
        kind: "us-ssn",
        pattern: r"\b[0-8][0-9]{2}-[0-9]{2}-[0-9]{4}\b",
        holds: ssn,
    },
    Shape {
        kind: "uk-nino",
        pattern: r"\b[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-D]\b",
        holds: |_| true,
    },
    Shape {
        kind: "es-dni",
        pattern: r"\b[0-9]{8}-?[A-HJ-NP-TV-Z]\b",
        holds: dni,
    },
    Shape {
        kind: "fr-nir",
        pattern: r"\b[12] ?[0-9]{2} ?(?:0[1-9]|1[0-2]) ?[0-9]{2} ?[0-9]{3} ?[0-9]{3} ?[0-9]{2}\b",
        holds: nir,
    },
    Shape {
        kind: "it-cf",
        pattern: r"\b[A-Z]{6}[0-9]{2}[A-EHLMPRST][0-9]{2}[A-Z][0-9]{3}[A-Z]\b",
        holds: |_| true,
    },
    Shape {
        kind: "pl-pesel",
        pattern: r"(?i)\bpesel:? ?[0-9]{11}\b",
        holds: |_| true,
    },
    Shape {
        kind: "phone",
        pattern: r"\+[1-9][0-9]{0,2}[ .-]?(?:\([0-9]{1,4}\)[ .-]?)?[0-9]{2,4}(?:[ .-]?[0-9]{2,4}){1,4}\b|\b\(?[2-9][0-9]{2}\)?[ .-][2-9][0-9]{2}[.-][0-9]{4}\b",
        holds: |text| (8..=15).contains(&digits(text).count()),
    },
];

/// Places found in one text; a text with more holds enough for any policy.
const MOST: usize = 64;

/// Finds personal data, in order of its place. Where two shapes overlap, the more certain counts.
#[must_use]
pub fn personal(text: &str) -> Vec<Personal> {
    static PATTERNS: LazyLock<Vec<Option<Regex>>> = LazyLock::new(|| {
        let compiled = SHAPES.iter().map(|shape| Regex::new(shape.pattern).ok());
        compiled.collect()
    });
    let mut found: Vec<Personal> = Vec::new();
    for (shape, pattern) in SHAPES.iter().zip(&*PATTERNS) {
        let Some(pattern) = pattern else { continue };
        for hit in pattern.find_iter(text).take(MOST) {
            let range = hit.range();
            let overlaps =
                |other: &Personal| other.range.start < range.end && range.start < other.range.end;
            if (shape.holds)(hit.as_str()) && !found.iter().any(overlaps) {
                found.push(Personal {
                    kind: shape.kind,
                    range,
                });
            }
        }
    }
    found.sort_by_key(|place| place.range.start);
    found
}

/// Addresses that stand for nobody: of documentation, of machines.
fn is_a_persons(address: &str) -> bool {
    let address = address.to_lowercase();
    let (name, host) = address.split_once('@').unwrap_or((&address, ""));
    let reserved = [
        "example.com",
        "example.org",
        "example.net",
        "users.noreply.github.com",
    ];
    !(matches!(name, "git" | "noreply" | "no-reply")
        || reserved.contains(&host)
        || [".example", ".test", ".invalid", ".localhost"]
            .iter()
            .any(|end| host.ends_with(end)))
}

fn digits(text: &str) -> impl DoubleEndedIterator<Item = u32> + '_ {
    text.chars().filter_map(|c| c.to_digit(10))
}

/// ISO/IEC 7812-1, annex B.
fn luhn(text: &str) -> bool {
    let all: Vec<u32> = digits(text).collect();
    let sum: u32 = all
        .iter()
        .rev()
        .enumerate()
        .map(|(at, digit)| match (at % 2, digit * 2) {
            (0, _) => *digit,
            (_, double) => double / 10 + double % 10,
        })
        .sum();
    (13..=19).contains(&all.len())
        && sum.is_multiple_of(10)
        && all.iter().any(|digit| *digit != all[0])
}

/// ISO 13616: the number with its head at its end is 1 modulo 97.
fn iban(text: &str) -> bool {
    let plain: Vec<char> = text.chars().filter(|c| *c != ' ').collect();
    if !(15..=34).contains(&plain.len()) {
        return false;
    }
    let turned = plain[4..].iter().chain(&plain[..4]);
    let rest = turned.fold(0, |rest, c| {
        let value = c.to_digit(36).unwrap_or(0);
        (rest * if value > 9 { 100 } else { 10 } + value) % 97
    });
    rest == 1
}

/// Numbers that were never given out.
fn ssn(text: &str) -> bool {
    let never = ["000", "666"].iter().any(|area| text.starts_with(area));
    !(never || text[4..].starts_with("00") || text.ends_with("0000"))
}

fn dni(text: &str) -> bool {
    let number = digits(text).fold(0, |number, digit| number * 10 + digit);
    let letter = b"TRWAGMYFPDXBNJZSQVHLCKE"[(number % 23) as usize];
    text.as_bytes().last() == Some(&letter)
}

/// The last two digits are 97 less the rest modulo 97.
fn nir(text: &str) -> bool {
    let all: Vec<u64> = digits(text).map(u64::from).collect();
    let number = |digits: &[u64]| digits.iter().fold(0, |number, digit| number * 10 + digit);
    all.len() == 15 && 97 - number(&all[..13]) % 97 == number(&all[13..])
}
