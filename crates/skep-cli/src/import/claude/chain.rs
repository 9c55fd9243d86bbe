//! The way a conversation took: from its last message up through `parentUuid`.

use super::record::Head;
use crate::import::branches::{Trail, Verdict};

/// Follows parents; sees lines last to first.
#[derive(Debug)]
pub(super) struct Chain(Next);

#[derive(Debug)]
enum Next {
    /// Whatever message comes first.
    Leaf,
    /// The record of this id.
    Record(String),
    /// The root was reached: whatever is before it was another beginning.
    Nothing,
}

impl Chain {
    pub(super) const fn new() -> Self {
        Self(Next::Leaf)
    }
}

impl Trail for Chain {
    fn judge(&mut self, line: Option<&[u8]>) -> Verdict {
        let head = line.and_then(|line| {
            // As the forward pass reads it: damaged bytes replaced.
            serde_json::from_slice::<Head>(line)
                .or_else(|_| serde_json::from_str(&String::from_utf8_lossy(line)))
                .ok()
        });
        let Some(head) = head else {
            return Verdict::Beside;
        };
        let Some(uuid) = head.uuid else {
            return Verdict::Beside;
        };
        if head.is_sidechain == Some(true) {
            return Verdict::Beside;
        }
        let is_message = matches!(head.kind.as_deref(), Some("user" | "assistant"));
        match &self.0 {
            Next::Leaf if !is_message => return Verdict::Beside,
            Next::Record(wanted) if *wanted != uuid => return Verdict::Off,
            Next::Nothing => return Verdict::Off,
            Next::Leaf | Next::Record(_) => {}
        }
        let compacted = head.subtype.as_deref() == Some("compact_boundary");
        self.0 = match head.parent_uuid.or(head.logical_parent_uuid) {
            Some(parent) => Next::Record(parent),
            None if compacted => Next::Leaf,
            None => Next::Nothing,
        };
        Verdict::On
    }

    fn is_seeking(&self) -> bool {
        matches!(self.0, Next::Record(_))
    }

    fn follow_next(&mut self) {
        self.0 = Next::Leaf;
    }
}

#[cfg(test)]
mod tests;
