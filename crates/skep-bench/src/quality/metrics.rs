//! Recall, reciprocal rank and discounted gain of one answer list; their means, and intervals by
//! resampling the questions.

use std::collections::BTreeSet;

/// What a list of places is worth to one question; in [`NAMES`]' order.
pub(super) type Scores = [f64; 5];

/// As the keys of the report end.
pub(super) const NAMES: [&str; 5] = ["r5", "r10", "r20", "mrr", "ndcg10"];

/// No measure looks further down a list.
pub(super) const DEPTH: usize = 20;

/// How often the questions are drawn anew.
const RESAMPLES: usize = 1_000;
const SEED: u64 = 0x5EED;

/// A mean, and between what 95 of 100 resamples lie.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Estimate {
    pub(super) mean: f64,
    pub(super) low: f64,
    pub(super) high: f64,
}

/// The scores of one list, best first, that is asked for `answers`.
pub(super) fn scores(found: &[usize], answers: &BTreeSet<usize>) -> Scores {
    let hits: Vec<usize> = found
        .iter()
        .take(DEPTH)
        .enumerate()
        .filter(|(_, place)| answers.contains(place))
        .map(|(rank, _)| rank)
        .collect();
    let recall = |depth: usize| {
        let within = hits.iter().filter(|&&rank| rank < depth).count();
        within as f64 / answers.len().max(1) as f64
    };
    let reciprocal = hits.first().map_or(0.0, |&rank| 1.0 / (rank + 1) as f64);
    [
        recall(5),
        recall(10),
        recall(20),
        reciprocal,
        ndcg(&hits, answers.len(), 10),
    ]
}

/// Gain 1 for each answer, discounted by log₂ of its place, beside that of an ideal list.
fn ndcg(hits: &[usize], answers: usize, depth: usize) -> f64 {
    let gain = |rank: usize| 1.0 / ((rank + 2) as f64).log2();
    let found: f64 = hits.iter().filter(|&&r| r < depth).map(|&r| gain(r)).sum();
    let ideal: f64 = (0..answers.min(depth)).map(gain).sum();
    if ideal > 0.0 { found / ideal } else { 0.0 }
}

/// The mean of each measure over the questions.
pub(super) fn estimates(all: &[Scores]) -> [Estimate; 5] {
    let mut out = [Estimate::default(); 5];
    for (at, estimate) in out.iter_mut().enumerate() {
        let values: Vec<f64> = all.iter().map(|scores| scores[at]).collect();
        *estimate = estimated(&values);
    }
    out
}

/// The mean of some values with its interval.
pub(super) fn estimated(values: &[f64]) -> Estimate {
    if values.is_empty() {
        return Estimate::default();
    }
    let count = values.len() as f64;
    let mut random = SEED;
    let mut means: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            let drawn = values
                .iter()
                .map(|_| values[below(&mut random, values.len())]);
            drawn.sum::<f64>() / count
        })
        .collect();
    means.sort_by(f64::total_cmp);
    Estimate {
        mean: values.iter().sum::<f64>() / count,
        low: means[RESAMPLES / 40],
        high: means[RESAMPLES - 1 - RESAMPLES / 40],
    }
}

/// The next number below `end` (`SplitMix64`, Steele et al. 2014; the bias of the remainder is
/// nothing at these sizes).
fn below(state: &mut u64, end: usize) -> usize {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((z ^ (z >> 31)) % end as u64) as usize
}

#[cfg(test)]
mod tests {
    use super::{DEPTH, estimated, scores};
    use std::collections::BTreeSet;

    fn near(found: [f64; 5], wanted: [f64; 5]) {
        for (found, wanted) in found.iter().zip(wanted) {
            assert!((found - wanted).abs() < 1e-9, "{found} is not {wanted}");
        }
    }

    #[test]
    fn lists_score_what_they_score_by_hand() {
        // Answers at places 2 and 7 of the list: 1/log2(3) + 1/log2(8) beside 1 + 1/log2(3).
        let found: Vec<usize> = vec![9, 1, 8, 7, 6, 5, 2, 4];
        let (gain, ideal) = (0.630_929_753_571_457_4 + 1.0 / 3.0, 1.630_929_753_571_457_4);
        near(
            scores(&found, &BTreeSet::from([1, 2])),
            [0.5, 1.0, 1.0, 0.5, gain / ideal],
        );
        // One of three answers is there, first.
        let ideal = 1.0 + 0.630_929_753_571_457_4 + 0.5;
        near(
            scores(&found, &BTreeSet::from([9, 30, 31])),
            [1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0, 1.0, 1.0 / ideal],
        );
        // Place 11 counts for recall at 20 and for the reciprocal rank alone.
        let long: Vec<usize> = (0..30).collect();
        near(
            scores(&long, &BTreeSet::from([10])),
            [0.0, 0.0, 1.0, 1.0 / 11.0, 0.0],
        );
        near(scores(&long, &BTreeSet::from([DEPTH])), [0.0; 5]);
        near(scores(&[], &BTreeSet::from([1])), [0.0; 5]);
    }

    #[test]
    fn an_interval_holds_its_mean_and_repeats() {
        let values: Vec<f64> = (0..100).map(|n| f64::from(n % 2)).collect();
        let one = estimated(&values);
        assert_eq!(one, estimated(&values));
        assert!((one.mean - 0.5).abs() < 1e-12);
        // The normal approximation says 0.098 to either side.
        assert!((one.mean - one.low - 0.098).abs() < 0.03, "{one:?}");
        assert!((one.high - one.mean - 0.098).abs() < 0.03, "{one:?}");
        assert_eq!(estimated(&[]).mean.to_bits(), 0);
    }
}
