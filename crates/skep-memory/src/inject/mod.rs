//! The form in which memories are put in front of a model: a directive, marked blocks, an end.
//!
//! ```text
//! <skep-directive version="1" sha256="…" nonce="…">policy</skep-directive>
//! <skep-memory nonce="…" id="…" kind="…" trust="…" source="…">escaped text</skep-memory>
//! <skep-end nonce="…" blocks="1"/>
//! ```
//!
//! What holds for any stored text: [`parse`] gives back exactly the blocks that [`assemble`] put in.
//! What does not follow: that a model heeds the directive. Recalled text is harmless because it can
//! grant nothing, not because of its marks.

mod escape;
mod parse;
mod policy;
mod transcript;

use skep_domain::{MemoryKind, Trust};

pub use parse::{Parsed, ParsedBlock, ParsedStanding, Unparsable, parse};
pub use policy::{POLICY, POLICY_SHA256, POLICY_VERSION};
pub use transcript::{Framed, FramedTurn, ReadTurn, frame, framed_bytes, read_transcript};

/// Bytes of an assembly at most: Claude Code cuts what a hook adds after 10,000 characters.
pub const INJECTION_BYTES: usize = 10_000;

/// 128 random bits, fresh for each assembly.
pub type Nonce = [u8; 16];

/// One memory to put in front of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block<'a> {
    /// The text form of its id.
    pub id: &'a str,
    /// What sort of statement.
    pub kind: MemoryKind,
    /// Whose word it is.
    pub trust: Trust,
    /// Where it comes from, in a few words.
    pub source: &'a str,
    /// The statement, or its key line.
    pub text: &'a str,
}

/// The standing text of whoever runs an organization or a workspace. It is an instruction, and its author's word for it
/// is their right; its form holds for any text all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing<'a> {
    /// Whose: `organization` or `workspace`.
    pub of: &'a str,
    /// Which version.
    pub version: u32,
    /// SHA-256 of the text, in hex.
    pub sha256: &'a str,
    /// What it says.
    pub text: &'a str,
}

/// What an assembly may take.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    /// Bytes, directive and end included.
    pub bytes: usize,
    /// Estimated tokens, directive and end included.
    pub tokens: u32,
}

/// A finished assembly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assembled {
    /// The exact bytes to inject; empty if not even the directive has room.
    pub text: String,
    /// Indexes of the blocks that are in it, in order.
    pub kept: Vec<usize>,
}

/// Draws a nonce a few times more than chance could ever need; see [`assemble`].
const DRAWS: usize = 16;

/// Puts blocks into the form of this module, best first. A block that does not fit is left out
/// whole and a later, smaller one may take its room; no block is ever cut.
///
/// `draw` gives fresh random nonces. One that occurs in any text of the assembly, or in `beside`
/// (what else stands in the prompt), is drawn again: whoever could foresee a nonce still cannot
/// write it. A source that only ever gives such nonces is broken, and nothing is injected then.
#[must_use]
pub fn assemble(
    blocks: &[Block<'_>],
    beside: &[&str],
    room: Room,
    draw: &mut dyn FnMut() -> Nonce,
) -> Assembled {
    assemble_with(&[], blocks, (beside, room), draw)
}

/// The same behind standing texts, which take none of the memories' tokens: they are there whatever is known.
#[must_use]
pub fn assemble_with(
    standing: &[Standing<'_>],
    blocks: &[Block<'_>],
    (beside, room): (&[&str], Room),
    draw: &mut dyn FnMut() -> Nonce,
) -> Assembled {
    let nothing = Assembled {
        text: String::new(),
        kept: Vec::new(),
    };
    let Some(nonce) = (0..DRAWS).map(|_| hex(draw())).find(|nonce| {
        !occurs(nonce, blocks, beside) && !standing.iter().any(|one| holds(one.text, nonce))
    }) else {
        return nothing;
    };
    let mut text = directive(&nonce);
    // Room for the longest number of blocks there could be.
    let closing = end(&nonce, usize::MAX);
    let frame = cost(&text) + cost(&closing);
    for one in standing {
        text.push_str(&stands(&nonce, one));
    }
    let mut room = Left {
        bytes: room.bytes.checked_sub(text.len() + closing.len()),
        tokens: room.tokens.checked_sub(frame),
    };
    if room.bytes.is_none() || room.tokens.is_none() {
        return nothing;
    }
    let mut kept = Vec::new();
    for (index, block) in blocks.iter().enumerate() {
        let written = write(&nonce, block);
        if room.take(&written) {
            text.push_str(&written);
            kept.push(index);
        }
    }
    text.push_str(&end(&nonce, kept.len()));
    Assembled { text, kept }
}

/// Standing texts alone, for a place that keeps them apart from what is known; empty if there are none.
#[must_use]
pub fn standing_text(standing: &[Standing<'_>], nonce: Nonce) -> String {
    let nonce = hex(nonce);
    let all: String = standing.iter().map(|one| stands(&nonce, one)).collect();
    all.trim_end().to_owned()
}

/// A stored text as it stands inside a block, for where only a piece of one is shown.
#[must_use]
pub fn escaped(text: &str) -> String {
    escape::body(text)
}

/// What room is left.
struct Left {
    bytes: Option<usize>,
    tokens: Option<u32>,
}

impl Left {
    fn take(&mut self, text: &str) -> bool {
        let bytes = self.bytes.and_then(|left| left.checked_sub(text.len()));
        let tokens = self.tokens.and_then(|left| left.checked_sub(cost(text)));
        let fits = bytes.is_some() && tokens.is_some();
        if fits {
            *self = Self { bytes, tokens };
        }
        fits
    }
}

/// Tokens of a piece; a piece of its own never costs more than within a longer text, plus one.
fn cost(text: &str) -> u32 {
    crate::estimate_tokens(text) + 1
}

fn occurs(nonce: &str, blocks: &[Block<'_>], beside: &[&str]) -> bool {
    let stored = blocks
        .iter()
        .flat_map(|block| [block.id, block.source, block.text]);
    stored
        .chain(beside.iter().copied())
        .any(|text| holds(text, nonce))
}

/// Whether a text holds a nonce, in capitals too: a reader would take either for it.
fn holds(text: &str, nonce: &str) -> bool {
    text.as_bytes()
        .windows(nonce.len())
        .any(|window| window.eq_ignore_ascii_case(nonce.as_bytes()))
}

fn hex(nonce: Nonce) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    nonce
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|digit| char::from(DIGITS[usize::from(digit)]))
        .collect()
}

fn directive(nonce: &str) -> String {
    format!(
        "<skep-directive version=\"{POLICY_VERSION}\" sha256=\"{POLICY_SHA256}\" \
         nonce=\"{nonce}\">{POLICY}</skep-directive>\n"
    )
}

fn stands(nonce: &str, one: &Standing<'_>) -> String {
    format!(
        "<skep-directive of=\"{}\" version=\"{}\" sha256=\"{}\" nonce=\"{nonce}\">{}</skep-directive>\n",
        escape::attribute(one.of),
        one.version,
        escape::attribute(one.sha256),
        escape::body(one.text),
    )
}

fn write(nonce: &str, block: &Block<'_>) -> String {
    format!(
        "<skep-memory nonce=\"{nonce}\" id=\"{}\" kind=\"{}\" trust=\"{}\" source=\"{}\">{}</skep-memory>\n",
        escape::attribute(block.id),
        block.kind.as_str(),
        block.trust.as_str(),
        escape::attribute(block.source),
        escape::body(block.text),
    )
}

fn end(nonce: &str, blocks: usize) -> String {
    format!("<skep-end nonce=\"{nonce}\" blocks=\"{blocks}\"/>")
}

#[cfg(test)]
mod tests;
