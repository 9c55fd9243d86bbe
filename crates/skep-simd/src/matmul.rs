//! Products of small matrices: 16-bit activations with 8-bit weights, exact in 32 bits.
//!
//! Every path adds the same integers, so that all give the same bytes. Weights come in panels of
//! sixteen columns, two components of each side by side: so the lanes of a register are columns,
//! and nothing is added across lanes.

/// Columns of a panel.
pub const PANEL: usize = 16;

/// Components of one column that lie side by side.
const PAIR: usize = 2;

/// For each row of `left`, of `depth` components, its product with each column of `panels`, row
/// after row. The byte at `(k / 2 * 16 + c) * 2 + k % 2` of a panel is component `k` of its column
/// `c`. Does nothing unless `depth` is even, the panels are whole and `out` has exactly the room.
///
/// Sums wrap at 32 bits: 1,536 components of at most ±8,191 on the left cannot reach that bound.
pub fn mul_panels(left: &[i16], panels: &[u8], depth: usize, out: &mut [i32]) {
    if depth == 0 || !depth.is_multiple_of(PAIR) || !panels.len().is_multiple_of(PANEL * depth) {
        return;
    }
    let width = panels.len() / depth;
    if !left.is_empty()
        && left.len().is_multiple_of(depth)
        && out.len() == left.len() / depth * width
    {
        dispatch(left, panels, depth, out);
    }
}

#[cfg(target_arch = "x86_64")]
fn dispatch(left: &[i16], panels: &[u8], depth: usize, out: &mut [i32]) {
    if std::is_x86_feature_detected!("avx512f")
        && std::is_x86_feature_detected!("avx512bw")
        && std::is_x86_feature_detected!("avx512vnni")
    {
        #[expect(
            unsafe_code,
            reason = "calling a function compiled for these features is undefined on a processor \
                      without them; the lines above have just asked the processor"
        )]
        // SAFETY: the three features are present, which is the callee's only requirement.
        unsafe {
            vnni::mul(left, panels, depth, out);
        }
    } else if std::is_x86_feature_detected!("avx2") {
        #[expect(unsafe_code, reason = "as above, for AVX2")]
        // SAFETY: AVX2 is present, which is the callee's only requirement.
        unsafe {
            avx2::mul(left, panels, depth, out);
        }
    } else {
        plain(left, panels, depth, out);
    }
}

/// Elsewhere the compiler's baseline is used as it is.
#[cfg(not(target_arch = "x86_64"))]
fn dispatch(left: &[i16], panels: &[u8], depth: usize, out: &mut [i32]) {
    plain(left, panels, depth, out);
}

fn plain(left: &[i16], panels: &[u8], depth: usize, out: &mut [i32]) {
    let width = panels.len() / depth;
    for (row, out) in left.chunks_exact(depth).zip(out.chunks_exact_mut(width)) {
        let panels = panels.chunks_exact(PANEL * depth);
        for (panel, out) in panels.zip(out.as_chunks_mut::<PANEL>().0) {
            let mut sums = [0i32; PANEL];
            let pairs = panel.as_chunks::<{ PANEL * PAIR }>().0;
            for (pair, weights) in row.as_chunks::<PAIR>().0.iter().zip(pairs) {
                let [x, y] = pair.map(i32::from);
                for (sum, weights) in sums.iter_mut().zip(weights.as_chunks::<PAIR>().0) {
                    let [v, w] = weights.map(|byte| i32::from(byte.cast_signed()));
                    *sum = sum.wrapping_add(x * v + y * w);
                }
            }
            *out = sums;
        }
    }
}

/// Two components of a row as one lane.
#[cfg(target_arch = "x86_64")]
#[inline]
fn lane(pair: [i16; PAIR]) -> i32 {
    let [low, high] = pair.map(i16::to_le_bytes);
    i32::from_le_bytes([low[0], low[1], high[0], high[1]])
}

/// The lanes of so many rows, those of one pair of components side by side.
#[cfg(target_arch = "x86_64")]
fn lanes<const ROWS: usize>(rows: &[i16], depth: usize) -> Vec<[i32; ROWS]> {
    let mut out = vec![[0; ROWS]; depth / PAIR];
    for (at, row) in rows.chunks_exact(depth).enumerate().take(ROWS) {
        for (lanes, pair) in out.iter_mut().zip(row.as_chunks::<PAIR>().0) {
            lanes[at] = lane(*pair);
        }
    }
    out
}

/// Calls `$block::<N>` for as many rows at a time as are left, for each of the numbers given. The
/// panels, which stay in the nearest cache, go by within.
#[cfg(target_arch = "x86_64")]
macro_rules! in_blocks {
    ($left:ident, $panels:ident, $depth:ident, $out:ident, $block:ident, [$($rows:literal)+]) => {{
        let width = $panels.len() / $depth;
        let (mut rows, mut out) = ($left, $out);
        $(
            while rows.len() >= $rows * $depth {
                let lanes = lanes::<$rows>(rows, $depth);
                for (at, panel) in $panels.chunks_exact(PANEL * $depth).enumerate() {
                    let panel = panel.as_chunks::<{ PANEL * PAIR }>().0;
                    $block::<$rows>(&lanes, panel, width, &mut out[at * PANEL..]);
                }
                rows = &rows[$rows * $depth..];
                out = &mut out[$rows * width..];
            }
        )+
    }};
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::{
        __m256i, _mm_loadu_si128, _mm256_add_epi32, _mm256_cvtepi8_epi16, _mm256_madd_epi16,
        _mm256_set1_epi32, _mm256_setzero_si256, _mm256_storeu_si256,
    };

    use super::{PAIR, PANEL, lanes};

    #[target_feature(enable = "avx2")]
    pub(super) fn mul(left: &[i16], panels: &[u8], depth: usize, out: &mut [i32]) {
        in_blocks!(left, panels, depth, out, block, [4 2 1]);
    }

    #[target_feature(enable = "avx2")]
    fn block<const ROWS: usize>(
        rows: &[[i32; ROWS]],
        panel: &[[u8; PANEL * PAIR]],
        width: usize,
        out: &mut [i32],
    ) {
        let mut sums = [[_mm256_setzero_si256(); 2]; ROWS];
        for (lanes, weights) in rows.iter().zip(panel) {
            let weights = widen(weights);
            for (lane, sums) in lanes.iter().zip(&mut sums) {
                let pair = _mm256_set1_epi32(*lane);
                for (sum, weights) in sums.iter_mut().zip(weights) {
                    *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(pair, weights));
                }
            }
        }
        for (sums, out) in sums.iter().zip(out.chunks_mut(width)) {
            if let Some(out) = out.first_chunk_mut::<PANEL>() {
                store(out, sums);
            }
        }
    }

    #[expect(unsafe_code, reason = "a load takes a pointer")]
    #[target_feature(enable = "avx2")]
    #[inline]
    fn widen(weights: &[u8; PANEL * PAIR]) -> [__m256i; 2] {
        let from = weights.as_ptr();
        // SAFETY: the array is as long as the two loads together, and they need no alignment.
        let (low, high) = unsafe {
            (
                _mm_loadu_si128(from.cast()),
                _mm_loadu_si128(from.add(PANEL).cast()),
            )
        };
        [_mm256_cvtepi8_epi16(low), _mm256_cvtepi8_epi16(high)]
    }

    #[expect(unsafe_code, reason = "a store takes a pointer")]
    #[target_feature(enable = "avx2")]
    #[inline]
    fn store(out: &mut [i32; PANEL], sums: &[__m256i; 2]) {
        let to = out.as_mut_ptr();
        // SAFETY: the array is as long as the two stores together, and they need no alignment.
        unsafe {
            _mm256_storeu_si256(to.cast(), sums[0]);
            _mm256_storeu_si256(to.add(PANEL / 2).cast(), sums[1]);
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod vnni {
    use std::arch::x86_64::{
        __m512i, _mm256_loadu_si256, _mm512_cvtepi8_epi16, _mm512_dpwssd_epi32, _mm512_set1_epi32,
        _mm512_setzero_si512, _mm512_storeu_si512,
    };

    use super::{PAIR, PANEL, lanes};

    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    pub(super) fn mul(left: &[i16], panels: &[u8], depth: usize, out: &mut [i32]) {
        in_blocks!(left, panels, depth, out, block, [24 12 8 4 2 1]);
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    fn block<const ROWS: usize>(
        rows: &[[i32; ROWS]],
        panel: &[[u8; PANEL * PAIR]],
        width: usize,
        out: &mut [i32],
    ) {
        let mut sums = [_mm512_setzero_si512(); ROWS];
        for (lanes, weights) in rows.iter().zip(panel) {
            let weights = widen(weights);
            for (lane, sum) in lanes.iter().zip(&mut sums) {
                *sum = _mm512_dpwssd_epi32(*sum, _mm512_set1_epi32(*lane), weights);
            }
        }
        for (sum, out) in sums.iter().zip(out.chunks_mut(width)) {
            if let Some(out) = out.first_chunk_mut::<PANEL>() {
                store(out, *sum);
            }
        }
    }

    #[expect(unsafe_code, reason = "a load takes a pointer")]
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    #[inline]
    fn widen(weights: &[u8; PANEL * PAIR]) -> __m512i {
        // SAFETY: the array is as long as what is read, and the load needs no alignment.
        _mm512_cvtepi8_epi16(unsafe { _mm256_loadu_si256(weights.as_ptr().cast()) })
    }

    #[expect(unsafe_code, reason = "a store takes a pointer")]
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    #[inline]
    fn store(out: &mut [i32; PANEL], sum: __m512i) {
        // SAFETY: the array is as long as what is written, and the store needs no alignment.
        unsafe { _mm512_storeu_si512(out.as_mut_ptr().cast(), sum) };
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{PANEL, mul_panels, plain};

    /// Columns as rows of bytes, in panels.
    fn panels(columns: &[Vec<i8>]) -> Vec<u8> {
        let depth = columns.first().map_or(0, Vec::len);
        let mut out = vec![0; columns.len() * depth];
        for (number, column) in columns.iter().enumerate() {
            for (k, value) in column.iter().enumerate() {
                let (panel, c) = (number / PANEL, number % PANEL);
                out[panel * PANEL * depth + (k / 2 * PANEL + c) * 2 + k % 2] =
                    value.cast_unsigned();
            }
        }
        out
    }

    fn expected(rows: &[Vec<i16>], columns: &[Vec<i8>]) -> Vec<i32> {
        let product = |row: &[i16], column: &[i8]| {
            let pairs = row.iter().zip(column);
            let wide: i64 = pairs.map(|(&x, &y)| i64::from(x) * i64::from(y)).sum();
            i32::try_from(wide).unwrap()
        };
        let all = rows
            .iter()
            .flat_map(|row| columns.iter().map(|column| product(row, column)));
        all.collect()
    }

    /// What each path that this processor has makes of them.
    fn on_every_path(left: &[i16], panels: &[u8], depth: usize, room: usize) -> Vec<Vec<i32>> {
        let mut outs = vec![vec![7; room]; 2];
        mul_panels(left, panels, depth, &mut outs[0]);
        plain(left, panels, depth, &mut outs[1]);
        #[cfg(target_arch = "x86_64")]
        if std::is_x86_feature_detected!("avx2") {
            let mut out = vec![7; room];
            #[expect(unsafe_code, reason = "the path that a newer processor hides")]
            // SAFETY: the line above asks for what the callee requires.
            unsafe {
                super::avx2::mul(left, panels, depth, &mut out);
            }
            outs.push(out);
        }
        outs
    }

    fn matrices() -> impl Strategy<Value = (usize, Vec<Vec<i16>>, Vec<Vec<i8>>)> {
        (1usize..40, 1usize..30, 1usize..4).prop_flat_map(|(half, down, panels)| {
            let depth = 2 * half;
            let row = prop::collection::vec(-8_191i16..=8_191, depth);
            let column = prop::collection::vec(any::<i8>(), depth);
            (
                Just(depth),
                prop::collection::vec(row, down),
                prop::collection::vec(column, panels * PANEL),
            )
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn equals_the_definition_on_every_path((depth, rows, columns) in matrices()) {
            let expected = expected(&rows, &columns);
            let outs = on_every_path(&rows.concat(), &panels(&columns), depth, expected.len());
            for out in outs {
                prop_assert_eq!(&out, &expected);
            }
        }
    }

    #[test]
    fn extremes_do_not_wrap() {
        for (x, y) in [(8_191i16, -128i8), (-8_191, -128), (8_191, 127)] {
            let (rows, columns) = (vec![vec![x; 1_536]; 13], vec![vec![y; 1_536]; PANEL]);
            let outs = on_every_path(&rows.concat(), &panels(&columns), 1_536, 13 * PANEL);
            for out in outs {
                assert_eq!(out, vec![1_536 * i32::from(x) * i32::from(y); 13 * PANEL]);
            }
        }
    }

    #[test]
    fn shapes_that_do_not_fit_are_left_alone() {
        let mut out = [7; PANEL];
        let panel = [1; 2 * PANEL];
        mul_panels(&[1, 2], &panel, 0, &mut out);
        mul_panels(&[1, 2, 3], &panel, 2, &mut out);
        mul_panels(&[1], &panel[..PANEL], 1, &mut out);
        mul_panels(&[1, 2], &panel[..PANEL], 2, &mut out);
        mul_panels(&[1, 2, 3, 4], &panel, 2, &mut out);
        assert_eq!(out, [7; PANEL]);
        mul_panels(&[], &panel, 2, &mut []);
        mul_panels(&[1, 2], &panel, 2, &mut out);
        assert_eq!(out, [3; PANEL]);
    }
}
