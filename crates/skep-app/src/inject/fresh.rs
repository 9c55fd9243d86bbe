//! What was remembered a moment ago is judged like all else: how sure a memory must be is measured
//! on vectors, and a draft of one says too little.

use std::sync::Arc;

use crate::hot::indexed_text;
use crate::recall::Answer;
use crate::{App, AppError};

/// Vectors made while a prompt waits: what was said since the last moment, not an import.
const AT_ONCE: usize = 4;

impl App {
    /// Gives the best of those whose vector waits the cosine that they will have.
    pub(super) async fn judge_fresh(
        &self,
        asked: &str,
        answers: &mut [Answer],
    ) -> Result<(), AppError> {
        let waiting = answers.iter_mut().filter(|answer| answer.candidate.waits);
        let mut waiting: Vec<&mut Answer> = waiting.take(AT_ONCE).collect();
        if waiting.is_empty() {
            return Ok(());
        }
        let texts = waiting
            .iter()
            .map(|answer| indexed_text(&answer.memory.body));
        let texts: Vec<String> = texts.collect();
        let (embedder, asked) = (Arc::clone(&self.embedder), asked.to_owned());
        let near = tokio::task::spawn_blocking(move || {
            let asked = embedder.embed(&asked);
            let near = |text: String| cosine(&asked, &embedder.embed(&text));
            texts.into_iter().map(near).collect::<Vec<f32>>()
        });
        let near = near.await;
        let near = near.map_err(|_| AppError::Internal("embedding ended early"))?;
        for (answer, near) in waiting.iter_mut().zip(near) {
            answer.candidate.vector = near;
        }
        Ok(())
    }
}

/// Of two vectors of length one.
fn cosine(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
