//! A message as sentences with what is around them: the section they stand in, their paragraph.

use super::cue::Cues;
use super::markdown::{Block, BlockKind, blocks};
use super::phrase::{begins, has};
use super::sentence::{content_words, fold, sentences};

/// What the heading over a sentence says about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    /// Nothing.
    Plain,
    /// Decisions are listed.
    Decisions,
    /// Causes and traps are explained.
    Causes,
    /// Rules are laid down.
    Rules,
    /// What was done is told.
    Changes,
    /// What is still to be done or decided.
    Open,
}

/// One sentence.
#[derive(Clone, Debug)]
pub(super) struct Sentence {
    pub(super) text: String,
    pub(super) folded: String,
    pub(super) cues: Cues,
    /// Content words.
    pub(super) words: usize,
    pub(super) section: Section,
    /// Sentences of one block follow one another.
    pub(super) block: usize,
    pub(super) is_item: bool,
}

/// The most of a message that is read; what lies between the ends of a longer one is a paste.
const MESSAGE_MAX: usize = 24 << 10;
/// The most sentences of a message.
const SENTENCES_MAX: usize = 400;

/// Reads a message.
pub(super) fn read(text: &str) -> Vec<Sentence> {
    let text = crate::clean::cut_middle(text, MESSAGE_MAX);
    let mut section = Section::Plain;
    let mut found = Vec::new();
    for (number, block) in blocks(&text).iter().enumerate() {
        match block.kind {
            BlockKind::Code => {}
            BlockKind::Heading => section = Section::of(&block.text).unwrap_or(Section::Plain),
            BlockKind::Paragraph | BlockKind::Item => {
                if let Some(named) = lead_in(block) {
                    section = named;
                    continue;
                }
                let is_item = block.kind == BlockKind::Item;
                found.extend(
                    sentences(&block.text)
                        .into_iter()
                        .map(|text| Sentence::new(text, section, number, is_item)),
                );
            }
        }
        if found.len() >= SENTENCES_MAX {
            break;
        }
    }
    found.truncate(SENTENCES_MAX);
    found
}

/// `Decisions:` or `Root cause:` alone in a paragraph names what follows it.
fn lead_in(block: &Block) -> Option<Section> {
    let label = block.text.strip_suffix(':')?;
    (block.kind == BlockKind::Paragraph && label.len() <= 48).then(|| Section::of(label))?
}

impl Section {
    fn of(title: &str) -> Option<Self> {
        let folded = fold(title);
        let title = folded.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        if begins(title, OPEN) || has(title, "next step|open question|follow-up|follow up") {
            Some(Self::Open)
        } else if begins(title, CAUSES) || has(title, "root cause|went wrong") {
            Some(Self::Causes)
        } else if begins(title, DECISIONS) {
            Some(Self::Decisions)
        } else if begins(title, RULES) {
            Some(Self::Rules)
        } else if begins(title, CHANGES) {
            Some(Self::Changes)
        } else {
            None
        }
    }
}

const OPEN: &str = "todo|to do|open |remaining|option|alternativ|plan|proposal|idea|question|what's next|pending|future";
const CAUSES: &str =
    "root cause|cause|diagnos|gotcha|caveat|pitfall|why it |why this |lesson|watch out|the problem";
const DECISIONS: &str = "decision|key decision|design decision|technical decision|architectural decision|\
architecture decision|decided|rationale|trade-off|tradeoff|key design";
const RULES: &str = "convention|rules|house rule|style|guideline|standards|naming";
const CHANGES: &str =
    "change|summary|what i did|what changed|done|result|outcome|fix|implement|solution";

impl Sentence {
    fn new(text: &str, section: Section, block: usize, is_item: bool) -> Self {
        let text = text
            .trim_start_matches(|c: char| !c.is_ascii() && !c.is_alphanumeric())
            .trim_start();
        let folded = fold(text);
        // `Root cause: the pool …` carries its heading with it.
        let label = folded
            .split_once(": ")
            .map(|(label, _)| label)
            .filter(|label| label.len() <= 32);
        let section = label.and_then(Section::of).unwrap_or(section);
        let cues = Cues::of(&folded);
        let words = content_words(text).len();
        Self {
            text: text.to_owned(),
            folded,
            cues,
            words,
            section,
            block,
            is_item,
        }
    }
}
