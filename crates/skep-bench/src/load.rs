//! Loading a workspace's index: from sealed rows and from its snapshot, beside reading plain rows.

use std::time::Duration;

use anyhow::Result;
use rusqlite::Connection;
use skep_app::Question;
use skep_authz::rights;

use crate::fixture::{Fixture, application};
use crate::measure::{Measure, per_second, percentile_ms};
use crate::report::Report;

pub(crate) async fn run(texts: &[String], rounds: usize) -> Result<Report> {
    let mut fixture = Fixture::new().await?;
    fixture.fill(texts).await?;
    let (mut rows, mut snapshots) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        fixture.app = application(&fixture.store);
        rows.push(first_recall(&fixture).await?);
    }
    fixture.app.keep_snapshots().await?;
    for _ in 0..rounds {
        fixture.app = application(&fixture.store);
        snapshots.push(first_recall(&fixture).await?);
    }
    let plain = plain(texts)?;

    let mut report = Report::new(format!(
        "load of {} memories, {rounds} rounds, median",
        texts.len()
    ));
    let (from_rows, from_snapshot) = (
        percentile_ms(&mut rows, 0.5),
        percentile_ms(&mut snapshots, 0.5),
    );
    report.row(
        "rows_ms",
        from_rows,
        "first recall of a cold workspace, no snapshot",
    );
    report.row(
        "rows_memories_per_s",
        texts.len() as f64 / from_rows * 1e3,
        "target 100000",
    );
    report.row(
        "snapshot_ms",
        from_snapshot,
        "first recall of a cold workspace with its snapshot",
    );
    report.row(
        "snapshot_memories_per_s",
        texts.len() as f64 / from_snapshot * 1e3,
        "",
    );
    report.row(
        "baseline_plain_rows_per_s",
        per_second(texts.len(), plain),
        "reading the same text in clear from a SQLite table, nothing else",
    );
    Ok(report)
}

async fn first_recall(fixture: &Fixture) -> Result<Duration> {
    let question = Question {
        query: "the first question after a start".into(),
        items: 10,
        tokens: 4_000,
        as_of: None,
        project: None,
        kinds: Vec::new(),
        hints: Vec::new(),
        deadline_ms: 600_000,
    };
    let one = Measure::start();
    fixture
        .app
        .recall(fixture.may::<rights::MemoryRead>()?, question)
        .await?;
    Ok(one.wall())
}

fn plain(texts: &[String]) -> Result<Duration> {
    let connection = Connection::open_in_memory()?;
    connection.execute_batch("CREATE TABLE memory (id INTEGER PRIMARY KEY, body TEXT NOT NULL)")?;
    {
        let mut insert = connection.prepare("INSERT INTO memory (body) VALUES (?1)")?;
        for text in texts {
            insert.execute([text])?;
        }
    }
    let one = Measure::start();
    let mut select = connection.prepare("SELECT id, body FROM memory ORDER BY id")?;
    let mut bytes = 0;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        bytes += row.get_ref(1)?.as_str()?.len();
    }
    std::hint::black_box(bytes);
    Ok(one.wall())
}
