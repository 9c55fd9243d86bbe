//! What is to be seen from this machine: files of the daemon, and what the kernel tells of processes.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use memchr::memmem::Finder;

use super::report::{Attempt, Tried};
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
    let files = files(context.home.path());
    let mut of_files = Attempt::new("files of the data directory, logs among them", true);
    for path in &files {
        if holds(path, &finders) {
            of_files.judge(stand.canary().text().len());
            of_files.note = Some(path.display().to_string());
        }
    }
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
    tried.looked = Some(format!("{} files, {seen} processes", files.len()));
    Ok(tried)
}

fn variables(stand: &Stand<'_>, pid: u32, finders: &[Finder<'static>]) -> Attempt {
    let mut attempt = Attempt::new("variables of the daemon", true);
    if let Ok(held) = fs::read(format!("/proc/{pid}/environ"))
        && is_in(&held, finders)
    {
        attempt.judge(stand.canary().text().len());
    }
    attempt
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

/// All files under a folder, links not followed.
fn files(folder: &Path) -> Vec<PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(entry.path()),
                Ok(kind) if kind.is_file() => found.push(entry.path()),
                _ => {}
            }
        }
    }
    found
}

/// Whether a piece of the canary stands in a file, however large that is.
fn holds(path: &Path, finders: &[Finder<'static>]) -> bool {
    let Ok(mut file) = File::open(path) else {
        return false;
    };
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
        match file.by_ref().take(PIECE as u64).read_to_end(&mut held) {
            Ok(0) | Err(_) => return false,
            Ok(_) if is_in(&held, finders) => return true,
            Ok(_) => {}
        }
    }
}

fn is_in(held: &[u8], finders: &[Finder<'static>]) -> bool {
    finders.iter().any(|finder| finder.find(held).is_some())
}
