//! An embedder that embeds each text once: several runs ask for the same vectors, and with a file,
//! so does the next day.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result, ensure};
use skep_index::Embedder;

type Known = HashMap<String, Vec<f32>>;

/// Keeps every vector that it made.
pub(crate) struct Remembering {
    inner: Arc<dyn Embedder>,
    known: Mutex<Known>,
}

impl Remembering {
    pub(crate) fn new(inner: Arc<dyn Embedder>) -> Self {
        Self {
            inner,
            known: Mutex::default(),
        }
    }

    /// Begins with what [`Self::keep`] wrote, if the file is there and of the same model.
    pub(crate) fn read(inner: Arc<dyn Embedder>, file: &PathBuf) -> Result<Self> {
        let remembering = Self::new(inner);
        if let Ok(bytes) = fs::read(file) {
            let (model, rest) = take_text(&bytes).context("reading the vectors")?;
            if model == remembering.model_id() {
                let dim = remembering.dim();
                let known = known(rest, dim).context("reading the vectors")?;
                *remembering.lock() = known;
            }
        }
        Ok(remembering)
    }

    /// Writes every vector that it knows: the model, then each text and its numbers.
    pub(crate) fn keep(&self, file: &PathBuf) -> Result<()> {
        let mut bytes = Vec::new();
        put_text(&mut bytes, self.model_id());
        for (text, vector) in &*self.lock() {
            put_text(&mut bytes, text);
            bytes.extend(vector.iter().flat_map(|x| x.to_le_bytes()));
        }
        fs::write(file, bytes).context("writing the vectors")
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
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
        let known = self.lock().get(text).cloned();
        if let Some(vector) = known {
            return vector;
        }
        let vector = self.inner.embed(text);
        self.lock().insert(text.to_owned(), vector.clone());
        vector
    }
}

fn put_text(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend((text.len() as u32).to_le_bytes());
    bytes.extend(text.as_bytes());
}

fn take_text(bytes: &[u8]) -> Result<(&str, &[u8])> {
    let (length, rest) = bytes.split_first_chunk().context("it ends early")?;
    let length = u32::from_le_bytes(*length) as usize;
    ensure!(length <= rest.len(), "it ends early");
    let (text, rest) = rest.split_at(length);
    Ok((std::str::from_utf8(text)?, rest))
}

fn known(mut bytes: &[u8], dim: usize) -> Result<Known> {
    let mut known = Known::new();
    while !bytes.is_empty() {
        let (text, rest) = take_text(bytes)?;
        ensure!(rest.len() >= 4 * dim, "it ends early");
        let (numbers, rest) = rest.split_at(4 * dim);
        let vector = numbers
            .as_chunks()
            .0
            .iter()
            .copied()
            .map(f32::from_le_bytes);
        known.insert(text.to_owned(), vector.collect());
        bytes = rest;
    }
    Ok(known)
}
