//! Whether two kinds of request can be told apart by how long they take.
//!
//! Samples are taken interleaved in random order, the first of them dropped and the slowest part cut
//! off, so that what the machine does beside falls on every kind alike. Two kinds count as alike when
//! three tests together see no difference; each is blind to something that another sees: Welch's t to
//! a shift with a heavy tail, the rank test to a rare but large one, the medians to one too small to
//! matter.

use std::time::Duration;

use skep_crypto::{Random, SeededRandom};

/// How samples are taken.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Samples of each kind that count.
    pub samples: usize,
    /// Samples of each kind that are taken first and dropped.
    pub warm_up: usize,
    /// The slowest part, in percent, that is cut off.
    pub crop_percent: usize,
    /// What the order follows from.
    pub seed: u64,
}

impl Default for Plan {
    /// Enough to see a tenth of a standard deviation at 0.1 % with nine chances in ten.
    fn default() -> Self {
        Self {
            samples: 5_000,
            warm_up: 500,
            crop_percent: 5,
            seed: 1,
        }
    }
}

/// What came of comparing two kinds.
#[derive(Clone, Copy, Debug)]
pub struct Comparison {
    /// Welch's t; beyond 4.5 either way is a difference.
    pub t: f64,
    /// Two-sided p of the Mann-Whitney test; under 0.001 is a difference.
    pub p: f64,
    /// Between the medians.
    pub gap: Duration,
    /// The smaller of the medians.
    pub median: Duration,
}

impl Plan {
    /// Takes samples of `kinds` kinds, in an order nobody can guess, and returns the nanoseconds of
    /// each, cut.
    pub async fn measure(
        &self,
        kinds: usize,
        mut once: impl AsyncFnMut(usize) -> Duration,
    ) -> Vec<Vec<u64>> {
        let mut taken = vec![Vec::with_capacity(self.samples); kinds];
        let mut order: Vec<usize> = (0..kinds).collect();
        let random = SeededRandom::new(self.seed);
        for round in 0..self.warm_up + self.samples {
            shuffle(&mut order, &random);
            for kind in &order {
                let took = once(*kind).await;
                if round >= self.warm_up {
                    taken[*kind].push(took.as_nanos() as u64);
                }
            }
        }
        for kind in &mut taken {
            kind.sort_unstable();
            kind.truncate(kind.len() - kind.len() * self.crop_percent / 100);
        }
        taken
    }
}

/// Compares two kinds, in nanoseconds.
///
/// # Panics
/// With fewer than two samples of either.
#[must_use]
pub fn compare(a: &[u64], b: &[u64]) -> Comparison {
    assert!(a.len() > 1 && b.len() > 1, "nothing to compare");
    let (left, right) = (median(a), median(b));
    Comparison {
        t: welch(a, b),
        p: mann_whitney(a, b),
        gap: Duration::from_nanos(left.abs_diff(right)),
        median: Duration::from_nanos(left.min(right)),
    }
}

impl Comparison {
    /// Whether nothing tells the two apart. The medians alone are allowed the larger of 50 µs and
    /// 2 %; the two tests see shifts far smaller than that on a machine that does nothing else, and
    /// all three must hold.
    #[must_use]
    pub fn alike(&self) -> bool {
        self.t.abs() < 4.5 && self.p > 0.001 && self.gap < self.allowed()
    }

    /// Whether the difference is one that somebody far away could use: the medians differ by more
    /// than is allowed, and it is no accident.
    #[must_use]
    pub fn apart(&self) -> bool {
        self.gap >= self.allowed() && self.p <= 0.001
    }

    fn allowed(&self) -> Duration {
        Duration::from_micros(50).max(self.median / 50)
    }
}

fn shuffle(order: &mut [usize], random: &dyn Random) {
    for at in (1..order.len()).rev() {
        let pick = u64::from_le_bytes(random.array()) % (at as u64 + 1);
        order.swap(at, pick as usize);
    }
}

fn median(samples: &[u64]) -> u64 {
    let mut sorted = samples.to_vec();
    sorted.sort_unstable();
    sorted[sorted.len() / 2]
}

/// Welch (1947): the difference of the means in units of its standard error.
fn welch(a: &[u64], b: &[u64]) -> f64 {
    let (mean_a, spread_a) = moments(a);
    let (mean_b, spread_b) = moments(b);
    let error = (spread_a / a.len() as f64 + spread_b / b.len() as f64).sqrt();
    if error == 0.0 {
        return if mean_a.total_cmp(&mean_b).is_eq() {
            0.0
        } else {
            f64::INFINITY
        };
    }
    (mean_a - mean_b) / error
}

fn moments(samples: &[u64]) -> (f64, f64) {
    let count = samples.len() as f64;
    let mean = samples.iter().map(|x| *x as f64).sum::<f64>() / count;
    let squares: f64 = samples.iter().map(|x| (*x as f64 - mean).powi(2)).sum();
    (mean, squares / (count - 1.0))
}

/// Mann and Whitney (1947), by the normal approximation with the correction for ties.
fn mann_whitney(a: &[u64], b: &[u64]) -> f64 {
    let mut all: Vec<(u64, bool)> = a.iter().map(|x| (*x, true)).collect();
    all.extend(b.iter().map(|x| (*x, false)));
    all.sort_unstable_by_key(|(value, _)| *value);
    let (mut ranks, mut ties) = (0.0, 0.0);
    let mut below = 0.0;
    for group in all.chunk_by(|left, right| left.0 == right.0) {
        let size = group.len() as f64;
        let of_a = group.iter().filter(|(_, is_a)| *is_a).count() as f64;
        ranks += of_a * (below + f64::midpoint(size, 1.0));
        ties += size.powi(3) - size;
        below += size;
    }
    let (first, second) = (a.len() as f64, b.len() as f64);
    let total = first + second;
    let won = ranks - first * (first + 1.0) / 2.0;
    let variance = first * second / 12.0 * (total + 1.0 - ties / (total * (total - 1.0)));
    if variance <= 0.0 {
        return 1.0;
    }
    2.0 * upper_tail((won - first * second / 2.0).abs() / variance.sqrt())
}

/// The part of a standard normal distribution above `z` (Abramowitz and Stegun, 26.2.17; to within
/// 7.5e-8, far below what is asked of it).
fn upper_tail(z: f64) -> f64 {
    const TERMS: [f64; 5] = [
        1.330_274_429,
        -1.821_255_978,
        1.781_477_937,
        -0.356_563_782,
        0.319_381_530,
    ];
    let k = 1.0 / (1.0 + 0.231_641_9 * z);
    let sum = TERMS.iter().fold(0.0, |sum, term| (sum + term) * k);
    (sum * (-z * z / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt()).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use skep_crypto::{Random, SeededRandom};

    use super::{Plan, compare, mann_whitney, upper_tail, welch};

    /// About normal: the sum of twelve even draws, in nanoseconds around a millisecond.
    fn draw(random: &dyn Random, shift: u64) -> Duration {
        let sum: u64 = (0..12)
            .map(|_| u64::from(u32::from_le_bytes(random.array())) * 10_000 / u64::from(u32::MAX))
            .sum();
        Duration::from_nanos(940_000 + sum + shift)
    }

    async fn verdict(seed: u64, shift: u64) -> super::Comparison {
        let source = SeededRandom::new(seed ^ 0xABCD);
        let plan = Plan {
            seed,
            ..Plan::default()
        };
        let taken = plan
            .measure(2, async |kind| draw(&source, kind as u64 * shift))
            .await;
        assert_eq!(taken[0].len(), 4_750);
        compare(&taken[0], &taken[1])
    }

    #[tokio::test]
    async fn s01_what_is_the_same_is_alike_and_200_microseconds_are_not() {
        for seed in 1..=3 {
            let same = verdict(seed, 0).await;
            assert!(same.alike() && !same.apart(), "{same:?}");
            let late = verdict(seed, 200_000).await;
            assert!(!late.alike() && late.apart(), "{late:?}");
            let slight = verdict(seed, 1_000).await;
            assert!(!slight.alike() && !slight.apart(), "{slight:?}");
        }
    }

    #[test]
    fn the_tests_give_what_textbooks_give() {
        assert!((upper_tail(1.959_964) - 0.025).abs() < 1e-6);
        assert!((upper_tail(3.090_232) - 0.001).abs() < 1e-6);
        // Means 20 and 22, variances 10 and 10, five each: t is 2 / sqrt(4).
        let t = welch(&[16, 18, 20, 22, 24], &[18, 20, 22, 24, 26]);
        assert!((t + 1.0).abs() < 1e-9, "{t}");
        // Ranks without overlap: U is 0, z is 12.5 / sqrt(25 * 11 / 12).
        let p = mann_whitney(&[1, 2, 3, 4, 5], &[6, 7, 8, 9, 10]);
        assert!((p - 2.0 * upper_tail(2.611_165)).abs() < 1e-6, "{p}");
        assert!((mann_whitney(&[7; 9], &[7; 9]) - 1.0).abs() < 1e-9);
    }
}
