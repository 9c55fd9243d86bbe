//! `deny`: licences, banned crates and sources, by the rules of `deny.toml`.
//!
//! The file is cargo-deny's, and where that is installed it runs too. The rules are read here as
//! well, because a machine with nothing but Rust must be able to check what it builds.

mod rules;
#[cfg(test)]
mod tests;

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::graph::Graph;
use crate::problem::conclude;
use crate::tree;
use rules::Rules;

/// Checks the whole lock file, tests' dependencies included.
///
/// # Errors
/// When a package breaks a rule, or the rules cannot be read.
pub(crate) fn run() -> Result<()> {
    let root = tree::root()?;
    let text = fs::read_to_string(root.join("deny.toml")).context("deny.toml")?;
    let rules = Rules::read(&text)?;
    let graph = Graph::load(&root)?;
    let packages = graph.packages.len();
    conclude(
        &rules.check(&graph),
        &format!("deny: {packages} packages, licences, bans and sources hold"),
    )?;
    cargo_deny(&root)
}

fn cargo_deny(root: &Path) -> Result<()> {
    if !tree::quiet_success("cargo-deny", &["--version"]) {
        println!("deny: cargo-deny is not installed, so its own reading is left out");
        return Ok(());
    }
    let status = Command::new("cargo-deny")
        .args(["check", "bans", "licenses", "sources"])
        .current_dir(root)
        .status()
        .context("cargo deny")?;
    ensure!(status.success(), "cargo deny check bans licenses sources");
    Ok(())
}
