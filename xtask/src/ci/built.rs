//! The programs of the project, built for debugging, and what others publish, kept from run to run.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// Names a folder of programs that are built already.
pub(super) const PROGRAMS: &str = "SKEP_PROGRAMS";
/// That of `skep-client`, beside the programs.
pub(super) const RUST: &str = "examples/quickstart";
const NEEDED: [&str; 3] = ["skep", "skepd", RUST];

/// Where things are.
pub(super) struct Built {
    pub(super) root: PathBuf,
    /// `skep` and `skepd`, in debug.
    pub(super) programs: PathBuf,
    /// The folder of this program.
    own: PathBuf,
}

impl Built {
    /// Builds the programs, unless it is said where they are.
    pub(super) fn ready(root: &Path) -> Result<Self> {
        if let Some(programs) = std::env::var_os(PROGRAMS) {
            return Self::at(root, fs::canonicalize(&programs).context(PROGRAMS)?);
        }
        build(root)?;
        Self::at(root, beside()?)
    }

    /// The programs that the tests before have built.
    pub(super) fn beside(root: &Path) -> Result<Self> {
        let programs = beside()?;
        if NEEDED.iter().any(|name| !programs.join(name).exists()) {
            build(root)?;
        }
        Self::at(root, programs)
    }

    fn at(root: &Path, programs: PathBuf) -> Result<Self> {
        for name in NEEDED {
            ensure!(programs.join(name).exists(), "{name} is not built");
        }
        Ok(Self {
            root: root.to_owned(),
            programs,
            own: beside()?,
        })
    }

    /// What was installed for this part, to be found again.
    pub(super) fn kept(&self, part: &str) -> PathBuf {
        self.own.with_file_name(part)
    }
}

/// The package that a folder with `package.json` and its lock names, installed; nothing of it is run.
pub(super) fn npm(from: &Path, place: &Path) -> Result<()> {
    let wanted = fs::read_to_string(from.join("package-lock.json"))?;
    if is_kept(place, &wanted) {
        return Ok(());
    }
    absent(place)?;
    fs::create_dir_all(place)?;
    for name in ["package.json", "package-lock.json"] {
        fs::copy(from.join(name), place.join(name))?;
    }
    // Not `npm ci`: it wants the packages of every other system in the lock as well.
    let mut install = Command::new("npm");
    let words = [
        "install",
        "--silent",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
    ];
    install.args(words).current_dir(place);
    quietly(&mut install)?;
    keep(place, &wanted)
}

fn build(root: &Path) -> Result<()> {
    let status = Command::new("cargo")
        .args(["build", "--locked", "--bins", "--example", "quickstart"])
        .args(["-p", "skep-daemon", "-p", "skep-cli", "-p", "skep-client"])
        .current_dir(root)
        .status()
        .context("cargo is not on the path")?;
    ensure!(status.success(), "the programs cannot be built");
    Ok(())
}

/// The folder of this program.
fn beside() -> Result<PathBuf> {
    let this = std::env::current_exe().context("this program has no path")?;
    let folder = this.parent().context("this program has no folder")?;
    Ok(folder.to_owned())
}

/// Whether a folder was made for just this.
pub(super) fn is_kept(folder: &Path, wanted: &str) -> bool {
    fs::read_to_string(folder.join("made-for")).is_ok_and(|held| held == wanted)
}

pub(super) fn keep(folder: &Path, wanted: &str) -> Result<()> {
    fs::write(folder.join("made-for"), wanted).with_context(|| folder.display().to_string())
}

pub(super) fn absent(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| folder.display().to_string())
        }
        _ => Ok(()),
    }
}

pub(super) fn quietly(command: &mut Command) -> Result<()> {
    said(command).map(|_| ())
}

/// What a command prints; all of it, in the error, when it fails.
pub(super) fn said(command: &mut Command) -> Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command
        .output()
        .with_context(|| format!("{name} is needed"))?;
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(
        output.status.success(),
        "{name}: {}\n{out}{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(out)
}
