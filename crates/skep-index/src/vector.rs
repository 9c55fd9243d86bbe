//! The vector channel: one byte per component.
//!
//! Few rows are scanned as they are. Of many, one bit per component is scanned, and the best of
//! that pass are scored in full.

use skep_simd::{dot_codes, dot_i8, dot_i8_many};

use crate::Quantised;
use crate::growth::make_room;
use crate::sketch::{Scan, Sketches};
use crate::top::{Field, Top};

/// Rows multiplied at a time: their products stay in the first-level cache.
const BLOCK: usize = 512;

/// From this many vectors on there are sketches of them; below, the scan in full is as fast.
const SKETCHED_FROM: usize = 16_384;

/// The first pass of two keeps so many times the rows that are wanted, and one in [`KEPT_SHARE`]
/// of all beside.
const KEPT_FACTOR: usize = 3;

/// See [`KEPT_FACTOR`].
const KEPT_SHARE: usize = 256;

/// Vectors by slot; a slot without one holds zeros and a scale that is not a number.
pub(crate) struct Vectors {
    dim: usize,
    codes: Vec<i8>,
    scales: Vec<f32>,
    count: usize,
    sketches: Option<Sketches>,
}

/// A query in the forms that the passes need.
struct Probe {
    vector: Vec<f32>,
    codes: Quantised,
}

/// A search for what is nearest. Its first pass may be shared among threads.
pub(crate) struct Search<'a> {
    vectors: &'a Vectors,
    probe: Probe,
    room: usize,
    field: &'a dyn Field,
    first: Option<Scan<'a>>,
}

impl Search<'_> {
    /// Takes part in the first pass until nothing of it is left.
    pub(crate) fn take_part(&self) -> Vec<(f32, u32)> {
        match &self.first {
            None => Vec::new(),
            Some(scan) => scan.take_part(self.kept(), self.field),
        }
    }

    /// The cosines of the best, best first, out of what the parts of the first pass brought.
    pub(crate) fn finish(self, parts: [Vec<(f32, u32)>; 2]) -> Vec<(f32, u32)> {
        let (vectors, probe, room) = (self.vectors, &self.probe, self.room);
        let best = if self.first.is_some() {
            let mut top = Top::new(self.kept(), f32::MIN, self.field);
            for (score, slot) in parts.into_iter().flatten() {
                top.offer(score, slot);
            }
            let mut slots: Vec<u32> = top
                .into_unsorted()
                .into_iter()
                .map(|(_, slot)| slot)
                .collect();
            // In the order of memory.
            slots.sort_unstable();
            vectors.in_full(probe, room, &slots, self.field)
        } else {
            vectors.scan(probe, room, self.field)
        };
        vectors.exact(probe, room, &best, self.field)
    }

    /// How many the first pass keeps.
    fn kept(&self) -> usize {
        self.room * KEPT_FACTOR + self.vectors.scales.len() / KEPT_SHARE
    }
}

impl Vectors {
    /// No vectors yet, of so many components.
    pub(crate) fn new(dim: usize) -> Self {
        Self {
            dim,
            codes: Vec::new(),
            scales: Vec::new(),
            count: 0,
            sketches: None,
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
        let codes = vector.codes().iter().map(|code| code.cast_unsigned());
        let bytes: Vec<u8> = codes.collect();
        self.put_parts(slot, vector.scale(), &bytes)
    }

    /// [`Self::put`] for codes as storage keeps them.
    pub(crate) fn put_parts(&mut self, slot: u32, scale: f32, codes: &[u8]) -> bool {
        if codes.len() != self.dim {
            return false;
        }
        let at = slot as usize;
        if self.scales.len() <= at {
            make_room(&mut self.scales, at + 1);
            self.scales.resize(at + 1, f32::NAN);
            make_room(&mut self.codes, (at + 1) * self.dim);
            self.codes.resize((at + 1) * self.dim, 0);
        }
        self.count += usize::from(self.scales[at].is_nan());
        self.scales[at] = scale;
        let row = &mut self.codes[at * self.dim..][..self.dim];
        for (kept, code) in row.iter_mut().zip(codes) {
            *kept = code.cast_signed();
        }
        match &mut self.sketches {
            Some(sketches) => sketches.put(slot, row, scale),
            None if self.count >= SKETCHED_FROM => self.sketch_all(),
            None => {}
        }
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
            if let Some(sketches) = &mut self.sketches {
                sketches.remove(slot);
            }
        }
    }

    /// Begins to look for the best `room` slots that the field accepts. Nothing if the query has
    /// another dimension or no direction.
    pub(crate) fn search<'a>(
        &'a self,
        query: &[f32],
        room: usize,
        field: &'a dyn Field,
    ) -> Option<Search<'a>> {
        let probe = self.probe(query)?;
        let sketches = self.sketches.as_ref();
        let first = sketches.map(|sketches| sketches.scan(&probe.vector));
        Some(Search {
            vectors: self,
            probe,
            room,
            field,
            first,
        })
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

    /// The mean of some slots' vectors, in sums that do not depend on their order.
    pub(crate) fn mean(&self, slots: &[u32]) -> Vec<f32> {
        const STEPS: f32 = (1u64 << 32) as f32;
        let mut sums = vec![0i64; self.dim];
        for &slot in slots.iter().filter(|&&slot| self.has(slot)) {
            let scale = self.scales[slot as usize] * STEPS;
            for (sum, &code) in sums.iter_mut().zip(self.row(slot)) {
                *sum += (f32::from(code) * scale) as i64;
            }
        }
        let count = slots.len().max(1) as f32 * STEPS;
        sums.into_iter().map(|sum| sum as f32 / count).collect()
    }

    /// Leaves out slots without a place in `moved`.
    pub(crate) fn compact(&mut self, moved: &[Option<u32>]) {
        let kept = moved.iter().flatten().count();
        let mut next = Self::new(self.dim);
        next.scales.reserve_exact(kept);
        next.codes.reserve_exact(kept * self.dim);
        for (slot, to) in (0u32..).zip(moved) {
            if let (Some(to), true) = (to, self.has(slot)) {
                let (scale, codes) = (self.scales[slot as usize], self.row(slot).into());
                next.put(*to, &Quantised::from_parts(scale, codes));
            }
        }
        *self = next;
    }

    /// Gives back the room for growth.
    pub(crate) fn settle(&mut self) {
        self.codes.shrink_to_fit();
        self.scales.shrink_to_fit();
    }

    /// What the channel takes in memory.
    pub(crate) fn heap_bytes(&self) -> usize {
        let sketches = self.sketches.as_ref().map_or(0, Sketches::heap_bytes);
        self.codes.capacity() + self.scales.capacity() * 4 + sketches
    }

    /// The parts that a snapshot keeps.
    pub(crate) fn parts(&self) -> (&[f32], &[i8], Option<&Sketches>) {
        (&self.scales, &self.codes, self.sketches.as_ref())
    }

    /// Takes the parts of a snapshot; the caller has counted them.
    pub(crate) fn set_parts(
        &mut self,
        scales: Vec<f32>,
        codes: Vec<i8>,
        sketches: Option<Sketches>,
    ) {
        self.count = scales.iter().filter(|scale| !scale.is_nan()).count();
        (self.scales, self.codes, self.sketches) = (scales, codes, sketches);
    }

    /// Makes a sketch of every vector there is, around their mean.
    fn sketch_all(&mut self) {
        let mut sum = vec![0.0f32; self.dim];
        let rows = || (0..self.scales.len() as u32).filter(|&slot| self.has(slot));
        for slot in rows() {
            let scale = self.scales[slot as usize];
            for (sum, &code) in sum.iter_mut().zip(self.row(slot)) {
                *sum += f32::from(code) * scale;
            }
        }
        let mean = sum.iter().map(|sum| sum / self.count.max(1) as f32);
        let mut sketches = Sketches::new(mean.collect());
        for slot in rows() {
            sketches.put(slot, self.row(slot), self.scales[slot as usize]);
        }
        self.sketches = Some(sketches);
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

    /// Scores every slot.
    fn scan(&self, probe: &Probe, room: usize, field: &dyn Field) -> Vec<(f32, u32)> {
        let mut top = Top::new(room, f32::MIN, field);
        let (mut products, mut scores) = ([0; BLOCK], [0.0; BLOCK]);
        for (block, scales) in self.scales.chunks(BLOCK).enumerate() {
            let from = block * BLOCK;
            let rows = &self.codes[from * self.dim..];
            let codes = probe.codes.codes();
            dot_i8_many(codes, rows, self.dim, &mut products[..scales.len()]);
            for ((score, &product), scale) in scores.iter_mut().zip(&products).zip(scales) {
                *score = product as f32 * scale;
            }
            top.offer_all(from as u32, &scores[..scales.len()]);
        }
        top.into_unsorted()
    }

    /// Scores some slots by all their components.
    fn in_full(
        &self,
        probe: &Probe,
        room: usize,
        slots: &[u32],
        field: &dyn Field,
    ) -> Vec<(f32, u32)> {
        let mut top = Top::new(room, f32::MIN, field);
        for &slot in slots {
            let product = dot_i8(probe.codes.codes(), self.row(slot));
            top.offer(product as f32 * self.scales[slot as usize], slot);
        }
        top.into_unsorted()
    }

    /// Scores with the query unrounded: only the rows have lost anything.
    fn exact(
        &self,
        probe: &Probe,
        room: usize,
        slots: &[(f32, u32)],
        field: &dyn Field,
    ) -> Vec<(f32, u32)> {
        let mut top = Top::new(room, f32::MIN, field);
        for &(_, slot) in slots {
            top.offer(self.cosine(probe, slot), slot);
        }
        top.into_sorted()
    }

    fn row(&self, slot: u32) -> &[i8] {
        &self.codes[slot as usize * self.dim..][..self.dim]
    }

    fn cosine(&self, probe: &Probe, slot: u32) -> f32 {
        if self.has(slot) {
            dot_codes(&probe.vector, self.row(slot)) * self.scales[slot as usize]
        } else {
            0.0
        }
    }
}

/// Whether a scale may stand in storage: none, or that of a vector of length one.
pub(crate) fn is_sound_scale(scale: f32) -> bool {
    scale.is_nan() || (0.0..=1.0).contains(&scale)
}
