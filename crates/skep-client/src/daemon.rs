//! Starts and stops the daemon of a home.
//!
//! Two programs may start it at once: the daemon itself takes the lock of the home, the second one
//! ends at once and in peace, and both starters wait for the same socket.

use std::fs::{File, Metadata, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime};

use rustix::fs::OFlags;
use rustix::process::{Pid, Signal, kill_process};
use tokio::time::{sleep, timeout};

use crate::{Client, Endpoint, Home};

/// How long a daemon may take until it answers.
const START_PATIENCE: Duration = Duration::from_secs(10);
/// How long a daemon may take to finish what it is doing.
const STOP_PATIENCE: Duration = Duration::from_secs(30);
/// How long one probe may take.
const PROBE_PATIENCE: Duration = Duration::from_secs(1);
const POLL: Duration = Duration::from_millis(20);
/// After somebody woke a daemon, nobody else does for so long.
const WAKE_PAUSE: Duration = Duration::from_secs(10);
/// A daemon that found another one running: polls until we look whether that one still is.
const YIELDED_POLLS: u32 = 25;
const LOG_TAIL: u64 = 64 << 10;
/// Lines of the log in an error.
const LOG_SHOWN: usize = 10;

/// Why the daemon did not start or stop.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// The program is nowhere.
    #[error("cannot run {}: {source}", program.display())]
    Program {
        /// What we tried to run.
        program: PathBuf,
        /// Why it did not.
        source: io::Error,
    },
    /// It ended before it was ready.
    #[error("skepd ended at once ({status})")]
    Died {
        /// How it ended.
        status: String,
        /// The last lines of its log.
        log: Vec<String>,
    },
    /// It runs, or somebody's does, but does not answer.
    #[error("skepd does not answer after {} s", after.as_secs())]
    Late {
        /// How long we waited.
        after: Duration,
        /// The last lines of its log.
        log: Vec<String>,
    },
    /// It runs, but the process id on file is not its own.
    #[error("skepd runs, but {} does not say which process it is", file.display())]
    PidFile {
        /// The file.
        file: PathBuf,
    },
    /// A file of the home cannot be used.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// The daemon's program: beside our own, else whatever `PATH` has.
#[must_use]
pub fn program() -> PathBuf {
    std::env::current_exe()
        .ok()
        .and_then(|own| own.parent().map(|folder| folder.join("skepd")))
        .filter(|beside| beside.is_file())
        .unwrap_or_else(|| PathBuf::from("skepd"))
}

/// Whether a daemon answers on the socket and says that it is ready.
pub async fn is_ready(home: &Home) -> bool {
    let endpoint = Endpoint::socket(home);
    let probe = async { Client::connect(&endpoint).await?.readyz().await };
    matches!(timeout(PROBE_PATIENCE, probe).await, Ok(Ok(_)))
}

/// Whether a daemon lives, ready or not: it holds the lock for as long as it does.
///
/// # Errors
/// When the lock file cannot be looked at.
pub fn is_running(home: &Home) -> Result<bool, DaemonError> {
    let path = home.lock_file();
    let flags = (OFlags::NOFOLLOW | OFlags::CLOEXEC).bits().cast_signed();
    let opened = OpenOptions::new()
        .read(true)
        .custom_flags(flags)
        .open(&path);
    let file = match opened {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(source) => return Err(DaemonError::File { path, source }),
    };
    match file.try_lock_shared() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(source)) => Err(DaemonError::File { path, source }),
    }
}

/// Starts `program` as the daemon of `home`, detached, and waits until it is ready.
///
/// # Errors
/// [`DaemonError`] with the last lines of the log when it did not come up.
pub async fn start(home: &Home, program: &Path) -> Result<(), DaemonError> {
    start_within(home, program, START_PATIENCE).await
}

/// Starts `program` as the daemon of `home`, detached, and does not wait for it. `false` if one lives, or
/// if somebody tried a moment ago: of many who find it away at once, one starts it.
///
/// # Errors
/// When it cannot be run, or a file of the home not be used.
pub fn wake(home: &Home, program: &Path) -> Result<bool, DaemonError> {
    let path = home.path().join("skepd.wake");
    let broken = |source| DaemonError::File {
        path: path.clone(),
        source,
    };
    home.create().map_err(broken)?;
    let woken = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags((OFlags::NOFOLLOW | OFlags::CLOEXEC).bits().cast_signed())
        .open(&path)
        .map_err(broken)?;
    match woken.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(false),
        Err(TryLockError::Error(source)) => return Err(broken(source)),
    }
    let facts = woken.metadata().map_err(broken)?;
    if (facts.len() > 0 && is_recent(&facts)) || is_running(home)? {
        return Ok(false);
    }
    // Written before it is tried: a daemon that cannot start is not tried at every call.
    woken
        .set_len(0)
        .and_then(|()| (&woken).write_all(b"1"))
        .map_err(broken)?;
    spawn(home, program)?;
    Ok(true)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the program's edge is where the clock comes from"
)]
fn is_recent(facts: &Metadata) -> bool {
    let since = facts
        .modified()
        .ok()
        .and_then(|then| SystemTime::now().duration_since(then).ok());
    // A clock that was set back would keep everybody from it.
    since.is_some_and(|since| since < WAKE_PAUSE)
}

async fn start_within(home: &Home, program: &Path, patience: Duration) -> Result<(), DaemonError> {
    home.create().map_err(|source| DaemonError::File {
        path: home.path().to_owned(),
        source,
    })?;
    // What it said before is not why it does not start now.
    let said = home.log().metadata().map_or(0, |facts| facts.len());
    timeout(patience, start_and_poll(home, program, said))
        .await
        .unwrap_or_else(|_| {
            Err(DaemonError::Late {
                after: patience,
                log: log_from(home, said, LOG_SHOWN).unwrap_or_default(),
            })
        })
}

async fn start_and_poll(home: &Home, program: &Path, said: u64) -> Result<(), DaemonError> {
    let mut child = spawn(home, program)?;
    let mut yielded = 0;
    while !is_ready(home).await {
        let ended = child.try_wait().map_err(|source| DaemonError::Program {
            program: program.to_owned(),
            source,
        })?;
        match ended {
            None => {}
            // Another daemon had the lock: it is that one we wait for.
            Some(status) if status.success() || is_running(home)? => {
                yielded = (yielded + 1) % YIELDED_POLLS;
                // Unless it was on its way out, and nobody is left but us.
                if yielded == 0 && !is_running(home)? {
                    child = spawn(home, program)?;
                }
            }
            Some(status) => {
                return Err(DaemonError::Died {
                    status: status.to_string(),
                    log: log_from(home, said, LOG_SHOWN).unwrap_or_default(),
                });
            }
        }
        sleep(POLL).await;
    }
    Ok(())
}

fn spawn(home: &Home, program: &Path) -> Result<Child, DaemonError> {
    let log = open_log(home)?;
    let errors = log.try_clone().map_err(|source| DaemonError::File {
        path: home.log(),
        source,
    })?;
    Command::new(program)
        .arg("serve")
        .env("SKEP_HOME", home.path())
        .current_dir(home.path())
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(errors)
        .process_group(0)
        .spawn()
        .map_err(|source| DaemonError::Program {
            program: program.to_owned(),
            source,
        })
}

fn open_log(home: &Home) -> Result<File, DaemonError> {
    let path = home.log();
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .custom_flags((OFlags::NOFOLLOW | OFlags::CLOEXEC).bits().cast_signed())
        .open(&path)
        .map_err(|source| DaemonError::File { path, source })
}

/// Asks the daemon to end and waits until it has. `false` if none was running.
///
/// # Errors
/// [`DaemonError`] when it cannot be told apart from other processes, or does not end.
pub async fn stop(home: &Home) -> Result<bool, DaemonError> {
    if !is_running(home)? {
        return Ok(false);
    }
    let pid = read_pid(home).ok_or_else(|| DaemonError::PidFile {
        file: home.pid_file(),
    })?;
    kill_process(pid, Signal::TERM).map_err(|error| DaemonError::File {
        path: home.pid_file(),
        source: error.into(),
    })?;
    let gone = async {
        while is_running(home)? {
            sleep(POLL).await;
        }
        Ok(true)
    };
    timeout(STOP_PATIENCE, gone).await.unwrap_or_else(|_| {
        Err(DaemonError::Late {
            after: STOP_PATIENCE,
            log: log_tail(home, LOG_SHOWN).unwrap_or_default(),
        })
    })
}

/// The process id on file, unless the system says that it is some other program's by now.
fn read_pid(home: &Home) -> Option<Pid> {
    let mut text = String::new();
    let file = File::open(home.pid_file()).ok()?;
    file.take(32).read_to_string(&mut text).ok()?;
    let number: i32 = text.trim().parse().ok()?;
    let ours = match std::fs::read_to_string(format!("/proc/{number}/comm")) {
        Ok(name) => name.trim() == "skepd",
        Err(_) => !Path::new("/proc/self/comm").exists(),
    };
    Pid::from_raw(number).filter(|_| ours)
}

/// The last lines of the daemon's log, at most `lines`, from at most its last 64 KiB.
///
/// # Errors
/// When there is no log, or it cannot be read.
pub fn log_tail(home: &Home, lines: usize) -> io::Result<Vec<String>> {
    log_from(home, 0, lines)
}

/// As [`log_tail`], of what was written after the first `start` bytes.
fn log_from(home: &Home, start: u64, lines: usize) -> io::Result<Vec<String>> {
    let mut file = File::open(home.log())?;
    let length = file.metadata()?.len();
    let from = length.saturating_sub(LOG_TAIL).max(start);
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    file.take(LOG_TAIL).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    // The first line is cut when we did not begin where it did.
    let all: Vec<&str> = text.lines().skip(usize::from(from > start)).collect();
    let kept = all.len().saturating_sub(lines);
    Ok(all[kept..].iter().map(|line| (*line).to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File, Permissions};
    use std::os::unix::fs::PermissionsExt;
    use std::path::PathBuf;
    use std::time::Duration;

    use tempfile::TempDir;

    use super::{DaemonError, is_running, log_tail, start_within, stop, wake};
    use crate::Home;

    fn home() -> (TempDir, Home) {
        let root = tempfile::tempdir().unwrap();
        let home = Home::new(root.path().join("home")).unwrap();
        (root, home)
    }

    fn script(root: &TempDir, text: &str) -> PathBuf {
        let path = root.path().join("skepd");
        fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
        path
    }

    #[tokio::test]
    async fn a_daemon_that_dies_shows_the_end_of_its_log() {
        let (root, home) = home();
        let program = script(
            &root,
            "echo \"$1 $SKEP_HOME\"; echo no root key >&2; exit 3",
        );
        let said = [
            format!("serve {}", home.path().display()),
            "no root key".into(),
        ];
        // The second time, what the log holds of the first is left out.
        for _ in 0..2 {
            let error = start_within(&home, &program, Duration::from_secs(10)).await;
            let Err(DaemonError::Died { status, log }) = error else {
                panic!("{error:?}");
            };
            assert!(status.contains('3'), "{status}");
            assert_eq!(log, said);
        }
        let mode = fs::metadata(home.log()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn of_many_who_find_it_away_one_wakes_the_daemon() {
        let (root, home) = home();
        let program = script(&root, "echo $1 >> \"$SKEP_HOME/tried\"");
        let woken = std::thread::scope(|scope| {
            let all: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| wake(&home, &program).unwrap()))
                .collect();
            let woken = all.into_iter().map(|one| one.join().unwrap());
            woken.filter(|woken| *woken).count()
        });
        assert_eq!(woken, 1);
        let nowhere = root.path().join("nowhere");
        assert!(!wake(&home, &nowhere).unwrap(), "a moment later as well");
        fs::remove_file(home.path().join("skepd.wake")).unwrap();
        assert!(wake(&home, &nowhere).is_err());
        assert!(
            !wake(&home, &program).unwrap(),
            "one that cannot start is not tried again"
        );
        fs::remove_file(home.path().join("skepd.wake")).unwrap();
        let lock = File::create(home.lock_file()).unwrap();
        lock.lock().unwrap();
        assert!(!wake(&home, &program).unwrap(), "one lives");
    }

    #[tokio::test]
    async fn a_daemon_that_stays_silent_is_given_up_on() {
        let (root, home) = home();
        let program = script(&root, "exit 0");
        let error = start_within(&home, &program, Duration::from_millis(80)).await;
        assert!(matches!(error, Err(DaemonError::Late { .. })), "{error:?}");
        let missing = root.path().join("nowhere");
        let error = start_within(&home, &missing, Duration::from_secs(1)).await;
        assert!(
            matches!(error, Err(DaemonError::Program { .. })),
            "{error:?}"
        );
    }

    #[tokio::test]
    async fn nobody_is_signalled_unless_the_lock_is_held_and_the_process_is_the_daemon() {
        let (_root, home) = home();
        home.create().unwrap();
        fs::write(home.pid_file(), std::process::id().to_string()).unwrap();
        assert!(!is_running(&home).unwrap());
        assert!(!stop(&home).await.unwrap());
        let lock = File::create(home.lock_file()).unwrap();
        lock.lock().unwrap();
        assert!(is_running(&home).unwrap());
        // The pid on file is this test's, which is no daemon.
        let error = stop(&home).await;
        assert!(
            matches!(error, Err(DaemonError::PidFile { .. })),
            "{error:?}"
        );
    }

    #[test]
    fn the_tail_of_a_log_is_bounded_and_whole_lines() {
        let (_root, home) = home();
        home.create().unwrap();
        assert!(log_tail(&home, 5).is_err());
        let text: Vec<_> = (0..20_000).map(|line| format!("line {line}")).collect();
        fs::write(home.log(), text.join("\n")).unwrap();
        assert_eq!(log_tail(&home, 2).unwrap(), ["line 19998", "line 19999"]);
        let all = log_tail(&home, usize::MAX).unwrap();
        assert!(all.len() < 8_000 && all[0].starts_with("line "));
    }
}
