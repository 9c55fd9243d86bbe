//! One bit per component: what a large scan reads instead of the vectors.
//!
//! A vector less the mean of all is turned, so that no component says more than another, and the
//! signs are kept. The query keeps its numbers: its product with the signs, times a factor kept per
//! row, estimates the product with the row without bias.
//!
//! J. Gao, C. Long: "`RaBitQ`: Quantizing High-Dimensional Vectors with a Theoretical Error Bound
//! for Approximate Nearest Neighbor Search", SIGMOD 2024; the turning is N. Ailon, B. Chazelle:
//! "The Fast Johnson–Lindenstrauss Transform", SIAM Journal on Computing 39(1), 2009.

use std::sync::atomic::{AtomicUsize, Ordering};

use skep_simd::{Line, ROWS, estimate};

use crate::growth::make_room;
use crate::top::{Field, Top};

/// Components that one table covers.
const BITS: usize = 4;

/// Blocks that a thread takes at a time.
const SHARE: usize = 256;

/// Components of which the last steps are written out.
const EIGHT: usize = 8;

/// The largest sum that sixteen bits hold.
const LARGEST_SUM: usize = 65_535;

/// The sketch of every slot; a slot without one has a factor that is not a number.
pub(crate) struct Sketches {
    /// Of the rows at the time when the first sketches were made.
    mean: Box<[f32]>,
    turn: Turn,
    /// Blocks of [`ROWS`] rows in the order of the slots, as [`estimate`] reads them.
    blocks: Vec<u8>,
    /// As many as the blocks have rows.
    factors: Vec<[f32; ROWS]>,
}

/// A scan that several threads may take part in.
pub(crate) struct Scan<'a> {
    sketches: &'a Sketches,
    query: Tables,
    /// The first share of the blocks that nobody has taken.
    next: AtomicUsize,
}

/// A query as the scan needs it.
struct Tables {
    entries: Vec<[u8; 16]>,
    line: Line,
}

impl Sketches {
    /// No sketches yet, of vectors with this mean.
    pub(crate) fn new(mean: Box<[f32]>) -> Self {
        let (blocks, factors) = (Vec::new(), Vec::new());
        let turn = Turn::new(mean.len());
        Self {
            mean,
            turn,
            blocks,
            factors,
        }
    }

    /// Sketches the row of a slot.
    pub(crate) fn put(&mut self, slot: u32, codes: &[i8], scale: f32) {
        let mut turned: Vec<f32> = codes
            .iter()
            .zip(&self.mean)
            .map(|(&code, mean)| f32::from(code) * scale - mean)
            .collect();
        self.turn.apply(&mut turned);
        self.grow(slot as usize + 1);
        let square: f32 = turned.iter().map(|x| x * x).sum();
        let sum: f32 = turned.iter().map(|x| x.abs()).sum();
        let (number, row) = (slot as usize / ROWS, slot as usize % ROWS);
        self.factors[number][row] = if sum > 0.0 { square / sum } else { 0.0 };
        let size = self.block_size();
        let block = &mut self.blocks[number * size..][..size];
        let (at, shift) = (row % (ROWS / 2), row / (ROWS / 2) * BITS);
        for (signs, choices) in turned.chunks(BITS).zip(block.chunks_exact_mut(ROWS / 2)) {
            let bits = signs.iter().rev();
            let choice = bits.fold(0, |choice, x| choice << 1 | u8::from(*x > 0.0));
            choices[at] = choices[at] & !(0xF << shift) | choice << shift;
        }
    }

    /// Forgets the sketch of a slot.
    pub(crate) fn remove(&mut self, slot: u32) {
        if let Some(factors) = self.factors.get_mut(slot as usize / ROWS) {
            factors[slot as usize % ROWS] = f32::NAN;
        }
    }

    /// Begins to estimate what is nearest to a query.
    pub(crate) fn scan(&self, query: &[f32]) -> Scan<'_> {
        Scan {
            sketches: self,
            query: Tables::of(query, &self.turn),
            next: AtomicUsize::new(0),
        }
    }

    /// Whether a slot has a sketch.
    pub(crate) fn has(&self, slot: usize) -> bool {
        let factors = self.factors.get(slot / ROWS);
        factors.is_some_and(|factors| !factors[slot % ROWS].is_nan())
    }

    /// What the sketches take in memory.
    pub(crate) fn heap_bytes(&self) -> usize {
        let factors = self.factors.capacity() * ROWS + self.mean.len();
        self.blocks.capacity() + factors * 4
    }

    /// The parts that a snapshot keeps: mean, factors, blocks.
    pub(crate) fn parts(&self) -> (&[f32], &[f32], &[u8]) {
        (&self.mean, self.factors.as_flattened(), &self.blocks)
    }

    /// Puts the parts of a snapshot together again, if they fit: a mean and a factor are finite,
    /// or a factor is missing.
    pub(crate) fn from_parts(mean: Vec<f32>, factors: &[f32], blocks: &[u8]) -> Option<Self> {
        let mut sketches = Self::new(mean.into());
        let (rows, rest) = factors.as_chunks::<ROWS>();
        let sound = sketches.mean.iter().all(|x| x.is_finite())
            && factors.iter().all(|x| x.is_nan() || is_sound(*x));
        sketches.factors = rows.to_vec();
        sketches.blocks = blocks.to_vec();
        let length = rows.len() * sketches.block_size();
        (sound && rest.is_empty() && length == blocks.len()).then_some(sketches)
    }

    /// Bytes that the sketches of so many slots take.
    pub(crate) fn bytes_for(dim: usize, slots: usize) -> usize {
        slots.div_ceil(ROWS) * tables_for(dim) * ROWS / 2
    }

    fn grow(&mut self, slots: usize) {
        let count = slots.div_ceil(ROWS);
        if self.factors.len() < count {
            make_room(&mut self.factors, count);
            self.factors.resize(count, [f32::NAN; ROWS]);
            let length = count * self.block_size();
            make_room(&mut self.blocks, length);
            self.blocks.resize(length, 0);
        }
    }

    fn block_size(&self) -> usize {
        tables_for(self.mean.len()) * ROWS / 2
    }
}

/// A factor is the length of a part of a unit vector less a mean, over the root of its dimension.
fn is_sound(factor: f32) -> bool {
    (0.0..=4.0).contains(&factor)
}

impl Scan<'_> {
    /// Looks through shares until none is left: the best `room` slots by estimate of those seen here
    /// that the field accepts, in no order.
    pub(crate) fn take_part(&self, room: usize, field: &dyn Field) -> Vec<(f32, u32)> {
        let mut top = Top::new(room, f32::MIN, field);
        let mut scores = [0.0; ROWS];
        let size = self.sketches.block_size();
        loop {
            let share = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(factors) = self.sketches.factors.chunks(SHARE).nth(share) else {
                return top.into_unsorted();
            };
            let from = share * SHARE;
            let blocks = self.sketches.blocks[from * size..].chunks_exact(size);
            for ((number, factors), block) in (from..).zip(factors).zip(blocks) {
                let query = &self.query;
                let best = estimate(&query.entries, block, factors, query.line, &mut scores);
                if best >= top.floor() {
                    top.offer_all((number * ROWS) as u32, &scores);
                }
            }
        }
    }
}

impl Tables {
    fn of(query: &[f32], turn: &Turn) -> Self {
        let mut turned = query.to_vec();
        turn.apply(&mut turned);
        let count = tables_for(query.len());
        let parts = || turned.chunks(BITS);
        let reach = |part: &[f32]| part.iter().map(|x| x.abs()).sum::<f32>();
        let largest = (LARGEST_SUM / count.max(1)).min(255) as f32;
        let widest = parts().map(reach).fold(f32::MIN_POSITIVE, f32::max);
        let step = 2.0 * widest / largest;
        let mut entries = vec![[0; 16]; count];
        for (table, part) in entries.iter_mut().zip(parts()) {
            for (choice, entry) in table.iter_mut().enumerate() {
                let signed = part
                    .iter()
                    .enumerate()
                    .map(|(bit, x)| if choice >> bit & 1 == 1 { *x } else { -x });
                *entry = ((signed.sum::<f32>() + reach(part)) / step).round() as u8;
            }
        }
        let base = -parts().map(reach).sum::<f32>();
        let line = Line { slope: step, base };
        Self { entries, line }
    }
}

/// How many tables a vector of so many components has: an even number.
fn tables_for(dim: usize) -> usize {
    dim.div_ceil(2 * BITS) * 2
}

/// An orthogonal map that spreads every component over all: signs are changed without a pattern,
/// then the first components that are a power of two in number are mixed; and again for the last.
struct Turn {
    /// For both rounds, the bit that changes the sign of a component.
    signs: [Box<[u32]>; 2],
}

impl Turn {
    fn new(dim: usize) -> Self {
        let sign = |round: u32, at: u32| {
            let mixed = (at * 2 + round + 1).wrapping_mul(0x9E37_79B9);
            (mixed ^ mixed >> 15).wrapping_mul(0x85EB_CA77) & 1 << 31
        };
        let signs = |round| (0..dim as u32).map(|at| sign(round, at)).collect();
        Self {
            signs: [signs(0), signs(1)],
        }
    }

    /// Turns a vector of as many components.
    fn apply(&self, vector: &mut [f32]) {
        if vector.is_empty() {
            return;
        }
        let mixed = 1 << vector.len().ilog2();
        let end = vector.len() - mixed;
        for (signs, from) in self.signs.iter().zip([0, end]) {
            for (x, sign) in vector.iter_mut().zip(signs) {
                *x = f32::from_bits(x.to_bits() ^ sign);
            }
            mix(&mut vector[from..from + mixed]);
        }
    }
}

/// The Walsh–Hadamard transform, scaled so that lengths stay. Its steps may be taken in any order.
fn mix(vector: &mut [f32]) {
    let scale = 1.0 / (vector.len() as f32).sqrt();
    let mut half = vector.len() / 2;
    while half >= EIGHT {
        for pair in vector.chunks_exact_mut(2 * half) {
            let (left, right) = pair.split_at_mut(half);
            for (x, y) in left.iter_mut().zip(right) {
                (*x, *y) = (*x + *y, *x - *y);
            }
        }
        half /= 2;
    }
    let (eights, rest) = vector.as_chunks_mut::<EIGHT>();
    for [a, b, c, d, e, f, g, h] in eights {
        (*a, *e, *b, *f) = (*a + *e, *a - *e, *b + *f, *b - *f);
        (*c, *g, *d, *h) = (*c + *g, *c - *g, *d + *h, *d - *h);
        (*a, *c, *b, *d) = (*a + *c, *a - *c, *b + *d, *b - *d);
        (*e, *g, *f, *h) = (*e + *g, *e - *g, *f + *h, *f - *h);
        (*a, *b, *c, *d) = (*a + *b, *a - *b, *c + *d, *c - *d);
        (*e, *f, *g, *h) = (*e + *f, *e - *f, *g + *h, *g - *h);
    }
    mix_few(rest);
    for x in vector {
        *x *= scale;
    }
}

/// What is shorter than eight.
fn mix_few(vector: &mut [f32]) {
    let mut half = vector.len() / 2;
    while half > 0 {
        for pair in vector.chunks_exact_mut(2 * half) {
            let (left, right) = pair.split_at_mut(half);
            for (x, y) in left.iter_mut().zip(right) {
                (*x, *y) = (*x + *y, *x - *y);
            }
        }
        half /= 2;
    }
}

#[cfg(test)]
mod tests;
