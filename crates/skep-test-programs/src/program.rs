//! Programs that some tests need beside ours: found on the path, else installed from Debian.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where Debian puts programs, whatever the path of the test says.
const PLACES: [&str; 4] = ["/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin"];

/// Where a program is; installs the package that has it where it is missing, one test at a time.
///
/// # Panics
/// When it is not there and cannot be installed, with one line that says how.
#[must_use]
#[expect(clippy::panic, reason = "a test without its program cannot go on")]
pub fn find(name: &str, package: &str) -> PathBuf {
    installed(name)
        .or_else(|| {
            install(name, package);
            installed(name)
        })
        .unwrap_or_else(|| {
            panic!("this test needs {name}: run `apt-get install {package}` as root")
        })
}

/// What somebody else publishes, fetched into a folder under `place` once, by this command.
///
/// # Panics
/// When it cannot be fetched, with the last line of what the command says.
#[must_use]
#[expect(clippy::panic, reason = "a test without its program cannot go on")]
pub fn fetched(place: &Path, name: &str, command: &str, arguments: &[&str]) -> PathBuf {
    let folder = place.join(name);
    let mark = folder.join("installed");
    let made = std::fs::create_dir_all(&folder).and_then(|()| File::create(folder.join("lock")));
    let lock = made.unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    // Two tests that want the same wait for each other.
    let _ = rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive);
    if mark.exists() {
        return folder;
    }
    let outcome = Command::new(command)
        .args(arguments)
        .current_dir(&folder)
        .output();
    let outcome = outcome.unwrap_or_else(|error| panic!("this test needs {command}: {error}"));
    if !outcome.status.success() {
        let said = String::from_utf8_lossy(&outcome.stderr);
        panic!(
            "{name} cannot be installed: {}",
            said.lines().last().unwrap_or_default()
        );
    }
    let _ = File::create(mark);
    folder
}

fn installed(name: &str) -> Option<PathBuf> {
    let places = PLACES.iter().map(|place| Path::new(place).join(name));
    places.into_iter().find(|path| path.exists())
}

fn install(name: &str, package: &str) {
    let lock = std::env::temp_dir().join("skep-tests-install.lock");
    let Ok(lock) = File::create(lock) else { return };
    let held = rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive);
    if held.is_err() || installed(name).is_some() {
        return;
    }
    let run = |arguments: &[&str]| {
        Command::new("apt-get")
            .args(arguments)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    };
    let wanted = ["install", "-y", "--no-install-recommends", package];
    if !run(&wanted) && run(&["update"]) {
        run(&wanted);
    }
}
