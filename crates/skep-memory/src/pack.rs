//! Fills a token budget with the best candidates, and says what stayed out and why.

/// One candidate, in order of score.
#[derive(Clone, Copy, Debug)]
pub struct PackItem {
    /// Its score; at least the floor, or it stays out.
    pub score: f32,
    /// Tokens of its statement, framing included.
    pub tokens: u32,
    /// Tokens of its key line, if that may stand in for the statement.
    pub key_tokens: Option<u32>,
}

/// The room there is.
#[derive(Clone, Copy, Debug)]
pub struct PackLimits {
    /// Tokens altogether.
    pub tokens: u32,
    /// Items altogether.
    pub items: usize,
    /// The least score that is worth a reader's attention.
    pub floor: f32,
}

/// How an item got in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// With its statement.
    Statement,
    /// With its key line, because the statement did not fit.
    Key,
}

/// Why an item stayed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CutReason {
    /// Its score is below the floor.
    BelowFloor,
    /// The tokens were spent on better ones.
    OverBudget,
    /// The items were.
    OverCount,
}

/// What fits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Packed {
    /// Indexes of what is in, best first.
    pub kept: Vec<(usize, Form)>,
    /// Indexes of what is not.
    pub cut: Vec<(usize, CutReason)>,
    /// Tokens spent.
    pub tokens: u32,
}

/// Takes candidates in their order as long as they fit; one whose statement does not fit is tried
/// by its key line.
///
/// The order is the reader's: a pair of lesser items never displaces a better one, which a knapsack
/// by value would do. One statement may take at most three fifths of the budget if it has a key line.
#[must_use]
pub fn pack(items: &[PackItem], limits: PackLimits) -> Packed {
    let mut packed = Packed::default();
    let large = limits.tokens.saturating_mul(3) / 5;
    for (index, item) in items.iter().enumerate() {
        if item.score.is_nan() || item.score < limits.floor {
            packed.cut.push((index, CutReason::BelowFloor));
            continue;
        }
        if packed.kept.len() >= limits.items {
            packed.cut.push((index, CutReason::OverCount));
            continue;
        }
        let room = limits.tokens - packed.tokens;
        let statement_room = if item.key_tokens.is_some() {
            room.min(large)
        } else {
            room
        };
        let fit = if item.tokens <= statement_room {
            Some((item.tokens, Form::Statement))
        } else {
            item.key_tokens
                .filter(|key| *key <= room)
                .map(|key| (key, Form::Key))
        };
        match fit {
            Some((tokens, form)) => {
                packed.tokens += tokens;
                packed.kept.push((index, form));
            }
            None => packed.cut.push((index, CutReason::OverBudget)),
        }
    }
    packed
}

#[cfg(test)]
mod tests {
    use super::{CutReason, Form, PackItem, PackLimits, pack};
    use proptest::prelude::*;

    fn item(score: f32, tokens: u32, key: u32) -> PackItem {
        PackItem {
            score,
            tokens,
            key_tokens: Some(key),
        }
    }

    #[test]
    fn the_best_come_in_whole_the_next_by_their_key() {
        let items = [
            item(0.9, 50, 8),
            item(0.8, 60, 9),
            item(0.7, 90, 10),
            item(0.6, 5, 5),
            item(0.1, 1, 1),
        ];
        let packed = pack(
            &items,
            PackLimits {
                tokens: 100,
                items: 3,
                floor: 0.3,
            },
        );
        assert_eq!(
            packed.kept,
            [(0, Form::Statement), (1, Form::Key), (2, Form::Key)]
        );
        assert_eq!(
            packed.cut,
            [(3, CutReason::OverCount), (4, CutReason::BelowFloor)]
        );
        assert_eq!(packed.tokens, 69);
    }

    #[test]
    fn one_statement_does_not_take_it_all() {
        let packed = pack(
            &[item(0.9, 95, 9), item(0.8, 40, 9)],
            PackLimits {
                tokens: 100,
                items: 9,
                floor: 0.0,
            },
        );
        assert_eq!(packed.kept, [(0, Form::Key), (1, Form::Statement)]);
        let alone = PackItem {
            score: 0.9,
            tokens: 95,
            key_tokens: None,
        };
        let packed = pack(
            &[alone, item(f32::NAN, 1, 1), item(0.5, 40, 40)],
            PackLimits {
                tokens: 100,
                items: 9,
                floor: 0.0,
            },
        );
        assert_eq!(packed.kept, [(0, Form::Statement)]);
        assert_eq!(
            packed.cut,
            [(1, CutReason::BelowFloor), (2, CutReason::OverBudget)]
        );
    }

    proptest! {
        #[test]
        fn budgets_hold_and_nothing_is_lost(
            items in prop::collection::vec((0.0_f32..1.0, 1_u32..400, prop::option::of(1_u32..40)), 0..40),
            tokens in 0_u32..1_500, count in 0_usize..12, floor in 0.0_f32..0.5,
        ) {
            let items: Vec<PackItem> =
                items.into_iter().map(|(score, tokens, key_tokens)| PackItem { score, tokens, key_tokens }).collect();
            let packed = pack(&items, PackLimits { tokens, items: count, floor });
            prop_assert!(packed.tokens <= tokens && packed.kept.len() <= count);
            let spent: u32 = packed.kept.iter().map(|(at, form)| match form {
                Form::Statement => items[*at].tokens,
                Form::Key => items[*at].key_tokens.unwrap(),
            }).sum();
            prop_assert_eq!(spent, packed.tokens);
            let mut all: Vec<usize> = packed.kept.iter().map(|(at, _)| *at).chain(packed.cut.iter().map(|(at, _)| *at)).collect();
            all.sort_unstable();
            prop_assert_eq!(all, (0..items.len()).collect::<Vec<_>>());
            prop_assert!(packed.kept.iter().all(|(at, _)| items[*at].score >= floor));
        }
    }
}
