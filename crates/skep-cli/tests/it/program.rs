//! Runs the program the way a script would.

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::fake::Fake;

/// What came out.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// The one JSON value on stdout.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// A home with a daemon made for the test, and a program that knows no other.
pub(crate) struct Bench {
    pub(crate) root: TempDir,
    pub(crate) fake: Fake,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("home")).unwrap();
        let fake = Fake::start(&root.path().join("home"));
        Self { root, fake }
    }

    pub(crate) fn skep(&self, arguments: &[&str]) -> Ran {
        run(&self.root.path().join("home"), arguments, &[])
    }

    /// Imports and gives the report.
    pub(crate) fn import(&self, harness: &str, path: &Path) -> Value {
        let ran = self.skep(&["import", harness, path.to_str().unwrap(), "--json"]);
        assert_eq!(ran.code, 0, "{ran:?}");
        ran.json()
    }

    /// A path under the test's own folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }
}

/// Runs `skep` with nothing of this machine's environment but `PATH`.
pub(crate) fn run(home: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Ran {
    let mut command = command(home, arguments);
    command.envs(variables.iter().copied()).stdin(Stdio::null());
    ended(command.output().unwrap())
}

fn command(home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_skep"));
    command
        .args(arguments)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", home.parent().unwrap())
        .env("SKEP_HOME", home)
        .envs(mutant());
    command
}

fn ended(output: Output) -> Ran {
    Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Runs it with this on stdin.
pub(crate) fn run_with_input(home: &Path, arguments: &[&str], input: &[u8]) -> Ran {
    let mut child = command(home, arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may have ended without reading.
    let _ = child.stdin.take().unwrap().write_all(input);
    ended(child.wait_with_output().unwrap())
}

/// Which check of the program is broken on purpose, as `cargo xtask mutants` says.
pub(crate) fn mutant() -> Option<(&'static str, OsString)> {
    let on = std::env::var_os("SKEP_MUTANT")?;
    Some(("SKEP_MUTANT", on))
}

/// The folder of fixtures.
pub(crate) fn fixtures(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}
