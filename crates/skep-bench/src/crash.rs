//! Kill -9 at random instants: every acknowledged write is there afterwards, none is half there,
//! and the daemon is back soon.

mod daemon;
mod deeds;
mod ledger;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use skep_crypto::{Random, SeededRandom};
use skep_test_support::Scratch;

use crate::measure::percentile_ms;
use crate::report::Report;
pub(crate) use daemon::Daemon;
use ledger::{Checked, Ledger};

/// A restart that takes longer is a failure.
const RESTART: Duration = Duration::from_secs(2);

/// Kills a daemon over and over while it writes, each within `life` milliseconds, and looks what is
/// left each time.
pub(crate) async fn run(skepd: PathBuf, kills: usize, (seed, life): (u64, u64)) -> Result<Report> {
    let home = Scratch::new();
    let random = SeededRandom::new(seed);
    let mut ledger = Ledger::default();
    let mut restarts = Vec::new();
    for kill in 0..kills {
        let (mut daemon, took) = Daemon::start(&skepd, home.path()).await?;
        // The first start also makes the installation.
        if kill > 0 {
            ensure!(
                took <= RESTART,
                "restart {kill} took {took:?} (seed {seed})"
            );
            restarts.push(took);
        }
        if let Err(lost) = ledger.check_last(&mut daemon.client().await?).await {
            bail!("after kill {kill} (seed {seed}): {lost}");
        }
        let lives = Duration::from_micros(
            u64::from_le_bytes((&random as &dyn Random).array()) % (life.max(1) * 1_000),
        );
        let mut client = daemon.client().await?;
        // The writer is cut off in the middle of whatever it is doing; so is the daemon.
        let _ = tokio::time::timeout(lives, ledger.write(&mut client)).await;
        daemon.kill().await?;
    }
    let (daemon, took) = Daemon::start(&skepd, home.path()).await?;
    restarts.push(took);
    let mut client = daemon.client().await?;
    ledger.check_last(&mut client).await?;
    let checked = ledger.check_all(&mut client).await?;

    Ok(tell(kills, seed, &checked, &mut restarts))
}

fn tell(kills: usize, seed: u64, checked: &Checked, restarts: &mut [Duration]) -> Report {
    let mut report = Report::new(format!("{kills} kills at random instants, seed {seed}"));
    report.row(
        "kills",
        kills as f64,
        "SIGKILL while batches, cursors and single memories are written",
    );
    report.row(
        "acknowledged_turns",
        checked.turns as f64,
        "every one was found again",
    );
    report.row(
        "acknowledged_memories",
        checked.memories as f64,
        "every one was found again",
    );
    report.row(
        "unacknowledged_whole",
        checked.whole as f64,
        "batches in flight at a kill that were there whole",
    );
    let held = &checked.held;
    let rows = [
        (
            "counted_turns",
            held.received,
            "counters equal what was answered",
        ),
        (
            "observations",
            held.observations,
            "under the consent that stands",
        ),
        (
            "injections",
            held.injections,
            "each with its record, to the byte",
        ),
        (
            "erased",
            held.erased,
            "memories and sessions; none was found again",
        ),
    ];
    for (key, count, note) in rows {
        report.row(key, count as f64, note);
    }
    report.row("unacknowledged_half", 0.0, "one half there ends the run");
    report.row(
        "restart_p50_ms",
        percentile_ms(restarts, 0.5),
        "from spawn to the first answer",
    );
    report.row("restart_max_ms", percentile_ms(restarts, 1.0), "bound 2000");
    report
}
