//! A question's vector as the index takes it: less what all memories have in common, and beside how
//! the memories lie about it.

use std::collections::HashMap;

use crate::fuse::COMMON;
use crate::threads::Threads;
use crate::top::Field;
use crate::vector::Vectors;

/// A sample of fewer says nothing of the others.
const SAMPLE_MIN: usize = 24;

/// A mean of so few memories counts half.
const HALF: f32 = 32.0;

/// A question's direction among the memories of one index.
pub(crate) struct Meaning {
    asked: Vec<f32>,
    /// Mean and deviation of the sample's cosines, if there are enough.
    spread: Option<(f32, f32)>,
}

impl Meaning {
    /// Takes off `vector` a part of what all memories share, so that nearness to everything counts
    /// less; `sample` stands for all, with its mean. `None` without a direction or of another dimension.
    pub(crate) fn of(
        vectors: &Vectors,
        (sample, mean): (&[u32], &[f32]),
        vector: &[f32],
    ) -> Option<Self> {
        let norm = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
        if vector.len() != vectors.dim() || !norm.is_normal() {
            return None;
        }
        let weight = COMMON / (1.0 + HALF / sample.len().max(1) as f32);
        let parts = vector.iter().zip(mean);
        let asked: Vec<f32> = parts.map(|(x, mean)| x / norm - weight * mean).collect();
        let spread = spread(&vectors.cosines(&asked, sample));
        Some(Self { asked, spread })
    }

    /// The direction to search in.
    pub(crate) fn asked(&self) -> &[f32] {
        &self.asked
    }

    /// By how many deviations the best cosine stands out, where that can be told.
    pub(crate) fn peak(&self, best: f32) -> Option<f32> {
        let (mean, deviation) = self.spread?;
        Some((best - mean) / deviation)
    }

    /// The cosines of some slots, each mixed with those of its neighbours.
    pub(crate) fn in_context(
        &self,
        vectors: &Vectors,
        slots: &[u32],
        threads: &Threads,
        field: &dyn Field,
    ) -> Vec<f32> {
        if threads.is_empty() {
            return vectors.cosines(&self.asked, slots);
        }
        let near = |slot: u32| {
            threads
                .neighbours(slot, field)
                .filter(|&(slot, _)| vectors.has(slot))
        };
        let mut all: Vec<u32> = slots.to_vec();
        all.extend(
            slots
                .iter()
                .flat_map(|&slot| near(slot).map(|(other, _)| other)),
        );
        all.sort_unstable();
        all.dedup();
        let cosines = vectors.cosines(&self.asked, &all);
        let cosines: HashMap<u32, f32> = all.into_iter().zip(cosines).collect();
        let of = |slot: u32| cosines.get(&slot).copied().unwrap_or_default();
        let mix = |&slot: &u32| {
            let (mut sum, mut weights) = (of(slot), 1.0);
            for (other, weight) in near(slot) {
                sum += weight * of(other);
                weights += weight;
            }
            sum / weights
        };
        slots.iter().map(mix).collect()
    }
}

/// Mean and deviation. The cosines are sorted first, so that the last bit of the sums does not
/// depend on the order of the puts.
fn spread(cosines: &[f32]) -> Option<(f32, f32)> {
    if cosines.len() < SAMPLE_MIN {
        return None;
    }
    let mut cosines = cosines.to_vec();
    cosines.sort_unstable_by(f32::total_cmp);
    let count = cosines.len() as f32;
    let mean = cosines.iter().sum::<f32>() / count;
    let square = cosines.iter().map(|x| (x - mean) * (x - mean)).sum::<f32>() / count;
    let deviation = square.sqrt();
    deviation.is_normal().then_some((mean, deviation))
}
