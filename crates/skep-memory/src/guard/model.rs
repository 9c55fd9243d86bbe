//! The linear model: one weight per bucket, made by `cargo xtask bench safety --train`.

use std::sync::OnceLock;

use super::features::{BUCKETS, features, sentences};

/// A logistic model over [`features`].
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// One weight per bucket.
    pub weights: Vec<f32>,
    /// Added to every sum.
    pub bias: f32,
}

/// The probability from which on the model says anything at all.
pub(super) const TELLING: f32 = 0.5;

/// What the model's word counts for.
pub(super) fn weight(probability: f32) -> f32 {
    (probability - 0.1).clamp(0.0, 0.85)
}

/// The weights. A file of zeros leaves all to the rules; docs/safety.md says how weights are made.
static WEIGHTS: &[u8] = include_bytes!("weights.bin");

/// What the file begins with.
const MAGIC: &[u8; 8] = b"SKEPGRD1";

pub(super) fn built_in() -> &'static Model {
    static MODEL: OnceLock<Model> = OnceLock::new();
    MODEL.get_or_init(|| Model::from_bytes(WEIGHTS).unwrap_or_else(Model::silent))
}

impl Model {
    /// A model that never says anything.
    #[must_use]
    pub fn silent() -> Self {
        Self {
            weights: vec![0.0; BUCKETS],
            bias: -20.0,
        }
    }

    /// The probability that one of a text's sentences, in lower case, is an instruction to a model.
    #[must_use]
    pub fn probability(&self, text: &str) -> f32 {
        sentences(text)
            .map(|sentence| self.of_features(&features(sentence)))
            .fold(0.0, f32::max)
    }

    /// The probability for the features of one sentence. Their sum is divided by the root of their
    /// number, so that a long sentence does not add up to anything by its length.
    #[must_use]
    pub fn of_features(&self, buckets: &[u32]) -> f32 {
        let sum: f32 = buckets
            .iter()
            .map(|bucket| self.weights[*bucket as usize])
            .sum();
        let norm = (buckets.len().max(1) as f32).sqrt();
        1.0 / (1.0 + (-(self.bias + sum / norm)).exp())
    }

    /// The file form: magic, bias, scale, one signed byte per bucket.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let most = self.weights.iter().fold(1e-6_f32, |m, w| m.max(w.abs()));
        let scale = most / 127.0;
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&self.bias.to_le_bytes());
        bytes.extend_from_slice(&scale.to_le_bytes());
        let small = |weight: &f32| (weight / scale).round() as i8;
        bytes.extend(self.weights.iter().map(|weight| small(weight) as u8));
        bytes
    }

    /// Reads the file form.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(MAGIC)?;
        let (bias, rest) = rest.split_first_chunk()?;
        let (scale, rest) = rest.split_first_chunk()?;
        let scale = f32::from_le_bytes(*scale);
        (rest.len() == BUCKETS).then(|| Self {
            weights: rest
                .iter()
                .map(|byte| f32::from(*byte as i8) * scale)
                .collect(),
            bias: f32::from_le_bytes(*bias),
        })
    }
}
