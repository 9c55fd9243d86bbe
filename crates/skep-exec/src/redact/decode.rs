//! The decodings under which output is read.

use super::entities;
use super::needles::{SHORTEST, is_blank};
use super::view::{Sink, Text};

/// One way in which a text may have been written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decoder {
    /// Both alphabets, at each of four beginnings, across line ends.
    Base64,
    /// At each of eight beginnings, across line ends.
    Base32,
    /// At both beginnings, with or without separators and `0x`.
    Hex,
    /// `%41`, anything else as it is.
    Percent,
    /// `=41`, and lines that end in `=`.
    Quoted,
    /// What follows a backslash in JSON, C, Rust, JavaScript, Python and shells.
    Backslash,
    /// `&amp;`, `&#65;`, `&#x41;`.
    Entities,
    /// `104, 117, 110`.
    Decimals,
    /// Without blanks, line ends and zeroes: UTF-16 of plain letters too.
    Dense,
    /// UTF-16 of any letters, both byte orders, at both beginnings.
    Utf16,
}

impl Decoder {
    /// All that apply; `wide` if a secret has letters beyond ASCII.
    pub(super) fn all(wide: bool) -> &'static [Self] {
        const ALL: &[Decoder] = &[
            Decoder::Base64,
            Decoder::Base32,
            Decoder::Hex,
            Decoder::Percent,
            Decoder::Quoted,
            Decoder::Backslash,
            Decoder::Entities,
            Decoder::Decimals,
            Decoder::Dense,
            Decoder::Utf16,
        ];
        if wide { ALL } else { &ALL[..ALL.len() - 1] }
    }

    /// Reads a text; where a decoding leaves most bytes as they are, only what stands within
    /// `around` bytes of a change is given on: the rest has been looked at already.
    pub(super) fn read(self, text: &Text, around: usize, sink: &mut impl Sink) {
        for part in text.parts() {
            let part = Part {
                bytes: &text.bytes[part.clone()],
                at: part.start,
            };
            sink.gap();
            match self {
                Self::Base64 => digits(part, &BASE64, sink),
                Self::Base32 => digits(part, &BASE32, sink),
                Self::Hex => digits(part, &HEX, sink),
                Self::Percent => replaced(part, around, sink, |rest| marked(rest, b'%')),
                Self::Quoted => replaced(part, around, sink, quoted),
                Self::Backslash => replaced(part, around, sink, backslash),
                Self::Entities => replaced(part, around, sink, entity),
                Self::Dense => replaced(part, around, sink, dense),
                Self::Decimals => decimals(part, sink),
                Self::Utf16 => utf16(part, sink),
            }
        }
    }
}

/// Bytes that hang together, and where the first stands.
#[derive(Clone, Copy)]
struct Part<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// Digits of a fixed number of bits.
struct Alphabet {
    bits: u32,
    /// Beginnings at which whole bytes may begin.
    phases: usize,
    value: fn(u8) -> Option<u8>,
    /// How many bytes at the head of these separate digits without ending the run.
    between: fn(&[u8]) -> usize,
}

const BASE64: Alphabet = Alphabet {
    bits: 6,
    phases: 4,
    value: |byte| match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    },
    between: |rest| usize::from(matches!(rest[0], b'\r' | b'\n')),
};

const BASE32: Alphabet = Alphabet {
    bits: 5,
    phases: 8,
    value: |byte| match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a'),
        b'2'..=b'7' => Some(byte - b'2' + 26),
        _ => None,
    },
    between: |rest| usize::from(matches!(rest[0], b'\r' | b'\n')),
};

const HEX: Alphabet = Alphabet {
    bits: 4,
    phases: 2,
    value: |byte| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    },
    between: |rest| match rest {
        [b'0', b'x' | b'X', digit, ..] if digit.is_ascii_hexdigit() => 2,
        [b'\\', b'x' | b'X', ..] => 2,
        [byte, ..] if byte.is_ascii_whitespace() => 1,
        [
            b':' | b'-' | b',' | b';' | b'_' | b'.' | b'+' | b'\'' | b'"' | b'x' | b'X',
            ..,
        ] => 1,
        _ => 0,
    },
};

/// A digit's value, and where it stands.
type Digit = (u8, usize);

fn digits(part: Part<'_>, alphabet: &Alphabet, sink: &mut impl Sink) {
    let mut run: Vec<Digit> = Vec::new();
    let mut at = 0;
    while at < part.bytes.len() {
        let skip = (alphabet.between)(&part.bytes[at..]);
        if skip > 0 {
            at += skip;
            continue;
        }
        match (alphabet.value)(part.bytes[at]) {
            Some(value) => run.push((value, part.at + at)),
            None => emit(&mut run, alphabet, sink),
        }
        at += 1;
    }
    emit(&mut run, alphabet, sink);
}

/// Gives on what a run of digits says, from each beginning.
fn emit(run: &mut Vec<Digit>, alphabet: &Alphabet, sink: &mut impl Sink) {
    if run.len() * alphabet.bits as usize >= SHORTEST * 8 {
        for phase in 0..alphabet.phases {
            sink.gap();
            let (mut held, mut bits, mut from) = (0_u32, 0, None);
            for (value, at) in &run[phase.min(run.len())..] {
                held = held << alphabet.bits | u32::from(*value);
                bits += alphabet.bits;
                let start = *from.get_or_insert(*at);
                if bits >= 8 {
                    bits -= 8;
                    sink.byte((held >> bits) as u8, start, at + 1);
                    held &= (1 << bits) - 1;
                    from = (bits > 0).then_some(*at);
                }
            }
        }
        sink.gap();
    }
    run.clear();
}

/// What stands at the head of some bytes under a decoding that replaces here and there.
enum Piece {
    /// Nothing to replace.
    Plain,
    /// So many bytes stand for these.
    Is(usize, Letter),
    /// So many bytes stand for nothing.
    Nothing(usize),
}

/// At most one character in UTF-8.
struct Letter {
    bytes: [u8; 4],
    len: usize,
}

impl Letter {
    fn byte(byte: u8) -> Self {
        Self {
            bytes: [byte, 0, 0, 0],
            len: 1,
        }
    }

    fn of(letter: char) -> Self {
        let mut bytes = [0; 4];
        let len = letter.encode_utf8(&mut bytes).len();
        Self { bytes, len }
    }
}

/// A byte, and the part of the text that says it.
type Said = (u8, usize, usize);

/// Gives on what stands near a change, and notes where something is left out.
struct Near<'a, S> {
    sink: &'a mut S,
    around: usize,
    /// What came last and was not given on: a ring of at most `around`.
    held: std::collections::VecDeque<Said>,
    /// Something before `held` was left out.
    lost: bool,
    /// How many are given on without a further change.
    left: usize,
}

impl<S: Sink> Near<'_, S> {
    fn changed(&mut self) {
        if self.left == 0 {
            if self.lost {
                self.sink.gap();
            }
            for (byte, from, to) in self.held.drain(..) {
                self.sink.byte(byte, from, to);
            }
            self.lost = false;
        }
        self.left = self.around + 1;
    }

    fn byte(&mut self, byte: u8, from: usize, to: usize) {
        if self.left > 0 {
            self.left -= 1;
            self.sink.byte(byte, from, to);
            return;
        }
        if self.held.len() == self.around {
            self.held.pop_front();
            self.lost = true;
        }
        self.held.push_back((byte, from, to));
    }
}

fn replaced(part: Part<'_>, around: usize, sink: &mut impl Sink, read: impl Fn(&[u8]) -> Piece) {
    let mut near = Near {
        sink,
        around,
        held: std::collections::VecDeque::with_capacity(around),
        lost: false,
        left: 0,
    };
    let mut at = 0;
    while let Some(rest) = part.bytes.get(at..).filter(|rest| !rest.is_empty()) {
        let from = part.at + at;
        match read(rest) {
            Piece::Plain => {
                near.byte(rest[0], from, from + 1);
                at += 1;
            }
            Piece::Is(len, letter) => {
                for byte in &letter.bytes[..letter.len] {
                    near.changed();
                    near.byte(*byte, from, from + len);
                }
                at += len;
            }
            Piece::Nothing(len) => {
                near.changed();
                at += len;
            }
        }
    }
}

fn hex(byte: u8) -> Option<u32> {
    char::from(byte).to_digit(16)
}

/// A number of at least `least` and at most `most` digits, and how many there were.
fn number(bytes: &[u8], radix: u32, least: usize, most: usize) -> Option<(u32, usize)> {
    let digits = bytes.iter().take(most);
    let values = digits.map_while(|byte| char::from(*byte).to_digit(radix));
    let (value, len) = values.fold((0_u32, 0), |(value, len), digit| {
        (value.saturating_mul(radix).saturating_add(digit), len + 1)
    });
    (len >= least).then_some((value, len))
}

/// A mark and two digits.
fn marked(rest: &[u8], mark: u8) -> Piece {
    if let [first, high, low, ..] = rest
        && *first == mark
        && let (Some(high), Some(low)) = (hex(*high), hex(*low))
    {
        return Piece::Is(3, Letter::byte((high << 4 | low) as u8));
    }
    Piece::Plain
}

fn quoted(rest: &[u8]) -> Piece {
    match rest {
        [b'=', b'\r', b'\n', ..] => Piece::Nothing(3),
        [b'=', b'\n', ..] => Piece::Nothing(2),
        _ => marked(rest, b'='),
    }
}

fn dense(rest: &[u8]) -> Piece {
    if is_blank(rest[0]) {
        Piece::Nothing(1)
    } else {
        Piece::Plain
    }
}

fn backslash(rest: &[u8]) -> Piece {
    let [b'\\', kind, tail @ ..] = rest else {
        return Piece::Plain;
    };
    let simple = |byte| Piece::Is(2, Letter::byte(byte));
    match kind {
        b'u' | b'U' => unicode(tail).unwrap_or(Piece::Plain),
        b'x' | b'X' => match number(tail, 16, 2, 2) {
            Some((value, len)) => Piece::Is(2 + len, Letter::byte(value as u8)),
            None => Piece::Plain,
        },
        b'0'..=b'7' => match number(&rest[1..], 8, 1, 3) {
            Some((value, len)) => Piece::Is(1 + len, Letter::byte(value as u8)),
            None => Piece::Plain,
        },
        b'\n' => Piece::Nothing(2),
        b'n' | b'N' => simple(b'\n'),
        b't' | b'T' => simple(b'\t'),
        b'r' | b'R' => simple(b'\r'),
        b'b' | b'B' => simple(8),
        b'f' | b'F' => simple(12),
        b'v' | b'V' => simple(11),
        b'a' | b'A' => simple(7),
        b'e' | b'E' => simple(27),
        byte if byte.is_ascii_punctuation() || *byte == b' ' => simple(*byte),
        _ => Piece::Plain,
    }
}

/// After `\u`: four digits, two such for one letter, eight, or any number in braces.
fn unicode(tail: &[u8]) -> Option<Piece> {
    if let [b'{', inner @ ..] = tail {
        let (value, len) = number(inner, 16, 1, 6)?;
        if inner.get(len) != Some(&b'}') {
            return None;
        }
        return Some(Piece::Is(len + 4, Letter::of(char::from_u32(value)?)));
    }
    if let Some((value, 8)) = number(tail, 16, 8, 8)
        && tail.starts_with(b"000")
        && let Some(letter) = char::from_u32(value)
    {
        return Some(Piece::Is(10, Letter::of(letter)));
    }
    let (first, _) = number(tail, 16, 4, 4)?;
    if let Some(letter) = char::from_u32(first) {
        return Some(Piece::Is(6, Letter::of(letter)));
    }
    let second = tail
        .get(4..)
        .filter(|rest| matches!(rest, [b'\\', b'u' | b'U', ..]))?;
    let (second, _) = number(&second[2..], 16, 4, 4)?;
    let units = [first as u16, second as u16];
    let letter = char::decode_utf16(units).next()?.ok()?;
    Some(Piece::Is(12, Letter::of(letter)))
}

fn entity(rest: &[u8]) -> Piece {
    let [b'&', tail @ ..] = rest else {
        return Piece::Plain;
    };
    let read = match tail {
        [b'#', b'x' | b'X', digits @ ..] => number(digits, 16, 1, 8).map(|read| (read, 3)),
        [b'#', digits @ ..] => number(digits, 10, 1, 10).map(|read| (read, 2)),
        _ => {
            return match entities::named(tail) {
                Some((letter, len)) => Piece::Is(len + 1, Letter::of(letter)),
                None => Piece::Plain,
            };
        }
    };
    let Some(((value, len), head)) = read else {
        return Piece::Plain;
    };
    let Some(letter) = char::from_u32(value) else {
        return Piece::Plain;
    };
    let end = head + len;
    // The semicolon may be missing, and readers put up with that.
    let closed = usize::from(rest.get(end) == Some(&b';'));
    Piece::Is(end + closed, Letter::of(letter))
}

/// Numbers below 256 with little between them.
fn decimals(part: Part<'_>, sink: &mut impl Sink) {
    let mut at = 0;
    while at < part.bytes.len() {
        let rest = &part.bytes[at..];
        match number(rest, 10, 1, 4) {
            Some((value @ 0..=255, len)) => {
                sink.byte(value as u8, part.at + at, part.at + at + len);
                at += len;
            }
            Some((_, len)) => {
                sink.gap();
                at += len;
            }
            None => {
                if !matches!(rest[0], b',' | b';' | b'[' | b']' | b'+')
                    && !rest[0].is_ascii_whitespace()
                {
                    sink.gap();
                }
                at += 1;
            }
        }
    }
}

fn utf16(part: Part<'_>, sink: &mut impl Sink) {
    for (phase, low) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        sink.gap();
        let bytes = part.bytes.get(phase..).unwrap_or_default();
        let units = bytes.chunks_exact(2).map(|pair| {
            let (low, high) = (pair[low], pair[1 - low]);
            u16::from(high) << 8 | u16::from(low)
        });
        let mut from = part.at + phase;
        for letter in char::decode_utf16(units) {
            let to = from + letter.as_ref().map_or(2, |letter| letter.len_utf16() * 2);
            match letter {
                Ok(letter) => {
                    let letter = Letter::of(letter);
                    for byte in &letter.bytes[..letter.len] {
                        sink.byte(*byte, from, to);
                    }
                }
                Err(_) => sink.gap(),
            }
            from = to;
        }
    }
}
