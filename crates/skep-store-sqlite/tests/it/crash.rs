//! kill -9 at random instants, and disks that fail.
//!
//! The parent runs this very test binary as its child, kills it at an instant that follows from a
//! printed seed, opens the directory and checks what is there, twenty times over.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use skep_conformance::{World, crash};
use skep_crypto::{Random, SeededRandom, SystemRandom};

use super::Sqlite;

const DIRECTORY: &str = "SKEP_TEST_CRASH_DIRECTORY";
const OPENED: &str = "SKEP_TEST_CRASH_OPENED";
const FIRST: &str = "SKEP_TEST_CRASH_FIRST";
const BATCHES: &str = "SKEP_TEST_CRASH_BATCHES";
const SEED: u64 = 5;
const KILLS: u64 = 20;

#[expect(
    clippy::disallowed_methods,
    reason = "how the parent of this test tells its child what to do"
)]
fn told(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

#[tokio::test]
#[ignore = "the child of the other tests here"]
async fn child() {
    let Some(directory) = told(DIRECTORY) else {
        return;
    };
    let opened = told(OPENED).unwrap().parse().unwrap();
    let first = told(FIRST).unwrap().parse().unwrap();
    let world = World::join(Sqlite::at(directory), SEED, opened).await;
    let batches = told(BATCHES).map_or(u64::MAX - first, |text| text.parse().unwrap());
    println!("ready");
    crash::write_batches(&world, first, batches, |number| {
        println!("ack {number}");
    })
    .await;
}

/// The command line that runs this binary as the child, after whatever `program` puts before it.
fn child_of(mut program: Command, directory: &Path, opened: u64, first: u64) -> Command {
    program
        .args(["--exact", "crash::child", "--ignored", "--nocapture"])
        .env(DIRECTORY, directory)
        .env(OPENED, opened.to_string())
        .env(FIRST, first.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    program
}

/// The number after the last batch that these lines acknowledge.
fn acknowledged(lines: impl Iterator<Item = String>, first: u64) -> u64 {
    lines
        .filter_map(|line| line.strip_prefix("ack ")?.parse().ok())
        .last()
        .map_or(first, |last: u64| last + 1)
}

/// Runs a child, kills it some time after some batches, and returns the number after the last that
/// was acknowledged by then.
fn kill_one(directory: &Path, opened: u64, first: u64, instant: (usize, Duration)) -> u64 {
    let this = Command::new(std::env::current_exe().unwrap());
    let mut child = child_of(this, directory, opened, first).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok);
    assert!(lines.any(|line| line == "ready"), "the child did not start");
    let mut seen: Vec<String> = lines.by_ref().take(instant.0).collect();
    // The one wait of these tests: an instant has to pass before it is over.
    std::thread::park_timeout(instant.1);
    child.kill().unwrap();
    child.wait().unwrap();
    seen.extend(lines);
    acknowledged(seen.into_iter(), first)
}

#[tokio::test]
async fn f05_kill_at_random_instants_loses_nothing_acknowledged() {
    let drawn: &dyn Random = &SystemRandom;
    let seed = u64::from_le_bytes(drawn.array());
    println!("seed {seed}");
    let seeded = SeededRandom::new(seed);
    let instants: &dyn Random = &seeded;

    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("data");
    drop(World::create(Sqlite::at(&path), SEED).await);
    let (mut next, mut least) = (0, 0);
    for kill in 1..=KILLS {
        let batches = usize::from(instants.array::<1>()[0] % 5);
        let micros = u64::from(u16::from_le_bytes(instants.array())) % 20_000;
        let instant = (batches, Duration::from_micros(micros));
        let acknowledged = kill_one(&path, kill * 2, next, instant);
        let world = World::join(Sqlite::at(&path), SEED, kill * 2 + 1).await;
        next = crash::check(&world, acknowledged).await;
        least += batches as u64;
    }
    println!("{next} batches");
    assert!(next >= least.max(1), "the children came to nothing");
}

/// Every fsync and every write of a child fails in its turn, once or from then on: what was
/// acknowledged is there afterwards, and nothing in part.
#[tokio::test]
#[ignore = "needs strace"]
async fn f04_a_disk_that_fails_loses_nothing_acknowledged() {
    let scratch = tempfile::tempdir().unwrap();
    let faults = [
        ("fsync:error=EIO", ""),
        ("fsync:error=EIO", "+"),
        ("pwrite64:error=EIO", ""),
        ("pwrite64:error=ENOSPC", "+"),
    ];
    for (number, (fault, repeat)) in faults.into_iter().enumerate() {
        for ordinal in 1..16 {
            let path = scratch.path().join(format!("{number}-{ordinal}"));
            drop(World::create(Sqlite::at(&path), SEED).await);
            let inject = format!("inject={fault}:when={ordinal}{repeat}");
            let mut strace = Command::new("strace");
            strace.args(["-f", "-o", "/dev/null", "-e", &inject]);
            strace.arg(std::env::current_exe().unwrap());
            let child = child_of(strace, &path, 2, 0).env(BATCHES, "40").output();
            let text = String::from_utf8(child.unwrap().stdout).unwrap();
            let acknowledged = acknowledged(text.lines().map(str::to_owned), 0);
            let world = World::join(Sqlite::at(&path), SEED, 3).await;
            let next = crash::check(&world, acknowledged).await;
            println!("{inject}: {acknowledged} acknowledged, {next} there");
        }
    }
}
