//! Rows of bytes with a scale each, and their products with rows of numbers.

use skep_simd::{from_steps, mul_panels, to_steps};

use crate::IndexError;
use crate::codec::Reader;

/// Activations are rounded to this many steps either way: more would let the longest sums wrap,
/// and is finer than the weights are.
const LARGEST: f32 = 8_191.0;

/// A matrix of signed bytes with a scale for each row.
pub(crate) struct Rows {
    depth: usize,
    scales: Vec<f32>,
    codes: &'static [u8],
}

/// A matrix and what is added to its products.
pub(crate) struct Linear {
    depth: usize,
    scales: Vec<f32>,
    bias: Vec<f32>,
    panels: &'static [u8],
}

impl Rows {
    /// The scales, then the codes.
    pub(crate) fn read(
        reader: &mut Reader<'static>,
        count: usize,
        depth: usize,
    ) -> Result<Self, IndexError> {
        let scales = reader.f32s(count)?;
        let size = count.checked_mul(depth);
        let codes = reader.take(size.ok_or(IndexError::Damaged("weights"))?)?;
        Ok(Self {
            depth,
            scales,
            codes,
        })
    }

    /// Adds a row times `weight` to `sum`.
    pub(crate) fn add_to(&self, at: usize, weight: f32, sum: &mut [f32]) {
        let scale = weight * self.scales[at];
        let codes = &self.codes[at * self.depth..][..self.depth];
        for (sum, code) in sum.iter_mut().zip(codes) {
            *sum += scale * f32::from(code.cast_signed());
        }
    }
}

impl Linear {
    /// The scales, the numbers to add, then the codes in panels.
    pub(crate) fn read(
        reader: &mut Reader<'static>,
        width: usize,
        depth: usize,
    ) -> Result<Self, IndexError> {
        Ok(Self {
            depth,
            scales: reader.f32s(width)?,
            bias: reader.f32s(width)?,
            panels: reader.take(width * depth)?,
        })
    }

    /// The product of each row of `left` with each column, and what is added to it.
    pub(crate) fn apply(&self, left: &[f32]) -> Vec<f32> {
        let mut codes = vec![0i16; left.len()];
        let rows = left.chunks(self.depth).zip(codes.chunks_mut(self.depth));
        let steps: Vec<f32> = rows
            .map(|(row, codes)| to_steps(row, LARGEST, codes))
            .collect();
        let width = self.scales.len();
        let mut products = vec![0i32; steps.len() * width];
        mul_panels(&codes, self.panels, self.depth, &mut products);
        let mut out = vec![0.0; products.len()];
        let rows = products.chunks(width).zip(out.chunks_mut(width));
        for (step, (products, out)) in steps.iter().zip(rows) {
            from_steps(products, *step, &self.scales, &self.bias, out);
        }
        out
    }
}
