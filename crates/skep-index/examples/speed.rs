//! Prints how fast an index of real text loads, searches and embeds, and what it takes in memory.
//!
//! `cargo run --release --example speed -- FOLDER [COUNT]`: memories are the doc comments of the
//! Rust sources under the folder, repeated with a running number until there are enough.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use skep_domain::{Id, MemoryId};
use skep_index::{Embedder, Entry, Quantised, Query, StaticEmbedder, WorkspaceIndex};

/// Words of a query.
const QUERY_WORDS: usize = 8;

/// Searches timed.
const SEARCHES: usize = 1_000;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("which folder of Rust sources?")?;
    let count = arguments
        .next()
        .map_or(Ok(100_000), |count| count.parse())?;
    let texts = texts(Path::new(&folder), count)?;
    let words: usize = texts
        .iter()
        .map(|text| text.split_whitespace().count())
        .sum();
    say(&format!(
        "{count} memories, {} words each",
        words / count.max(1)
    ));
    let embedder = StaticEmbedder::built_in();
    let index = load(&texts, &embedder);
    search(&index, &texts, &embedder);
    embed(&texts, &embedder);
    snapshot(&index, &embedder)
}

fn load(texts: &[String], embedder: &StaticEmbedder) -> WorkspaceIndex {
    let start = now();
    let vectors: Vec<Quantised> = texts
        .iter()
        .map(|text| Quantised::of(&embedder.embed(text)))
        .collect();
    say(&format!(
        "embedding: {:.0} texts/s on one core",
        rate(texts.len(), start)
    ));
    let mut index = WorkspaceIndex::new(embedder.model_id(), embedder.dim());
    let start = now();
    for ((number, text), vector) in (0u128..).zip(texts).zip(&vectors) {
        let id = MemoryId::from_bytes(number.to_be_bytes());
        let project = None;
        index.put(&Entry { id, project, text });
        index.put_vector(id, vector);
    }
    say(&format!(
        "loading: {:.0} memories/s on one core",
        rate(texts.len(), start)
    ));
    say(&format!(
        "memory: {} bytes each",
        index.bytes() / texts.len().max(1)
    ));
    index
}

fn search(index: &WorkspaceIndex, texts: &[String], embedder: &StaticEmbedder) {
    let step = (texts.len() / SEARCHES).max(1);
    let mut queries = Vec::new();
    for text in texts.iter().step_by(step) {
        let words: Vec<&str> = text.split_whitespace().skip(2).take(QUERY_WORDS).collect();
        let text = words.join(" ");
        let vector = embedder.embed(&text);
        queries.push((text, vector));
    }
    for (name, by_words, by_vector) in [
        ("lexical", true, false),
        ("vector", false, true),
        ("fused", true, true),
    ] {
        let before = cpu();
        let times = queries.iter().map(|(text, vector)| {
            let query = Query {
                text: if by_words { text } else { "" },
                vector: by_vector.then_some(vector),
                project: None,
                limit: 200,
            };
            let start = now();
            std::hint::black_box(index.search(&query));
            start.elapsed()
        });
        let times = spread(times.collect());
        let each = cpu().saturating_sub(before) / queries.len() as u32;
        say(&format!("search, {name}: {times}, CPU {each:.2?}"));
    }
}

fn embed(texts: &[String], embedder: &StaticEmbedder) {
    let times = texts
        .iter()
        .step_by((texts.len() / SEARCHES).max(1))
        .map(|text| {
            let words: Vec<&str> = text.split_whitespace().cycle().take(20).collect();
            let query = words.join(" ");
            let start = now();
            std::hint::black_box(embedder.embed(&query));
            start.elapsed()
        });
    say(&format!("embedding 20 words: {}", spread(times.collect())));
}

fn snapshot(index: &WorkspaceIndex, embedder: &StaticEmbedder) -> Result<(), Box<dyn Error>> {
    let start = now();
    let bytes = index.to_bytes();
    let wrote = start.elapsed();
    let start = now();
    let read = WorkspaceIndex::from_bytes(&bytes, embedder.model_id(), embedder.dim())?;
    let (size, took) = (bytes.len() / read.len().max(1), start.elapsed());
    say(&format!(
        "snapshot: {size} bytes each, written in {wrote:.0?}, read in {took:.0?}"
    ));
    Ok(())
}

/// `count` texts of at least five words.
fn texts(folder: &Path, count: usize) -> Result<Vec<String>, Box<dyn Error>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let mut inside: Vec<PathBuf> = Vec::new();
        for entry in std::fs::read_dir(folder)? {
            inside.push(entry?.path());
        }
        inside.sort();
        for path in inside {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                comments(&String::from_utf8_lossy(&std::fs::read(path)?), &mut found);
            }
        }
    }
    if found.is_empty() {
        return Err("no doc comments there".into());
    }
    let own = found.len();
    say(&format!("{own} distinct texts"));
    let again = (own..count).map(|place| format!("{} {}", found[place % own], place / own));
    let again: Vec<String> = again.collect();
    found.extend(again);
    found.truncate(count);
    Ok(found)
}

fn comments(source: &str, found: &mut Vec<String>) {
    let mut comment = String::new();
    for line in source.lines().chain([""]) {
        let line = line.trim_start();
        match line
            .strip_prefix("///")
            .or_else(|| line.strip_prefix("//!"))
        {
            Some(text) if !text.trim().is_empty() => {
                comment.push_str(text.trim());
                comment.push(' ');
            }
            _ => {
                if comment.split_whitespace().nth(4).is_some() {
                    found.push(comment.trim().to_owned());
                }
                comment.clear();
            }
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "measuring time is what this program is for"
)]
fn now() -> Instant {
    Instant::now()
}

/// CPU time of all threads so far, where the system tells.
fn cpu() -> Duration {
    let told = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = told.rsplit(')').next().unwrap_or_default();
    let ticks = fields.split_whitespace().skip(11).take(2);
    let ticks: u64 = ticks.filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

fn rate(count: usize, start: Instant) -> f64 {
    count as f64 / start.elapsed().as_secs_f64()
}

fn spread(mut times: Vec<Duration>) -> String {
    times.sort_unstable();
    let at = |share: usize| times[(times.len() - 1) * share / 100];
    format!("p50 {:.1?}, p99 {:.1?}", at(50), at(99))
}

#[expect(clippy::print_stdout, reason = "printing is what this program is for")]
fn say(line: &str) {
    println!("{line}");
}
