//! A program run in the sandbox beside the same program started plainly, and redaction of a full
//! output.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Args;
use skep_crypto::{Plain, Random, SystemRandom};
use skep_exec::{Captured, Demand, Draft, Egress, Exit, Redactor, Runner, Secret, Stream};
use skep_test_support::Scratch;

use crate::measure::{Measure, percentile_ms};
use crate::report::Report;

/// How often.
#[derive(Debug, Args)]
pub(crate) struct Asked {
    /// Runs of each kind, one of each after the other
    #[arg(long, default_value_t = 300)]
    runs: usize,
    /// Times that a full output is redacted
    #[arg(long, default_value_t = 5)]
    rounds: usize,
}

/// Runs of each kind before anything is measured.
const WARMING: usize = 10;
const PROGRAM: &str = "/bin/true";
const SECRETS: usize = 64;
const OUTPUT: usize = 1 << 20;

/// This program is its own launcher: it is about as large as the daemon, and linked alike.
pub(crate) async fn run(asked: &Asked, texts: &[String]) -> Result<Report> {
    let scratch = Scratch::new();
    let runner = Runner::new(scratch.path().join("jobs"), Vec::<&str>::new())?;
    let (mut plain, mut walled) = (Vec::new(), Vec::new());
    for number in 0..WARMING + asked.runs {
        let (one, other) = (plainly(number).await?, within(&runner, number).await?);
        if number >= WARMING {
            plain.push(one);
            walled.push(other);
        }
    }
    let mut over: Vec<Duration> = plain
        .iter()
        .zip(&walled)
        .map(|(plain, walled)| walled.saturating_sub(*plain))
        .collect();
    let mut report = Report::new(format!("{} runs of {PROGRAM}, with a secret", asked.runs));
    let p50 = percentile_ms(&mut plain, 0.5);
    report.row(
        "exec.plain_p50_ms",
        p50,
        "started and waited for, its output taken",
    );
    report.row(
        "exec.run_p50_ms",
        percentile_ms(&mut walled, 0.5),
        "every layer that this machine has",
    );
    report.row("exec.run_p99_ms", percentile_ms(&mut walled, 0.99), "");
    report.row(
        "exec.overhead_p50_ms",
        percentile_ms(&mut over, 0.5),
        "of each run over the plain one before it; aim: 15",
    );
    redaction(asked, texts, &mut report)?;
    Ok(report)
}

fn value(number: usize) -> Plain<Vec<u8>> {
    let random: &dyn Random = &SystemRandom;
    let bytes = random.array::<20>();
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    let text = digits.map(|digit| b"ghjkmnpqrstvwxyz"[usize::from(digit)]);
    Plain::new(text.chain(number.to_string().bytes()).collect())
}

async fn plainly(number: usize) -> Result<Duration> {
    let value = value(number);
    let measure = Measure::start();
    let output = tokio::process::Command::new(PROGRAM)
        .env_clear()
        .env("TOKEN", std::str::from_utf8(value.expose())?)
        .stdin(Stdio::null())
        .output()
        .await?;
    ensure!(output.status.success(), "{PROGRAM} failed");
    Ok(measure.wall())
}

async fn within(runner: &Runner, number: usize) -> Result<Duration> {
    let value = value(number);
    let measure = Measure::start();
    let plan = Draft::new(PROGRAM, Egress::None, Demand::usual())
        .env_secret("TOKEN", Secret::new("token", value))
        .plan()?;
    let outcome = runner.run(plan, std::future::pending()).await?;
    ensure!(outcome.exit == Exit::Code(0), "{:?}", outcome.exit);
    Ok(measure.wall())
}

fn redaction(asked: &Asked, texts: &[String], report: &mut Report) -> Result<()> {
    let values: Vec<Plain<Vec<u8>>> = (0..SECRETS).map(value).collect();
    let named = values
        .iter()
        .map(|value| ("secret", value.expose().as_slice()));
    let redactor = Redactor::new(named);
    let mut text = texts.join("\n").into_bytes();
    ensure!(text.len() >= OUTPUT, "too little text: add --corpus");
    text.truncate(OUTPUT);
    let dense = b"QUJDREVGR0hJSktM".repeat(OUTPUT / 16);
    for (key, text, note) in [
        (
            "exec.redact_mib_ms",
            &text,
            "1 MiB of real text, 64 secrets",
        ),
        (
            "exec.redact_base64_mib_ms",
            &dense,
            "1 MiB of base64 without an end, 64 secrets",
        ),
    ] {
        let mut times = Vec::new();
        for _ in 0..asked.rounds {
            let mut captured = Captured::new();
            captured.push(Stream::Out, text);
            let measure = Measure::start();
            let redacted = redactor.redact(&captured, OUTPUT);
            times.push(measure.wall());
            ensure!(
                redacted.found.is_empty(),
                "something was found where nothing is"
            );
        }
        let least = times.iter().min().context("no rounds")?;
        report.row(key, least.as_secs_f64() * 1e3, note);
    }
    Ok(())
}
