//! What is to be seen from this machine: files of the daemon, and what the kernel tells of processes.

use std::fs;
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use memchr::memmem::Finder;

use super::look;
use super::report::{Attempt, Outcome, Tried};
use super::stand::Stand;
use crate::args::Mode;
use crate::context::Context;
use crate::failure::Failure;

/// Bytes that are read at a time.
const PIECE: usize = 1 << 20;

/// A process as the kernel shows it to this user.
pub(super) struct Process {
    pid: u32,
    arguments: Vec<u8>,
}

/// Those that can be seen at all.
pub(super) fn processes() -> impl Iterator<Item = Process> {
    let folders = fs::read_dir("/proc").into_iter().flatten().flatten();
    folders.filter_map(|folder| {
        let pid = folder.file_name().to_str()?.parse().ok()?;
        let arguments = fs::read(folder.path().join("cmdline")).ok()?;
        Some(Process { pid, arguments })
    })
}

impl Process {
    pub(super) fn has_argument(&self, wanted: &str) -> bool {
        self.arguments
            .split(|byte| *byte == 0)
            .any(|one| one == wanted.as_bytes())
    }
}

pub(super) async fn attempt(
    context: &Context<'_>,
    stand: &mut Stand<'_>,
) -> Result<Tried, Failure> {
    let mut tried = Tried::of(Mode::Machine);
    tried.cannot = vec![
        "root, and whoever debugs the daemon as root, can read its memory and its root key"
            .to_owned(),
    ];
    if context.reach()?.server().is_some() {
        tried.skipped = Some(
            "this daemon is reached by its address: try it on its machine, with --local".to_owned(),
        );
        return Ok(tried);
    }
    let pid = stand.client().health().await?.pid;
    let finders: Vec<Finder<'static>> = stand
        .canary()
        .traces()
        .iter()
        .map(|piece| Finder::new(piece).into_owned())
        .collect();
    let (of_files, count) = files_hold(context.home.path(), &finders, stand.canary().text().len());
    tried.attempts.push(of_files);
    let mut seen = 0;
    let mut of_arguments = Attempt::new("arguments of processes", true);
    for process in processes() {
        seen += 1;
        if is_in(&process.arguments, &finders) {
            of_arguments.judge(stand.canary().text().len());
            of_arguments.note = Some(format!("process {}", process.pid));
        }
    }
    tried.attempts.push(of_arguments);
    tried.attempts.push(variables(stand, pid, &finders));
    tried.attempts.push(core_files(pid));
    tried.looked = Some(format!("{count} files, {seen} processes"));
    Ok(tried)
}

fn variables(stand: &Stand<'_>, pid: u32, finders: &[Finder<'static>]) -> Attempt {
    const NAME: &str = "variables of the daemon";
    match fs::read(format!("/proc/{pid}/environ")) {
        Ok(held) => {
            let mut attempt = Attempt::new(NAME, true);
            if is_in(&held, finders) {
                attempt.judge(stand.canary().text().len());
            }
            attempt
        }
        Err(error) => unread_variables(NAME, &error, is_ours(pid)),
    }
}

/// What the kernel keeps from the daemon's own user is hidden; what it keeps from others says nothing.
fn unread_variables(name: &str, error: &io::Error, is_ours: bool) -> Attempt {
    if error.kind() != io::ErrorKind::PermissionDenied || !is_ours {
        let why = format!("they could not be read: {error}");
        return Attempt::not_tried(name, &why);
    }
    let mut attempt = Attempt::new(name, true);
    attempt.note = Some("the kernel shows them to root alone".to_owned());
    attempt
}

/// Whether a process is of this user.
fn is_ours(pid: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let users = status.lines().find_map(|line| line.strip_prefix("Uid:"));
    let user = users.and_then(|users| users.split_whitespace().next());
    let own = fs::metadata("/proc/self").map(|own| own.uid());
    own.is_ok_and(|own| user == Some(own.to_string().as_str()))
}

/// A process that crashes leaves what it held in a file, unless it may not.
fn core_files(pid: u32) -> Attempt {
    const NAME: &str = "core files of the daemon";
    let Ok(limits) = fs::read_to_string(format!("/proc/{pid}/limits")) else {
        return Attempt::not_tried(NAME, "this system does not tell the bounds of a process");
    };
    let mut attempt = Attempt::new(NAME, true);
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max core file size"));
    let bounds: Vec<&str> = line
        .unwrap_or_default()
        .split_whitespace()
        .take(2)
        .collect();
    if bounds != ["0", "0"] {
        attempt.judge(super::canary::TELLING);
        attempt.note = Some("the daemon may leave a core file".to_owned());
    }
    attempt
}

/// Looks through all files under a folder, and says how many these were.
fn files_hold(folder: &Path, finders: &[Finder<'static>], letters: usize) -> (Attempt, usize) {
    let mut attempt = Attempt::new("files of the data directory, logs among them", true);
    let (files, mut unread) = files(folder);
    for path in &files {
        match holds(path, finders) {
            Ok(true) => {
                attempt.judge(letters);
                attempt.note = Some(path.display().to_string());
            }
            Ok(false) => {}
            Err(error) => unread.push((path.clone(), error)),
        }
    }
    // What is gone meanwhile holds nothing.
    unread.retain(|(_, error)| error.kind() != io::ErrorKind::NotFound);
    if let Some((path, error)) = unread.first()
        && attempt.outcome == Outcome::Hidden
    {
        let (count, path) = (unread.len(), path.display());
        attempt.outcome = Outcome::NotTried;
        attempt.note = Some(format!(
            "{count} could not be read, such as {path}: {error}"
        ));
    }
    (attempt, files.len())
}

/// What was not read, and why.
type Unread = Vec<(PathBuf, io::Error)>;

/// All files under a folder, links not followed, and what of it could not be listed.
fn files(folder: &Path) -> (Vec<PathBuf>, Unread) {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    let mut unread = Unread::new();
    while let Some(folder) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) => {
                unread.push((folder, error));
                continue;
            }
        };
        for entry in entries {
            let kind = entry.and_then(|entry| Ok((entry.path(), entry.file_type()?)));
            match kind {
                Ok((path, kind)) if kind.is_dir() => folders.push(path),
                Ok((path, kind)) if kind.is_file() => found.push(path),
                Ok(_) => {}
                Err(error) => unread.push((folder.clone(), error)),
            }
        }
    }
    (found, unread)
}

/// Whether a piece of the canary stands in a file, however large that is.
fn holds(path: &Path, finders: &[Finder<'static>]) -> io::Result<bool> {
    let mut file = look::open(path)?;
    // What stands across two pieces is seen in the second, which begins with the end of the first.
    let overlap = finders
        .iter()
        .map(|finder| finder.needle().len())
        .max()
        .unwrap_or(0);
    let mut held = Vec::with_capacity(PIECE + overlap);
    loop {
        let before = held.len().saturating_sub(overlap);
        held.drain(..before);
        if file.by_ref().take(PIECE as u64).read_to_end(&mut held)? == 0 {
            return Ok(false);
        }
        if is_in(&held, finders) {
            return Ok(true);
        }
    }
}

fn is_in(held: &[u8], finders: &[Finder<'static>]) -> bool {
    finders.iter().any(|finder| finder.find(held).is_some())
}

#[cfg(test)]
mod tests {
    use std::io;

    use memchr::memmem::Finder;

    use super::super::report::Outcome;
    use super::{files_hold, unread_variables};

    #[test]
    fn x02_what_could_not_be_read_was_not_tried() {
        let home = tempfile::tempdir().unwrap();
        let finders = [Finder::new("cny_").into_owned()];
        std::fs::write(home.path().join("log"), "nothing").unwrap();
        let (attempt, count) = files_hold(home.path(), &finders, 36);
        assert_eq!((attempt.outcome, count), (Outcome::Hidden, 1));
        // A folder that nobody lists, whoever runs this.
        let (attempt, _) = files_hold(&home.path().join("log"), &finders, 36);
        assert_eq!(attempt.outcome, Outcome::NotTried);
        assert!(attempt.note.unwrap().contains("could not be read"));
        std::fs::write(home.path().join("log"), "a cny_ in it").unwrap();
        let (attempt, _) = files_hold(home.path(), &finders, 36);
        assert_eq!(attempt.outcome, Outcome::Recovered);
        let denied = io::Error::from(io::ErrorKind::PermissionDenied);
        let absent = io::Error::from(io::ErrorKind::NotFound);
        for (error, is_ours, expected) in [
            (&denied, true, Outcome::Hidden),
            (&denied, false, Outcome::NotTried),
            (&absent, true, Outcome::NotTried),
        ] {
            assert_eq!(unread_variables("a", error, is_ours).outcome, expected);
        }
    }
}
