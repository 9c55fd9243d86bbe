//! The vector channel: an exact scan over one byte per component.
//!
//! A model whose leading components carry most of the variance may be scanned by those first; the
//! best of that pass are scored in full.

use skep_simd::{dot_i8, dot_i8_many};

use crate::Quantised;
use crate::top::Top;

/// Rows multiplied at a time: their products stay in the first-level cache.
const BLOCK: usize = 512;

/// Below this many rows the scan in full is as fast as two passes.
const TWO_PASSES_FROM: usize = 16_384;

/// The first pass of two keeps this many rows, and one in [`KEPT_SHARE`] beside.
const KEPT_AT_LEAST: usize = 512;

/// See [`KEPT_AT_LEAST`].
const KEPT_SHARE: usize = 32;

/// Vectors by slot; a slot without one holds zeros and a scale that is not a number.
pub(crate) struct Vectors {
    dim: usize,
    lead: usize,
    /// The leading components of every slot, then the others: apart, so that the first pass reads
    /// nothing else.
    leading: Vec<i8>,
    trailing: Vec<i8>,
    scales: Vec<f32>,
    count: usize,
}

/// A query in the forms that the passes need.
struct Probe {
    vector: Vec<f32>,
    codes: Quantised,
}

impl Vectors {
    /// No vectors yet; `lead` of `dim` components make the first pass.
    pub(crate) fn new(dim: usize, lead: usize) -> Self {
        Self {
            dim,
            lead: lead.min(dim),
            leading: Vec::new(),
            trailing: Vec::new(),
            scales: Vec::new(),
            count: 0,
        }
    }

    /// How many components.
    pub(crate) fn dim(&self) -> usize {
        self.dim
    }

    /// How many slots have a vector.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Sets the vector of a slot; false, and nothing changed, if it has another dimension.
    pub(crate) fn put(&mut self, slot: u32, vector: &Quantised) -> bool {
        if vector.dim() != self.dim {
            return false;
        }
        let slot = slot as usize;
        if self.scales.len() <= slot {
            self.scales.resize(slot + 1, f32::NAN);
            self.leading.resize((slot + 1) * self.lead, 0);
            self.trailing.resize((slot + 1) * self.tail(), 0);
        }
        self.count += usize::from(self.scales[slot].is_nan());
        self.scales[slot] = vector.scale();
        let (leading, trailing) = vector.codes().split_at(self.lead);
        self.leading[slot * self.lead..][..leading.len()].copy_from_slice(leading);
        let tail = self.tail();
        self.trailing[slot * tail..][..tail].copy_from_slice(trailing);
        true
    }

    /// Whether a slot has a vector.
    pub(crate) fn has(&self, slot: u32) -> bool {
        self.scales
            .get(slot as usize)
            .is_some_and(|scale| !scale.is_nan())
    }

    /// Forgets the vector of a slot.
    pub(crate) fn remove(&mut self, slot: u32) {
        if let Some(scale) = self.scales.get_mut(slot as usize)
            && !scale.is_nan()
        {
            *scale = f32::NAN;
            self.count -= 1;
        }
    }

    /// The vector of a slot: its scale and its codes.
    fn get(&self, slot: u32) -> Option<Quantised> {
        let scale = self
            .scales
            .get(slot as usize)
            .filter(|scale| !scale.is_nan())?;
        let (leading, trailing) = self.row(slot);
        Some(Quantised::from_parts(
            *scale,
            [leading, trailing].concat().into(),
        ))
    }

    /// The cosine of `query` with the vector of each slot that `accept` lets through, the best
    /// `room` of them, best first. Nothing if the query has another dimension or no direction.
    pub(crate) fn nearest(
        &self,
        query: &[f32],
        room: usize,
        accept: &dyn Fn(u32) -> bool,
    ) -> Vec<(f32, u32)> {
        let Some(probe) = self.probe(query) else {
            return Vec::new();
        };
        let all = self.scales.len();
        if all <= TWO_PASSES_FROM || self.lead == self.dim {
            let best = self.scan(&probe, self.dim, room, accept);
            return self.exact(&probe, room, &best);
        }
        let pool = room.max(KEPT_AT_LEAST) + all / KEPT_SHARE;
        let best = self.scan(&probe, self.lead, pool, accept);
        let best = self.in_full(&probe, room, &best);
        self.exact(&probe, room, &best)
    }

    /// The cosine of `query` with the vectors of some slots, zero where there is none.
    pub(crate) fn cosines(&self, query: &[f32], slots: &[u32]) -> Vec<f32> {
        let Some(probe) = self.probe(query) else {
            return vec![0.0; slots.len()];
        };
        slots
            .iter()
            .map(|&slot| self.cosine(&probe, slot))
            .collect()
    }

    /// Leaves out slots without a place in `moved`.
    pub(crate) fn compact(&mut self, moved: &[Option<u32>]) {
        let kept = moved.iter().flatten().count();
        let mut next = Self::new(self.dim, self.lead);
        next.scales.reserve_exact(kept);
        next.leading.reserve_exact(kept * self.lead);
        next.trailing.reserve_exact(kept * self.tail());
        for (slot, to) in (0u32..).zip(moved) {
            if let (Some(to), Some(vector)) = (to, self.get(slot)) {
                next.put(*to, &vector);
            }
        }
        *self = next;
    }

    /// What the channel takes in memory.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.leading.capacity() + self.trailing.capacity() + self.scales.capacity() * 4
    }

    /// The parts that a snapshot keeps: scales, leading and trailing components.
    pub(crate) fn parts(&self) -> (&[f32], &[i8], &[i8]) {
        (&self.scales, &self.leading, &self.trailing)
    }

    /// How many components lead and how many follow.
    pub(crate) fn split(&self) -> (usize, usize) {
        (self.lead, self.tail())
    }

    /// Takes the parts of a snapshot; the caller has counted them.
    pub(crate) fn set_parts(&mut self, scales: Vec<f32>, leading: Vec<i8>, trailing: Vec<i8>) {
        self.count = scales.iter().filter(|scale| !scale.is_nan()).count();
        (self.scales, self.leading, self.trailing) = (scales, leading, trailing);
    }

    fn tail(&self) -> usize {
        self.dim - self.lead
    }

    fn probe(&self, query: &[f32]) -> Option<Probe> {
        let codes = Quantised::of(query);
        if query.len() != self.dim || codes.scale() == 0.0 {
            return None;
        }
        let norm = query.iter().map(|x| x * x).sum::<f32>().sqrt();
        let vector = query.iter().map(|x| x / norm).collect();
        Some(Probe { vector, codes })
    }

    /// Scores every slot by its first `depth` components: those that lead, or all.
    fn scan(
        &self,
        probe: &Probe,
        depth: usize,
        room: usize,
        accept: &dyn Fn(u32) -> bool,
    ) -> Vec<(f32, u32)> {
        let (lead, tail) = probe.codes.codes().split_at(self.lead);
        let mut top = Top::new(room, f32::MIN);
        let (mut products, mut rest, mut scores) = ([0; BLOCK], [0; BLOCK], [0.0; BLOCK]);
        for (block, scales) in self.scales.chunks(BLOCK).enumerate() {
            let from = block * BLOCK;
            let rows = &self.leading[from * self.lead..];
            dot_i8_many(lead, rows, self.lead, &mut products[..scales.len()]);
            if depth > self.lead {
                let rows = &self.trailing[from * self.tail()..];
                dot_i8_many(tail, rows, self.tail(), &mut rest[..scales.len()]);
            }
            for (at, scale) in scales.iter().enumerate() {
                scores[at] = (products[at] + rest[at]) as f32 * scale;
            }
            top.offer_all(from as u32, &scores[..scales.len()], accept);
        }
        top.into_sorted()
    }

    /// Scores some slots by all their components.
    fn in_full(&self, probe: &Probe, room: usize, slots: &[(f32, u32)]) -> Vec<(f32, u32)> {
        let (lead, tail) = probe.codes.codes().split_at(self.lead);
        let mut top = Top::new(room, f32::MIN);
        for &(_, slot) in slots {
            let (leading, trailing) = self.row(slot);
            let product = dot_i8(lead, leading) + dot_i8(tail, trailing);
            top.offer(product as f32 * self.scales[slot as usize], slot);
        }
        top.into_sorted()
    }

    /// Scores with the query unrounded: only the rows have lost anything.
    fn exact(&self, probe: &Probe, room: usize, slots: &[(f32, u32)]) -> Vec<(f32, u32)> {
        let mut top = Top::new(room, f32::MIN);
        for &(_, slot) in slots {
            top.offer(self.cosine(probe, slot), slot);
        }
        top.into_sorted()
    }

    fn row(&self, slot: u32) -> (&[i8], &[i8]) {
        let at = slot as usize;
        let leading = &self.leading[at * self.lead..][..self.lead];
        let trailing = &self.trailing[at * self.tail()..][..self.tail()];
        (leading, trailing)
    }

    fn cosine(&self, probe: &Probe, slot: u32) -> f32 {
        let Some(&scale) = self
            .scales
            .get(slot as usize)
            .filter(|scale| !scale.is_nan())
        else {
            return 0.0;
        };
        let (lead, tail) = probe.vector.split_at(self.lead);
        let (leading, trailing) = self.row(slot);
        (dot_f32(lead, leading) + dot_f32(tail, trailing)) * scale
    }
}

/// Whether a scale may stand in storage: none, or that of a vector of length one.
pub(crate) fn is_sound_scale(scale: f32) -> bool {
    scale.is_nan() || (0.0..=1.0).contains(&scale)
}

/// Eight sums side by side, which the compiler keeps in one register and adds up in one order.
fn dot_f32(query: &[f32], codes: &[i8]) -> f32 {
    let mut sums = [0.0f32; 8];
    let (blocks, rest) = query.as_chunks::<8>();
    let (code_blocks, _) = codes.as_chunks::<8>();
    for (block, codes) in blocks.iter().zip(code_blocks) {
        for ((sum, x), &code) in sums.iter_mut().zip(block).zip(codes) {
            *sum += x * f32::from(code);
        }
    }
    let after = codes.iter().skip(blocks.len() * 8);
    let last: f32 = rest
        .iter()
        .zip(after)
        .map(|(x, &code)| x * f32::from(code))
        .sum();
    sums.iter().sum::<f32>() + last
}
