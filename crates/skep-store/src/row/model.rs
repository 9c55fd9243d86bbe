//! What a backend stores about the pass with a model: how far it came, and what it cost.

use skep_domain::SessionId;

/// How far a model has read a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModelPassRow {
    /// Which session.
    pub session: SessionId,
    /// Whether there is something to do.
    pub state: ModelPassState,
    /// The first ordinal that no model has read.
    pub next: u64,
    /// How often one was asked about what begins there.
    pub tries: u32,
    /// Whether the web was read before `next`.
    pub is_tainted: bool,
}

/// Whether a session is to be read by a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModelPassState {
    /// It is.
    Due,
    /// It was, or there was nothing to read.
    Done,
    /// It was tried too often.
    GivenUp,
}

/// What may be spent on a day, or was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ModelBudgetRow {
    /// Tokens, read and written together.
    pub tokens: u64,
    /// Millionths of a unit of currency.
    pub cost: u64,
}

/// What a call turned out to cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ModelSpentRow {
    /// Tokens read.
    pub input: u64,
    /// Tokens written.
    pub output: u64,
    /// Millionths of a unit of currency.
    pub cost: u64,
}

/// A day's sums.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModelDayRow {
    /// Calls that were made.
    pub calls: u64,
    /// Granted to calls whose cost nobody knows yet.
    pub reserved: ModelBudgetRow,
    /// What the others cost.
    pub spent: ModelSpentRow,
    /// What was refused, by reason.
    pub refused: Vec<(String, u64)>,
}

/// How many sessions wait for a model, and how many were given up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ModelQueueRow {
    /// They wait.
    pub due: u64,
    /// They were tried too often.
    pub given_up: u64,
}

impl ModelPassState {
    /// The stored code.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Due => 0,
            Self::Done => 1,
            Self::GivenUp => 2,
        }
    }

    /// Reads a stored code.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        [Self::Due, Self::Done, Self::GivenUp]
            .into_iter()
            .find(|state| state.code() == code)
    }
}

impl ModelDayRow {
    /// Tokens that count against the day's cap.
    #[must_use]
    pub const fn tokens(&self) -> u64 {
        let spent = self.spent.input.saturating_add(self.spent.output);
        spent.saturating_add(self.reserved.tokens)
    }

    /// Cost that counts against the day's cap.
    #[must_use]
    pub const fn cost(&self) -> u64 {
        self.spent.cost.saturating_add(self.reserved.cost)
    }
}
