//! `programs`: what tests need beside ours, installed from Debian before they start, so that no test
//! waits for that.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

/// Programs and the packages that have them.
const NEEDED: [(&str, &str); 2] = [("redis-server", "redis-server"), ("nginx", "nginx-light")];
/// Where Debian puts programs.
const PLACES: [&str; 4] = ["/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin"];

/// What `browser` needs beside that.
const BROWSER: [(&str, &str); 1] = [("chromium", "chromium")];

/// Installs what is missing.
///
/// # Errors
/// When something is missing and cannot be installed, with the line to run by hand.
pub(crate) fn run() -> Result<()> {
    install(&NEEDED)
}

/// Installs a browser, and runs the tests that need one.
///
/// # Errors
/// When it cannot be installed, or a test is red.
pub(crate) fn browser() -> Result<()> {
    install(&BROWSER)?;
    let status = Command::new("cargo")
        .args(["nextest", "run", "--locked", "--package", "skep-http"])
        .args(["--run-ignored", "only", "--filterset", "test(/^browser::/)"])
        .status()
        .context("cargo-nextest is needed: cargo install cargo-nextest --locked")?;
    ensure!(status.success(), "a test is red: see above");
    Ok(())
}

fn install(programs: &[(&str, &'static str)]) -> Result<()> {
    let missing: Vec<&str> = programs
        .iter()
        .filter(|(program, _)| !is_installed(program))
        .map(|(_, package)| *package)
        .collect();
    if missing.is_empty() {
        println!("programs: everything that tests need is installed");
        return Ok(());
    }
    println!("programs: installing {}", missing.join(" "));
    let install = || {
        apt(&[
            &["install", "-y", "--no-install-recommends"],
            missing.as_slice(),
        ]
        .concat())
    };
    if !install()? {
        apt(&["update"])?;
        if !install()? {
            bail!(
                "tests need it: run `apt-get install {}` as root",
                missing.join(" ")
            );
        }
    }
    Ok(())
}

fn is_installed(program: &str) -> bool {
    PLACES
        .iter()
        .any(|place| Path::new(place).join(program).exists())
}

fn apt(arguments: &[&str]) -> Result<bool> {
    let status = Command::new("apt-get")
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .context("apt-get is not here: install what is missing in your system's way")?;
    Ok(status.success())
}
