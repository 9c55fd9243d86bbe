//! The checkout: its root, its files, and commands run in it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

/// The root of the checkout this program was built from.
///
/// # Errors
/// When the program was moved away from it.
pub(crate) fn root() -> Result<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .context("xtask stands in a folder of the workspace")?;
    ensure!(
        root.join("Cargo.lock").is_file(),
        "the checkout was moved: run `cargo clean -p xtask`, then again"
    );
    Ok(root.to_path_buf())
}

/// Files of the checkout as git sees them, with `/` in their paths: tracked, and new ones that
/// are not ignored. Files deleted but not yet committed are left out.
///
/// # Errors
/// When git is missing or this is no checkout.
pub(crate) fn files(root: &Path) -> Result<Vec<String>> {
    let listed = Command::new("git")
        .args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .current_dir(root)
        .output()
        .context("git is needed to list the files: install git")?;
    if !listed.status.success() {
        bail!(
            "git ls-files: {}",
            String::from_utf8_lossy(&listed.stderr).trim()
        );
    }
    let mut paths: Vec<String> = String::from_utf8(listed.stdout)
        .context("a path is not UTF-8")?
        .split('\0')
        .filter(|path| !path.is_empty() && root.join(path).is_file())
        .map(str::to_owned)
        .collect();
    paths.sort();
    paths.dedup();
    Ok(paths)
}

/// Whether a command runs and succeeds; its output is of no interest.
pub(crate) fn quiet_success(program: &str, arguments: &[&str]) -> bool {
    Command::new(program)
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
