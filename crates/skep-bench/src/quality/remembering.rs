//! An embedder that embeds each text once: several runs ask for the same vectors.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use skep_index::Embedder;

/// Keeps every vector that it made.
pub(crate) struct Remembering {
    inner: Arc<dyn Embedder>,
    known: Mutex<HashMap<String, Vec<f32>>>,
}

impl Remembering {
    pub(crate) fn new(inner: Arc<dyn Embedder>) -> Self {
        Self {
            inner,
            known: Mutex::default(),
        }
    }
}

impl Embedder for Remembering {
    fn model_id(&self) -> &str {
        self.inner.model_id()
    }

    fn dim(&self) -> usize {
        self.inner.dim()
    }

    fn draft(&self, text: &str) -> Vec<f32> {
        self.inner.draft(text)
    }

    fn embed(&self, text: &str) -> Vec<f32> {
        let known = |all: &HashMap<String, Vec<f32>>| all.get(text).cloned();
        let lock = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(vector) = known(&lock()) {
            return vector;
        }
        let vector = self.inner.embed(text);
        lock().insert(text.to_owned(), vector.clone());
        vector
    }
}
