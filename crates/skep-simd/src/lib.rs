//! Integer kernels of the vector scan; the one crate with unsafe blocks.
//!
//! The dot product is an ordinary loop over slices, which becomes sixteen-lane multiply-adds when
//! it is compiled for AVX2. Table sums need a shuffle that no loop becomes, so they are written
//! twice. The language cannot check that the processor has AVX2: it is asked at run time before
//! each unsafe call.
//!
//! Products wrap at 32 bits, which two vectors of up to 131,071 components cannot reach; table
//! sums wrap at 16, which is for whoever makes the tables to keep below.

mod kernel;
mod nibbles;

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

/// For each row of each block, the sum of one entry from each table, chosen by four of the row's
/// bits.
///
/// A block holds [`ROWS`] rows: for each table sixteen bytes, of which byte `i` has the choice of
/// row `i` in its low half and that of row `i + 16` in its high half. Fills `out` from the front
/// and returns how many blocks it filled: the whole blocks there are, or the length of `out` if
/// that is less. There must be an even number of tables; with another, or none, nothing is filled.
pub fn sum_choices(tables: &[[u8; 16]], blocks: &[u8], out: &mut [[u16; ROWS]]) -> usize {
    if tables.is_empty() || !tables.len().is_multiple_of(2) {
        return 0;
    }
    let blocks = blocks.chunks_exact(tables.len() * ROWS / 2);
    let count = out.len().min(blocks.len());
    #[cfg(target_arch = "x86_64")]
    if std::is_x86_feature_detected!("avx2") {
        for (block, out) in blocks.zip(out) {
            #[expect(
                unsafe_code,
                reason = "calling a function compiled for AVX2 is undefined on a processor \
                          without it; the condition has just asked the processor"
            )]
            // SAFETY: AVX2 is present, which is the callee's only requirement.
            unsafe {
                nibbles::sum_block_avx2(tables, block, out);
            }
        }
        return count;
    }
    for (block, out) in blocks.zip(out) {
        nibbles::sum_block(tables, block, out);
    }
    count
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

    use super::{ROWS, dot_i8, dot_i8_many, kernel, nibbles, sum_choices};

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

    proptest! {
        #[test]
        fn chosen_entries_add_up(
            tables in prop::collection::vec(any::<[u8; 16]>(), 1..40),
            bytes in prop::collection::vec(any::<u8>(), 0..4_000),
            room in 0usize..5,
        ) {
            let mut out = vec![[7u16; ROWS]; room];
            let filled = sum_choices(&tables, &bytes, &mut out);
            let size = tables.len() * ROWS / 2;
            let whole = if tables.len() % 2 == 0 { room.min(bytes.len() / size) } else { 0 };
            prop_assert_eq!(filled, whole);
            for (block, sums) in bytes.chunks_exact(size).zip(&out[..filled]) {
                let mut scalar = [0; ROWS];
                nibbles::sum_block(&tables, block, &mut scalar);
                prop_assert_eq!(&scalar, sums);
                for (row, &got) in sums.iter().enumerate() {
                    let choices = tables.iter().enumerate().map(|(number, table)| {
                        let byte = block[number * ROWS / 2 + row % 16];
                        let choice = if row < 16 { byte & 0xF } else { byte >> 4 };
                        u16::from(table[usize::from(choice)])
                    });
                    prop_assert_eq!(got, choices.sum::<u16>());
                }
            }
            prop_assert!(out[filled..].iter().all(|rest| *rest == [7; ROWS]));
        }
    }

    #[test]
    fn the_largest_sums_do_not_wrap() {
        let tables = vec![[255; 16]; 256];
        let mut out = [[0; ROWS]];
        assert_eq!(sum_choices(&tables, &vec![0xFF; 256 * 16], &mut out), 1);
        assert_eq!(out, [[65_280; ROWS]]);
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
