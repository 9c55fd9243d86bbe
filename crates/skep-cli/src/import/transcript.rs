//! What the readers of transcripts share: a file of JSON lines that becomes turns of one session.

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use skep_api::capture::{Branch, SessionRef, TurnInput};
use skep_api::{Harness, Instant, Limits, TurnRole};

use super::branches::Trail;
use super::clip;

/// One harness's kind of transcript.
pub(crate) struct Kind {
    pub(crate) harness: Harness,
    /// Whether a file of a folder is one.
    pub(crate) fits: fn(&Path) -> bool,
    /// A reader for one file, and the time to give to records without one.
    pub(crate) reader: fn(&Path, Instant) -> Box<dyn Transcript>,
}

/// Reads one file, line by line, in order.
pub(crate) trait Transcript {
    /// Learns whose session it is from one of the first lines.
    fn meet(&mut self, line: &str);
    /// The session, as far as it is known.
    fn session(&self) -> SessionRef;
    /// How to tell what was taken back; none if nothing can be.
    fn trail(&self) -> Option<Box<dyn Trail>>;
    /// Turns one line into turns.
    ///
    /// # Errors
    /// Why it cannot be read; never its content.
    fn read(&mut self, line: &str, place: Place, found: &mut Found) -> Result<(), String>;
}

/// Where a line stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// Counted from one.
    pub(crate) number: u64,
    /// The conversation went another way.
    pub(crate) abandoned: bool,
}

/// What one line gave.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) turns: Vec<TurnInput>,
    pub(crate) skipped: Vec<Cow<'static, str>>,
    pub(crate) cut: u64,
}

impl Found {
    /// Adds a turn, made to fit.
    pub(crate) fn turn(&mut self, turn: TurnInput) {
        let long = turn.text.len() > Limits::TURN_BODY;
        self.cut += u64::from(long);
        self.turns.push(fit(turn));
    }

    /// Leaves a record out.
    pub(crate) fn skip(&mut self, reason: impl Into<Cow<'static, str>>) {
        self.skipped.push(reason.into());
    }

    /// Leaves out a record of a type that says nothing to us.
    pub(crate) fn skip_type(&mut self, kind: &str) {
        self.skip(format!("record type {}", clip::head(kind, 40)));
    }
}

/// Makes a turn fit what the daemon takes.
pub(crate) fn fit(mut turn: TurnInput) -> TurnInput {
    clip::body(&mut turn.text);
    turn.client_event_id = clip::client_key(turn.client_event_id);
    turn.tool = turn.tool.map(|tool| clip::head(&tool, 128).to_owned());
    turn
}

/// The id of a call's result, from that of the call.
pub(crate) fn result_id(call: &str) -> String {
    format!("{call}#out")
}

/// The id of what was said in answer to, or as, a prompt that its harness names. The text is part of
/// it: with one prompt a harness may say several things.
pub(crate) fn spoken_id(prompt: &str, role: TurnRole, text: &str) -> String {
    let said = super::cursor::fingerprint(text.trim().as_bytes());
    format!("{prompt}#{}-{said:016x}", role.as_str())
}

/// A turn that says something.
pub(crate) fn spoken(
    id: String,
    role: TurnRole,
    at: Instant,
    text: String,
    branch: Branch,
) -> TurnInput {
    TurnInput {
        author: None,
        client_event_id: id,
        role: role.as_str().to_owned(),
        at,
        text,
        tool: None,
        is_error: false,
        paths: Vec::new(),
        branch,
    }
}

/// Why JSON did not fit, without a word of its content.
pub(crate) fn json_problem(error: &serde_json::Error) -> String {
    let column = error.column();
    match error.classify() {
        serde_json::error::Category::Data => format!("not of the expected shape (column {column})"),
        _ => format!("not JSON (column {column})"),
    }
}

/// Remembers the last few values by key; older ones are forgotten.
#[derive(Debug)]
pub(crate) struct Recent<V> {
    values: HashMap<String, V>,
    order: VecDeque<String>,
    room: usize,
}

impl<V> Recent<V> {
    pub(crate) fn new(room: usize) -> Self {
        Self {
            values: HashMap::new(),
            order: VecDeque::new(),
            room,
        }
    }

    pub(crate) fn put(&mut self, key: String, value: V) {
        if self.values.insert(key.clone(), value).is_none() {
            self.order.push_back(key);
        }
        while self.order.len() > self.room {
            if let Some(oldest) = self.order.pop_front() {
                self.values.remove(&oldest);
            }
        }
    }

    pub(crate) fn get(&self, key: &str) -> Option<&V> {
        self.values.get(key)
    }
}

/// Every fitting file at or under a path, in a stable order; and what could not be looked into.
///
/// Links inside are not followed: they could lead round in circles, or out.
pub(crate) fn files(
    root: &Path,
    fits: fn(&Path) -> bool,
) -> (Vec<PathBuf>, Vec<(PathBuf, String)>) {
    let (mut found, mut problems) = (Vec::new(), Vec::new());
    if root.is_file() {
        return (vec![root.to_owned()], problems);
    }
    let mut open = vec![root.to_owned()];
    while let Some(folder) = open.pop() {
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) => {
                problems.push((folder, error.to_string()));
                continue;
            }
        };
        for entry in entries.flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => open.push(entry.path()),
                Ok(kind) if kind.is_file() && fits(&entry.path()) => found.push(entry.path()),
                _ => {}
            }
        }
    }
    found.sort();
    problems.sort();
    (found, problems)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::{Recent, files, json_problem};

    #[test]
    fn folders_are_walked_in_order_and_links_are_not_followed() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("b/c")).unwrap();
        for name in ["b/c/2.jsonl", "a.jsonl", "b/1.jsonl", "b/readme.md"] {
            fs::write(root.path().join(name), "").unwrap();
        }
        symlink(root.path(), root.path().join("b/loop")).unwrap();
        let (found, problems) = files(root.path(), |path| {
            path.extension().is_some_and(|e| e == "jsonl")
        });
        let names: Vec<_> = found
            .iter()
            .map(|path| path.strip_prefix(root.path()).unwrap())
            .collect();
        assert_eq!(
            names,
            ["a.jsonl", "b/1.jsonl", "b/c/2.jsonl"].map(std::path::Path::new)
        );
        assert!(problems.is_empty());
        let (found, problems) = files(&root.path().join("nowhere"), |_| true);
        assert!(found.is_empty() && problems.len() == 1);
    }

    #[test]
    fn what_was_seen_long_ago_is_forgotten() {
        let mut recent = Recent::new(2);
        for (key, value) in [("a", 1), ("b", 2), ("a", 3), ("c", 4)] {
            recent.put(key.into(), value);
        }
        assert_eq!(
            (recent.get("a"), recent.get("b"), recent.get("c")),
            (None, Some(&2), Some(&4))
        );
    }

    #[test]
    fn a12_json_problems_never_quote_the_line() {
        let wrong = serde_json::from_str::<u32>(r#""hunter2-canary""#).unwrap_err();
        assert!(wrong.to_string().contains("canary"));
        assert_eq!(
            json_problem(&wrong),
            "not of the expected shape (column 16)"
        );
    }
}
