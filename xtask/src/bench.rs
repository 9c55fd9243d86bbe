//! `bench` and `crash`: the measuring program in release, with real text from the sources that the
//! project is built of.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::release;

/// Runs one benchmark; everything after its name is passed on.
pub(crate) fn run(name: &str, rest: &[String]) -> Result<()> {
    if name == "wire" {
        return wire(rest);
    }
    if name == "ledger" {
        return ledger(rest);
    }
    let needed: &[&str] = match name {
        "import" | "hooks" => &["skep-bench", "skep-cli", "skep-daemon"],
        "nodes" | "gateway" => &["skep-bench", "skep-daemon"],
        _ => &["skep-bench"],
    };
    let programs = release::build(needed)?;
    let mut command = Command::new(programs.join("skep-bench"));
    command.arg(name).args(rest);
    if needed.contains(&"skep-cli") {
        command.arg("--skep").arg(programs.join("skep"));
    }
    if needed.contains(&"skep-daemon") {
        command.arg("--skepd").arg(programs.join("skepd"));
    }
    for directory in sources()? {
        command.arg("--corpus").arg(directory);
    }
    finish(command)
}

/// What the proxy adds to a request. It needs the origin of the proxy's own tests, so it is one of them.
fn wire(rest: &[String]) -> Result<()> {
    ensure!(rest.is_empty(), "this benchmark takes no arguments");
    let mut command = Command::new(env!("CARGO"));
    command
        .args(["test", "--release", "--locked", "--package", "skep-wire"])
        .args(["--test", "it", "--"])
        .args(["--ignored", "--exact", "bench::wire", "--nocapture"]);
    finish(command)
}

/// What an entry costs within a transaction, and how fast an export is verified: tests of the two crates that do it.
fn ledger(rest: &[String]) -> Result<()> {
    ensure!(rest.is_empty(), "this benchmark takes no arguments");
    for (package, test) in [
        ("skep-ledger", "bench::verifying"),
        ("skep-store-sqlite", "bench::appending"),
    ] {
        let mut command = Command::new(env!("CARGO"));
        command
            .args(["test", "--release", "--locked", "--package", package])
            .args(["--test", "it", "--"])
            .args(["--ignored", "--exact", test, "--nocapture"]);
        finish(command)?;
    }
    Ok(())
}

/// Kills the daemon over and over while it writes.
pub(crate) fn crash(rest: &[String]) -> Result<()> {
    let programs = release::build(&["skep-bench", "skep-daemon"])?;
    let mut command = Command::new(programs.join("skep-bench"));
    command
        .arg("crash")
        .arg("--skepd")
        .arg(programs.join("skepd"))
        .args(rest);
    finish(command)
}

fn finish(mut command: Command) -> Result<()> {
    let status = command.status().context("running skep-bench")?;
    ensure!(status.success(), "the benchmark failed: see above");
    Ok(())
}

/// Directories of the dependencies' sources, which `cargo build` has fetched.
fn sources() -> Result<Vec<PathBuf>> {
    let metadata = cargo_metadata::MetadataCommand::new()
        .exec()
        .context("reading cargo metadata")?;
    let outside = metadata
        .packages
        .into_iter()
        .filter(|package| package.source.is_some());
    let mut directories: Vec<PathBuf> = outside
        .filter_map(|package| {
            package
                .manifest_path
                .parent()
                .map(|parent| parent.to_owned().into_std_path_buf())
        })
        .collect();
    directories.sort();
    Ok(directories)
}
