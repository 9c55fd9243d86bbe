//! What a caller is told of an answer beside it.

use skep_limit::Taken;
use skep_llm::Cost;

use crate::meter::Settled;

/// What is known of an answer when it begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AnswerFacts {
    /// Who answered.
    pub provider: String,
    /// Under which the call is recorded as used, as it stands there.
    pub usage: Option<String>,
    /// What it cost; of a stream, which has only begun, the most that it may cost. None where no rate card
    /// covers the model.
    pub cost: Option<CallCost>,
    /// What the budgets that cover it leave; none where there are none.
    pub left: Option<Cost>,
    /// What is left of the tokens that its caller may take in a while; none where nobody counts them.
    pub tokens: Option<Taken>,
    /// Whether it was given before, and is given again.
    pub is_again: bool,
}

/// What a call costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallCost {
    /// This.
    Was(Cost),
    /// No more than this.
    AtMost(Cost),
}

impl AnswerFacts {
    /// Of an answer that has come to its end.
    #[must_use]
    pub(super) fn settled(self, settled: Settled) -> Self {
        Self {
            cost: settled.cost.map(CallCost::Was),
            left: settled.left,
            ..self
        }
    }
}
