//! The loops, once for the compiler's baseline and once for AVX2.

/// Components multiplied at a time: two registers of sixteen 16-bit lanes.
const LANES: usize = 32;

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
    let (a_chunks, a_rest) = a.as_chunks::<LANES>();
    let (b_chunks, b_rest) = b.as_chunks::<LANES>();
    let mut sum = 0i32;
    for (a, b) in a_chunks.iter().zip(b_chunks) {
        let products = a.iter().zip(b).map(|(&x, &y)| i32::from(x) * i32::from(y));
        sum = products.fold(sum, i32::wrapping_add);
    }
    let products = a_rest
        .iter()
        .zip(b_rest)
        .map(|(&x, &y)| i32::from(x) * i32::from(y));
    products.fold(sum, i32::wrapping_add)
}
