//! Stored text before a model, in the one form that the product has for that.

use skep_api::memory::Memory;
use skep_api::session::Turn;
use skep_domain::{MemoryKind, Trust};
use skep_memory::{Block, FramedTurn, Room, assemble, frame};

/// Something to show: a memory, or what is shown in the same way.
pub(crate) struct Shown<'a> {
    pub(crate) id: &'a str,
    pub(crate) kind: &'a str,
    pub(crate) trust: &'a str,
    pub(crate) source: String,
    pub(crate) text: &'a str,
}

/// What is shown, and which of what was there.
pub(crate) struct Framing {
    pub(crate) text: String,
    pub(crate) kept: Vec<usize>,
}

impl<'a> Shown<'a> {
    pub(crate) fn of(memory: &'a Memory, text: &'a str, source: String) -> Self {
        Self {
            id: &memory.id,
            kind: &memory.kind,
            trust: &memory.trust,
            source,
            text,
        }
    }
}

/// Frames what has room. A word that this version does not know counts as the least: a newer daemon may
/// say one.
pub(crate) fn framed(
    shown: &[Shown<'_>],
    room: Room,
    draw: &mut dyn FnMut() -> [u8; 16],
) -> Framing {
    let blocks: Vec<Block<'_>> = shown
        .iter()
        .map(|one| Block {
            id: one.id,
            kind: MemoryKind::parse(one.kind).unwrap_or(MemoryKind::Reference),
            trust: Trust::parse(one.trust).unwrap_or(Trust::External),
            source: &one.source,
            text: one.text,
        })
        .collect();
    let assembled = assemble(&blocks, &[], room, draw);
    Framing {
        text: assembled.text,
        kept: assembled.kept,
    }
}

/// Frames what was said.
pub(crate) fn transcript(turns: &[Turn], draw: &mut dyn FnMut() -> [u8; 16]) -> String {
    let framed: Vec<FramedTurn<'_>> = turns
        .iter()
        .zip(1..)
        .map(|(turn, number)| FramedTurn {
            number,
            by_person: turn.role == "user",
            text: &turn.text,
        })
        .collect();
    frame(&framed, &[], draw)
        .map(|framed| framed.text)
        .unwrap_or_default()
}
