//! Makes the linear model: logistic regression over hashed features, sentence by sentence. The same
//! samples give the same weights, bit for bit.

use skep_memory::guard::{BUCKETS, Model, features, sentences};

use super::data::Sample;

const EPOCHS: usize = 12;
/// Step of the first update; each weight's own steps shrink (`AdaGrad`, Duchi et al. 2011).
const STEP: f32 = 0.6;
/// Pull of every touched weight towards zero.
const PULL: f32 = 2e-5;
/// What a hostile sample counts for: there are few, and they are worth finding.
const HOSTILE: f32 = 6.0;
/// Sentences of one harmless text; a long one would drown the others.
const SENTENCES: usize = 12;

pub(crate) fn train(samples: &[&Sample]) -> Model {
    let mut rows: Vec<(Vec<u32>, bool)> = samples
        .iter()
        .flat_map(|sample| {
            // Of a hostile text nobody knows which sentence it is, so it is taken whole.
            let parts = if sample.hostile {
                vec![sample.text.to_lowercase()]
            } else {
                let lower = sample.text.to_lowercase();
                sentences(&lower)
                    .take(SENTENCES)
                    .map(str::to_owned)
                    .collect()
            };
            parts
                .into_iter()
                .map(|part| (features(&part), sample.hostile))
        })
        .collect();
    let mut model = Model {
        weights: vec![0.0; BUCKETS],
        bias: 0.0,
    };
    let (mut squares, mut bias_square) = (vec![1e-3_f32; BUCKETS], 1e-3_f32);
    for epoch in 0..EPOCHS {
        shuffle(&mut rows, epoch as u64);
        for (buckets, hostile) in &rows {
            let (wanted, counts) = if *hostile { (1.0, HOSTILE) } else { (0.0, 1.0) };
            let error = (model.of_features(buckets) - wanted) * counts;
            let share = error / (buckets.len().max(1) as f32).sqrt();
            for bucket in buckets {
                let at = *bucket as usize;
                let slope = share + PULL * model.weights[at];
                squares[at] += slope * slope;
                model.weights[at] -= STEP * slope / squares[at].sqrt();
            }
            bias_square += error * error;
            model.bias -= STEP * error / bias_square.sqrt();
        }
    }
    // What ships is what is measured: one byte per weight.
    Model::from_bytes(&model.to_bytes()).unwrap_or(model)
}

/// Fisher and Yates, from a fixed sequence (`SplitMix64`, Steele, Lea, Flood 2014).
fn shuffle<T>(rows: &mut [T], seed: u64) {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    };
    for at in (1..rows.len()).rev() {
        let other = (next() % (at as u64 + 1)) as usize;
        rows.swap(at, other);
    }
}
