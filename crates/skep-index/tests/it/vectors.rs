//! The vector channel against exact cosines of the vectors as they were, and the built-in embedder.

use proptest::prelude::*;
use skep_index::{Candidate, Embedder, Quantised, StaticEmbedder, WorkspaceIndex};

use super::{ask, direction, empty, ids, memory, put};

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f32>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

/// What is found, by cosine: the order of the answer leaves out what all memories share.
fn by_cosine(index: &WorkspaceIndex, query: &[f32]) -> Vec<Candidate> {
    let mut found = ask(index, "", Some(query));
    found.sort_by(|a, b| b.vector.total_cmp(&a.vector));
    found
}

#[test]
fn one_byte_a_component_finds_the_nearest_ten() {
    let count = 3_000;
    let mut index = empty();
    for number in 0..count {
        put(&mut index, number, "");
        index.put_vector(memory(number), &Quantised::of(&direction(number)));
    }
    let (mut hits, questions) = (0, 40);
    for question in 0..questions {
        let query = direction(question + 1_000_000);
        let mut exact: Vec<(f32, u64)> = (0..count)
            .map(|number| (cosine(&query, &direction(number)), number))
            .collect();
        exact.sort_by(|a, b| b.0.total_cmp(&a.0));
        let found = by_cosine(&index, &query);
        for (score, number) in &exact[..10] {
            let near = found
                .iter()
                .take(10)
                .find(|candidate| candidate.id == memory(*number));
            if let Some(near) = near {
                hits += 1;
                assert!((near.vector - score).abs() < 0.01);
            }
        }
    }
    assert!(hits as f32 >= 0.97 * 10.0 * questions as f32, "{hits}");
}

/// Vectors as models make them: a part that all share, one of many topics, and something of their
/// own, the leading components larger than the last.
fn modelled(seed: u64, topics: u64, dim: usize) -> Vec<f32> {
    let value = |kind: u64, number: u64, at: usize| {
        let mut state = (kind << 56 ^ number << 16 ^ at as u64) + 1;
        for _ in 0..2 {
            state = (state ^ state >> 31).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        }
        (state >> 40) as f32 / (1u64 << 24) as f32 - 0.5
    };
    let topic = (seed ^ seed >> 7).wrapping_mul(0x9E37_79B9_7F4A_7C15) % topics;
    (0..dim)
        .map(|at| {
            let size = 1.0 / (1.0 + 4.0 * at as f32 / dim as f32);
            let own = value(3, seed, at);
            (0.7 * value(1, 0, at) + 0.5 * value(2, topic, at) + 0.7 * own) * size
        })
        .collect()
}

/// Of a large index a sketch of one bit a component is scanned first: the nearest ten are those of
/// the exact cosines all the same, but for one in fifty.
#[test]
fn a_scan_of_one_bit_a_component_finds_the_nearest_ten() {
    for (dim, count, topics) in [(256, 18_000, 300), (96, 17_000, 20), (384, 17_000, 2_000)] {
        let mut index = WorkspaceIndex::new("test/2", dim);
        let vectors: Vec<Vec<f32>> = (0..count)
            .map(|number| modelled(number, topics, dim))
            .collect();
        for (number, vector) in (0..).zip(&vectors) {
            put(&mut index, number, "");
            assert!(index.put_vector(memory(number), &Quantised::of(vector)));
        }
        let (mut hits, questions) = (0, 20);
        for question in 0..questions {
            let query = modelled(question + 1_000_000, topics, dim);
            let mut exact: Vec<f32> = vectors.iter().map(|row| cosine(&query, row)).collect();
            exact.sort_by(|a, b| b.total_cmp(a));
            let found = by_cosine(&index, &query);
            // One byte a component moves a cosine by less than this.
            let near = found[..10]
                .iter()
                .filter(|found| found.vector >= exact[9] - 0.002);
            hits += near.count();
        }
        assert!(
            hits as f32 >= 0.98 * 10.0 * questions as f32,
            "{dim}: {hits}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4))]

    /// Replaced and removed vectors leave no trace in the sketches, and a snapshot keeps them.
    #[test]
    fn sketches_follow_every_change(
        changes in prop::collection::vec((0u64..17_000, 0u64..3), 1..60),
    ) {
        let dim = 16;
        let mut index = WorkspaceIndex::new("test/2", dim);
        for number in 0..17_000 {
            put(&mut index, number, "");
            index.put_vector(memory(number), &Quantised::of(&modelled(number, 50, dim)));
        }
        let far = Quantised::of(&[-1.0; 16]);
        let mut moved: Vec<u64> = Vec::new();
        for (number, how) in changes {
            moved.retain(|&other| other != number);
            match how {
                0 => {
                    index.remove(memory(number));
                    put(&mut index, number, "");
                }
                1 => {
                    index.put_vector(memory(number), &Quantised::of(&modelled(number, 50, dim)));
                }
                _ => {
                    index.put_vector(memory(number), &far);
                    moved.push(number);
                }
            }
        }
        let query = vec![-1.0; dim];
        let read = WorkspaceIndex::from_bytes(&index.to_bytes(), "test/2", dim).unwrap();
        let found = ask(&index, "", Some(&query));
        prop_assert_eq!(&ask(&read, "", Some(&query)), &found);
        moved.sort_unstable();
        let mut first = ids(&found[..moved.len()]);
        first.sort_unstable();
        let moved: Vec<_> = moved.into_iter().map(memory).collect();
        prop_assert_eq!(first, moved);
    }
}

#[test]
fn a_question_of_another_dimension_or_of_no_direction_is_answered_by_words() {
    let mut index = empty();
    put(&mut index, 1, "alpha");
    put(&mut index, 2, "omega");
    for number in [1, 2] {
        index.put_vector(memory(number), &Quantised::of(&direction(number)));
    }
    let zeros = vec![0.0; super::DIM];
    let none = vec![f32::NAN; super::DIM];
    for vector in [&[][..], &[1.0], &zeros, &none] {
        let found = ask(&index, "alpha", Some(vector));
        assert_eq!(ids(&found), [memory(1)]);
        assert!(found[0].fused.is_finite());
    }
}

#[test]
fn what_only_one_channel_finds_has_the_other_ones_exact_score() {
    let mut index = empty();
    put(&mut index, 1, "alpha beta");
    put(&mut index, 2, "gamma");
    index.put_vector(memory(1), &Quantised::of(&direction(1)));
    index.put_vector(memory(2), &Quantised::of(&direction(2)));
    let found = ask(&index, "alpha", Some(&direction(2)));
    let one = found
        .iter()
        .find(|candidate| candidate.id == memory(1))
        .unwrap();
    assert!((one.vector - cosine(&direction(1), &direction(2))).abs() < 0.01);
}

#[test]
fn the_built_in_embedder_knows_what_belongs_together() {
    let embedder = StaticEmbedder::built_in();
    let near = [
        ("the dog chased a cat", "puppies and kittens"),
        ("the database query was slow", "latency of SQL statements"),
        ("she paints landscapes", "an artist's drawing of mountains"),
    ];
    let vectors: Vec<_> = near
        .iter()
        .map(|(a, b)| (embedder.embed(a), embedder.embed(b)))
        .collect();
    for (row, (a, _)) in vectors.iter().enumerate() {
        let scores = vectors.iter().map(|(_, b)| cosine(a, b));
        let best = scores
            .enumerate()
            .max_by(|a, b| a.1.total_cmp(&b.1))
            .unwrap();
        assert_eq!(best.0, row);
    }
}

#[test]
fn the_built_in_embedder_gives_unit_vectors_of_any_text() {
    let embedder = StaticEmbedder::built_in();
    let long = "word ".repeat(100_000);
    for text in [
        "",
        "x",
        "Zürich 東京 naïve",
        "fooBar_baz/qux.rs",
        "\u{0}\u{FFFF}",
        &long,
    ] {
        let vector = embedder.embed(text);
        let norm = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
        assert_eq!(vector.len(), embedder.dim());
        assert!(
            norm == 0.0 || (norm - 1.0).abs() < 1e-3,
            "{text:.20} {norm}"
        );
        assert_eq!(vector, embedder.embed(text));
    }
    let index = WorkspaceIndex::new(embedder.model_id(), embedder.dim());
    assert!(ask(&index, "x", Some(&embedder.embed("x"))).is_empty());
}
