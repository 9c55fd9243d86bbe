//! Redaction of output: secrets are found however they were written, as far as that goes.
//!
//! A captured text is read under each decoding of [`decode`], and what comes out once more under
//! each: so nested pairs are found without a list of encoded forms, and at every offset. Each
//! reading is searched for runs of [`SHORTEST`] bytes of any secret ([`needles`]), forwards and
//! backwards, with capitals folded. All of it is linear in the text and does not depend on the
//! number of secrets. What this cannot find is [`UNCOVERED`].

mod decode;
mod entities;
mod needles;
mod said;
mod uncovered;
mod view;

#[cfg(test)]
mod tests;

use zeroize::Zeroizing;

pub use needles::SHORTEST;
pub use uncovered::{GRADE, UNCOVERED, Uncovered};

use decode::Decoder;
use needles::Needles;
use view::{Marks, Root, Said, Search, View, search};

/// Which of a program's two streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// What a program has written, as it came.
#[derive(Default)]
pub struct Captured {
    bytes: Zeroizing<Vec<u8>>,
    /// In order of arrival: which stream, and where the piece ends.
    pieces: Vec<(Stream, usize)>,
}

impl Captured {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many bytes of both streams.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether nothing was written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Adds what has arrived.
    pub fn push(&mut self, stream: Stream, bytes: &[u8]) {
        self.make_room(bytes.len());
        self.bytes.extend_from_slice(bytes);
        let end = self.bytes.len();
        match self.pieces.last_mut() {
            Some((last, at)) if *last == stream => *at = end,
            _ => self.pieces.push((stream, end)),
        }
    }

    /// Grows without leaving an unwiped copy behind.
    fn make_room(&mut self, more: usize) {
        let needed = self.bytes.len() + more;
        if needed > self.bytes.capacity() {
            let mut larger = Zeroizing::new(Vec::with_capacity(needed.next_power_of_two()));
            larger.extend_from_slice(&self.bytes);
            self.bytes = larger;
        }
    }

    fn pieces(&self) -> impl Iterator<Item = (Stream, std::ops::Range<usize>)> {
        let starts = std::iter::once(0).chain(self.pieces.iter().map(|(_, end)| *end));
        let piece = |((stream, end), start): (&(Stream, usize), usize)| (*stream, start..*end);
        self.pieces.iter().zip(starts).map(piece)
    }
}

/// Output that may be shown, as far as redaction goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redacted {
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: Vec<u8>,
    /// Whether something was cut off at the cap.
    pub cut: bool,
    /// Which secrets were found, and how many markers stand for each.
    pub found: Vec<(String, usize)>,
}

/// Looks for secrets in output.
pub struct Redactor {
    names: Vec<String>,
    needles: Needles,
    said: Said,
    /// A secret has letters beyond ASCII.
    wide: bool,
}

/// How far beside a change of streams, or of an encoding, encoded text is looked at.
const BESIDE: usize = 1024;
/// The same for bytes that were decoded once already.
const AROUND: usize = 128;

impl Redactor {
    /// A redactor of these secrets, each with the name that stands in its markers. Of one that is
    /// shorter than [`SHORTEST`] nothing is found: no plan takes such.
    #[must_use]
    pub fn new<'a>(secrets: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Self {
        let (names, values): (Vec<_>, Vec<_>) = secrets.into_iter().unzip();
        Self {
            names: names.into_iter().map(str::to_owned).collect(),
            wide: values.iter().any(|value| !value.is_ascii()),
            needles: Needles::new(values),
            said: Said::default(),
        }
    }

    /// How much must be captured beyond the cap so that whatever begins before it is recognized.
    #[must_use]
    pub fn beyond(&self) -> usize {
        4 * BESIDE
    }

    /// Hides what is found, then cuts both streams together to `cap` bytes.
    #[must_use]
    pub fn redact(&self, captured: &Captured, cap: usize) -> Redacted {
        let marks = if self.names.is_empty() {
            Marks(vec![0; captured.len()])
        } else {
            self.marks(captured)
        };
        self.render(captured, &marks, cap)
    }

    /// Hides what is found in one text.
    #[must_use]
    pub fn redact_text(&self, text: &[u8]) -> Vec<u8> {
        let mut captured = Captured::new();
        captured.push(Stream::Out, text);
        self.redact(&captured, usize::MAX).stdout
    }

    fn marks(&self, captured: &Captured) -> Marks {
        let mut marks = Marks(vec![0; captured.len()]);
        let mut view = View::new();
        for root in roots(captured) {
            for root in [&root, &root.reversed()] {
                search(
                    &root.text,
                    &mut Search::new(self.sought(), &mut marks, root, None),
                );
                for decoder in Decoder::all(self.wide) {
                    view.clear();
                    decoder.read(&root.text, AROUND, &mut view);
                    self.look(&view, root, &mut marks);
                }
            }
        }
        marks
    }

    /// Searches a view as it is, and under each decoding once more.
    fn look(&self, view: &View, root: &Root, marks: &mut Marks) {
        if view.text.bytes.is_empty() {
            return;
        }
        search(
            &view.text,
            &mut Search::new(self.sought(), marks, root, Some(view)),
        );
        for decoder in Decoder::all(self.wide) {
            let mut search = Search::new(self.sought(), marks, root, Some(view));
            decoder.read(&view.text, SHORTEST, &mut search);
        }
    }

    fn sought(&self) -> (&Needles, &Said) {
        (&self.needles, &self.said)
    }

    fn render(&self, captured: &Captured, marks: &Marks, cap: usize) -> Redacted {
        let mut counts = vec![0; self.names.len()];
        let mut outs = [Side::default(), Side::default()];
        for (stream, piece) in captured.pieces() {
            let side = &mut outs[usize::from(stream == Stream::Err)];
            let kept = piece.start.min(cap)..piece.end.min(cap);
            for at in kept {
                side.push(captured.bytes[at], marks.0[at], |secret| {
                    counts[secret] += 1;
                    format!("[redacted:{}]", self.names[secret]).into_bytes()
                });
            }
        }
        let [mut out, mut err] = outs.map(Side::finish);
        let cut = captured.len() > cap || out.len() + err.len() > cap;
        // Markers may be longer than what they stand for.
        out.truncate(cap);
        err.truncate(cap - out.len());
        let found = self.names.iter().cloned().zip(counts);
        let mut found: Vec<_> = found.filter(|(_, count)| *count > 0).collect();
        found.sort();
        found.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            kept.1 += if same { next.1 } else { 0 };
            same
        });
        Redacted {
            stdout: out,
            stderr: err,
            cut,
            found,
        }
    }
}

/// Public bytes between two marked parts of one secret that are hidden with them: separators that
/// a decoding has passed over.
const BRIDGE: usize = 4;

/// One stream as it is written out.
#[derive(Default)]
struct Side {
    out: Vec<u8>,
    /// Whose marker was written last, and what has come since, as long as that is little.
    last: Option<(u16, Vec<u8>)>,
}

impl Side {
    fn push(&mut self, byte: u8, mark: u16, marker: impl FnOnce(usize) -> Vec<u8>) {
        match (&mut self.last, mark) {
            (Some((last, since)), mark) if *last == mark => since.clear(),
            (Some((_, since)), 0) => {
                since.push(byte);
                if since.len() > BRIDGE {
                    self.let_go();
                }
            }
            (None, 0) => self.out.push(byte),
            (_, mark) => {
                self.let_go();
                self.out.extend(marker(usize::from(mark) - 1));
                self.last = Some((mark, Vec::new()));
            }
        }
    }

    fn let_go(&mut self) {
        if let Some((_, since)) = self.last.take() {
            self.out.extend(since);
        }
    }

    fn finish(mut self) -> Vec<u8> {
        self.let_go();
        self.out
    }
}

/// The orders in which the captured bytes are read: each stream by itself and one after the other,
/// then what stands beside a change of streams, as it arrived and the other way about.
fn roots(captured: &Captured) -> Vec<Root> {
    let mut after = Root::new();
    for wanted in [Stream::Out, Stream::Err] {
        for (_, piece) in captured.pieces().filter(|(stream, _)| *stream == wanted) {
            after.push(&captured.bytes[piece.clone()], piece.start);
        }
    }
    if captured.pieces.len() < 2 {
        return vec![after];
    }
    let mut arrived = Root::new();
    let mut from = 0;
    let joints: Vec<usize> = captured
        .pieces()
        .skip(1)
        .map(|(_, piece)| piece.start)
        .collect();
    for (at, joint) in joints.iter().enumerate() {
        let start = joint.saturating_sub(BESIDE).max(from);
        let next = joints.get(at + 1).copied().unwrap_or(captured.len());
        let end = (joint + BESIDE).min(captured.len()).min(next);
        if start > from {
            arrived.cut();
        }
        arrived.push(&captured.bytes[start..end], start);
        from = end;
    }
    vec![after, arrived, crossed(captured)]
}

/// The end of standard error, then the beginning of standard output.
fn crossed(captured: &Captured) -> Root {
    let mut root = Root::new();
    let mut tail: Vec<usize> = Vec::with_capacity(BESIDE);
    let errors = captured
        .pieces()
        .filter(|(stream, _)| *stream == Stream::Err);
    let mut all: Vec<_> = errors.map(|(_, piece)| piece).collect();
    while let Some(piece) = all.pop() {
        tail.extend(piece.rev().take(BESIDE - tail.len()));
    }
    for at in tail.into_iter().rev() {
        root.push(&captured.bytes[at..=at], at);
    }
    let outs = captured
        .pieces()
        .filter(|(stream, _)| *stream == Stream::Out);
    for at in outs.flat_map(|(_, piece)| piece).take(BESIDE) {
        root.push(&captured.bytes[at..=at], at);
    }
    root
}
