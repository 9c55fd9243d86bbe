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

/// Days after which a statement of this kind counts half as fresh.
#[must_use]
pub const fn half_life_days(kind: MemoryKind) -> u32 {
    match kind {
        MemoryKind::Fact => 120,
        MemoryKind::Reference => 240,
        MemoryKind::Gotcha | MemoryKind::Procedure => 365,
        MemoryKind::Decision | MemoryKind::Convention | MemoryKind::Preference => 730,
    }
}

/// Scores and sorts candidates, best first; equal scores keep their order.
///
/// `score = relevance × (1 − w_r (1 − recency) − w_t (1 − trust))`: age and trust together take at
/// most 18 %, so a candidate that is 22 % more relevant always stands first.
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
    let score = relevance * (1.0 - RECENCY_WEIGHT * (1.0 - recency) - TRUST_WEIGHT * (1.0 - trust));
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
