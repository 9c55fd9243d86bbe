//! Documents to pieces: by heading and paragraph, each bounded, each with its lines.
//!
//! One pass over the lines, whatever they hold: no nesting is followed, so no document is too deep.

mod html;

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use crate::clean::cut_line;

/// Bytes that a piece grows to.
const FULL: usize = 1_600;
/// Bytes of a line that stays whole.
const LINE: usize = 2_400;
/// Pieces of one document.
const PIECES: usize = 2_000;
/// Characters of one heading.
const HEADING: usize = 120;
/// Headings within each other.
const DEPTH: usize = 6;
/// Lines of front matter.
const FRONT: usize = 200;
/// Links of one piece.
const LINKS: usize = 32;

/// How a document is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextForm {
    /// Markdown, with front matter and wikilinks if there are any.
    Markdown,
    /// A page.
    Html,
    /// Anything else that is text.
    Plain,
}

/// A piece of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// The headings above it, outermost first.
    pub headings: Vec<String>,
    /// What it says.
    pub text: String,
    /// Its lines in the document, counted from one.
    pub lines: RangeInclusive<u32>,
    /// What it links to by name, and the tags of its document.
    pub links: Vec<String>,
}

/// A document in pieces; `true` if it has more than are given.
#[must_use]
pub fn chunk(text: &str, form: TextForm) -> (Vec<Chunk>, bool) {
    let turned;
    let text = if form == TextForm::Html {
        turned = html::to_text(text);
        &turned
    } else {
        text
    };
    let mut reader = Reader::default();
    let mut rest = text.lines().enumerate().peekable();
    if form == TextForm::Markdown {
        let front = front_matter(text);
        for _ in 0..front.lines {
            rest.next();
        }
        reader.tags = front.tags;
    }
    for (at, line) in rest {
        if !reader.line(at as u32 + 1, line, form != TextForm::Plain) {
            return (reader.pieces, true);
        }
    }
    reader.flush();
    (reader.pieces, false)
}

#[derive(Default)]
struct Reader {
    pieces: Vec<Chunk>,
    tags: Vec<String>,
    headings: Vec<(usize, String)>,
    text: String,
    first: u32,
    last: u32,
    fence: Option<char>,
}

impl Reader {
    /// Takes a line. `false` when the document has too many pieces.
    fn line(&mut self, number: u32, line: &str, marked: bool) -> bool {
        let trimmed = line.trim();
        if marked {
            self.see_fence(trimmed);
            if let Some((level, title)) = heading(trimmed).filter(|_| self.fence.is_none()) {
                self.flush();
                self.headings.retain(|(outer, _)| *outer < level);
                self.headings.push((level, title));
                return self.pieces.len() < PIECES;
            }
        }
        if trimmed.is_empty() && self.fence.is_none() {
            if self.text.len() >= FULL / 2 {
                self.flush();
            } else if !self.text.is_empty() {
                self.text.push('\n');
            }
            return self.pieces.len() < PIECES;
        }
        let mut rest = line.trim_end();
        while !rest.is_empty() {
            let end = rest.floor_char_boundary(LINE);
            let (part, after) = rest.split_at(end);
            if !self.text.is_empty() && self.text.len() + part.len() > FULL {
                self.flush();
            }
            if self.text.trim().is_empty() {
                self.text.clear();
                self.first = number;
            }
            self.text.push_str(part);
            self.text.push('\n');
            self.last = number;
            rest = after;
            if self.pieces.len() >= PIECES {
                return false;
            }
        }
        true
    }

    fn see_fence(&mut self, line: &str) {
        let mark = ['`', '~'].into_iter().find(|mark| {
            let run: usize = line.chars().take_while(|c| c == mark).count();
            run >= 3
        });
        match (self.fence, mark) {
            (None, Some(mark)) => self.fence = Some(mark),
            (Some(open), Some(mark)) if open == mark => self.fence = None,
            _ => {}
        }
    }

    fn flush(&mut self) {
        let text = self.text.trim();
        if text.chars().any(char::is_alphanumeric) {
            let mut links: BTreeSet<String> = wikilinks(text).collect();
            links.extend(self.tags.iter().cloned());
            self.pieces.push(Chunk {
                headings: self
                    .headings
                    .iter()
                    .map(|(_, title)| title.clone())
                    .collect(),
                text: text.to_owned(),
                lines: self.first..=self.last,
                links: links.into_iter().take(LINKS).collect(),
            });
        }
        self.text.clear();
    }
}

/// `## Title ##` as its level and title.
fn heading(line: &str) -> Option<(usize, String)> {
    let level = line.bytes().take_while(|byte| *byte == b'#').count();
    let rest = &line[level..];
    if !(1..=DEPTH).contains(&level) || !rest.starts_with([' ', '\t']) {
        return None;
    }
    let title = rest.trim().trim_end_matches('#').trim();
    (!title.is_empty()).then(|| (level, cut_line(title, HEADING).into_owned()))
}

#[derive(Default)]
struct Front {
    lines: usize,
    tags: Vec<String>,
}

/// What stands between two lines of `---` at the top. Of it only tags and aliases are read; the rest
/// is for other programs.
fn front_matter(text: &str) -> Front {
    let mut lines = text.lines().take(FRONT + 1);
    if lines.next().map(str::trim_end) != Some("---") {
        return Front::default();
    }
    let mut front = Front::default();
    let mut listing = false;
    for (at, line) in lines.enumerate() {
        if matches!(line.trim_end(), "---" | "...") {
            front.lines = at + 2;
            front.tags.truncate(LINKS);
            return front;
        }
        let item = line.trim().strip_prefix("- ");
        let named = ["tags:", "aliases:"]
            .iter()
            .find_map(|name| line.strip_prefix(name));
        let values = match (named, item) {
            (Some(values), _) => {
                listing = true;
                values
            }
            (None, Some(item)) if listing => item,
            _ => {
                listing = false;
                continue;
            }
        };
        let words = values.trim().trim_matches(['[', ']']).split(',');
        let words = words.map(|word| word.trim().trim_matches(['"', '\'', '#']));
        front.tags.extend(
            words
                .filter(|word| !word.is_empty())
                .map(|word| cut_line(word, HEADING).into_owned()),
        );
    }
    // It never ended, so it was a line across the page.
    Front::default()
}

/// The pages that `[[Page#Part|shown]]` leads to.
fn wikilinks(text: &str) -> impl Iterator<Item = String> {
    text.split("[[").skip(1).filter_map(|rest| {
        let inner = rest.split_once("]]")?.0;
        let page = inner.split(['|', '#', '^']).next()?.trim();
        let fits = !page.is_empty() && page.len() <= HEADING && !page.contains(['[', '\n']);
        fits.then(|| page.to_owned())
    })
}

#[cfg(test)]
mod tests;
