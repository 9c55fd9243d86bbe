//! Makes the memories of the coding set: release notes and a commit history, through the same
//! cleaning, redaction and distilling as any import. See docs/quality.md.

mod notes;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use skep_domain::{Timestamp, Trust};
use skep_memory::{
    CommitAuthor, CommitView, Draft, FileChange, FileStatus, Redactor, clean, distil_commit,
    normal_form,
};

use crate::report::Report;
use notes::{Entry, Notes};

/// Entries that one source gives, its newest first.
const PER_SOURCE: usize = 130;
/// Longer entries have a subject and a body.
const SUBJECT: usize = 160;

/// Notes without dates begin on 1 October 2026 and go back a day an entry.
const UNDATED_FROM: i64 = 1_790_812_800;
const DAY_MICROS: i64 = 86_400_000_000;

/// A commit, or an entry that is read like one.
struct Said {
    subject: String,
    body: String,
    at: Timestamp,
    files: Vec<FileChange>,
}

/// Reads every `NAME.md`, `NAME.rst` and `NAME.gitlog` of a folder and writes one memory a line.
pub(crate) fn run(folder: &Path, out: &Path) -> Result<Report> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    files.sort();
    let (notes, redactor) = (Notes::new()?, Redactor::new());
    let (mut lines, mut seen) = (String::new(), BTreeSet::new());
    let mut report = Report::new("memories of the coding set");
    for file in &files {
        let name = file.file_stem().and_then(|stem| stem.to_str());
        let name = name.context("a source needs a name")?;
        let text = fs::read_to_string(file)?;
        let said = if file.extension().is_some_and(|end| end == "gitlog") {
            commits(&text)
        } else {
            entries(name, &notes.read(&text))
        };
        let kept = said.iter().flat_map(|said| distil(&redactor, said));
        let fresh = kept.filter(|draft| seen.insert(normal_form(&draft.text)));
        for draft in fresh.take(PER_SOURCE) {
            writeln!(lines, "{}", written(name, &draft))?;
        }
    }
    fs::write(out, &lines)?;
    report.row("memories", lines.lines().count() as f64, "");
    Ok(report)
}

fn distil(redactor: &Redactor, said: &Said) -> Vec<Draft> {
    let tidy = |text: &str| redactor.redact(&clean(text)).text.into_owned();
    distil_commit(&CommitView {
        index: 0,
        id: "",
        at: said.at,
        author: CommitAuthor::Other,
        subject: &tidy(&said.subject),
        body: &tidy(&said.body),
        parents: 1,
        files: &said.files,
    })
}

fn written(source: &str, draft: &Draft) -> Value {
    json!({
        "id": id(&draft.text),
        "source": source,
        "kind": draft.kind.as_str(),
        "at": draft.valid_from.as_micros() / 1_000_000,
        "trust": if draft.trust == Trust::User { "user" } else { "agent" },
        "key": draft.key,
        "text": draft.text,
        "entities": draft.entities,
    })
}

/// What a memory is called in the labels: 48 bits of its text's hash.
pub(crate) fn id(text: &str) -> String {
    let digest = skep_crypto::sha256(normal_form(text).as_bytes());
    let mut id = String::new();
    for byte in &digest[..6] {
        let _ = write!(id, "{byte:02x}");
    }
    id
}

/// What `git log --format=%x01%ct%x02%s%x02%b%x02 --name-only` printed.
fn commits(log: &str) -> Vec<Said> {
    let all = log.split('\u{1}').skip(1);
    all.filter_map(|commit| {
        let mut parts = commit.splitn(4, '\u{2}');
        let seconds: i64 = parts.next()?.parse().ok()?;
        let (subject, body) = (parts.next()?.to_owned(), parts.next()?.to_owned());
        let paths = parts.next()?.lines().filter(|line| !line.is_empty());
        let files = paths.map(|path| FileChange {
            status: FileStatus::Modified,
            path: path.to_owned(),
        });
        Some(Said {
            subject,
            body,
            at: Timestamp::from_millis(seconds * 1_000),
            files: files.collect(),
        })
    })
    .collect()
}

/// Each entry as a commit whose subject is its first sentence, named for what it does and where.
fn entries(project: &str, entries: &[Entry]) -> Vec<Said> {
    let mut at = Timestamp::from_millis(UNDATED_FROM * 1_000);
    let told = entries.iter().map(|entry| {
        let before = Timestamp::from_micros(at.as_micros() - DAY_MICROS);
        at = date(&entry.heading).unwrap_or(before);
        let label = entry.text.split_once(": ").map_or("", |(label, _)| label);
        let is_label = matches!(
            label,
            "added" | "changed" | "fixed" | "breaking" | "removed"
        );
        let (section, text) = if is_label {
            (label, &entry.text[label.len() + 2..])
        } else {
            (entry.section.as_str(), entry.text.as_str())
        };
        let (subject, rest) = first_sentence(text);
        Said {
            subject: format!("{}({project}): {subject}", sort(section)),
            body: format!("{rest}\n\n{project} {}", entry.version),
            at,
            files: Vec::new(),
        }
    });
    told.collect()
}

fn sort(section: &str) -> &'static str {
    let section = section.to_lowercase();
    let is = |words: &[&str]| words.iter().any(|word| section.contains(word));
    if is(&["fix", "security"]) {
        "fix"
    } else if is(&["perf"]) {
        "perf"
    } else if is(&["doc"]) {
        "docs"
    } else if is(&["add", "feature", "enhance"]) {
        "feat"
    } else {
        "refactor"
    }
}

fn first_sentence(text: &str) -> (&str, &str) {
    if text.len() <= SUBJECT {
        return (text, "");
    }
    let ends = text.match_indices(". ").map(|(at, _)| at + 1);
    match ends.into_iter().find(|&at| at >= 30) {
        Some(at) => (&text[..at], text[at..].trim()),
        None => (text, ""),
    }
}

/// `2026-11-11` or `October 21st, 2026` in a heading, as midnight.
pub(crate) fn date(heading: &str) -> Option<Timestamp> {
    let words: Vec<&str> = heading
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    words.windows(3).find_map(|three| {
        let numbers: Vec<i64> = three.iter().filter_map(|word| number(word)).collect();
        let (year, month, day) = match numbers[..] {
            [year, month, day] => (year, month, day),
            [day, year] => (year, month(three[0]).or_else(|| month(three[1]))?, day),
            _ => return None,
        };
        let is_one = year >= 1990 && (1..=12).contains(&month) && (1..=31).contains(&day);
        is_one.then(|| Timestamp::from_millis(days(year, month, day) * 86_400_000))
    })
}

fn number(word: &str) -> Option<i64> {
    word.trim_end_matches(char::is_alphabetic).parse().ok()
}

fn month(word: &str) -> Option<i64> {
    const NAMES: &str = "janfebmaraprmayjunjulaugsepoctnovdec";
    let start = word.get(..3)?.to_lowercase();
    let at = NAMES.find(&start).filter(|at| at % 3 == 0)?;
    Some(at as i64 / 3 + 1)
}

/// Days from 1970 to a date (Hinnant, "chrono-compatible low-level date algorithms").
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let (era, year) = (year.div_euclid(400), year.rem_euclid(400));
    era * 146_097 + year * 365 + year / 4 - year / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::{date, days};

    #[test]
    fn dates_are_read_in_the_ways_that_notes_write_them() {
        assert_eq!(days(1970, 1, 1), 0);
        assert_eq!(days(2000, 3, 1), 11_017);
        for heading in [
            "1.2.3 (2026-10-21)",
            "1.54.1 (October 21st, 2026)",
            "# 0.6.12 (21. October, 2026)",
        ] {
            let at = date(heading).map(|at| at.as_micros() / 86_400_000_000);
            assert_eq!(at, Some(days(2026, 10, 21)), "{heading}");
        }
        assert_eq!(date("0.8.9"), None);
    }
}
