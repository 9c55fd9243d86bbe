//! Files in which programs keep credentials, read without being touched: `.env`, INI such as AWS's, JSON.
//!
//! Nothing in a value is expanded: no `$NAME`, no command, no file.

mod json;
mod lines;

use std::fs::{File, Metadata, OpenOptions};
use std::io::Read;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;
use skep_api::vault::Confidential;

use crate::failure::Failure;

/// Bytes of a file; more are no credentials.
const MOST: u64 = 1 << 20;

/// One entry of a file. Its value is shown nowhere.
#[derive(Debug)]
pub(crate) struct Entry {
    /// The key, behind the names of what it stands in, with dots between.
    pub(crate) name: String,
    pub(crate) value: Confidential,
}

/// What is wrong with a file, and in which line; never what stands there.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Odd {
    pub(crate) line: usize,
    pub(crate) problem: &'static str,
}

/// Reads a file; its bytes, its times and its folder stay as they are.
pub(crate) fn read(path: &Path) -> Result<Vec<Entry>, Failure> {
    let text = text(path)?;
    let parsed = parse(text.expose());
    let entries = parsed.map_err(|odd| {
        let place = format!("line {} of {}", odd.line, path.display());
        Failure::new("UNREADABLE", format!("{place}: {}", odd.problem))
            .hint("expected KEY=VALUE in each line, as in .env and INI files, or an object of JSON; nothing was set")
    })?;
    for (at, entry) in entries.iter().enumerate() {
        let twice = |other: &Entry| other.name.eq_ignore_ascii_case(&entry.name);
        if entries[..at].iter().any(twice) {
            let what = format!("{} stands twice in {}", entry.name, path.display());
            return Err(Failure::new("UNREADABLE", what)
                .hint("names differ in more than the case of letters; nothing was set"));
        }
    }
    Ok(entries)
}

fn parse(text: &str) -> Result<Vec<Entry>, Odd> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim_start().starts_with('{') {
        json::entries(text)
    } else {
        lines::entries(text)
    }
}

fn text(path: &Path) -> Result<Confidential, Failure> {
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let mut options = OpenOptions::new();
    let file = options.read(true).custom_flags(flags.bits().cast_signed());
    let at = |error| Failure::from(error).at(path);
    let mut file = file.open(path).map_err(at)?;
    let before = file.metadata().map_err(at)?;
    let odd = |problem: &str| {
        let what = format!("{} {problem}", path.display());
        Failure::new("UNREADABLE", what)
    };
    if !before.is_file() {
        return Err(odd("is no file"));
    }
    let text = read_whole(&mut file).map_err(at)?;
    if is_changed(&before, &file.metadata().map_err(at)?) {
        return Err(odd("was written to meanwhile: try again"));
    }
    text.ok_or_else(|| odd("is no text of at most 1 MiB"))
}

/// `None` for what is no text, or too long a one.
fn read_whole(file: &mut File) -> std::io::Result<Option<Confidential>> {
    // Room from the start, so that no half of it is left behind where it grew.
    let length = file.metadata()?.len().min(MOST) + 1;
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default() + 1);
    let read = file.by_ref().take(length).read_to_end(&mut bytes);
    let text = String::from_utf8(bytes).map(Confidential::new);
    read?;
    Ok(text
        .ok()
        .filter(|text| (text.expose().len() as u64) <= MOST))
}

fn is_changed(before: &Metadata, after: &Metadata) -> bool {
    let facts = |of: &Metadata| (of.len(), of.mtime(), of.mtime_nsec(), of.ctime_nsec());
    facts(before) != facts(after)
}

#[cfg(test)]
mod tests;
