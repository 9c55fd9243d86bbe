//! Rust source cut into code, comments and string literals.
//!
//! Not a parser: it knows just enough of the lexical rules (nested comments, raw strings, escapes,
//! characters against lifetimes) never to take one for another.

/// What a stretch of source is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Code,
    Comment,
    /// A string or byte string; the text is its value, escapes resolved.
    Literal,
}

/// A stretch of source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) kind: Kind,
    /// The line it starts on, from 1.
    pub(super) line: usize,
    pub(super) text: String,
}

/// Cuts a source file.
pub(super) fn pieces(source: &str) -> Vec<Piece> {
    let mut cut = Cutter {
        rest: source,
        line: 1,
        pieces: Vec::new(),
    };
    while !cut.rest.is_empty() {
        cut.step();
    }
    cut.pieces
}

/// The pieces before the tests at the foot of a file (`#[cfg(test)]` and a module with a body).
pub(super) fn without_tests(pieces: &[Piece]) -> &[Piece] {
    let foot = pieces.iter().position(|piece| {
        let mut marked = piece.text.split("#[cfg(test)]").skip(1);
        piece.kind == Kind::Code && marked.any(opens_a_module)
    });
    &pieces[..foot.unwrap_or(pieces.len())]
}

fn opens_a_module(code: &str) -> bool {
    code.trim_start()
        .strip_prefix("mod ")
        .and_then(|name| name.find(['{', ';']).map(|at| name[at..].starts_with('{')))
        .unwrap_or(false)
}

struct Cutter<'s> {
    rest: &'s str,
    line: usize,
    pieces: Vec<Piece>,
}

impl Cutter<'_> {
    fn step(&mut self) {
        if self.rest.starts_with("//") {
            let end = self.rest.find('\n').unwrap_or(self.rest.len());
            self.take(Kind::Comment, end);
        } else if self.rest.starts_with("/*") {
            let end = end_of_block_comment(self.rest);
            self.take(Kind::Comment, end);
        } else if let Some(start) = self.start_of_literal() {
            self.literal(&start);
        } else if let Some(end) = end_of_character(self.rest) {
            self.take(Kind::Code, end);
        } else {
            let end = self.rest.chars().next().map_or(0, char::len_utf8);
            self.take(Kind::Code, end);
        }
    }

    /// Since edition 2021 a name never touches a quote, so `r"` is a raw string wherever it stands.
    fn start_of_literal(&self) -> Option<Start> {
        let letters = self.rest.len() - self.rest.trim_start_matches(['b', 'c', 'r']).len();
        let after = &self.rest[letters..];
        let raw = self.rest[..letters].ends_with('r');
        let hashes = if raw {
            after.len() - after.trim_start_matches('#').len()
        } else {
            0
        };
        after[hashes..].starts_with('"').then_some(Start {
            length: letters + hashes + 1,
            raw,
            hashes,
        })
    }

    fn literal(&mut self, start: &Start) {
        let body = &self.rest[start.length..];
        let (inside, value) = if start.raw {
            let close = format!("\"{}", "#".repeat(start.hashes));
            let end = body.find(&close).unwrap_or(body.len());
            (end, body[..end].to_owned())
        } else {
            let end = end_of_string(body);
            (end, unescaped(&body[..end]))
        };
        let whole = (start.length + inside + 1 + start.hashes).min(self.rest.len());
        self.take(Kind::Literal, whole);
        if let Some(piece) = self.pieces.last_mut() {
            piece.text = value;
        }
    }

    fn take(&mut self, kind: Kind, length: usize) {
        let (text, rest) = self.rest.split_at(length);
        match self.pieces.last_mut() {
            Some(last) if kind == Kind::Code && last.kind == Kind::Code => last.text.push_str(text),
            _ => self.pieces.push(Piece {
                kind,
                line: self.line,
                text: text.to_owned(),
            }),
        }
        self.line += text.matches('\n').count();
        self.rest = rest;
    }
}

struct Start {
    length: usize,
    raw: bool,
    hashes: usize,
}

fn end_of_block_comment(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// The length of `'x'` or `'\u{…}'` at the start; a lifetime has none.
fn end_of_character(text: &str) -> Option<usize> {
    let inside = text.strip_prefix('\'')?;
    let mut chars = inside.chars();
    let first = chars.next()?;
    if first == '\\' {
        let escaped = chars.next()?;
        let from = 1 + escaped.len_utf8();
        return inside[from..].find('\'').map(|close| from + close + 2);
    }
    (chars.next() == Some('\'')).then_some(first.len_utf8() + 2)
}

fn end_of_string(body: &str) -> usize {
    let mut escaped = false;
    for (at, c) in body.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at,
            _ => {}
        }
    }
    body.len()
}

fn unescaped(body: &str) -> String {
    let mut value = String::with_capacity(body.len());
    let mut chars = body.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\\' {
            value.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => value.push('\n'),
            Some('t') => value.push('\t'),
            Some('\n') => while chars.next_if(|next| next.is_whitespace()).is_some() {},
            Some(other) => value.push(other),
            None => {}
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::{Kind, pieces, without_tests};

    fn literals(source: &str) -> Vec<(usize, String)> {
        let found = pieces(source).into_iter();
        found
            .filter(|piece| piece.kind == Kind::Literal)
            .map(|piece| (piece.line, piece.text))
            .collect()
    }

    #[test]
    fn strings_of_every_form_are_found_with_their_line() {
        let table: &[(&str, &[(usize, &str)])] = &[
            (r#"let a = "x\"y";"#, &[(1, "x\"y")]),
            ("f(r\"a\\\", b)\n", &[(1, "a\\")]),
            (
                "\nr#\"say \"hi\"\"# + \"z\"",
                &[(2, "say \"hi\""), (2, "z")],
            ),
            (
                "br\"raw\" b\"bytes\" c\"text\"",
                &[(1, "raw"), (1, "bytes"), (1, "text")],
            ),
            ("\"one \\\n    two\" \"3\"", &[(1, "one two"), (2, "3")]),
            (
                "'\"' \"a\" '\\'' \"b\" '\\u{22}' \"c\"",
                &[(1, "a"), (1, "b"), (1, "c")],
            ),
            ("fn f<'a>(x: &'a str) { g(\"s\") }", &[(1, "s")]),
            (
                "// \"no\"\n/* \"no\" /* \"no\" */ \"no\" */ \"yes\"",
                &[(2, "yes")],
            ),
            ("\"// no comment\"", &[(1, "// no comment")]),
            ("r#type + \"s\"", &[(1, "s")]),
            ("\"unterminated", &[(1, "unterminated")]),
        ];
        for (source, expected) in table {
            let found = literals(source);
            let found: Vec<(usize, &str)> = found
                .iter()
                .map(|(line, text)| (*line, text.as_str()))
                .collect();
            assert_eq!(found, *expected, "{source}");
        }
    }

    #[test]
    fn nothing_is_lost_between_the_pieces() {
        let source = include_str!("rust_text.rs");
        let lines = source.lines().count();
        let found = pieces(source);
        assert!(found.iter().all(|piece| piece.line <= lines));
        assert!(found.iter().any(|piece| piece.kind == Kind::Comment));
        let foot = without_tests(&found);
        assert!(!foot.is_empty() && foot.len() < found.len());
    }
}
