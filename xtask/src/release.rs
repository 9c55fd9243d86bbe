//! Release builds of the project's own programs, and where they land.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// Builds packages in release and gives the directory of their programs.
pub(crate) fn build(packages: &[&str]) -> Result<PathBuf> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--release", "--locked"]);
    for package in packages {
        cargo.args(["--package", package]);
    }
    let status = cargo.status().context("running cargo")?;
    ensure!(status.success(), "the release build failed: see above");
    Ok(target()?.join("release"))
}

fn target() -> Result<PathBuf> {
    let metadata = cargo_metadata::MetadataCommand::new()
        .no_deps()
        .exec()
        .context("reading cargo metadata")?;
    Ok(metadata.target_directory.into_std_path_buf())
}
