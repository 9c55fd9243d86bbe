//! The daemon is killed under its hooks: each ends in peace and in time, and what it said is there once,
//! as soon as there is a daemon again.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};
use skep_client::{Client, Endpoint, Home, daemon};

use super::harness::{Harness, exactly, kept};
use crate::measure::Measure;

/// Longer than any start.
const PATIENCE: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(5);
/// Of each death: the first one starts a daemon, the other finds none that answers yet.
const EVENTS: usize = 2;

/// What came of it.
pub(super) struct Died {
    pub(super) took: Vec<Duration>,
    pub(super) events: usize,
}

/// Begins without a daemon and ends without one.
pub(super) async fn run(harness: &Harness, home: &Path, kills: usize) -> Result<Died> {
    let home = Home::new(home)?;
    let texts = ["Tide reports go out at six.".to_owned()];
    let mut took = Vec::new();
    for _ in 0..kills {
        // Within ten seconds nobody tries to start it again: here each death is one of its own.
        let _absent = std::fs::remove_file(home.path().join("skepd.wake"));
        for _ in 0..EVENTS {
            took.push(harness.tool("dead", took.len(), &texts)?);
        }
        until("a hook starts no daemon", || daemon::is_ready(&home)).await?;
        harness.start("dead")?;
        kill(&home).await?;
    }
    let _absent = std::fs::remove_file(home.path().join("skepd.wake"));
    harness.start("dead")?;
    until("a hook starts no daemon", || daemon::is_ready(&home)).await?;
    harness.start("dead")?;
    let mut client = Client::connect(&Endpoint::socket(&home)).await?;
    let events = took.len();
    let there = kept(&mut client, "dead").await;
    kill(&home).await?;
    exactly(&there?, "toolu_", events)?;
    Ok(Died { took, events })
}

/// SIGKILL to whatever a hook started; waits until its lock is free.
async fn kill(home: &Home) -> Result<()> {
    let text = std::fs::read_to_string(home.pid_file()).context("no process id on file")?;
    let pid = text.trim().parse().ok().and_then(Pid::from_raw);
    kill_process(pid.context("no process id")?, Signal::KILL)?;
    until("it lives", async || {
        !daemon::is_running(home).unwrap_or(true)
    })
    .await
}

async fn until<F: Future<Output = bool>>(
    problem: &str,
    mut holds: impl FnMut() -> F,
) -> Result<()> {
    let begun = Measure::start();
    while !holds().await {
        ensure!(begun.wall() < PATIENCE, "{problem} within {PATIENCE:?}");
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}
