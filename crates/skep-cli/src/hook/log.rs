//! `hook.log`: one line for each thing that went wrong, and no word of what anybody said.

use std::ffi::OsString;
use std::fs::{OpenOptions, rename};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;

use rustix::fs::OFlags;
use skep_api::Instant;
use skep_client::Home;

use crate::layout::shortened;
use crate::stopwatch::wall_clock;

/// Bytes after which a log is set aside; one older is kept.
const BYTES: u64 = 256 << 10;
/// Columns of a line.
const LINE: usize = 400;
/// Columns of a word of the command line.
const WORD: usize = 24;

/// The log of one run.
#[derive(Clone, Debug)]
pub(super) struct Log {
    home: Home,
    /// The harness and the event, as they were given.
    called: String,
}

impl Log {
    pub(super) fn of(home: &Home, words: &[OsString]) -> Self {
        let words = words.iter().take(2);
        let called: Vec<String> = words
            .map(|word| shortened(&word.to_string_lossy(), WORD))
            .collect();
        Self {
            home: home.clone(),
            called: called.join(" "),
        }
    }

    /// Writes a line; where it cannot be written nobody is told.
    pub(super) fn line(&self, text: &str) {
        let _lost = self.try_line(text);
    }

    fn try_line(&self, text: &str) -> std::io::Result<()> {
        self.home.create()?;
        let path = self.home.path().join("hook.log");
        if path
            .symlink_metadata()
            .is_ok_and(|facts| facts.len() > BYTES)
        {
            rename(&path, self.home.path().join("hook.log.1"))?;
        }
        let mut file = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .custom_flags((OFlags::NOFOLLOW | OFlags::CLOEXEC).bits().cast_signed())
            .open(path)?;
        let at = Instant(wall_clock());
        let line = format!("{at} {}: {}\n", self.called, shortened(text, LINE));
        file.write_all(line.as_bytes())
    }
}
