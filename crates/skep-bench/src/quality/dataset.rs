//! What is asked of recall: memories, questions, and which memories answer them.

use std::collections::BTreeSet;

use anyhow::Result;
use serde_json::Value;
use skep_domain::{MemoryKind, Timestamp, Trust};
use skep_memory::cut_line;
use skep_store::MemoryBody;

/// Characters of the key of a memory that comes without one.
const KEY: usize = 120;

/// Several corpora that count as one: a question is asked of its own corpus only.
pub(crate) struct Dataset {
    /// As the keys of the report begin.
    pub(crate) name: &'static str,
    pub(crate) corpora: Vec<Corpus>,
}

/// Memories of one workspace, and questions to it.
pub(crate) struct Corpus {
    pub(crate) memories: Vec<Memory>,
    pub(crate) questions: Vec<Question>,
}

/// One memory before it is stored.
#[derive(Clone)]
pub(crate) struct Memory {
    pub(crate) body: MemoryBody,
    pub(crate) kind: MemoryKind,
    pub(crate) trust: Trust,
    pub(crate) at: Timestamp,
    /// The session it was said in, if that is known.
    pub(crate) thread: Option<u64>,
}

/// One question, or a prompt; one that no memory answers has no answers.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) text: String,
    /// Places of the memories that answer it.
    pub(crate) answers: BTreeSet<usize>,
}

impl Memory {
    /// A memory of which only the words are known.
    pub(crate) fn plain(text: String) -> Self {
        Self {
            body: MemoryBody {
                key: cut_line(&text, KEY).into_owned(),
                text,
                ..MemoryBody::default()
            },
            kind: MemoryKind::Fact,
            trust: Trust::Agent,
            at: Timestamp::from_micros(0),
            thread: None,
        }
    }
}

impl Dataset {
    /// How many questions it asks.
    pub(crate) fn questions(&self) -> usize {
        self.corpora.iter().map(|c| c.questions.len()).sum()
    }

    /// How many memories it holds.
    pub(crate) fn memories(&self) -> usize {
        self.corpora.iter().map(|c| c.memories.len()).sum()
    }
}

/// One JSON value a line.
pub(crate) fn json_lines(text: &str) -> Result<Vec<Value>> {
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines.map(|line| Ok(serde_json::from_str(line)?)).collect()
}
