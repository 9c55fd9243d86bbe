//! The daemon as a service, under a service manager of its own; and what setup does where it cannot start one.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::ci::built::{Built, absent, said};

/// A namespace of its own for mounts and processes, where that is allowed.
const APART: [&str; 4] = ["--mount", "--pid", "--fork", "--mount-proc"];
const SYSTEMD: &str = "/lib/systemd/systemd";

/// The unit, started by a real systemd; says so if there can be none.
pub(super) fn systemd(built: &Built) -> Result<String> {
    let mut probe = Command::new("unshare");
    let can = Path::new(SYSTEMD).exists()
        && rights(
            probe
                .args(APART)
                .args(["mount", "-t", "cgroup2", "none", "/sys/fs/cgroup"]),
        );
    if !can {
        return Ok("the service was not tried: that needs root and systemd".into());
    }
    let place = std::env::temp_dir().join(format!("skep-service-{}", std::process::id()));
    absent(&place)?;
    fs::create_dir_all(&place)?;
    let mut script = Command::new("unshare");
    script
        .args(APART)
        .args(["sh", "-e"])
        .arg(built.root.join("xtask/harnesses/service.sh"))
        .arg(built.programs.join("skep"))
        .arg(&place);
    let said = said(&mut script)?;
    absent(&place)?;
    let last = said.lines().last().unwrap_or_default();
    Ok(last.trim_start_matches("service: ").to_owned())
}

fn rights(probe: &mut Command) -> bool {
    probe.output().is_ok_and(|out| out.status.success())
}

/// Somebody else has the port: setup says which and what to do, and writes into no configuration.
pub(super) fn port(built: &Built) -> Result<String> {
    let foreign = TcpListener::bind("127.0.0.1:0")?;
    let address = foreign.local_addr()?.to_string();
    let place = std::env::temp_dir().join(format!("skep-port-{}", std::process::id()));
    absent(&place)?;
    let theirs = place.join(".codex/hooks.json");
    fs::create_dir_all(place.join(".codex"))?;
    fs::write(&theirs, "{}\n")?;
    let setup = |tcp: &str| {
        let mut setup = Command::new(built.programs.join("skep"));
        setup
            .args(["setup", "--yes", "--no-service", "--harness", "codex"])
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", &place)
            .env("SKEP_SERVER__TCP", tcp);
        setup
    };
    let out = setup(&address).output().context("running skep")?;
    let told = String::from_utf8_lossy(&out.stderr).into_owned();
    ensure!(
        out.status.code() == Some(1),
        "it ended with {}: {told}",
        out.status
    );
    for word in [address.as_str(), "server.tcp"] {
        ensure!(told.contains(word), "it does not say {word:?}: {told}");
    }
    ensure!(
        fs::read_to_string(&theirs)? == "{}\n",
        "it wrote all the same"
    );
    ensure!(
        !place.join(".skep/setup.json").exists(),
        "it noted what it did not do"
    );
    // And nothing is in the way of doing it right.
    said(&mut setup("off"))?;
    ensure!(
        fs::read_to_string(&theirs)?.contains("skep"),
        "it wrote nothing"
    );
    let mut stop = Command::new(built.programs.join("skep"));
    said(
        stop.args(["--local", "--quiet", "stop"])
            .env("HOME", &place)
            .env_remove("SKEP_HOME"),
    )?;
    absent(&place)?;
    Ok("setup names a port that somebody else has, and writes nothing".into())
}
