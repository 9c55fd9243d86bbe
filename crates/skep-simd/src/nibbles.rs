//! Estimates from table entries chosen by four bits each: once as loops, once with AVX2's byte
//! shuffle. Both give the same to the last bit.
//!
//! F. André, A.-M. Kermarrec, N. Le Scouarnec: "Cache locality is not enough: High-performance
//! nearest neighbor search with product quantization fast scan", VLDB 9(4), 2015.

use crate::{Line, ROWS};

/// Bytes that one table chooses by in one block: a half byte for each row.
const CHOICES: usize = ROWS / 2;

/// The estimate of each row of a block, and the largest that is a number.
pub(crate) fn estimate(
    tables: &[[u8; 16]],
    block: &[u8],
    factors: &[f32; ROWS],
    line: Line,
    out: &mut [f32; ROWS],
) -> f32 {
    let mut sums = [0u16; ROWS];
    for (table, choices) in tables.iter().zip(block.chunks_exact(CHOICES)) {
        let (low, high) = sums.split_at_mut(CHOICES);
        for ((low, high), &choice) in low.iter_mut().zip(high).zip(choices) {
            *low = low.wrapping_add(table[usize::from(choice & 0xF)].into());
            *high = high.wrapping_add(table[usize::from(choice >> 4)].into());
        }
    }
    finish(&sums, factors, line, out)
}

/// [`estimate`], two tables at a time; there must be an even number of them.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
pub(crate) fn estimate_avx2(
    tables: &[[u8; 16]],
    block: &[u8],
    factors: &[f32; ROWS],
    line: Line,
    out: &mut [f32; ROWS],
) -> f32 {
    use std::arch::x86_64::{
        _mm256_add_epi16, _mm256_and_si256, _mm256_set1_epi8, _mm256_setzero_si256,
        _mm256_shuffle_epi8, _mm256_srli_epi16,
    };
    let (pairs, _) = tables.as_chunks::<2>();
    let (choices, _) = block.as_chunks::<{ 2 * CHOICES }>();
    let low_bits = _mm256_set1_epi8(0xF);
    // Of the low halves and the high ones: sixteen-bit sums of the even rows, with what the odd
    // ones carry into their upper bytes; then sums of the odd rows alone.
    let mut sums = [_mm256_setzero_si256(); 4];
    for (pair, choices) in pairs.iter().zip(choices) {
        let (table, choices) = (load(pair.as_flattened()), load(choices));
        let low = _mm256_shuffle_epi8(table, _mm256_and_si256(choices, low_bits));
        let high = _mm256_and_si256(_mm256_srli_epi16::<4>(choices), low_bits);
        let high = _mm256_shuffle_epi8(table, high);
        sums[0] = _mm256_add_epi16(sums[0], low);
        sums[1] = _mm256_add_epi16(sums[1], _mm256_srli_epi16::<8>(low));
        sums[2] = _mm256_add_epi16(sums[2], high);
        sums[3] = _mm256_add_epi16(sums[3], _mm256_srli_epi16::<8>(high));
    }
    let halves = [
        [store(sums[0]), store(sums[1])],
        [store(sums[2]), store(sums[3])],
    ];
    let mut rows = [0; ROWS];
    for ([both, odd], rows) in halves.iter().zip(rows.chunks_exact_mut(CHOICES)) {
        for (at, pair) in rows.chunks_exact_mut(2).enumerate() {
            // The two halves of a register had one table each.
            let odd = odd[at].wrapping_add(odd[at + 8]);
            let even = both[at].wrapping_add(both[at + 8]).wrapping_sub(odd << 8);
            pair.copy_from_slice(&[even, odd]);
        }
    }
    finish(&rows, factors, line, out)
}

#[expect(
    clippy::inline_always,
    reason = "a copy that is not inlined is compiled without its caller's AVX2"
)]
#[inline(always)]
fn finish(sums: &[u16; ROWS], factors: &[f32; ROWS], line: Line, out: &mut [f32; ROWS]) -> f32 {
    for ((out, &sum), factor) in out.iter_mut().zip(sums).zip(factors) {
        *out = factor * (f32::from(sum) * line.slope + line.base);
    }
    let mut best = [f32::MIN; 8];
    for scores in out.chunks_exact(8) {
        for (best, &score) in best.iter_mut().zip(scores) {
            // Not so for what is not a number.
            *best = if score > *best { score } else { *best };
        }
    }
    best.into_iter().fold(f32::MIN, f32::max)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
#[inline]
fn load(bytes: &[u8]) -> std::arch::x86_64::__m256i {
    let bytes: &[u8; 32] = bytes.first_chunk().unwrap_or(&[0; 32]);
    #[expect(
        unsafe_code,
        reason = "a load takes a pointer; an array of its size stands behind it"
    )]
    // SAFETY: 32 readable bytes, and the instruction asks for no alignment.
    unsafe {
        std::arch::x86_64::_mm256_loadu_si256(bytes.as_ptr().cast())
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
#[inline]
fn store(register: std::arch::x86_64::__m256i) -> [u16; 16] {
    let mut words = [0; 16];
    #[expect(
        unsafe_code,
        reason = "a store takes a pointer; an array of its size stands behind it"
    )]
    // SAFETY: 32 writable bytes, and the instruction asks for no alignment.
    unsafe {
        std::arch::x86_64::_mm256_storeu_si256(words.as_mut_ptr().cast(), register);
    }
    words
}
