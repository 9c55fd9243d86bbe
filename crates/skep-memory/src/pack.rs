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
