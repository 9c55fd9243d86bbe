//! Floating-point loops of the sentence encoder: written without library functions whose last bit
//! differs from machine to machine and with a fixed order of additions, so that a compiler may make
//! them four or eight lanes wide and every path gives the same bytes.

/// Lanes summed side by side, so that the order of additions is the same everywhere.
const LANES: usize = 8;

/// Adding and taking away this number rounds to the nearest, ties to even, on every machine.
const ROUNDER: f32 = 12_582_912.0;

/// Numbers of a head, at most.
const HEAD_MAX: usize = 128;

/// Declares a public function that runs a loop compiled for AVX2 where the processor has it.
macro_rules! wide {
    ($(#[$doc:meta])* $name:ident, $plain:ident, ($($argument:ident: $type:ty),*) $(-> $answer:ty)?) => {
        $(#[$doc])*
        pub fn $name($($argument: $type),*) $(-> $answer)? {
            #[cfg(target_arch = "x86_64")]
            if std::is_x86_feature_detected!("avx2") {
                #[target_feature(enable = "avx2")]
                fn compiled($($argument: $type),*) $(-> $answer)? {
                    $plain($($argument),*)
                }
                #[expect(
                    unsafe_code,
                    reason = "calling a function compiled for AVX2 is undefined on a processor \
                              without it; the condition has just asked the processor"
                )]
                // SAFETY: AVX2 is present, which is the callee's only requirement; the body is safe
                // code.
                return unsafe { compiled($($argument),*) };
            }
            $plain($($argument),*)
        }
    };
}

wide! {
    /// Each number times the normal distribution's share below it (D. Hendrycks, K. Gimpel, 2016).
    gelu, gelu_plain, (numbers: &mut [f32])
}

wide! {
    /// The dot product of numbers with bytes; the longer one is cut to the length of the shorter.
    dot_codes, dot_codes_plain, (numbers: &[f32], codes: &[i8]) -> f32
}

wide! {
    /// Writes a row in whole steps to `codes`, so that the largest number is `most` steps from zero;
    /// the answer is the size of a step.
    to_steps, to_steps_plain, (row: &[f32], most: f32, codes: &mut [i16]) -> f32
}

wide! {
    /// Products in whole steps as numbers: each times its column's scale and `step`, and its
    /// column's bias added.
    from_steps, from_steps_plain,
    (products: &[i32], step: f32, scales: &[f32], bias: &[f32], out: &mut [f32])
}

wide! {
    /// Attention (A. Vaswani et al., "Attention Is All You Need", 2017): each piece takes from the
    /// others what its query finds in their keys. `rows` has for each piece its queries, keys and
    /// values of all heads, `width` numbers each; `out` gets `width` numbers for each.
    ///
    /// Does nothing unless `width` is a whole number of heads of a multiple of eight numbers, and
    /// the room fits.
    attend, attend_plain, (rows: &[f32], width: usize, heads: usize, out: &mut [f32])
}

/// The sum of `of` over the numbers, in eight lanes, whatever the machine.
#[expect(
    clippy::inline_always,
    reason = "a copy that is not inlined is compiled without its caller's AVX2"
)]
#[inline(always)]
pub fn sum(numbers: &[f32], of: impl Fn(f32) -> f32) -> f32 {
    let (blocks, rest) = numbers.as_chunks::<LANES>();
    let mut sums = [0.0f32; LANES];
    for block in blocks {
        for (sum, &x) in sums.iter_mut().zip(block) {
            *sum += of(x);
        }
    }
    sums.into_iter().chain(rest.iter().map(|&x| of(x))).sum()
}

#[expect(clippy::inline_always, reason = "as above")]
#[inline(always)]
fn gelu_plain(numbers: &mut [f32]) {
    for x in numbers {
        *x = *x * 0.5 * (1.0 + erf(*x * std::f32::consts::FRAC_1_SQRT_2));
    }
}

#[expect(clippy::inline_always, reason = "as above")]
#[inline(always)]
fn dot_codes_plain(numbers: &[f32], codes: &[i8]) -> f32 {
    let length = numbers.len().min(codes.len());
    let (blocks, rest) = numbers[..length].as_chunks::<LANES>();
    let (code_blocks, code_rest) = codes[..length].as_chunks::<LANES>();
    let mut sums = [0.0f32; LANES];
    for (block, codes) in blocks.iter().zip(code_blocks) {
        for ((sum, x), &code) in sums.iter_mut().zip(block).zip(codes) {
            *sum += x * f32::from(code);
        }
    }
    let rest = rest.iter().zip(code_rest);
    let last: f32 = rest.map(|(x, &code)| x * f32::from(code)).sum();
    sums.iter().sum::<f32>() + last
}

#[expect(clippy::inline_always, reason = "as above")]
#[inline(always)]
fn to_steps_plain(row: &[f32], most: f32, codes: &mut [i16]) -> f32 {
    let mut largest = [0.0f32; LANES];
    for some in row.chunks(LANES) {
        for (largest, x) in largest.iter_mut().zip(some) {
            *largest = if x.abs() > *largest {
                x.abs()
            } else {
                *largest
            };
        }
    }
    let largest = largest.into_iter().fold(f32::MIN_POSITIVE, f32::max);
    let per_step = most / largest;
    for (code, x) in codes.iter_mut().zip(row) {
        // What the rounder leaves in the last bits is the whole number, beside its own bits.
        let bits = (x * per_step + ROUNDER).to_bits();
        *code = (bits.wrapping_sub(ROUNDER.to_bits()) as u16).cast_signed();
    }
    largest / most
}

#[expect(clippy::inline_always, reason = "as above")]
#[inline(always)]
fn from_steps_plain(products: &[i32], step: f32, scales: &[f32], bias: &[f32], out: &mut [f32]) {
    let parameters = scales.iter().zip(bias);
    for ((out, &product), (scale, bias)) in out.iter_mut().zip(products).zip(parameters) {
        *out = product as f32 * (step * scale) + bias;
    }
}

#[expect(clippy::inline_always, reason = "as above")]
#[inline(always)]
fn attend_plain(rows: &[f32], width: usize, heads: usize, out: &mut [f32]) {
    let head = width.checked_div(heads).unwrap_or(0);
    let count = rows.len().checked_div(3 * width).unwrap_or(0);
    let fits = head > 0 && head <= HEAD_MAX && head * heads == width && head.is_multiple_of(LANES);
    if !fits || rows.len() != count * 3 * width || out.len() != count * width {
        return;
    }
    let scale = 1.0 / (head as f32).sqrt();
    // Keys come eight at a time; those beyond the last are zeros.
    let room = count.next_multiple_of(LANES);
    let mut keys = vec![0.0; head * room];
    let mut shares = vec![0.0; room];
    out.fill(0.0);
    for at in (0..width).step_by(head) {
        for (piece, row) in rows.chunks_exact(3 * width).enumerate() {
            for (k, &key) in row[width + at..][..head].iter().enumerate() {
                keys[k * room + piece] = key;
            }
        }
        let pieces = rows
            .chunks_exact(3 * width)
            .zip(out.chunks_exact_mut(width));
        for (row, out) in pieces {
            find(&row[at..][..head], &keys, scale, &mut shares);
            softmax(&mut shares[..count]);
            let mixed = &mut out[at..][..head];
            for (row, share) in rows.chunks_exact(3 * width).zip(&shares) {
                for (mixed, value) in mixed.iter_mut().zip(&row[2 * width + at..][..head]) {
                    *mixed += share * value;
                }
            }
        }
    }
}

/// The product of a query with each key, whose components lie side by side; each product is added
/// up in [`LANES`] lanes and then lane by lane, as [`sum`] does it.
#[expect(clippy::inline_always, reason = "as above")]
#[inline(always)]
fn find(query: &[f32], keys: &[f32], scale: f32, found: &mut [f32]) {
    let room = found.len();
    for (block, found) in found.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
        *found = [0.0; LANES];
        for lane in 0..LANES {
            let mut sums = [0.0f32; LANES];
            for (query, keys) in query
                .iter()
                .zip(keys.chunks_exact(room))
                .skip(lane)
                .step_by(LANES)
            {
                let keys = keys.as_chunks::<LANES>().0;
                for (sum, key) in sums.iter_mut().zip(keys[block]) {
                    *sum += query * key;
                }
            }
            for (found, sum) in found.iter_mut().zip(sums) {
                *found += sum;
            }
        }
        for found in found {
            *found *= scale;
        }
    }
}

/// Turns scores into shares that add up to one.
#[expect(clippy::inline_always, reason = "as above")]
#[inline(always)]
fn softmax(scores: &mut [f32]) {
    let most = scores.iter().copied().fold(f32::MIN, f32::max);
    for score in scores.iter_mut() {
        *score = exp(*score - most);
    }
    let all = sum(scores, |x| x);
    for score in scores {
        *score /= all;
    }
}

/// M. Abramowitz, I. Stegun: "Handbook of Mathematical Functions", 7.1.26; to 1.5e-7.
#[expect(clippy::inline_always, reason = "as above")]
#[inline(always)]
fn erf(x: f32) -> f32 {
    let size = x.abs();
    let t = 1.0 / (1.0 + 0.327_591_1 * size);
    let series = ((((1.061_405_4 * t - 1.453_152) * t + 1.421_413_8) * t - 0.284_496_74) * t
        + 0.254_829_6)
        * t;
    (1.0 - series * exp(-size * size)).copysign(x)
}

/// e to the power of a number that is not positive: a power of two, and a polynomial for the rest.
#[expect(clippy::inline_always, reason = "as above")]
#[inline(always)]
fn exp(x: f32) -> f32 {
    let x = if x < -87.0 { -87.0 } else { x };
    let shifted = x * std::f32::consts::LOG2_E + ROUNDER;
    let whole = shifted - ROUNDER;
    // The logarithm of two in two parts: the first has few digits, so that products are exact.
    let rest = (x - whole * 0.693_359_4) - whole * -2.121_944_4e-4;
    let series = 1.0
        + rest
            * (1.0
                + rest
                    * (0.5
                        + rest
                            * (0.166_666_67
                                + rest
                                    * (0.041_666_67
                                        + rest * (0.008_333_334 + rest * 0.001_388_889)))));
    let power = f32::from_bits((shifted.to_bits() << 23).wrapping_add(0x3F80_0000));
    series * power
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{
        attend, attend_plain, dot_codes, dot_codes_plain, erf, exp, from_steps, from_steps_plain,
        gelu, gelu_plain, softmax, sum, to_steps, to_steps_plain,
    };

    fn bits(numbers: &[f32]) -> Vec<u32> {
        numbers.iter().map(|x| x.to_bits()).collect()
    }

    /// Attention as it is defined, one product at a time.
    fn attended(rows: &[f32], width: usize, heads: usize) -> Vec<f32> {
        let (head, count) = (width / heads, rows.len() / (3 * width));
        let part = |piece: usize, which: usize, at: usize| {
            &rows[(piece * 3 + which) * width + at * head..][..head]
        };
        let mut out = vec![0.0; count * width];
        for piece in 0..count {
            for at in 0..heads {
                let query = part(piece, 0, at);
                let product = |other: usize| {
                    let products: Vec<f32> = query
                        .iter()
                        .zip(part(other, 1, at))
                        .map(|(q, k)| q * k)
                        .collect();
                    sum(&products, |x| x) * (1.0 / (head as f32).sqrt())
                };
                let mut shares: Vec<f32> = (0..count).map(product).collect();
                softmax(&mut shares);
                for (other, share) in shares.iter().enumerate() {
                    let mixed = &mut out[piece * width + at * head..][..head];
                    for (mixed, value) in mixed.iter_mut().zip(part(other, 2, at)) {
                        *mixed += share * value;
                    }
                }
            }
        }
        out
    }

    proptest! {
        #[test]
        fn every_path_gives_the_same_bytes(
            numbers in prop::collection::vec(-40.0f32..40.0, 1..100),
            products in prop::collection::vec(any::<i32>(), 100),
            bytes in prop::collection::vec(any::<i8>(), 0..100),
        ) {
            let exact = numbers.iter().zip(&bytes).map(|(&x, &y)| f64::from(x) * f64::from(y)).sum::<f64>();
            let dot = dot_codes(&numbers, &bytes);
            prop_assert_eq!(dot.to_bits(), dot_codes_plain(&numbers, &bytes).to_bits());
            prop_assert!((f64::from(dot) - exact).abs() < 1.0, "{} {}", dot, exact);
            let (mut wide, mut narrow) = (numbers.clone(), numbers.clone());
            gelu(&mut wide);
            gelu_plain(&mut narrow);
            prop_assert_eq!(bits(&wide), bits(&narrow));
            let (mut codes, mut same) = (vec![0; numbers.len()], vec![0; numbers.len()]);
            let step = to_steps(&numbers, 8_191.0, &mut codes);
            prop_assert_eq!(step.to_bits(), to_steps_plain(&numbers, 8_191.0, &mut same).to_bits());
            prop_assert_eq!(&codes, &same);
            let largest = codes.iter().map(|code| code.unsigned_abs()).max();
            prop_assert!(largest == Some(8_191) || numbers.iter().all(|x| *x == 0.0));
            from_steps(&products, step, &numbers, &numbers, &mut wide);
            from_steps_plain(&products, step, &numbers, &numbers, &mut narrow);
            prop_assert_eq!(bits(&wide), bits(&narrow));
        }

        #[test]
        fn attention_equals_its_definition(
            (count, heads, head) in (1usize..20, 1usize..4, 1usize..4),
            seed in prop::collection::vec(-3.0f32..3.0, 97),
        ) {
            let width = heads * head * 8;
            let rows: Vec<f32> = seed.iter().copied().cycle().take(count * 3 * width).collect();
            let (mut wide, mut narrow) = (vec![7.0; count * width], vec![7.0; count * width]);
            attend(&rows, width, heads, &mut wide);
            attend_plain(&rows, width, heads, &mut narrow);
            let expected = attended(&rows, width, heads);
            prop_assert_eq!(bits(&wide), bits(&expected));
            prop_assert_eq!(bits(&narrow), bits(&expected));
        }
    }

    #[test]
    fn shapes_that_do_not_fit_are_left_alone() {
        for (rows, width, heads, room) in [
            (24, 8, 0, 8),
            (24, 8, 3, 8),
            (25, 8, 1, 8),
            (24, 8, 1, 9),
            (24, 0, 1, 8),
            (24, 12, 3, 8),
        ] {
            let mut out = vec![7.0f32; room];
            attend(&vec![1.0; rows], width, heads, &mut out);
            assert_eq!(out, vec![7.0; room], "{rows} {width} {heads} {room}");
        }
    }

    #[test]
    fn functions_are_near_their_values() {
        for (x, value) in [
            (0.0f32, 1.0f64),
            (-1.0, 0.367_879_441),
            (-0.3, 0.740_818_22),
            (-20.0, 2.061_153_6e-9),
            (-86.0, 4.473_779_3e-38),
        ] {
            let error = (f64::from(exp(x)) / value - 1.0).abs();
            assert!(error < 1e-6, "exp({x}): {error}");
        }
        for (x, value) in [
            (0.0f32, 0.0f32),
            (0.5, 0.520_499_9),
            (-1.0, -0.842_700_8),
            (4.0, 1.0),
        ] {
            assert!((erf(x) - value).abs() < 1e-6, "erf({x})");
        }
    }

    #[test]
    fn extremes_stay_numbers() {
        let mut numbers = [-1e30, -100.0, 0.0, 100.0, 1e18];
        gelu(&mut numbers);
        assert!(numbers.iter().all(|x| x.is_finite()), "{numbers:?}");
        let mut scores = [-1e30, 0.0, 1e30];
        softmax(&mut scores);
        assert!((scores.iter().sum::<f32>() - 1.0).abs() < 1e-6);
    }
}
