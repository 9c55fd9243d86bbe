//! What whoever asks for a run has said themselves: it is theirs, and is shown to them again.
//!
//! Were it hidden where it happens to be a part of a secret, and shown where it is none, whoever asks would
//! guess a secret letter by letter. So a run of windows that they have said each of is left as it is: with a
//! right guess the same comes back as with a wrong one. What goes on beyond what they said is hidden whole.

use super::decode::Decoder;
use super::needles::SHORTEST;
use super::view::{Root, View, search};
use super::{AROUND, Redactor};

/// Pieces that are read in every order, two by two: a program may write one after the other.
const PAIRED: usize = 16;
/// Bytes of each end of a piece that such a pair has.
const END: usize = 64;
/// What a program may well put between two pieces.
const BETWEEN: [&[u8]; 2] = [b"", b" "];

impl Redactor {
    /// The same for output of a run whose arguments have these words of whoever asks.
    #[must_use]
    pub fn said(mut self, pieces: &[&[u8]]) -> Self {
        if self.names.is_empty() || pieces.is_empty() {
            return self;
        }
        let mut said = std::mem::take(&mut self.said);
        let root = together(pieces);
        let mut view = View::new();
        for root in [&root, &root.reversed()] {
            search(&root.text, &mut said.gather(&self.needles));
            for decoder in Decoder::all(self.wide) {
                view.clear();
                decoder.read(&root.text, AROUND, &mut view);
                search(&view.text, &mut said.gather(&self.needles));
                for decoder in Decoder::all(self.wide) {
                    decoder.read(&view.text, SHORTEST, &mut said.gather(&self.needles));
                }
            }
        }
        said.sort();
        self.said = said;
        self
    }
}

/// Each by itself, all in their order, and the ends of any two beside each other.
fn together(pieces: &[&[u8]]) -> Root {
    let mut root = Root::new();
    let mut part = |texts: &[&[u8]]| {
        root.cut();
        for text in texts {
            root.push(text, 0);
        }
    };
    for piece in pieces {
        part(&[piece]);
    }
    for between in BETWEEN {
        part(&[&pieces.join(between)]);
        for one in pieces.iter().take(PAIRED) {
            for other in pieces.iter().take(PAIRED) {
                let tail = &one[one.len().saturating_sub(END)..];
                let head = &other[..other.len().min(END)];
                part(&[tail, between, head]);
            }
        }
    }
    root
}
