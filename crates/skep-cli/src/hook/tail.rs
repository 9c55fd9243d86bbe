//! The end of a file that a harness writes and names: bounded, and of files alone.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;

use rustix::fs::OFlags;

/// Whole lines of the last `most` bytes.
pub(super) fn lines(path: &str, most: u64) -> Option<String> {
    let (file, length) = open(path)?;
    let from = length.saturating_sub(most);
    let text = read(file, from, most)?;
    if from == 0 {
        return Some(text);
    }
    Some(text.split_once('\n')?.1.to_owned())
}

/// What was added after the first `from` bytes, the first `most` of it.
pub(super) fn since(path: &str, from: u64, most: u64) -> Option<String> {
    let (file, _) = open(path)?;
    read(file, from, most)
}

/// Nothing of what is no file, such as a pipe that never ends.
fn open(path: &str) -> Option<(File, u64)> {
    let file = OpenOptions::new()
        .read(true)
        .custom_flags((OFlags::NONBLOCK | OFlags::CLOEXEC).bits().cast_signed())
        .open(path)
        .ok()?;
    let facts = file.metadata().ok().filter(std::fs::Metadata::is_file)?;
    Some((file, facts.len()))
}

fn read(mut file: File, from: u64, most: u64) -> Option<String> {
    file.seek(SeekFrom::Start(from)).ok()?;
    let mut bytes = Vec::new();
    file.take(most).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}
