//! The labels beside the fixture sessions, as the tests read them.

use std::collections::BTreeMap;

use skep_api::memory::Memory;

use crate::program::fixtures;

/// Rules were tuned on the one half and only measured on the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Half {
    Tune,
    Held,
}

impl Half {
    const fn name(self) -> &'static str {
        match self {
            Self::Tune => "tune",
            Self::Held => "held",
        }
    }
}

/// A session and what is expected of it.
#[derive(Debug)]
pub(super) struct Labelled {
    pub(super) name: String,
    pub(super) harness: String,
    /// Under the folder of sessions.
    pub(super) path: String,
    pub(super) facts: Vec<String>,
    pub(super) dead: Vec<String>,
    pub(super) procedures: Vec<String>,
}

/// What a reader said about a memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Useful,
    Junk,
}

/// The sessions of a half, in the order of the file.
pub(super) fn sessions(half: Half) -> Vec<Labelled> {
    let text = std::fs::read_to_string(fixtures("sessions/labels.toml")).unwrap();
    let table: toml::Table = text.parse().unwrap();
    let all = table["session"].as_array().unwrap();
    all.iter()
        .filter(|session| session["half"].as_str() == Some(half.name()))
        .map(|session| Labelled {
            name: session["name"].as_str().unwrap().to_owned(),
            harness: session["harness"].as_str().unwrap().to_owned(),
            path: session["path"].as_str().unwrap().to_owned(),
            facts: texts(session, "facts"),
            dead: texts(session, "dead"),
            procedures: texts(session, "procedures"),
        })
        .collect()
}

fn texts(session: &toml::Value, key: &str) -> Vec<String> {
    let list = session.get(key).and_then(toml::Value::as_array);
    list.into_iter()
        .flatten()
        .map(|text| text.as_str().unwrap().to_owned())
        .collect()
}

/// What a memory is labelled by: its text on one line; a recap by its key.
pub(super) fn label_of(memory: &Memory) -> String {
    let is_recap = memory.provenance.derived_by == "recap";
    let text = if is_recap { &memory.key } else { &memory.text };
    text.replace('\n', " ")
}

/// The labels of memories.
pub(super) fn verdicts(half: Half) -> BTreeMap<String, Verdict> {
    let path = format!("sessions/memories-{}.tsv", half.name());
    let text = std::fs::read_to_string(fixtures(&path)).unwrap_or_default();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let (label, text) = line.split_once('\t').unwrap();
            let verdict = match label {
                "useful" => Verdict::Useful,
                "junk" => Verdict::Junk,
                other => panic!("{other} is no label"),
            };
            (text.to_owned(), verdict)
        })
        .collect()
}

/// Whether a memory holds all the words of one of the alternatives.
pub(super) fn holds(memory: &Memory, words: &str) -> bool {
    // The lines of a recap are statements of their own.
    if memory.provenance.derived_by == "recap" {
        return memory.text.lines().any(|line| has_words(line, words));
    }
    has_words(&format!("{} {}", memory.key, memory.text), words)
}

/// Whether a text does.
pub(super) fn has_words(text: &str, words: &str) -> bool {
    let text = text.to_lowercase();
    words.split('|').any(|words| {
        words
            .split_whitespace()
            .all(|word| text.contains(&word.to_lowercase()))
    })
}
