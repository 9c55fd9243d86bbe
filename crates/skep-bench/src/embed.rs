//! Embedding a question: CPU per 20 words, beside analysing the same words for the lexical channel.

use skep_index::{Embedder, SentenceEmbedder};

use crate::measure::{Measure, percentile_ms};
use crate::report::Report;

/// Words of a question.
const WORDS: usize = 20;

pub(crate) fn run(texts: &[String]) -> Report {
    let start = Measure::start();
    let embedder = SentenceEmbedder::built_in();
    let ready = start.wall();
    let queries: Vec<String> = texts
        .iter()
        .map(|text| {
            text.split_whitespace()
                .take(WORDS)
                .collect::<Vec<_>>()
                .join(" ")
        })
        .collect();
    let whole = Measure::start();
    let mut times = Vec::with_capacity(queries.len());
    for query in &queries {
        let one = Measure::start();
        std::hint::black_box(embedder.embed(query));
        times.push(one.wall());
    }
    let cpu = whole.cpu();
    let drafted = Measure::start();
    for query in &queries {
        std::hint::black_box(embedder.draft(query));
    }
    let drafted = drafted.cpu();
    let split = Measure::start();
    for query in &queries {
        std::hint::black_box(skep_memory::normal_form(query));
    }
    let mut report = Report::new(format!(
        "embedding {} questions of {WORDS} words",
        queries.len()
    ));
    report.row(
        "cpu_us",
        cpu.as_secs_f64() * 1e6 / queries.len() as f64,
        "target 10000",
    );
    report.row(
        "draft_cpu_us",
        drafted.as_secs_f64() * 1e6 / queries.len() as f64,
        "what stands in for a memory's vector until it is made",
    );
    report.row("p50_ms", percentile_ms(&mut times, 0.5), "");
    report.row("p99_ms", percentile_ms(&mut times, 0.99), "");
    report.row(
        "start_ms",
        ready.as_secs_f64() * 1e3,
        "making the embedder ready",
    );
    report.row(
        "baseline_normal_form_cpu_us",
        split.cpu().as_secs_f64() * 1e6 / queries.len() as f64,
        "folding the same words, no model",
    );
    report
}
