//! Recall at size: latency per stage beside SQLite's own full-text search over the same text.

use std::time::Duration;

use anyhow::Result;
use rusqlite::Connection;
use skep_app::{Question, Timing};
use skep_authz::rights;

use crate::fixture::{Fixture, application};
use crate::measure::{Measure, per_second, percentile_ms, resident_bytes};
use crate::report::Report;

/// Words of a question.
const WORDS: usize = 8;

/// What the questions took.
#[derive(Default)]
struct Asked {
    total: Vec<Duration>,
    embed: Vec<Duration>,
    stages: Timing,
    cpu_us: f64,
    found: usize,
}

/// What the index takes.
struct Size {
    counted: u64,
    resident: u64,
}

pub(crate) async fn run(texts: &[String], queries: usize) -> Result<Report> {
    let mut fixture = Fixture::new().await?;
    let filling = Measure::start();
    fixture.fill(texts).await?;
    let filled = filling.wall();
    let size = warm_up(&mut fixture).await?;
    let questions = questions(texts, queries);
    let asked = ask_all(&fixture, texts, &questions).await?;
    let baseline = fts(texts, &questions)?;

    let title = format!(
        "recall over {} memories of real text, {} questions",
        texts.len(),
        questions.len()
    );
    let mut report = Report::new(title);
    report.row("memories", texts.len() as f64, "");
    asked.tell(&mut report, questions.len() as f64);
    size.tell(&mut report, texts.len() as f64);
    tell_baseline(&mut report, baseline);
    report.row(
        "fill_per_s",
        per_second(texts.len(), filled),
        "memories cleaned, redacted, sealed, stored and embedded",
    );
    Ok(report)
}

/// A fresh application, so that what is resident is the index and not the filling.
async fn warm_up(fixture: &mut Fixture) -> Result<Size> {
    fixture.app = application(&fixture.store);
    let floor = resident_bytes();
    ask(fixture, "warm up the index").await?;
    let counted = fixture
        .app
        .status(fixture.may::<rights::DiagnosticsRead>()?)
        .await?
        .hot
        .bytes;
    Ok(Size {
        counted,
        resident: resident_bytes().saturating_sub(floor),
    })
}

async fn ask_all(
    fixture: &Fixture,
    texts: &[String],
    questions: &[(String, usize)],
) -> Result<Asked> {
    let mut asked = Asked::default();
    let cpu = Measure::start();
    for (question, source) in questions {
        let one = Measure::start();
        let recalled = ask(fixture, question).await?;
        let embed = Duration::from_micros(recalled.timing.embed);
        asked.total.push(one.wall().saturating_sub(embed));
        asked.embed.push(embed);
        add(&mut asked.stages, recalled.timing);
        asked.found += usize::from(
            recalled
                .items
                .iter()
                .any(|item| item.memory.body.text == *texts[*source]),
        );
    }
    asked.cpu_us = cpu.cpu().as_secs_f64() * 1e6 / questions.len() as f64;
    Ok(asked)
}

impl Asked {
    fn tell(mut self, report: &mut Report, n: f64) {
        report.row(
            "p50_ms",
            percentile_ms(&mut self.total, 0.50),
            "whole recall beside the embedding; target 3",
        );
        report.row("p99_ms", percentile_ms(&mut self.total, 0.99), "target 15");
        report.row(
            "embed_p50_ms",
            percentile_ms(&mut self.embed, 0.50),
            "target 10",
        );
        report.row("cpu_us", self.cpu_us, "per recall, embedding included");
        for (key, micros) in [
            ("search_mean_ms", self.stages.search),
            ("authorize_mean_ms", self.stages.authorize),
            ("load_mean_ms", self.stages.load),
            ("rank_mean_ms", self.stages.rank),
            ("catch_up_mean_ms", self.stages.catch_up),
        ] {
            report.row(key, micros as f64 / n / 1e3, "");
        }
        let note = "the paragraph that the words were taken from is among the items";
        report.row("self_recall_at_10_ratio", self.found as f64 / n, note);
    }
}

impl Size {
    fn tell(&self, report: &mut Report, n: f64) {
        report.row(
            "index_bytes_per_memory",
            self.counted as f64 / n,
            "as the index counts itself; target 1024",
        );
        report.row(
            "resident_bytes_per_memory",
            self.resident as f64 / n,
            "growth of the process; target 1024",
        );
    }
}

fn tell_baseline(report: &mut Report, mut times: Vec<Duration>) {
    let note = "SQLite FTS5 bm25, same words joined by OR, ids only, in clear, in memory";
    report.row(
        "baseline_fts5_p50_ms",
        percentile_ms(&mut times, 0.50),
        note,
    );
    report.row("baseline_fts5_p99_ms", percentile_ms(&mut times, 0.99), "");
}

async fn ask(fixture: &Fixture, question: &str) -> Result<skep_app::Recalled> {
    let question = Question {
        query: question.to_owned(),
        items: 10,
        tokens: 4_000,
        as_of: None,
        project: None,
        kinds: Vec::new(),
        hints: Vec::new(),
        deadline_ms: 60_000,
    };
    Ok(fixture
        .app
        .recall(fixture.may::<rights::MemoryRead>()?, question)
        .await?)
}

fn add(sum: &mut Timing, one: Timing) {
    sum.catch_up += one.catch_up;
    sum.search += one.search;
    sum.authorize += one.authorize;
    sum.load += one.load;
    sum.rank += one.rank;
}

/// Words from the middle of paragraphs spread over the whole corpus.
fn questions(texts: &[String], wanted: usize) -> Vec<(String, usize)> {
    let step = (texts.len() / wanted.max(1)).max(1);
    (0..texts.len())
        .step_by(step)
        .take(wanted)
        .map(|at| {
            let words: Vec<&str> = texts[at].split_whitespace().collect();
            let from = words.len().saturating_sub(WORDS) / 2;
            (
                words
                    .iter()
                    .skip(from)
                    .take(WORDS)
                    .copied()
                    .collect::<Vec<_>>()
                    .join(" "),
                at,
            )
        })
        .collect()
}

/// The baseline: what a plain SQLite table with FTS5 takes for the same questions.
fn fts(texts: &[String], questions: &[(String, usize)]) -> Result<Vec<Duration>> {
    let connection = Connection::open_in_memory()?;
    connection
        .execute_batch("CREATE VIRTUAL TABLE t USING fts5(body, tokenize = 'porter unicode61')")?;
    {
        let mut insert = connection.prepare("INSERT INTO t (rowid, body) VALUES (?1, ?2)")?;
        for (at, text) in texts.iter().enumerate() {
            insert.execute((at as i64, text))?;
        }
    }
    let mut select =
        connection.prepare("SELECT rowid FROM t WHERE t MATCH ?1 ORDER BY bm25(t) LIMIT 10")?;
    let mut times = Vec::new();
    for (question, _) in questions {
        let words: Vec<String> = question
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .map(|word| format!("\"{word}\""))
            .collect();
        if words.is_empty() {
            continue;
        }
        let one = Measure::start();
        let ids: Vec<i64> = select
            .query_map([words.join(" OR ")], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        times.push(one.wall());
        drop(ids);
    }
    Ok(times)
}
