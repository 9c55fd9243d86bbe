//! The vector channel against exact cosines of the vectors as they were, and the built-in embedder.

use skep_index::{Embedder, Quantised, StaticEmbedder, WorkspaceIndex};

use super::{ask, direction, empty, ids, memory, put};

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f32>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
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
        let found = ask(&index, "", Some(&query));
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

/// Models whose leading components are read first are still scanned exactly enough: the nearest
/// ten of a large index, by the built-in model, against exact cosines.
#[test]
fn two_passes_find_the_nearest_ten() {
    let embedder = StaticEmbedder::built_in();
    let mut index = WorkspaceIndex::new(embedder.model_id(), embedder.dim());
    let nouns = [
        "queue", "painting", "server", "holiday", "cat", "invoice", "bridge", "poem",
    ];
    let verbs = [
        "retries", "admires", "deletes", "plans", "feeds", "signs", "builds", "reads",
    ];
    let ends = [
        "slowly",
        "in Paris",
        "twice",
        "with care",
        "at night",
        "for free",
        "by hand",
    ];
    let text = |number: usize| {
        let pick = |list: &[&'static str], at: usize| list[at % list.len()];
        format!(
            "{} {} {} {} {} {}",
            pick(&nouns, number),
            pick(&verbs, number / 8),
            pick(&ends, number / 64),
            pick(&nouns, number / 448),
            pick(&verbs, number / 3_584),
            number % 1_009
        )
    };
    let vectors: Vec<Vec<f32>> = (0..20_000)
        .map(|number| embedder.embed(&text(number)))
        .collect();
    for (number, vector) in (0..).zip(&vectors) {
        put(&mut index, number, "");
        index.put_vector(memory(number), &Quantised::of(vector));
    }
    let questions = [
        "who feeds the cat at night",
        "invoice signs by hand",
        "poems about Paris",
    ];
    for question in questions {
        let query = embedder.embed(question);
        let mut exact: Vec<f32> = vectors
            .iter()
            .map(|vector| cosine(&query, vector))
            .collect();
        exact.sort_by(|a, b| b.total_cmp(a));
        let found = ask(&index, "", Some(&query));
        let near = found[..10]
            .iter()
            .filter(|found| found.vector >= exact[9] - 0.005);
        assert_eq!(near.count(), 10, "{question}");
        assert!((found[0].vector - exact[0]).abs() < 0.005, "{question}");
    }
}
