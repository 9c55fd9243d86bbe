//! Order of candidates: relevance first, then age and trust; then variety.

use skep_domain::{MemoryKind, Timestamp, Trust};

/// What re-ranking knows of one candidate.
#[derive(Clone, Copy, Debug)]
pub struct RankInput {
    /// The fused relevance of its channels, 0 to 1.
    pub relevance: f32,
    /// What sort of statement it is.
    pub kind: MemoryKind,
    /// Whose word it is.
    pub trust: Trust,
    /// Whether it only repeats what other statements say, as a recap of a session does.
    pub second_hand: bool,
    /// When it was learned.
    pub recorded_at: Timestamp,
}

/// A candidate's place and the parts of its score.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ranked {
    /// Its index in the input.
    pub index: usize,
    /// What the order follows.
    pub score: f32,
    /// 1 when learned now, ½ after one half-life of its kind.
    pub recency: f32,
    /// 1 for a human's word, 0 for an outside source.
    pub trust: f32,
}

/// The most that age can take off a score.
pub const RECENCY_WEIGHT: f32 = 0.10;
/// The most that a weak source can take off a score.
pub const TRUST_WEIGHT: f32 = 0.08;
/// What repeating others takes off a score: a recap quotes the words of many statements, and would
/// stand before each of them.
pub const SECOND_HAND_WEIGHT: f32 = 0.10;

/// Days after which a statement of this kind counts half as fresh.
#[must_use]
pub const fn half_life_days(kind: MemoryKind) -> u32 {
    match kind {
        MemoryKind::Fact | MemoryKind::Note => 120,
        MemoryKind::Reference => 240,
        MemoryKind::Gotcha | MemoryKind::Procedure => 365,
        MemoryKind::Decision | MemoryKind::Convention | MemoryKind::Preference => 730,
    }
}

/// Scores and sorts candidates, best first; equal scores keep their order.
///
/// `score = relevance × (1 − w_r (1 − recency) − w_t (1 − trust) − w_s second_hand)`: together they
/// take at most 28 %, so a candidate that is 39 % more relevant always stands first.
#[must_use]
pub fn rerank(items: &[RankInput], now: Timestamp) -> Vec<Ranked> {
    let mut ranked: Vec<Ranked> = items
        .iter()
        .enumerate()
        .map(|(index, item)| rank(index, item, now))
        .collect();
    ranked.sort_by(|a, b| b.score.total_cmp(&a.score));
    ranked
}

fn rank(index: usize, item: &RankInput, now: Timestamp) -> Ranked {
    let days = now.seconds_since(item.recorded_at) as f32 / 86_400.0;
    let recency = (-days / half_life_days(item.kind) as f32).exp2();
    let trust = f32::from(item.trust.code()) / f32::from(Trust::User.code());
    let relevance = if item.relevance.is_finite() {
        item.relevance.max(0.0)
    } else {
        0.0
    };
    let second_hand = f32::from(u8::from(item.second_hand));
    let off = RECENCY_WEIGHT * (1.0 - recency)
        + TRUST_WEIGHT * (1.0 - trust)
        + SECOND_HAND_WEIGHT * second_hand;
    let score = relevance * (1.0 - off);
    Ranked {
        index,
        score,
        recency,
        trust,
    }
}

/// Picks up to `count` of the candidates, each time the one with the greatest
/// `λ · score − (1 − λ) · similarity to what is picked already`.
///
/// `scores` are relative to the best one; `similarity` is symmetric, 0 to 1, and asked for pairs of
/// indexes. Source: Carbonell and Goldstein, SIGIR 1998. Costs `count × scores.len()` similarities.
#[must_use]
pub fn mmr(
    scores: &[f32],
    lambda: f32,
    count: usize,
    similarity: impl Fn(usize, usize) -> f32,
) -> Vec<usize> {
    let best = scores.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
    let mut nearest = vec![0.0_f32; scores.len()];
    let mut left: Vec<usize> = (0..scores.len()).collect();
    let mut picked = Vec::with_capacity(count.min(scores.len()));
    while picked.len() < count {
        let value = |index: usize| lambda * scores[index] / best - (1.0 - lambda) * nearest[index];
        // On equal values the earlier candidate wins, so that the order is the input's.
        let Some(place) = (0..left.len()).reduce(|a, b| {
            if value(left[b]) > value(left[a]) {
                b
            } else {
                a
            }
        }) else {
            break;
        };
        let index = left.remove(place);
        picked.push(index);
        for &other in &left {
            nearest[other] = nearest[other].max(similarity(index, other));
        }
    }
    picked
}

#[cfg(test)]
mod tests {
    use super::{
        RECENCY_WEIGHT, RankInput, SECOND_HAND_WEIGHT, TRUST_WEIGHT, half_life_days, mmr, rerank,
    };
    use proptest::prelude::*;
    use skep_domain::{MemoryKind, Timestamp, Trust};

    const DAY: i64 = 86_400_000;

    fn item(relevance: f32, trust: Trust, age_days: i64) -> RankInput {
        let recorded_at = Timestamp::from_millis((1_000 - age_days) * DAY);
        RankInput {
            relevance,
            kind: MemoryKind::Fact,
            trust,
            second_hand: false,
            recorded_at,
        }
    }

    fn order(items: &[RankInput]) -> Vec<usize> {
        rerank(items, Timestamp::from_millis(1_000 * DAY))
            .iter()
            .map(|ranked| ranked.index)
            .collect()
    }

    #[test]
    fn age_and_trust_decide_between_equals_only() {
        let items = [
            item(0.80, Trust::External, 900),
            item(0.80, Trust::User, 900),
            item(0.80, Trust::User, 0),
            item(0.99, Trust::External, 999),
        ];
        assert_eq!(order(&items), [3, 2, 1, 0]);
    }

    #[test]
    fn a_recap_stands_behind_the_statement_that_it_repeats() {
        let statement = item(0.80, Trust::User, 900);
        let recap = RankInput {
            second_hand: true,
            ..item(0.84, Trust::User, 900)
        };
        let far_better = RankInput {
            relevance: 0.95,
            ..recap
        };
        assert_eq!(order(&[recap, statement, far_better]), [2, 1, 0]);
    }

    #[test]
    fn after_one_half_life_a_memory_is_half_as_fresh() {
        for kind in MemoryKind::ALL {
            let age = i64::from(half_life_days(*kind));
            let recorded_at = Timestamp::from_millis((1_000 - age) * DAY);
            let item = RankInput {
                relevance: 1.0,
                kind: *kind,
                trust: Trust::User,
                second_hand: false,
                recorded_at,
            };
            let ranked = rerank(&[item], Timestamp::from_millis(1_000 * DAY))[0];
            assert!(
                (ranked.recency - 0.5).abs() < 1e-4 && (ranked.score - 0.95).abs() < 1e-4,
                "{kind:?} {ranked:?}"
            );
        }
    }

    #[test]
    fn a_relevance_that_is_no_number_counts_as_none() {
        assert_eq!(
            order(&[
                item(f32::NAN, Trust::User, 0),
                item(0.1, Trust::External, 900)
            ]),
            [1, 0]
        );
    }

    #[test]
    fn variety_passes_over_a_twin() {
        let scores = [1.0, 0.99, 0.6];
        let twins = |a: usize, b: usize| if a.max(b) == 1 { 1.0 } else { 0.0 };
        assert_eq!(mmr(&scores, 0.7, 2, twins), [0, 2]);
        assert_eq!(mmr(&scores, 1.0, 3, twins), [0, 1, 2]);
        assert_eq!(mmr(&[], 0.7, 3, twins), Vec::<usize>::new());
    }

    proptest! {
        #[test]
        fn a_clearly_more_relevant_memory_always_stands_first(
            low in 0.01_f32..0.8, trusts in (0_u8..4, 0_u8..4), ages in (0_i64..1_000, 0_i64..1_000),
        ) {
            let high = low * 1.01 / (1.0 - RECENCY_WEIGHT - TRUST_WEIGHT - SECOND_HAND_WEIGHT);
            let trust = |code| Trust::from_code(code).unwrap();
            let items = [item(low, trust(trusts.0), ages.0), item(high, trust(trusts.1), ages.1)];
            prop_assert_eq!(order(&items)[0], 1);
        }

        #[test]
        fn everything_is_picked_once_and_the_best_first(scores in prop::collection::vec(0.01_f32..1.0, 1..20), lambda in 0.1_f32..1.0) {
            let picked = mmr(&scores, lambda, 100, |a, b| if (a + b) % 2 == 0 { 0.9 } else { 0.1 });
            let mut sorted = picked.clone();
            sorted.sort_unstable();
            prop_assert_eq!(sorted, (0..scores.len()).collect::<Vec<_>>());
            let best = scores.iter().copied().fold(0.0, f32::max);
            prop_assert!((scores[picked[0]] - best).abs() < 1e-6);
        }
    }
}
