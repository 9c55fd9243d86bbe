//! Durable capture: batches and single writes, beside plain rows in a plain SQLite file.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use rusqlite::Connection;
use skep_app::{Branch, Capture, Remember, TurnIn};
use skep_authz::rights;
use skep_domain::{CaptureOrigin, Harness, MemoryKind, Timestamp, TurnRole, Visibility};

use crate::fixture::Fixture;
use crate::measure::{Measure, per_second, percentile_ms};
use crate::report::Report;

/// Statements remembered one by one.
const SINGLES: usize = 300;

pub(crate) async fn run(texts: &[String], batch: usize) -> Result<Report> {
    let fixture = Fixture::new().await?;
    let title = format!(
        "capture of {} turns of real text, {batch} a batch, fsync each",
        texts.len()
    );
    let mut report = Report::new(title);
    batches(&fixture, texts, batch, &mut report).await?;
    singles(&fixture, texts, &mut report).await?;
    report.row(
        "baseline_plain_turns_per_s",
        per_second(texts.len(), plain(fixture.scratch.path(), texts, batch)?),
        "the same text in clear in one SQLite table, same batches, same fsync",
    );
    Ok(report)
}

async fn batches(
    fixture: &Fixture,
    texts: &[String],
    batch: usize,
    report: &mut Report,
) -> Result<()> {
    let whole = Measure::start();
    let mut times = Vec::new();
    for (number, chunk) in texts.chunks(batch).enumerate() {
        let one = Measure::start();
        let turns = chunk
            .iter()
            .enumerate()
            .map(|(at, text)| turn(number * batch + at, text))
            .collect();
        fixture
            .app
            .capture(
                fixture.may::<rights::SessionCapture>()?,
                capture(number / 20, turns),
            )
            .await?;
        times.push(one.wall());
    }
    let (wall, cpu) = (whole.wall(), whole.cpu());
    report.row(
        "turns_per_s",
        per_second(texts.len(), wall),
        "redacted, sealed, durable; target 10000",
    );
    report.row("batch_p50_ms", percentile_ms(&mut times, 0.50), "");
    report.row("batch_p99_ms", percentile_ms(&mut times, 0.99), "");
    report.row(
        "cpu_us_per_turn",
        cpu.as_secs_f64() * 1e6 / texts.len() as f64,
        "",
    );
    Ok(())
}

async fn singles(fixture: &Fixture, texts: &[String], report: &mut Report) -> Result<()> {
    let (mut times, mut cpu) = (Vec::new(), Duration::ZERO);
    for text in texts.iter().take(SINGLES) {
        let one = Measure::start();
        let statement = Remember {
            text: format!("Remember this: {text}"),
            kind: MemoryKind::Fact,
            project: None,
            visibility: Visibility::Workspace,
            by_agent: false,
            path: None,
        };
        fixture
            .app
            .remember(fixture.may::<rights::MemoryWrite>()?, statement)
            .await?;
        cpu += one.cpu();
        times.push(one.wall());
    }
    report.row(
        "single_write_p50_ms",
        percentile_ms(&mut times, 0.50),
        "remember: one durable memory",
    );
    report.row(
        "single_write_cpu_us",
        cpu.as_secs_f64() * 1e6 / times.len() as f64,
        "target 2000",
    );
    Ok(())
}

fn capture(session: usize, turns: Vec<TurnIn>) -> Capture {
    Capture {
        harness: Harness::Other,
        external_id: format!("bench-{session}"),
        title: None,
        project: Some("bench".into()),
        cwd: None,
        turns,
        cursor: None,
        origin: CaptureOrigin::Import,
        spool: None,
        ended: false,
    }
}

fn turn(number: usize, text: &str) -> TurnIn {
    TurnIn {
        author: None,
        client_event_id: format!("event-{number}"),
        role: TurnRole::Assistant,
        at: Timestamp::from_millis(1_767_225_600_000 + number as i64),
        text: text.to_owned(),
        tool: None,
        is_error: false,
        paths: Vec::new(),
        branch: Branch::Main,
    }
}

fn plain(directory: &Path, texts: &[String], batch: usize) -> Result<Duration> {
    let mut connection = Connection::open(directory.join("plain.db"))?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
         CREATE TABLE turn (id INTEGER PRIMARY KEY, event TEXT NOT NULL UNIQUE, at INTEGER NOT NULL, body TEXT NOT NULL)",
    )?;
    let whole = Measure::start();
    for (number, chunk) in texts.chunks(batch).enumerate() {
        let transaction = connection.transaction()?;
        {
            let mut insert = transaction
                .prepare_cached("INSERT INTO turn (event, at, body) VALUES (?1, ?2, ?3)")?;
            for (at, text) in chunk.iter().enumerate() {
                insert.execute((format!("event-{}", number * batch + at), at as i64, text))?;
            }
        }
        transaction.commit()?;
    }
    Ok(whole.wall())
}
