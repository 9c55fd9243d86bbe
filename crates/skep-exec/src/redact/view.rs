//! A text as it is read under one decoding, with the way back to where each byte came from.

use zeroize::Zeroizing;

use super::needles::{Needles, Owner, SHORTEST, folded};

/// Where decoded bytes go.
pub(super) trait Sink {
    /// One byte, read from this part of the view that is decoded.
    fn byte(&mut self, byte: u8, from: usize, to: usize);
    /// What follows does not follow on what was.
    fn gap(&mut self);
}

/// The bytes that are decoded, and after which of them something is missing.
pub(super) struct Text {
    pub(super) bytes: Zeroizing<Vec<u8>>,
    /// Where parts begin that do not follow on what stands before them; ascending.
    pub(super) cuts: Vec<usize>,
}

impl Text {
    pub(super) fn new() -> Self {
        Self {
            bytes: Zeroizing::new(Vec::new()),
            cuts: Vec::new(),
        }
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.cuts.clear();
    }

    fn cut(&mut self) {
        if self.cuts.last() != Some(&self.bytes.len()) {
            self.cuts.push(self.bytes.len());
        }
    }

    /// The parts that hang together.
    pub(super) fn parts(&self) -> impl Iterator<Item = std::ops::Range<usize>> {
        let starts = std::iter::once(0).chain(self.cuts.iter().copied());
        let ends = self.cuts.iter().copied().chain([self.bytes.len()]);
        starts.zip(ends).map(|(from, to)| from..to)
    }
}

/// Captured bytes in one order.
pub(super) struct Root {
    pub(super) text: Text,
    /// Of each byte, where it was captured.
    at: Vec<u32>,
}

impl Root {
    pub(super) fn new() -> Self {
        Self {
            text: Text::new(),
            at: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, bytes: &[u8], at: usize) {
        self.text.bytes.extend_from_slice(bytes);
        self.at.extend((at..at + bytes.len()).map(|at| at as u32));
    }

    pub(super) fn cut(&mut self) {
        self.text.cut();
    }

    /// The same from its end to its beginning.
    pub(super) fn reversed(&self) -> Self {
        let len = self.text.bytes.len();
        let bytes: Vec<u8> = self.text.bytes.iter().rev().copied().collect();
        let cuts = self.text.cuts.iter().rev().map(|cut| len - cut);
        Self {
            text: Text {
                bytes: Zeroizing::new(bytes),
                cuts: cuts.filter(|cut| *cut > 0 && *cut < len).collect(),
            },
            at: self.at.iter().rev().copied().collect(),
        }
    }
}

/// A root read under one decoding.
pub(super) struct View {
    pub(super) text: Text,
    /// Of each byte, from which part of the root it was read.
    from: Vec<(u32, u32)>,
}

impl View {
    pub(super) fn new() -> Self {
        Self {
            text: Text::new(),
            from: Vec::new(),
        }
    }

    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.from.clear();
    }
}

impl Sink for View {
    fn byte(&mut self, byte: u8, from: usize, to: usize) {
        self.text.bytes.push(byte);
        self.from.push((from as u32, to as u32));
    }

    fn gap(&mut self) {
        self.text.cut();
    }
}

/// For each captured byte, the number of the secret that it belongs to, from one; zero for none.
pub(super) struct Marks(pub(super) Vec<u16>);

/// Marks in terms of a root, or of a view of it.
struct Ground<'a> {
    marks: &'a mut Marks,
    root: &'a Root,
    view: Option<&'a View>,
}

impl Ground<'_> {
    fn mark(&mut self, from: usize, to: usize, owner: Owner) {
        if from >= to {
            return; // Several bytes of one letter: it is marked already.
        }
        let (from, to) = match self.view {
            Some(view) => (view.from[from].0 as usize, view.from[to - 1].1 as usize),
            None => (from, to),
        };
        for at in &self.root.at[from..to] {
            let mark = &mut self.marks.0[*at as usize];
            if *mark == 0 {
                *mark = owner.secret + 1;
            }
        }
    }
}

/// Looks for the needles in what it is given, and marks where they came from.
pub(super) struct Search<'a> {
    needles: &'a Needles,
    ground: Ground<'a>,
    key: u64,
    /// Where the last bytes came from, by number modulo the window.
    spans: [(usize, usize); SHORTEST],
    /// Bytes since the last gap.
    seen: usize,
    run: Run,
}

/// Windows found one after the other.
#[derive(Clone, Copy)]
enum Run {
    None,
    /// Nothing but weak ones so far, from here.
    Weak {
        from: usize,
    },
    /// Marked up to here.
    Strong {
        to: usize,
    },
}

impl<'a> Search<'a> {
    pub(super) fn new(
        needles: &'a Needles,
        marks: &'a mut Marks,
        root: &'a Root,
        view: Option<&'a View>,
    ) -> Self {
        Self {
            needles,
            ground: Ground { marks, root, view },
            key: 0,
            spans: [(0, 0); SHORTEST],
            seen: 0,
            run: Run::None,
        }
    }

    fn found(&mut self, owner: Owner) {
        let (first, _) = self.spans[self.seen % SHORTEST];
        let (_, last) = self.spans[(self.seen + SHORTEST - 1) % SHORTEST];
        let strong = owner.is_strong();
        self.run = match self.run {
            Run::None if strong => {
                self.ground.mark(first, last, owner);
                Run::Strong { to: last }
            }
            Run::None => Run::Weak { from: first },
            Run::Weak { from } if strong => {
                self.ground.mark(from, last, owner);
                Run::Strong { to: last }
            }
            weak @ Run::Weak { .. } => weak,
            Run::Strong { to } => {
                self.ground.mark(to, last, owner);
                Run::Strong { to: last }
            }
        };
    }
}

impl Sink for Search<'_> {
    fn byte(&mut self, byte: u8, from: usize, to: usize) {
        self.key = self.key << 8 | u64::from(folded(byte));
        self.spans[self.seen % SHORTEST] = (from, to);
        self.seen += 1;
        if self.seen < SHORTEST {
            return;
        }
        match self.needles.get(self.key) {
            Some(owner) => self.found(owner),
            None => self.run = Run::None,
        }
    }

    fn gap(&mut self) {
        self.seen = 0;
        self.run = Run::None;
    }
}

/// Looks through a text as it is.
pub(super) fn search(text: &Text, search: &mut Search<'_>) {
    for part in text.parts() {
        search.gap();
        for at in part {
            search.byte(text.bytes[at], at, at + 1);
        }
    }
}
