//! Release notes, in Markdown or reStructuredText, into one entry per bullet or paragraph.

use anyhow::Result;
use regex::Regex;

/// Shorter paragraphs between the bullets only lead over to them.
const PARAGRAPH_LEAST: usize = 80;

/// One thing that a release changed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) version: String,
    /// As the notes write it: `2026-11-11`, or `October 21st, 2026`.
    pub(super) heading: String,
    pub(super) section: String,
    pub(super) text: String,
}

/// The patterns, compiled once.
pub(super) struct Notes {
    version: Regex,
    bullet: Regex,
    strip: Vec<(Regex, &'static str)>,
}

/// What is read so far.
#[derive(Default)]
struct Reading {
    version: String,
    heading: String,
    section: String,
    open: String,
    is_bullet: bool,
    entries: Vec<Entry>,
}

/// Markup, and numbers of issues and names of people, none of which a memory would keep.
const STRIP: &[(&str, &str)] = &[
    (r"\[([^\]]*)\]\([^)]*\)", "$1"),
    (r"`([^`<]+?)\s*<[^>]*>`_+", "$1"),
    (r":[\w:-]+:`~?([^`]+)`", "`$1`"),
    (r"``", "`"),
    (r"\s*\(#\d+ by [\w-]+\)", ""),
    (r"\s+by @[\w-]+ in https?://\S+", ""),
    (r"(?i)^(?:(?:bug|feature|perf) #\d+[,:]?\s*)+", ""),
    (r"^(?:#\d+[,:]?\s*)+", ""),
    (r"\s*\(\s*(?:(?:https?://github\.com|\[?#\d)[^)]*)\)", ""),
    (r"(?i)\s*\(\s*(?:pull |issue )?`?#\d[^)]*\)", ""),
    (r"(?:\s+-)?\s+#\d+(?:[,;]?\s+#\d+)*\.?$", ""),
    (r"\[(#\d+)\]", "$1"),
    (r"\[(`[^`]*`)\](?:\[[^\]]*\])?", "$1"),
    (r"\*\*([^*]*)\*\*", "$1"),
    (r"https?://\S+", ""),
    (r"\s+", " "),
    (r" ([.,;:])", "$1"),
];

impl Notes {
    pub(super) fn new() -> Result<Self> {
        let strip = STRIP
            .iter()
            .map(|(pattern, with)| Ok((Regex::new(pattern)?, *with)));
        Ok(Self {
            version: Regex::new(r"\bv?(\d+\.\d+(?:\.\d+)?(?:-[\w.]+)?)\b")?,
            bullet: Regex::new(r"^(\s*)[-*+•]\s+(.*)$")?,
            strip: strip.collect::<Result<_>>()?,
        })
    }

    /// All entries, in the order of the notes.
    pub(super) fn read(&self, text: &str) -> Vec<Entry> {
        let mut reading = Reading::default();
        let lines: Vec<&str> = text.lines().collect();
        let (mut fenced, mut after_blank) = (false, true);
        for (at, line) in lines.iter().enumerate() {
            let trimmed = line.trim();
            if trimmed.starts_with("```") {
                fenced = !fenced;
                continue;
            }
            let under = lines.get(at + 1).is_some_and(|next| is_rule(next));
            if fenced || is_rule(line) || trimmed.starts_with("..") || is_link(trimmed) {
                continue;
            }
            if trimmed.starts_with('#') || (under && !trimmed.is_empty()) {
                self.end(&mut reading);
                self.heading(&mut reading, trimmed.trim_start_matches('#').trim());
            } else if trimmed.is_empty() {
                after_blank = true;
                continue;
            } else {
                self.line(&mut reading, line, after_blank);
            }
            after_blank = false;
        }
        self.end(&mut reading);
        reading.entries
    }

    fn heading(&self, reading: &mut Reading, text: &str) {
        match self.version.captures(text) {
            Some(found) => {
                found[1].clone_into(&mut reading.version);
                text.clone_into(&mut reading.heading);
                reading.section.clear();
            }
            None => text.clone_into(&mut reading.section),
        }
    }

    fn line(&self, reading: &mut Reading, line: &str, after_blank: bool) {
        let bullet = self.bullet.captures(line);
        let top = bullet.as_ref().filter(|found| found[1].len() < 4);
        if let Some(found) = top {
            self.end(reading);
            reading.is_bullet = true;
            reading.open.push_str(&found[2]);
            return;
        }
        if after_blank && !(reading.is_bullet && line.starts_with("  ")) {
            self.end(reading);
        }
        let text = bullet.as_ref().map_or(line.trim(), |found| found[2].trim());
        if text.ends_with(':') && text.len() < 40 && reading.open.is_empty() {
            text.trim_end_matches(':').clone_into(&mut reading.section);
            return;
        }
        if !reading.open.is_empty() {
            reading.open.push(' ');
        }
        reading.open.push_str(text);
    }

    /// Closes what is open.
    fn end(&self, reading: &mut Reading) {
        let open = std::mem::take(&mut reading.open);
        let was_bullet = std::mem::take(&mut reading.is_bullet);
        let mut text = open.trim().to_owned();
        for (pattern, with) in &self.strip {
            text = pattern.replace_all(text.trim(), *with).into_owned();
        }
        let says_enough = was_bullet || text.len() >= PARAGRAPH_LEAST;
        if !reading.version.is_empty() && !text.is_empty() && says_enough {
            reading.entries.push(Entry {
                version: reading.version.clone(),
                heading: reading.heading.clone(),
                section: reading.section.clone(),
                text,
            });
        }
    }
}

/// `====` or `----`, under a heading or between parts.
fn is_rule(line: &str) -> bool {
    let line = line.trim_end();
    let is_mark = |c: char| matches!(c, '=' | '-' | '~' | '^');
    line.len() >= 3 && line.chars().all(is_mark)
}

/// `[#12]: https://…`, where a link leads.
fn is_link(line: &str) -> bool {
    line.starts_with('[') && line.contains("]: ")
}

#[cfg(test)]
mod tests {
    use super::Notes;

    #[test]
    fn bullets_and_paragraphs_become_entries_without_markup() {
        let text = "# 1.2.0 (2026-01-02)\n\n## Fixed\n\n- net: close [the socket](http://x) twice ([#12])\n  and say so\n\n[#12]: http://y\n\n\
                    0.9.1\n=====\nBug fixes:\n\n* [BUG #7](http://z):\nFix ``a_b`` on Windows\n\nshort\n";
        let read = Notes::new().unwrap().read(text);
        let told: Vec<_> = read
            .iter()
            .map(|entry| (&*entry.version, &*entry.section, &*entry.text))
            .collect();
        assert_eq!(
            told,
            [
                ("1.2.0", "Fixed", "net: close the socket twice and say so"),
                ("0.9.1", "Bug fixes", "Fix `a_b` on Windows"),
            ]
        );
    }
}
