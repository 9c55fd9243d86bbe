//! How many tokens a text costs, estimated without a vocabulary.

/// Estimates the tokens of `text` for the byte-pair encodings of current models.
///
/// Deterministic and without tables: letters cost a token for the first six of a run and one for each
/// five more, digits one per three, signs one per two, letters beyond ASCII one per two, ideographs
/// three per two. Measured against the greater of two public vocabularies (`o200k_base`,
/// `cl100k_base`) over 5,195 passages of 300 to 1,600 bytes (commit messages, sessions, design
/// documents, JSON, Rust, Python, TypeScript), by sort of text: the median is 10 to 31 % too high, at
/// most 3.1 % of passages are estimated too low, none by more than 11 %. Prose in other languages can
/// come out up to a third too low: a caller with a hard limit leaves itself room.
#[must_use]
pub fn estimate_tokens(text: &str) -> u32 {
    let mut total = 0_u32;
    let mut run = Run {
        class: Class::Space,
        length: 0,
    };
    for c in text.chars() {
        if Class::of(c) == run.class {
            run.length += 1;
        } else {
            total = total.saturating_add(run.cost());
            run = Run {
                class: Class::of(c),
                length: 1,
            };
        }
    }
    total.saturating_add(run.cost())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Space,
    Break,
    Letter,
    Digit,
    Sign,
    Foreign,
    Ideograph,
}

impl Class {
    fn of(c: char) -> Self {
        match c {
            ' ' | '\t' => Self::Space,
            '\n' => Self::Break,
            'a'..='z' | 'A'..='Z' => Self::Letter,
            '0'..='9' => Self::Digit,
            '!'..='~' => Self::Sign,
            '\u{a0}'..='\u{10ff}' => Self::Foreign,
            _ => Self::Ideograph,
        }
    }
}

struct Run {
    class: Class,
    length: u32,
}

impl Run {
    fn cost(&self) -> u32 {
        match self.class {
            // One space belongs to the word after it.
            Class::Space => u32::from(self.length > 1),
            Class::Break => u32::from(self.length > 0),
            Class::Letter => 1 + self.length.saturating_sub(6).div_ceil(5),
            Class::Digit => self.length.div_ceil(3),
            Class::Sign | Class::Foreign => self.length.div_ceil(2),
            Class::Ideograph => (self.length * 3).div_ceil(2),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::estimate_tokens;

    /// Texts with their tokens in `o200k_base` and `cl100k_base`, the greater of the two.
    #[test]
    fn the_estimate_is_near_and_rather_above() {
        for (text, tokens) in SAMPLES {
            let ratio = f64::from(estimate_tokens(text)) / f64::from(*tokens);
            assert!((0.8..=1.6).contains(&ratio), "{ratio:.2} {text}");
        }
        assert_eq!(estimate_tokens(""), 0);
    }

    const SAMPLES: &[(&str, u32)] = &[
        (
            "The pool begins transactions with `BEGIN IMMEDIATE`, because two deferred writers both hold a read lock and neither can upgrade.",
            24,
        ),
        (
            "pub fn estimate_tokens(text: &str) -> u32 { let mut total = 0_u32; for c in text.chars() { total += 1; } total }",
            38,
        ),
        (
            "{\"type\":\"user\",\"sessionId\":\"0198c0de-7a31-7f52-9c44-3b1f0e5d8a55\",\"timestamp\":\"2026-05-14T09:12:33.000Z\"}",
            56,
        ),
        (
            "Пул открывает транзакции сразу на запись, потому что отложенные блокируют друг друга.",
            36,
        ),
        (
            "连接池以写模式开始事务,因为两个延迟的写入者会互相阻塞。",
            32,
        ),
        (
            "Die Verbindung beginnt Schreibvorgänge sofort, weil sich zwei aufgeschobene gegenseitig blockieren.",
            26,
        ),
        (
            "crates/skep-store-sqlite/src/transaction.rs and crates/skep-memory/src/redact/assign.rs change together (7 of 9 commits).",
            34,
        ),
    ];
}
