//! The strict reading of an assembly: exactly what [`super::assemble`] writes, or nothing.

use skep_domain::{MemoryKind, Trust};

use super::{POLICY_SHA256, POLICY_VERSION, directive, end, escape};

/// An assembly that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parsed {
    /// The nonce that all marks carry, in hex.
    pub nonce: String,
    /// The standing texts, in order.
    pub standing: Vec<ParsedStanding>,
    /// The blocks, in order.
    pub blocks: Vec<ParsedBlock>,
}

/// A standing text, unescaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParsedStanding {
    /// Whose.
    pub of: String,
    /// Which version.
    pub version: u32,
    /// The hash that it came with.
    pub sha256: String,
    /// What it says.
    pub text: String,
}

/// One block, unescaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParsedBlock {
    /// The text form of its id.
    pub id: String,
    /// What sort of statement.
    pub kind: MemoryKind,
    /// Whose word it is.
    pub trust: Trust,
    /// Where it comes from.
    pub source: String,
    /// The statement, or its key line.
    pub text: String,
}

/// Why a text is not an assembly of this version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unparsable {
    /// It does not begin with the directive of this version.
    #[error("no directive of version {POLICY_VERSION} with hash {POLICY_SHA256}")]
    Directive,
    /// What follows is neither a block with the directive's nonce nor the end.
    #[error("block {0} is not as it is written")]
    Block(usize),
    /// The end names another number of blocks, or something follows it.
    #[error("the end is not where it should be")]
    End,
}

const NONCE: usize = 32;
const CLOSE: &str = "</skep-memory>\n";
const CLOSE_STANDING: &str = "</skep-directive>\n";

/// Reads an assembly.
///
/// # Errors
/// [`Unparsable`]: a text with one byte more, fewer or other than [`super::assemble`] writes.
pub fn parse(text: &str) -> Result<Parsed, Unparsable> {
    let nonce = text
        .split_once(" nonce=\"")
        .and_then(|(_, rest)| rest.get(..NONCE))
        .filter(|nonce| {
            nonce
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        })
        .ok_or(Unparsable::Directive)?;
    let mut rest = text
        .strip_prefix(directive(nonce).as_str())
        .ok_or(Unparsable::Directive)?;
    let mut standing = Vec::new();
    while rest.starts_with("<skep-directive ") {
        let (one, after) = read_standing(rest, nonce).ok_or(Unparsable::Directive)?;
        standing.push(one);
        rest = after;
    }
    let mut blocks = Vec::new();
    while !rest.starts_with("<skep-end ") {
        let (block, after) = read(rest, nonce).ok_or(Unparsable::Block(blocks.len()))?;
        blocks.push(block);
        rest = after;
    }
    if rest == end(nonce, blocks.len()) {
        Ok(Parsed {
            nonce: nonce.to_owned(),
            standing,
            blocks,
        })
    } else {
        Err(Unparsable::End)
    }
}

fn read<'a>(text: &'a str, nonce: &str) -> Option<(ParsedBlock, &'a str)> {
    let rest = text.strip_prefix("<skep-memory nonce=\"")?;
    let rest = rest.strip_prefix(nonce)?;
    let (id, rest) = attribute(rest, "\" id=\"")?;
    let (kind, rest) = attribute(rest, "\" kind=\"")?;
    let (trust, rest) = attribute(rest, "\" trust=\"")?;
    let (source, rest) = attribute(rest, "\" source=\"")?;
    let rest = rest.strip_prefix("\">")?;
    let (body, after) = rest.split_once(CLOSE)?;
    let block = ParsedBlock {
        id: escape::read_attribute(id)?,
        kind: MemoryKind::parse(kind)?,
        trust: Trust::parse(trust)?,
        source: escape::read_attribute(source)?,
        text: escape::read_body(body)?,
    };
    Some((block, after))
}

fn read_standing<'a>(text: &'a str, nonce: &str) -> Option<(ParsedStanding, &'a str)> {
    let (of, rest) = attribute(text, "<skep-directive of=\"")?;
    let (version, rest) = attribute(rest, "\" version=\"")?;
    let (sha256, rest) = attribute(rest, "\" sha256=\"")?;
    let rest = rest.strip_prefix("\" nonce=\"")?.strip_prefix(nonce)?;
    let rest = rest.strip_prefix("\">")?;
    let (body, after) = rest.split_once(CLOSE_STANDING)?;
    let number: u32 = version.parse().ok()?;
    let one = ParsedStanding {
        of: escape::read_attribute(of)?,
        version: number,
        sha256: escape::read_attribute(sha256)?,
        text: escape::read_body(body)?,
    };
    // One number has one form.
    (number.to_string() == version).then_some((one, after))
}

/// The value after `opening`, and what follows it from its closing quote on.
fn attribute<'a>(text: &'a str, opening: &str) -> Option<(&'a str, &'a str)> {
    let rest = text.strip_prefix(opening)?;
    let end = rest.find('"')?;
    Some(rest.split_at(end))
}
