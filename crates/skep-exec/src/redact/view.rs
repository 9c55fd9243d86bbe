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

/// The last [`SHORTEST`] bytes of what hangs together, as windows are compared.
#[derive(Default)]
struct Window {
    key: u64,
    /// Bytes since the last gap.
    seen: usize,
}

impl Window {
    /// The window that ends with this byte, once there are enough of them.
    fn push(&mut self, byte: u8) -> Option<u64> {
        self.key = self.key << 8 | u64::from(folded(byte));
        self.seen += 1;
        (self.seen >= SHORTEST).then_some(self.key)
    }
}

/// Windows of the needles that stand in what whoever asks has said, sorted.
#[derive(Default)]
pub(super) struct Said(Vec<u64>);

impl Said {
    /// Takes what of the needles stands in a text under one decoding.
    pub(super) fn gather<'a>(&'a mut self, needles: &'a Needles) -> Gather<'a> {
        Gather {
            needles,
            said: self,
            window: Window::default(),
        }
    }

    /// To be called once all of it was gathered.
    pub(super) fn sort(&mut self) {
        self.0.sort_unstable();
        self.0.dedup();
    }

    fn has(&self, key: u64) -> bool {
        self.0.binary_search(&key).is_ok()
    }
}

/// Gathers windows that were said.
pub(super) struct Gather<'a> {
    needles: &'a Needles,
    said: &'a mut Said,
    window: Window,
}

impl Sink for Gather<'_> {
    fn byte(&mut self, byte: u8, _: usize, _: usize) {
        let Some(key) = self.window.push(byte) else {
            return;
        };
        if self.needles.get(key).is_some() {
            self.said.0.push(key);
        }
    }

    fn gap(&mut self) {
        self.window.seen = 0;
    }
}

/// Looks for the needles in what it is given, and marks where they came from.
pub(super) struct Search<'a> {
    needles: &'a Needles,
    said: &'a Said,
    ground: Ground<'a>,
    window: Window,
    /// Where the last bytes came from, by number modulo the window.
    spans: [(usize, usize); SHORTEST],
    run: Run,
}

/// Windows found one after the other.
#[derive(Clone, Copy)]
enum Run {
    None,
    /// Not marked so far, from here: none of them is strong, or each was said by whoever asks, who must not
    /// learn from a marker that they guessed right.
    Held {
        from: usize,
        strong: Option<Owner>,
        unsaid: bool,
    },
    /// Marked up to here.
    Marked {
        to: usize,
    },
}

impl<'a> Search<'a> {
    pub(super) fn new(
        (needles, said): (&'a Needles, &'a Said),
        marks: &'a mut Marks,
        root: &'a Root,
        view: Option<&'a View>,
    ) -> Self {
        Self {
            needles,
            said,
            ground: Ground { marks, root, view },
            window: Window::default(),
            spans: [(0, 0); SHORTEST],
            run: Run::None,
        }
    }

    fn found(&mut self, owner: Owner, is_said: bool) {
        let seen = self.window.seen;
        let (first, _) = self.spans[seen % SHORTEST];
        let (_, last) = self.spans[(seen + SHORTEST - 1) % SHORTEST];
        let (from, strong, unsaid) = match self.run {
            Run::Marked { to } => {
                self.ground.mark(to, last, owner);
                self.run = Run::Marked { to: last };
                return;
            }
            Run::None => (first, None, false),
            Run::Held {
                from,
                strong,
                unsaid,
            } => (from, strong, unsaid),
        };
        let strong = strong.or(Some(owner).filter(|owner| owner.is_strong()));
        let unsaid = unsaid || !is_said;
        self.run = match strong {
            Some(owner) if unsaid => {
                self.ground.mark(from, last, owner);
                Run::Marked { to: last }
            }
            strong => Run::Held {
                from,
                strong,
                unsaid,
            },
        };
    }
}

impl Sink for Search<'_> {
    fn byte(&mut self, byte: u8, from: usize, to: usize) {
        self.spans[self.window.seen % SHORTEST] = (from, to);
        let Some(key) = self.window.push(byte) else {
            return;
        };
        match self.needles.get(key) {
            Some(owner) => self.found(owner, self.said.has(key)),
            None => self.run = Run::None,
        }
    }

    fn gap(&mut self) {
        self.window.seen = 0;
        self.run = Run::None;
    }
}

/// Looks through a text as it is.
pub(super) fn search(text: &Text, sink: &mut impl Sink) {
    for part in text.parts() {
        sink.gap();
        for at in part {
            sink.byte(text.bytes[at], at, at + 1);
        }
    }
}
