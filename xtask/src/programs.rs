//! `programs`: what tests need beside ours, installed from Debian before they start, so that no test
//! waits for that.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// Programs and the packages that have them.
const NEEDED: [(&str, &str); 2] = [("redis-server", "redis-server"), ("nginx", "nginx-light")];
/// Where Debian puts programs.
const PLACES: [&str; 4] = ["/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin"];

/// Installs what is missing.
///
/// # Errors
/// When something is missing and cannot be installed, with the line to run by hand.
pub(crate) fn run() -> Result<()> {
    let missing: Vec<&str> = NEEDED
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
