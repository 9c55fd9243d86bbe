//! Kernels of the vector scan and of the sentence encoder; the one crate with unsafe blocks.
//!
//! The dot product is an ordinary loop over slices, which becomes sixteen-lane multiply-adds when
//! it is compiled for AVX2. Table sums need a shuffle that no loop becomes, so they are written
//! twice. The language cannot check that the processor has AVX2: it is asked at run time before
//! each unsafe call.
//!
//! Products wrap at 32 bits, which two vectors of up to 131,071 components cannot reach; table
//! sums wrap at 16, which is for whoever makes the tables to keep below.

mod floats;
mod kernel;
mod matmul;
mod nibbles;

pub use floats::{attend, dot_codes, from_steps, gelu, sum, to_steps};
pub use matmul::{PANEL, mul_panels};

/// Rows that stand in one block of table choices.
pub const ROWS: usize = 32;

/// The dot product of two vectors; the longer one is cut to the length of the shorter.
#[must_use]
pub fn dot_i8(a: &[i8], b: &[i8]) -> i32 {
    let mut out = [0];
    dot_i8_many(a, b, a.len().min(b.len()), &mut out);
    out[0]
}

/// The dot products of `query` with each row of `rows`, which hold `dim` components each.
///
/// Fills `out` from the front and returns how many it filled: the number of whole rows, or the
/// length of `out` if that is less. Only the first `dim` components of `query` take part; with fewer
/// than that, nothing is filled. Rows of no components have the product zero, however many.
pub fn dot_i8_many(query: &[i8], rows: &[i8], dim: usize, out: &mut [i32]) -> usize {
    if dim == 0 {
        out.fill(0);
        return out.len();
    }
    let Some(query) = query.get(..dim) else {
        return 0;
    };
    let count = out.len().min(rows.len() / dim);
    dispatch(query, &rows[..count * dim], &mut out[..count]);
    count
}

/// What a sum of entries is worth: `sum * slope + base`.
#[derive(Clone, Copy, Debug)]
pub struct Line {
    /// What one step of an entry is worth.
    pub slope: f32,
    /// What all tables start from.
    pub base: f32,
}

/// For each row of a block, its factor times what the sum of one entry from each table is worth,
/// chosen by four of the row's bits. Returns the largest that is a number, or [`f32::MIN`].
///
/// A block holds [`ROWS`] rows: for each table sixteen bytes, of which byte `i` has the choice of
/// row `i` in its low half and that of row `i + 16` in its high half. There must be an even number
/// of tables, and a block of their size; otherwise nothing is estimated.
pub fn estimate(
    tables: &[[u8; 16]],
    block: &[u8],
    factors: &[f32; ROWS],
    line: Line,
    out: &mut [f32; ROWS],
) -> f32 {
    if !tables.len().is_multiple_of(2) || block.len() != tables.len() * ROWS / 2 {
        out.fill(f32::NAN);
        return f32::MIN;
    }
    #[cfg(target_arch = "x86_64")]
    if std::is_x86_feature_detected!("avx2") {
        #[expect(
            unsafe_code,
            reason = "calling a function compiled for AVX2 is undefined on a processor without \
                      it; the condition has just asked the processor"
        )]
        // SAFETY: AVX2 is present, which is the callee's only requirement.
        return unsafe { nibbles::estimate_avx2(tables, block, factors, line, out) };
    }
    nibbles::estimate(tables, block, factors, line, out)
}

#[cfg(target_arch = "x86_64")]
fn dispatch(query: &[i8], rows: &[i8], out: &mut [i32]) {
    if std::is_x86_feature_detected!("avx2") {
        #[expect(
            unsafe_code,
            reason = "calling a function compiled for AVX2 is undefined on a processor without it; \
                      the line above has just asked the processor. The function itself is safe \
                      code: slices with their bounds, no pointers."
        )]
        // SAFETY: AVX2 is present, which is the callee's only requirement.
        unsafe {
            kernel::dot_rows_avx2(query, rows, out);
        }
    } else {
        kernel::dot_rows(query, rows, out);
    }
}

/// Elsewhere the compiler's baseline is used as it is; on AArch64 that includes NEON.
#[cfg(not(target_arch = "x86_64"))]
fn dispatch(query: &[i8], rows: &[i8], out: &mut [i32]) {
    kernel::dot_rows(query, rows, out);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Line, ROWS, dot_i8, dot_i8_many, estimate, kernel, nibbles};

    fn plain(a: &[i8], b: &[i8]) -> i32 {
        let wide: i64 = a
            .iter()
            .zip(b)
            .map(|(&x, &y)| i64::from(x) * i64::from(y))
            .sum();
        i32::try_from(wide).unwrap()
    }

    fn component() -> impl Strategy<Value = i8> {
        prop_oneof![Just(-128), Just(-127), Just(127), Just(0), any::<i8>()]
    }

    fn pair() -> impl Strategy<Value = (Vec<i8>, Vec<i8>)> {
        (0usize..600).prop_flat_map(|len| {
            let side = || prop::collection::vec(component(), len);
            (side(), side())
        })
    }

    proptest! {
        #[test]
        fn equals_the_definition_at_every_length((a, b) in pair()) {
            prop_assert_eq!(dot_i8(&a, &b), plain(&a, &b));
            let mut out = [0];
            kernel::dot_rows(&a, &b, &mut out[..usize::from(!a.is_empty())]);
            prop_assert_eq!(out[0], plain(&a, &b));
        }

        #[test]
        fn every_row_is_its_own_product(
            query in prop::collection::vec(component(), 1..80),
            rows in prop::collection::vec(component(), 0..2_000),
            room in 0usize..60,
        ) {
            let mut out = vec![i32::MIN; room];
            let filled = dot_i8_many(&query, &rows, query.len(), &mut out);
            prop_assert_eq!(filled, room.min(rows.len() / query.len()));
            for (row, &got) in rows.chunks_exact(query.len()).zip(&out[..filled]) {
                prop_assert_eq!(got, plain(&query, row));
            }
            prop_assert!(out[filled..].iter().all(|&rest| rest == i32::MIN));
        }
    }

    const PLAIN: Line = Line {
        slope: 1.0,
        base: 0.0,
    };

    /// A sum by the definition; sums of this many entries are whole numbers that `f32` holds.
    fn chosen(tables: &[[u8; 16]], block: &[u8], row: usize) -> u16 {
        let choices = tables.iter().enumerate().map(|(number, table)| {
            let byte = block[number * ROWS / 2 + row % 16];
            let choice = if row < 16 { byte & 0xF } else { byte >> 4 };
            u16::from(table[usize::from(choice)])
        });
        choices.sum()
    }

    proptest! {
        #[test]
        fn estimates_equal_the_definition(
            tables in prop::collection::vec(any::<[[u8; 16]; 2]>(), 0..40),
            seed in prop::collection::vec(any::<u8>(), 1..200),
            factors in prop::array::uniform32(prop_oneof![Just(f32::NAN), 0.0f32..2.0]),
            slope in 0.0f32..1.0,
            base in -9.0f32..9.0,
        ) {
            let tables = tables.as_flattened();
            let bytes = tables.len() * ROWS / 2;
            let block: Vec<u8> = seed.iter().copied().cycle().take(bytes).collect();
            let (mut out, mut scalar) = ([0.0; ROWS], [0.0; ROWS]);
            let line = Line { slope, base };
            let best = estimate(tables, &block, &factors, line, &mut out);
            let by_loops = nibbles::estimate(tables, &block, &factors, line, &mut scalar);
            prop_assert_eq!(best.to_bits(), by_loops.to_bits());
            prop_assert_eq!(out.map(f32::to_bits), scalar.map(f32::to_bits));
            let mut largest = f32::MIN;
            for (row, (got, factor)) in out.into_iter().zip(factors).enumerate() {
                let right = factor * (f32::from(chosen(tables, &block, row)) * slope + base);
                prop_assert_eq!(got.to_bits(), right.to_bits());
                largest = largest.max(right);
            }
            prop_assert_eq!(best.to_bits(), largest.to_bits());
        }
    }

    #[test]
    fn the_largest_sums_do_not_wrap() {
        let (tables, mut out) = (vec![[255; 16]; 256], [0.0; ROWS]);
        let best = estimate(&tables, &[0xFF; 256 * 16], &[1.0; ROWS], PLAIN, &mut out);
        assert_eq!(out.map(f32::to_bits), [65_280.0f32.to_bits(); ROWS]);
        assert_eq!(best.to_bits(), 65_280.0f32.to_bits());
    }

    #[test]
    fn a_block_of_another_size_is_not_estimated() {
        let mut out = [1.0; ROWS];
        for (tables, bytes) in [(1, 16), (2, 31), (2, 33), (0, 1)] {
            let (tables, block) = (vec![[1; 16]; tables], vec![0; bytes]);
            let best = estimate(&tables, &block, &[1.0; ROWS], PLAIN, &mut out);
            assert!(best <= f32::MIN && out.iter().all(|x| x.is_nan()));
        }
    }

    #[test]
    fn extremes_do_not_saturate() {
        for (x, y) in [(-128, -128), (-128, 127), (127, 127), (-127, -127)] {
            for len in [1, 15, 16, 17, 31, 32, 33, 256, 384, 131_071] {
                let (a, b) = (vec![x; len], vec![y; len]);
                assert_eq!(dot_i8(&a, &b), plain(&a, &b), "{x} × {y}, {len} times");
            }
        }
    }

    #[test]
    fn a_query_shorter_than_the_rows_fills_nothing() {
        let mut out = [7; 2];
        assert_eq!(dot_i8_many(&[1, 2], &[1, 2, 3, 4, 5, 6], 3, &mut out), 0);
        assert_eq!(out, [7; 2]);
        assert_eq!(dot_i8_many(&[1], &[], 0, &mut out), 2);
        assert_eq!(out, [0; 2]);
    }
}
