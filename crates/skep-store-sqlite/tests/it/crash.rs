//! kill -9 at random instants.
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
#[ignore = "the child of f05_kill_at_random_instants"]
async fn child() {
    let Some(directory) = told(DIRECTORY) else {
        return;
    };
    let opened = told(OPENED).unwrap().parse().unwrap();
    let first = told(FIRST).unwrap().parse().unwrap();
    let world = World::join(Sqlite::at(directory), SEED, opened).await;
    println!("ready");
    crash::write_batches(&world, first, u64::MAX - first, |number| {
        println!("ack {number}");
    })
    .await;
}

/// Runs a child, kills it after `delay`, and returns how many batches were acknowledged by then.
fn kill_one(directory: &Path, opened: u64, first: u64, delay: Duration) -> u64 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crash::child", "--ignored", "--nocapture"])
        .env(DIRECTORY, directory)
        .env(OPENED, opened.to_string())
        .env(FIRST, first.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let ready = lines.find(|line| line.as_ref().is_ok_and(|line| line.ends_with("ready")));
    assert!(ready.is_some(), "the child did not start");
    // The one wait of these tests: an instant has to pass before it is over.
    std::thread::park_timeout(delay);
    child.kill().unwrap();
    child.wait().unwrap();
    let acknowledged = lines.filter_map(|line| line.ok()?.strip_prefix("ack ")?.parse().ok());
    acknowledged.last().map_or(first, |last: u64| last + 1)
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
    let mut next = 0;
    for kill in 1..=KILLS {
        let delay = u64::from(u16::from_le_bytes(instants.array())) % 150_000;
        let acknowledged = kill_one(&path, kill * 2, next, Duration::from_micros(delay));
        let world = World::join(Sqlite::at(&path), SEED, kill * 2 + 1).await;
        next = crash::check(&world, acknowledged).await;
    }
    println!("{next} batches");
    assert!(next >= KILLS, "the children came to nothing");
}
