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

/// Times that all questions are asked; what is told is the median round.
const ROUNDS: usize = 3;

/// Questions that the baseline is asked when there are many memories: it takes long.
const BASELINE: usize = 100;

/// What the index takes.
struct Size {
    counted: u64,
    resident: u64,
}

/// What it takes to have the index in memory.
struct Loads {
    rows: Load,
    keep: Load,
    snapshot: Load,
}

/// One way to it.
#[derive(Clone, Copy)]
struct Load {
    wall: Duration,
    cpu: Duration,
}

impl Load {
    fn of(measure: &Measure) -> Self {
        Self {
            wall: measure.wall(),
            cpu: measure.cpu(),
        }
    }
}

pub(crate) async fn run(texts: &[String], queries: usize) -> Result<Report> {
    let mut fixture = Fixture::new().await?;
    let filling = Measure::start();
    fixture.fill(texts).await?;
    let filled = filling.wall();
    let (size, loads) = load(&mut fixture).await?;
    let questions = questions(texts, queries);
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        rounds.push(ask_all(&fixture, texts, &questions).await?);
    }
    let asked = if texts.len() > 200_000 {
        &questions[..questions.len().min(BASELINE)]
    } else {
        &questions[..]
    };
    let baseline = fts(texts, asked)?;

    let title = format!(
        "recall over {} memories of real text, {} questions, {ROUNDS} rounds",
        texts.len(),
        questions.len()
    );
    let mut report = Report::new(title);
    report.row("memories", texts.len() as f64, "");
    tell_rounds(rounds, &mut report, questions.len() as f64);
    size.tell(&mut report, texts.len() as f64);
    loads.tell(&mut report, texts.len());
    tell_baseline(&mut report, baseline);
    report.row(
        "fill_per_s",
        per_second(texts.len(), filled),
        "memories cleaned, redacted, sealed, stored and embedded",
    );
    Ok(report)
}

/// Loads the index from rows and from a snapshot, each into a fresh application, so that what is
/// resident is the index and not the filling.
async fn load(fixture: &mut Fixture) -> Result<(Size, Loads)> {
    fixture.app = application(&fixture.store);
    let floor = resident_bytes();
    let rows = Measure::start();
    ask(fixture, "warm up the index").await?;
    let rows = Load::of(&rows);
    let resident = resident_bytes().saturating_sub(floor);
    let counted = fixture
        .app
        .status(fixture.may::<rights::DiagnosticsRead>()?)
        .await?
        .hot
        .bytes;
    let keep = Measure::start();
    fixture.app.keep_snapshots().await?;
    let keep = Load::of(&keep);
    fixture.app = application(&fixture.store);
    let snapshot = Measure::start();
    ask(fixture, "warm up the index").await?;
    let snapshot = Load::of(&snapshot);
    let loads = Loads {
        rows,
        keep,
        snapshot,
    };
    Ok((Size { counted, resident }, loads))
}

/// The round in the middle, and how far the others are from it.
fn tell_rounds(mut rounds: Vec<Asked>, report: &mut Report, n: f64) {
    for round in &mut rounds {
        round.total.sort_unstable();
    }
    rounds.sort_by_key(|round| round.total[round.total.len() / 2]);
    let p50s: Vec<f64> = rounds
        .iter_mut()
        .map(|round| percentile_ms(&mut round.total, 0.5))
        .collect();
    let middle = rounds.swap_remove(rounds.len() / 2);
    middle.tell(report, n);
    report.row("p50_least_ms", p50s[0], "of the rounds");
    report.row("p50_most_ms", p50s[p50s.len() - 1], "of the rounds");
}

impl Loads {
    fn tell(&self, report: &mut Report, count: usize) {
        let (rows, keep, snapshot) = (self.rows, self.keep, self.snapshot);
        let note = "first recall without a snapshot; target 100000";
        report.row("rows_memories_per_s", per_second(count, rows.wall), note);
        let each = rows.cpu.as_secs_f64() * 1e6 / count as f64;
        report.row("rows_cpu_us_per_memory", each, "of all threads");
        let note = "writing the sealed snapshot, readers going on";
        report.row("snapshot_keep_ms", keep.wall.as_secs_f64() * 1e3, note);
        let note = "first recall with a snapshot; target 1000 at 1,000,000";
        report.row("snapshot_ms", snapshot.wall.as_secs_f64() * 1e3, note);
        let cpu = snapshot.cpu.as_secs_f64() * 1e3;
        report.row("snapshot_cpu_ms", cpu, "of all threads");
    }
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

pub(crate) async fn ask(fixture: &Fixture, question: &str) -> Result<skep_app::Recalled> {
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
pub(crate) fn questions(texts: &[String], wanted: usize) -> Vec<(String, usize)> {
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
