//! The loops, once for the compiler's baseline and once for AVX2.

/// Sums kept side by side: two registers of eight 32-bit lanes. They are added up once per row.
const SUMS: usize = 16;

/// Components multiplied at a time: two for each sum.
const STEP: usize = 2 * SUMS;

/// The dot product of `query` with each row of its length.
#[expect(
    clippy::inline_always,
    reason = "a copy that is not inlined is compiled without its caller's AVX2"
)]
#[inline(always)]
pub(crate) fn dot_rows(query: &[i8], rows: &[i8], out: &mut [i32]) {
    for (row, out) in rows.chunks_exact(query.len().max(1)).zip(out) {
        *out = dot(query, row);
    }
}

/// [`dot_rows`], compiled for AVX2.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
pub(crate) fn dot_rows_avx2(query: &[i8], rows: &[i8], out: &mut [i32]) {
    dot_rows(query, rows, out);
}

#[expect(clippy::inline_always, reason = "as above")]
#[inline(always)]
fn dot(a: &[i8], b: &[i8]) -> i32 {
    let (a_steps, a_rest) = a.as_chunks::<STEP>();
    let (b_steps, b_rest) = b.as_chunks::<STEP>();
    let mut sums = [0i32; SUMS];
    for (a, b) in a_steps.iter().zip(b_steps) {
        for (at, sum) in sums.iter_mut().enumerate() {
            let first = product(a[at], b[at]);
            let second = product(a[at + SUMS], b[at + SUMS]);
            *sum = sum.wrapping_add(first + second);
        }
    }
    let sum = sums.into_iter().fold(0, i32::wrapping_add);
    let rest = a_rest.iter().zip(b_rest).map(|(&x, &y)| product(x, y));
    rest.fold(sum, i32::wrapping_add)
}

/// No product of two bytes is beyond 16 bits, and 16-bit products come sixteen at a time.
#[expect(clippy::inline_always, reason = "as above")]
#[inline(always)]
fn product(x: i8, y: i8) -> i32 {
    i32::from(i16::from(x) * i16::from(y))
}
