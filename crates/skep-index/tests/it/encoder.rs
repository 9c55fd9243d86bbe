//! The sentence encoder against the one it was made from, its bounds, and that it gives the same
//! bytes everywhere.

use std::sync::LazyLock;

use proptest::prelude::*;
use skep_index::{Embedder, SentenceEmbedder, StaticEmbedder};

static ENCODER: LazyLock<SentenceEmbedder> = LazyLock::new(SentenceEmbedder::built_in);

/// Texts and what all-MiniLM-L6-v2 makes of them in 32-bit floating point, in 127 steps.
const ENCODED: &str = include_str!("encoded.tsv");

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f32>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

fn encoded() -> impl Iterator<Item = (String, Vec<f32>)> {
    ENCODED.lines().filter_map(|line| {
        let (text, codes) = line.split_once('\t')?;
        let digit = |digit: &u8| char::from(*digit).to_digit(16);
        let codes = codes.as_bytes().chunks(2).map(|pair| {
            let code = digit(pair.first()?)? * 16 + digit(pair.last()?)?;
            Some(f32::from((code as u8).cast_signed()))
        });
        Some((text.replace("\\n", "\n"), codes.collect::<Option<_>>()?))
    })
}

#[test]
fn texts_are_put_where_the_original_puts_them() {
    for (text, expected) in encoded() {
        let near = cosine(&ENCODER.embed(&text), &expected);
        assert!(near > 0.995, "{text}: {near}");
    }
    assert_eq!(encoded().count(), 6);
}

#[test]
fn drafts_lie_nearest_to_their_own_text() {
    for (text, expected) in encoded() {
        let own = cosine(&ENCODER.draft(&text), &expected);
        for (other, elsewhere) in encoded().filter(|(other, _)| *other != text) {
            assert!(
                own > cosine(&ENCODER.draft(&text), &elsewhere),
                "{text} {other}"
            );
        }
    }
}

#[test]
fn the_draft_is_what_the_static_embedder_gives() {
    let text = "a bound on every queue";
    assert_eq!(ENCODER.draft(text), StaticEmbedder::built_in().embed(text));
}

/// Sums of integers are exact and everything else is written out, so no processor may differ.
#[test]
fn the_bytes_are_the_same_on_every_machine() {
    let vector = ENCODER.embed("retry with exponential backoff; never more than five times");
    let bytes = vector.iter().flat_map(|x| x.to_bits().to_le_bytes());
    let sum = bytes.fold(0xCBF2_9CE4_8422_2325u64, |sum, byte| {
        (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
    });
    assert_eq!(sum, 0xA67F_E8E3_E9D2_E2B7, "{sum:#x}");
}

#[test]
fn hostile_texts_have_bounded_cost() {
    let long = "word ".repeat(400_000);
    let begun = "word ".repeat(252);
    assert_eq!(ENCODER.embed(&long), ENCODER.embed(&begun));
    let later = format!("{}harbour", "word ".repeat(126));
    assert_ne!(
        ENCODER.embed(&later),
        ENCODER.embed(&begun),
        "the second chunk counts"
    );
    let last = format!("{begun}harbour");
    assert_eq!(
        ENCODER.embed(&last),
        ENCODER.embed(&begun),
        "the third does not"
    );
    for nothing in ["", " \u{0}\n\t", "\u{200B}\u{FEFF}"] {
        let vector = ENCODER.embed(nothing);
        assert_eq!(vector.len(), ENCODER.dim());
        assert!(vector.iter().all(|x| x.is_finite()));
    }
    assert!(ENCODER.embed("").iter().all(|x| *x == 0.0));
    assert!(ENCODER.draft("").iter().all(|x| *x == 0.0));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_text_has_a_direction_or_none(text in any::<String>()) {
        for vector in [ENCODER.embed(&text), ENCODER.draft(&text)] {
            let norm = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
            prop_assert!(norm == 0.0 || (norm - 1.0).abs() < 1e-3, "{}", norm);
        }
    }
}
