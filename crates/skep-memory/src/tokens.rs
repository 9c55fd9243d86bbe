//! How many tokens a text costs, estimated without a vocabulary.

/// Estimates the tokens of `text` for the byte-pair encodings of current models.
///
/// Deterministic and without tables: a run of letters costs a token per six letters or part of
/// them, a run of digits one per three, punctuation one per two alike, other scripts by their UTF-8 length. The error
/// against two public vocabularies is published in `docs/tokens.md`; it is meant to overshoot.
#[must_use]
pub fn estimate_tokens(text: &str) -> u32 {
    let mut total = 0_u32;
    let mut run = Run {
        class: Class::Space,
        length: 0,
    };
    for c in text.chars() {
        let class = Class::of(c);
        if class == run.class {
            run.length += if class == Class::Other {
                c.len_utf8() as u32
            } else {
                1
            };
        } else {
            total = total.saturating_add(run.cost());
            let length = if class == Class::Other {
                c.len_utf8() as u32
            } else {
                1
            };
            run = Run { class, length };
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
    Other,
}

impl Class {
    fn of(c: char) -> Self {
        match c {
            ' ' | '\t' => Self::Space,
            '\n' => Self::Break,
            'a'..='z' | 'A'..='Z' => Self::Letter,
            '0'..='9' => Self::Digit,
            '!'..='~' => Self::Sign,
            _ => Self::Other,
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
            Class::Break => 1,
            Class::Letter => self.length.div_ceil(6),
            Class::Digit => self.length.div_ceil(3),
            Class::Sign | Class::Other => self.length.div_ceil(2),
        }
    }
}
