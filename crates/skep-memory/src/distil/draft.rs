//! A memory before it has an identity, and the sizes it keeps to.

use crate::clean::{cut_line, cut_middle};
use skep_domain::{Limits, MemoryKind, Timestamp, Trust};
use std::collections::BTreeSet;

/// One statement that is worth keeping.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// What sort of statement.
    pub kind: MemoryKind,
    /// One line dense with keywords, at most [`Draft::KEY_CHARS`] characters.
    pub key: String,
    /// The statement, at most [`Limits::MEMORY_TEXT`] bytes.
    pub text: String,
    /// The weakest word among its sources.
    pub trust: Trust,
    /// Since when it holds.
    pub valid_from: Timestamp,
    /// The turns it came from, by their index, ascending.
    pub turns: Vec<usize>,
    /// Paths, symbols, commands, error codes, URLs it names; at most [`Draft::ENTITIES`].
    pub entities: Vec<String>,
    /// How sure the distiller is that it is worth keeping, [`Draft::ADMISSION`] to 1.
    pub score: f32,
}

impl Draft {
    /// Characters of a key line.
    pub const KEY_CHARS: usize = 160;
    /// Entities of one draft.
    pub const ENTITIES: usize = 32;
    /// The least score with which a statement is kept.
    pub const ADMISSION: f32 = 0.5;

    /// The same, trusted no further than this.
    pub(crate) fn trusted_to(mut self, most: Trust) -> Self {
        self.trust = self.trust.min(most);
        self
    }

    /// Brings every part within its bounds.
    pub(crate) fn bounded(mut self) -> Self {
        let key: Vec<&str> = self.key.split_whitespace().collect();
        self.key = cut_line(&key.join(" "), Self::KEY_CHARS).into_owned();
        self.text = cut_middle(self.text.trim(), Limits::MEMORY_TEXT).into_owned();
        let mut seen = BTreeSet::new();
        self.entities
            .retain(|entity| !entity.is_empty() && seen.insert(entity.clone()));
        self.entities.truncate(Self::ENTITIES);
        self.turns.sort_unstable();
        self.turns.dedup();
        self.score = self.score.clamp(0.0, 1.0);
        self
    }
}
