//! `skep hook` as a harness runs it: the whole process in front of a real daemon, beside processes that
//! do nothing.

mod dead;
mod harness;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Args;
use skep_api::memory::RememberRequest;
use skep_client::{Client, Home};
use skep_test_support::Scratch;

use crate::crash::Daemon;
use crate::measure::{Measure, percentile_ms};
use crate::report::Report;
use dead::Died;
use harness::Harness;

/// How often each is tried, and with what.
#[derive(Debug, Args)]
pub(crate) struct Asked {
    /// Memories in the store
    #[arg(long, default_value_t = 3_000)]
    pub(crate) memories: usize,
    /// Rounds; a median is the middle round's
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Processes of each kind in a round, one kind after the other
    #[arg(long, default_value_t = 100)]
    calls: usize,
    /// Times that the daemon is killed
    #[arg(long, default_value_t = 15)]
    kills: usize,
    /// The client's program
    #[arg(long)]
    skep: PathBuf,
    /// The daemon's program
    #[arg(long)]
    skepd: PathBuf,
}

/// Prompts before anything is measured.
const WARMING: usize = 20;
/// Vectors are made after a memory was written.
const EMBEDDING: Duration = Duration::from_mins(10);
const LOOK: Duration = Duration::from_millis(100);
/// What a daemon that a hook started has to know as well. The store is filled faster than anybody types.
const SETTINGS: &str =
    "[server]\ntcp = \"off\"\n[capture]\nunbound = \"capture\"\n[limits]\nenabled = false\n";

/// How long each round's processes took, a list for each round.
#[derive(Default)]
struct Times(Vec<Vec<Duration>>);

/// What was measured while the daemon was there.
#[derive(Default)]
struct Found {
    bare: Times,
    version: Times,
    capture: Times,
    prompt: Times,
    prompts: usize,
    answered: usize,
}

/// Fills a store, calls hooks in turn with the baselines, then kills the daemon under them.
pub(crate) async fn run(asked: &Asked, texts: &[String]) -> Result<Report> {
    let scratch = Scratch::new();
    let home = scratch.path().join("home");
    Home::new(&home)?.create()?;
    std::fs::write(home.join("skep.toml"), SETTINGS)?;
    let (mut daemon, _) = Daemon::start(&asked.skepd, &home).await?;
    fill(&mut daemon.client().await?, &texts[..asked.memories]).await?;
    let harness = Harness::new(&asked.skep, &home, scratch.path());
    for number in 0..WARMING {
        harness.prompt(number, texts)?;
    }
    let mut found = Found::default();
    for round in 0..asked.rounds {
        found.round(&harness, texts, (round, asked.calls))?;
    }
    harness.end("calls")?;
    let kept = harness::kept(&mut daemon.client().await?, "calls").await?;
    harness::exactly(&kept, "toolu_", asked.rounds * asked.calls)?;
    daemon.kill().await?;
    let died = dead::run(&harness, &home, asked.kills).await?;
    Ok(found.tell(asked, died))
}

async fn fill(client: &mut Client, texts: &[String]) -> Result<()> {
    for text in texts {
        let request = RememberRequest {
            text: text.clone(),
            ..RememberRequest::default()
        };
        client.remember(&request).await.context("remembering")?;
    }
    let waiting = Measure::start();
    while client.health().await?.workspace.awaiting_vector > 0 {
        ensure!(waiting.wall() < EMBEDDING, "the vectors are not made");
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}

impl Found {
    /// One of each kind after the other, so that whatever else the machine does meets all of them.
    fn round(
        &mut self,
        harness: &Harness,
        texts: &[String],
        (round, calls): (usize, usize),
    ) -> Result<()> {
        let all = [
            &mut self.bare,
            &mut self.version,
            &mut self.capture,
            &mut self.prompt,
        ];
        for times in all {
            times.0.push(Vec::with_capacity(calls));
        }
        for call in 0..calls {
            let number = round * calls + call;
            self.bare.put(harness.bare(Path::new("true"), &[])?);
            self.version.put(harness.version()?);
            self.capture.put(harness.tool("calls", number, texts)?);
            let (took, is_answered) = harness.prompt(WARMING + number, texts)?;
            self.prompt.put(took);
            self.prompts += 1;
            self.answered += usize::from(is_answered);
        }
        Ok(())
    }

    fn tell(self, asked: &Asked, mut died: Died) -> Report {
        let mut report = Report::new(format!(
            "`skep hook`, whole processes, {} memories",
            asked.memories
        ));
        let share = self.answered as f64 / self.prompts.max(1) as f64;
        self.capture
            .tell(&mut report, "capture", "a tool's result; aim 8");
        let last = report_p99(self.capture);
        report.row("capture.p99_ms", last, "aim 50");
        self.prompt.tell(&mut report, "prompt", "a prompt; aim 25");
        let last = report_p99(self.prompt);
        report.row("prompt.p99_ms", last, "aim 150");
        report.row("prompt.answered_ratio", share, "of them got memories");
        let note = format!("{} events, each kept once afterwards", died.events);
        report.row("dead.p50_ms", percentile_ms(&mut died.took, 0.5), note);
        let note = "without a daemon, the first starts one; aim 60";
        report.row("dead.max_ms", percentile_ms(&mut died.took, 1.0), note);
        self.version
            .tell(&mut report, "version", "`skep --version`");
        self.bare.tell(&mut report, "true", "a bare process");
        report
    }
}

impl Times {
    fn put(&mut self, took: Duration) {
        if let Some(round) = self.0.last_mut() {
            round.push(took);
        }
    }

    /// The middle round's median, and in the note the fastest and the slowest round's.
    fn tell(&self, report: &mut Report, name: &str, about: &str) {
        let rounds = self.0.iter().cloned();
        let mut medians: Vec<f64> = rounds
            .map(|mut round| percentile_ms(&mut round, 0.5))
            .collect();
        medians.sort_by(f64::total_cmp);
        let at = |share: f64| {
            let place = (medians.len().saturating_sub(1) as f64 * share).round() as usize;
            medians.get(place).copied().unwrap_or_default()
        };
        let note = format!("{about}; rounds {:.2} to {:.2}", at(0.0), at(1.0));
        report.row(&format!("{name}.p50_ms"), at(0.5), note);
    }
}

fn report_p99(times: Times) -> f64 {
    let mut all: Vec<Duration> = times.0.into_iter().flatten().collect();
    percentile_ms(&mut all, 0.99)
}
