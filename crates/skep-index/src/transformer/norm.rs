//! Normalising: what stands between the layers, with additions in the same order on every machine.

use skep_simd::sum;

use super::HIDDEN;
use crate::IndexError;
use crate::codec::Reader;

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

/// Scales a vector to length one; zeros stay, and what has no length becomes them.
pub(crate) fn unit(mut vector: Vec<f32>) -> Vec<f32> {
    let norm = sum(&vector, |x| x * x).sqrt();
    for x in &mut vector {
        *x = if norm.is_normal() { *x / norm } else { 0.0 };
    }
    vector
}
