//! What an import did: counted, and every line that could not be read named.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use crate::layout::without_userinfo;

/// Failed lines that are kept one by one; more are only counted.
const FAILED_MAX: usize = 10_000;
/// Different reasons for skipping; a hostile file could make up any number.
const REASONS_MAX: usize = 64;

/// The counts of one run.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    /// Which harness.
    pub(crate) harness: &'static str,
    /// Files or repositories looked at.
    pub(crate) sources: u64,
    /// Of those, with nothing new.
    pub(crate) unchanged: u64,
    /// Of those, changed before the place where the last import ended, and so read from the start.
    pub(crate) reread: u64,
    /// Sessions that turns went to.
    pub(crate) sessions: u64,
    /// Turns stored.
    pub(crate) imported: u64,
    /// Turns that were there already.
    pub(crate) known: u64,
    /// Records left out on purpose, by reason.
    pub(crate) skipped: BTreeMap<String, u64>,
    /// Secrets taken out.
    pub(crate) redacted: u64,
    /// Texts too long to keep whole.
    pub(crate) withheld: u64,
    /// Texts that were too long.
    pub(crate) cut: u64,
    /// Lines that are not UTF-8; the bytes at fault were replaced.
    pub(crate) not_utf8: u64,
    /// Lines that could not be read.
    pub(crate) failed: u64,
    /// Those lines, at most ten thousand.
    pub(crate) failed_lines: Vec<FailedLine>,
    /// Files whose last line is still being written.
    pub(crate) unfinished: Vec<String>,
    /// What could not be opened or read at all.
    pub(crate) unreadable: Vec<Unreadable>,
    /// Memories that were not there before.
    pub(crate) memories: u64,
    /// Statements that were memories already, of those distilled last.
    pub(crate) memories_known: u64,
    /// Conversations looked at, of an export that has many.
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) conversations: u64,
    /// The source that memories are of, for imports of memories: `skep source purge` takes all of them back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) source: Option<String>,
    /// Memories that left recall, since their source has them no more.
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) gone: u64,
    /// Memories that wait for a human.
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) held: u64,
    /// How long it took.
    pub(crate) elapsed_ms: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// A line that could not be read.
#[derive(Debug, Serialize)]
pub(crate) struct FailedLine {
    pub(crate) file: String,
    /// Counted from one.
    pub(crate) line: u64,
    pub(crate) why: String,
}

/// A file or repository that could not be read.
#[derive(Debug, Serialize)]
pub(crate) struct Unreadable {
    pub(crate) path: String,
    pub(crate) why: String,
}

impl Report {
    pub(crate) fn new(harness: &'static str) -> Self {
        Self {
            harness,
            ..Self::default()
        }
    }

    /// Counts a record left out on purpose.
    pub(crate) fn skip(&mut self, reason: &str) {
        let room = self.skipped.len() < REASONS_MAX;
        if let Some(count) = self.skipped.get_mut(reason) {
            *count += 1;
        } else if room {
            self.skipped.insert(reason.to_owned(), 1);
        } else {
            *self.skipped.entry("other reasons".into()).or_default() += 1;
        }
    }

    /// Notes a line that could not be read.
    pub(crate) fn fail(&mut self, file: &str, line: u64, why: impl Into<String>) {
        self.failed += 1;
        if self.failed_lines.len() < FAILED_MAX {
            self.failed_lines.push(FailedLine {
                file: file.to_owned(),
                line,
                why: why.into(),
            });
        }
    }

    /// Notes a source that could not be read.
    pub(crate) fn unreadable(&mut self, path: &str, why: impl Into<String>) {
        self.unreadable.push(Unreadable {
            path: without_userinfo(path),
            why: without_userinfo(&why.into()),
        });
    }

    pub(crate) fn took(&mut self, elapsed: Duration) {
        self.elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
    }

    pub(crate) fn skipped_total(&self) -> u64 {
        self.skipped.values().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::{FAILED_MAX, Report};

    #[test]
    fn n12_a_hostile_file_cannot_grow_the_report() {
        let mut report = Report::new("codex");
        for at in 0..FAILED_MAX as u64 * 2 {
            report.fail("f", at, "no");
            report.skip(&format!("type {at}"));
        }
        assert_eq!(report.failed_lines.len(), FAILED_MAX);
        assert_eq!(report.skipped.len(), 65);
        assert_eq!(report.skipped_total(), report.failed);
    }
}
