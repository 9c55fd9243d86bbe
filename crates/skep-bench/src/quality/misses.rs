//! The questions whose answers are not among the first ten, and what is there instead.

use std::fmt::Write as _;
use std::sync::Arc;

use anyhow::Result;
use skep_index::Embedder;

use super::dataset::Dataset;
use super::metrics::DEPTH;
use super::pipeline::Pipeline;
use crate::report::Report;

/// Found memories that are shown of a question.
const SHOWN: usize = 3;
/// Characters that are shown of a memory.
const WIDTH: usize = 140;

pub(super) async fn list(
    set: &Dataset,
    embedder: &Arc<dyn Embedder>,
    report: &mut Report,
) -> Result<()> {
    for corpus in &set.corpora {
        let pipeline = Pipeline::of(&corpus.memories, Arc::clone(embedder)).await?;
        for question in &corpus.questions {
            let answers = pipeline.ask(&question.text, DEPTH, u32::MAX).await?;
            let is_right = |place| pipeline.is_one(place, &question.answers);
            let places: Vec<usize> = answers.iter().filter_map(|a| pipeline.place(a)).collect();
            let rank = places.iter().position(|&place| is_right(place));
            if rank.is_some_and(|rank| rank < 10) {
                continue;
            }
            let mut text = format!("\n? {}", question.text);
            for &place in &question.answers {
                let _ = write!(
                    text,
                    "\n  wanted {}",
                    short(&corpus.memories[place].body.text)
                );
            }
            for &place in places.iter().take(SHOWN) {
                let _ = write!(
                    text,
                    "\n  found  {}",
                    short(&corpus.memories[place].body.text)
                );
            }
            report.line(text);
        }
    }
    Ok(())
}

fn short(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    skep_memory::cut_line(&line, WIDTH).into_owned()
}
