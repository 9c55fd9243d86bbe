//! The last step of recall as one pure decision: which of the memories that may be seen are
//! answered, in which order and form, and why not the others. The same inputs give the same
//! decision, so that one can be replayed.

use skep_domain::{MemoryKind, Timestamp, Trust};

use crate::normal::{NEAR_DUPLICATE, Wording};
use crate::pack::{CutReason, Form, PackItem, PackLimits, pack};
use crate::rank::{RankInput, mmr, rerank};

/// How much relevance counts against not repeating what is said already (MMR's lambda).
const LAMBDA: f32 = 0.85;

/// What a decision looks at in one memory.
#[derive(Clone, Debug)]
pub struct Choice {
    /// The fused relevance of its channels, 0 to 1.
    pub relevance: f32,
    /// What sort of statement it is.
    pub kind: MemoryKind,
    /// Whose word it is.
    pub trust: Trust,
    /// Whether it only repeats what other memories say.
    pub second_hand: bool,
    /// When it became true.
    pub valid_from: Timestamp,
    /// Tokens of its statement, framing included.
    pub tokens: u32,
    /// Tokens of its key line, framing included.
    pub key_tokens: u32,
    /// What it says, for repetitions.
    pub wording: Wording,
}

/// What became of one memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is answered.
    Kept(Form),
    /// It says what a better one says already.
    Repetition,
    /// It stayed out when the answer was filled.
    Cut(CutReason),
}

/// The decision about one memory.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Decided {
    /// What the order follows.
    pub rank: f32,
    /// 1 when it became true now, ½ after one half-life of its kind.
    pub recency: f32,
    /// 1 for a human's word, 0 for an outside source.
    pub trust: f32,
    /// What became of it.
    pub outcome: Outcome,
}

/// A whole decision.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Decision {
    /// Indexes of what is answered, best first.
    pub answered: Vec<usize>,
    /// Every choice, in the order given.
    pub each: Vec<Decided>,
}

/// Orders by relevance, age and trust, passes over repetitions, fills the budget.
#[must_use]
pub fn decide(choices: &[Choice], limits: PackLimits, at: Timestamp) -> Decision {
    let inputs: Vec<RankInput> = choices.iter().map(rank_input).collect();
    let ranked = rerank(&inputs, at);
    let scores: Vec<f32> = ranked.iter().map(|ranked| ranked.score).collect();
    let wording = |place: usize| &choices[ranked[place].index].wording;
    let similarity = |a: usize, b: usize| wording(a).similarity(wording(b));
    // Twice as many as are wanted: some of them repeat better ones.
    let varied = mmr(&scores, LAMBDA, limits.items.saturating_mul(2), similarity);
    let mut picked: Vec<usize> = Vec::with_capacity(varied.len());
    let mut decision = Decision {
        answered: Vec::new(),
        each: vec![OVER_COUNT; choices.len()],
    };
    for ranked in &ranked {
        decision.each[ranked.index] = Decided {
            rank: ranked.score,
            recency: ranked.recency,
            trust: ranked.trust,
            ..OVER_COUNT
        };
    }
    for place in varied {
        let repeats = |other: &usize| similarity(place, *other) >= NEAR_DUPLICATE;
        if picked.iter().any(repeats) {
            decision.each[ranked[place].index].outcome = Outcome::Repetition;
        } else {
            picked.push(place);
        }
    }
    let items: Vec<PackItem> = picked
        .iter()
        .map(|place| pack_item(&choices[ranked[*place].index], scores[*place]))
        .collect();
    let filled = pack(&items, limits);
    for (item, reason) in filled.cut {
        decision.each[ranked[picked[item]].index].outcome = Outcome::Cut(reason);
    }
    for (item, form) in filled.kept {
        let index = ranked[picked[item]].index;
        decision.each[index].outcome = Outcome::Kept(form);
        decision.answered.push(index);
    }
    decision
}

/// What holds for a memory until it is known better.
const OVER_COUNT: Decided = Decided {
    rank: 0.0,
    recency: 0.0,
    trust: 0.0,
    outcome: Outcome::Cut(CutReason::OverCount),
};

fn rank_input(choice: &Choice) -> RankInput {
    RankInput {
        relevance: choice.relevance,
        kind: choice.kind,
        trust: choice.trust,
        second_hand: choice.second_hand,
        // When it became true: an import learns all of a history in one afternoon.
        recorded_at: choice.valid_from,
    }
}

fn pack_item(choice: &Choice, score: f32) -> PackItem {
    PackItem {
        score,
        tokens: choice.tokens,
        key_tokens: Some(choice.key_tokens),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn choice(relevance: f32, tokens: u32, text: &str) -> Choice {
        Choice {
            relevance,
            kind: MemoryKind::Fact,
            trust: Trust::User,
            second_hand: false,
            valid_from: Timestamp::from_micros(0),
            tokens,
            key_tokens: 5,
            wording: Wording::of(text),
        }
    }

    const LIMITS: PackLimits = PackLimits {
        tokens: 100,
        items: 3,
        floor: 0.2,
    };

    #[test]
    fn each_memory_is_told_why() {
        let choices = [
            choice(0.9, 40, "the pool begins its transactions immediately"),
            choice(0.89, 40, "the pool begins its transactions immediately"),
            choice(0.8, 95, "retries wait with a growing delay"),
            choice(0.5, 20, "logs are rotated each night"),
            choice(0.4, 20, "the build needs a linker"),
        ];
        let decision = decide(&choices, LIMITS, Timestamp::from_micros(0));
        let outcomes: Vec<Outcome> = decision.each.iter().map(|each| each.outcome).collect();
        assert_eq!(
            outcomes,
            [
                Outcome::Kept(Form::Statement),
                Outcome::Repetition,
                Outcome::Kept(Form::Key),
                Outcome::Kept(Form::Statement),
                Outcome::Cut(CutReason::OverCount),
            ]
        );
        assert_eq!(decision.answered, [0, 2, 3]);
    }

    #[test]
    fn what_is_below_the_floor_says_so() {
        let decision = decide(
            &[choice(0.1, 1, "hardly anything to do with it")],
            LIMITS,
            Timestamp::from_micros(0),
        );
        assert_eq!(
            decision.each[0].outcome,
            Outcome::Cut(CutReason::BelowFloor)
        );
        assert_eq!(
            decide(&[], LIMITS, Timestamp::from_micros(0)),
            Decision::default()
        );
    }

    proptest! {
        #[test]
        fn a_decision_replays_and_accounts_for_everything(
            given in prop::collection::vec((0.0_f32..1.0, 1_u32..90, "[a-d ]{1,12}"), 0..20),
            items in 0_usize..8,
        ) {
            let choices: Vec<Choice> = given.iter().map(|(score, tokens, text)| choice(*score, *tokens, text)).collect();
            let limits = PackLimits { items, ..LIMITS };
            let decision = decide(&choices, limits, Timestamp::from_micros(9));
            prop_assert_eq!(&decide(&choices, limits, Timestamp::from_micros(9)), &decision);
            let kept = decision.each.iter().filter(|each| matches!(each.outcome, Outcome::Kept(_))).count();
            prop_assert_eq!(kept, decision.answered.len());
            prop_assert!(kept <= items && decision.each.len() == choices.len());
        }
    }
}
