//! What stands between the products: written without library functions whose last bit differs
//! from machine to machine, in loops that a compiler makes four or eight lanes wide.

use super::HIDDEN;
use crate::IndexError;
use crate::codec::Reader;

/// Lanes summed side by side, so that the order of additions is the same everywhere.
const LANES: usize = 8;

/// Layer normalisation (J. Ba, J. Kiros, G. Hinton, 2016).
pub(crate) struct Norm {
    weight: Vec<f32>,
    bias: Vec<f32>,
}

impl Norm {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, IndexError> {
        Ok(Self {
            weight: reader.f32s(HIDDEN)?,
            bias: reader.f32s(HIDDEN)?,
        })
    }

    pub(crate) fn apply(&self, state: &mut [f32]) {
        const TINY: f32 = 1e-12;
        let count = state.len() as f32;
        let mean = sum(state, |x| x) / count;
        let variance = sum(state, |x| (x - mean) * (x - mean)) / count;
        let scale = 1.0 / (variance + TINY).sqrt();
        let parameters = self.weight.iter().zip(&self.bias);
        for (x, (weight, bias)) in state.iter_mut().zip(parameters) {
            *x = (*x - mean) * scale * weight + bias;
        }
    }
}

/// The sum of `of` over the numbers, in lanes.
pub(crate) fn sum(numbers: &[f32], of: impl Fn(f32) -> f32) -> f32 {
    let (blocks, rest) = numbers.as_chunks::<LANES>();
    let mut sums = [0.0f32; LANES];
    for block in blocks {
        for (sum, &x) in sums.iter_mut().zip(block) {
            *sum += of(x);
        }
    }
    sums.into_iter().chain(rest.iter().map(|&x| of(x))).sum()
}

/// Scales a vector to length one; zeros stay, and what has no length becomes them.
pub(crate) fn unit(mut vector: Vec<f32>) -> Vec<f32> {
    let norm = sum(&vector, |x| x * x).sqrt();
    for x in &mut vector {
        *x = if norm.is_normal() { *x / norm } else { 0.0 };
    }
    vector
}

/// The dot product, in lanes.
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let ((a_blocks, a_rest), (b_blocks, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    let mut sums = [0.0f32; LANES];
    for (a, b) in a_blocks.iter().zip(b_blocks) {
        for ((sum, x), y) in sums.iter_mut().zip(a).zip(b) {
            *sum += x * y;
        }
    }
    let rest = a_rest.iter().zip(b_rest).map(|(x, y)| x * y);
    sums.into_iter().chain(rest).sum()
}

/// Turns scores into shares that add up to one.
pub(crate) fn softmax(scores: &mut [f32]) {
    let most = scores.iter().copied().fold(f32::MIN, f32::max);
    for score in scores.iter_mut() {
        *score = exp(*score - most);
    }
    let all = sum(scores, |x| x);
    for score in scores {
        *score /= all;
    }
}

/// Each number times the normal distribution's share below it (D. Hendrycks, K. Gimpel, 2016).
pub(crate) fn gelu(numbers: &mut [f32]) {
    for x in numbers {
        *x = *x * 0.5 * (1.0 + erf(*x * std::f32::consts::FRAC_1_SQRT_2));
    }
}

/// M. Abramowitz, I. Stegun: "Handbook of Mathematical Functions", 7.1.26; to 1.5e-7.
fn erf(x: f32) -> f32 {
    let size = x.abs();
    let t = 1.0 / (1.0 + 0.327_591_1 * size);
    let series = ((((1.061_405_4 * t - 1.453_152) * t + 1.421_413_8) * t - 0.284_496_74) * t
        + 0.254_829_6)
        * t;
    (1.0 - series * exp(-size * size)).copysign(x)
}

/// e to the power of a number that is not positive: a power of two, and a polynomial for the rest.
fn exp(x: f32) -> f32 {
    const ROUNDER: f32 = 12_582_912.0;
    let x = if x < -87.0 { -87.0 } else { x };
    let shifted = x * std::f32::consts::LOG2_E + ROUNDER;
    let whole = shifted - ROUNDER;
    // The logarithm of two in two parts: the first has few digits, so that products are exact.
    let rest = (x - whole * 0.693_359_4) - whole * -2.121_944_4e-4;
    let series = 1.0
        + rest
            * (1.0
                + rest
                    * (0.5
                        + rest
                            * (0.166_666_67
                                + rest
                                    * (0.041_666_67
                                        + rest * (0.008_333_334 + rest * 0.001_388_889)))));
    let power = f32::from_bits((shifted.to_bits() << 23).wrapping_add(0x3F80_0000));
    series * power
}

#[cfg(test)]
mod tests {
    use super::{erf, exp, gelu, softmax};

    #[test]
    fn functions_are_near_their_values() {
        for (x, value) in [
            (0.0f32, 1.0f64),
            (-1.0, 0.367_879_441),
            (-0.3, 0.740_818_22),
            (-20.0, 2.061_153_6e-9),
            (-86.0, 4.473_779_3e-38),
        ] {
            let error = (f64::from(exp(x)) / value - 1.0).abs();
            assert!(error < 1e-6, "exp({x}): {error}");
        }
        for (x, value) in [
            (0.0f32, 0.0f32),
            (0.5, 0.520_499_9),
            (-1.0, -0.842_700_8),
            (4.0, 1.0),
        ] {
            assert!((erf(x) - value).abs() < 1e-6, "erf({x})");
        }
    }

    #[test]
    fn extremes_stay_numbers() {
        let mut numbers = [-1e30, -100.0, 0.0, 100.0, 1e18];
        gelu(&mut numbers);
        assert!(numbers.iter().all(|x| x.is_finite()), "{numbers:?}");
        let mut scores = [-1e30, 0.0, 1e30];
        softmax(&mut scores);
        assert!((scores.iter().sum::<f32>() - 1.0).abs() < 1e-6);
    }
}
