//! A small sentence encoder: a BERT of six layers (J. Devlin et al., "BERT: Pre-training of Deep
//! Bidirectional Transformers", 2018) whose last states are averaged.
//!
//! Weights are bytes, activations 16-bit integers, their products exact sums; what is left in
//! floating point is written out, operation by operation. So a text gives the same bytes on every
//! machine and every path.

mod linear;
mod norm;

use norm::Norm;
use skep_simd::{attend, gelu};

pub(crate) use linear::{Linear, Rows};
pub(crate) use norm::unit;

use crate::IndexError;
use crate::codec::Reader;

/// Numbers that stand for one piece.
pub(crate) const HIDDEN: usize = 384;

/// Numbers between the two halves of a layer's second part.
const INNER: usize = 1_536;

/// Heads.
const HEADS: usize = 12;

/// Layers.
const LAYERS: usize = 6;

/// Pieces read at a time, with the two that mark beginning and end.
const POSITIONS: usize = 128;

/// The encoder, its weights where the program keeps them.
pub(crate) struct Transformer {
    positions: Rows,
    embedded: Norm,
    layers: Vec<Layer>,
}

struct Layer {
    /// Queries, keys and values of all heads.
    heads: Linear,
    attended: Linear,
    after_attention: Norm,
    widen: Linear,
    narrow: Linear,
    after: Norm,
}

impl Transformer {
    /// Takes the weights off the front of a file: a row for each position, the layers.
    pub(crate) fn read(reader: &mut Reader<'static>) -> Result<Self, IndexError> {
        Ok(Self {
            positions: Rows::read(reader, POSITIONS, HIDDEN)?,
            embedded: Norm::read(reader)?,
            layers: (0..LAYERS)
                .map(|_| Layer::read(reader))
                .collect::<Result<_, _>>()?,
        })
    }

    /// The sum of the last states of at most [`POSITIONS`] pieces, whose rows `words` has; the
    /// rest is not read.
    pub(crate) fn sum(&self, words: &Rows, pieces: &[u32]) -> Vec<f32> {
        let pieces = &pieces[..pieces.len().min(POSITIONS)];
        let mut states = vec![0.0; pieces.len() * HIDDEN];
        for ((place, &piece), state) in pieces.iter().enumerate().zip(states.chunks_mut(HIDDEN)) {
            words.add_to(piece as usize, 1.0, state);
            self.positions.add_to(place, 1.0, state);
            self.embedded.apply(state);
        }
        for layer in &self.layers {
            layer.apply(&mut states);
        }
        let mut sum = vec![0.0; HIDDEN];
        for state in states.chunks(HIDDEN) {
            for (sum, x) in sum.iter_mut().zip(state) {
                *sum += x;
            }
        }
        sum
    }
}

impl Layer {
    fn read(reader: &mut Reader<'static>) -> Result<Self, IndexError> {
        Ok(Self {
            heads: Linear::read(reader, 3 * HIDDEN, HIDDEN)?,
            attended: Linear::read(reader, HIDDEN, HIDDEN)?,
            after_attention: Norm::read(reader)?,
            widen: Linear::read(reader, INNER, HIDDEN)?,
            narrow: Linear::read(reader, HIDDEN, INNER)?,
            after: Norm::read(reader)?,
        })
    }

    fn apply(&self, states: &mut [f32]) {
        let mut attended = vec![0.0; states.len()];
        attend(&self.heads.apply(states), HIDDEN, HEADS, &mut attended);
        add(
            states,
            &self.attended.apply(&attended),
            &self.after_attention,
        );
        let mut inner = self.widen.apply(states);
        gelu(&mut inner);
        add(states, &self.narrow.apply(&inner), &self.after);
    }
}

/// Adds a part of a layer to what went into it.
fn add(states: &mut [f32], part: &[f32], norm: &Norm) {
    for (state, part) in states.iter_mut().zip(part) {
        *state += part;
    }
    for state in states.chunks_mut(HIDDEN) {
        norm.apply(state);
    }
}
