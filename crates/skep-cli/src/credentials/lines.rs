//! `KEY=VALUE` in lines: `.env`, with or without `export`, and INI, with sections.

use skep_api::vault::Confidential;

use super::{Entry, Odd};

/// Where a reader stands.
struct Reader<'t> {
    rest: &'t str,
    line: usize,
}

pub(super) fn entries(text: &str) -> Result<Vec<Entry>, Odd> {
    let mut reader = Reader {
        rest: text,
        line: 1,
    };
    let mut entries = Vec::new();
    let mut section = String::new();
    while !reader.rest.is_empty() {
        let line = reader.peek().trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            reader.next_line();
        } else if let Some(name) = line.strip_prefix('[') {
            let name = name.strip_suffix(']').map(str::trim);
            let name = name.filter(|name| !name.is_empty());
            let name = name.ok_or_else(|| reader.odd("a section has no end, or no name"))?;
            section = format!("{name}.");
            reader.next_line();
        } else {
            let (name, value) = reader.entry()?;
            entries.push(Entry {
                name: format!("{section}{name}"),
                value,
            });
        }
    }
    Ok(entries)
}

impl<'t> Reader<'t> {
    /// The line that it stands in, without its end.
    fn peek(&self) -> &'t str {
        self.rest.split('\n').next().unwrap_or_default()
    }

    fn next_line(&mut self) {
        self.rest = self.rest.split_once('\n').map_or("", |(_, rest)| rest);
        self.line += 1;
    }

    const fn odd(&self, problem: &'static str) -> Odd {
        Odd {
            line: self.line,
            problem,
        }
    }

    fn entry(&mut self) -> Result<(String, Confidential), Odd> {
        let none = self.odd("neither KEY=VALUE, a [section] nor a comment");
        let (key, value) = self.peek().split_once('=').ok_or(none)?;
        let key = key.trim();
        let key = key.strip_prefix("export ").map_or(key, str::trim_start);
        if key.is_empty() || key.contains(char::is_whitespace) {
            return Err(self.odd("a key is empty, or has blanks in it"));
        }
        let key = key.to_owned();
        let blanks = value.len() - value.trim_start().len();
        let begin = self.peek().len() - value.len() + blanks;
        let value = match self.rest.as_bytes().get(begin) {
            Some(b'"') => self.quoted(begin + 1, '"')?,
            Some(b'\'') => self.quoted(begin + 1, '\'')?,
            _ => {
                let value = without_comment(value.trim());
                let value = Confidential::new(value.to_owned());
                self.next_line();
                value
            }
        };
        Ok((key, value))
    }

    /// What stands between quotes, over lines if need be. Between `"` a backslash escapes.
    fn quoted(&mut self, begin: usize, quote: char) -> Result<Confidential, Odd> {
        let first = self.line;
        let unclosed = Odd {
            line: first,
            problem: "a quote has no end",
        };
        // Room from the start, so that no half of it is left behind where it grew.
        let mut value = String::with_capacity(self.rest.len() - begin);
        let mut letters = self.rest[begin..].char_indices();
        let end = loop {
            let Some((at, letter)) = letters.next() else {
                let _wiped = Confidential::new(value);
                return Err(unclosed);
            };
            match letter {
                _ if letter == quote => break begin + at + 1,
                '\\' if quote == '"' => match letters.next() {
                    Some((_, 'n')) => value.push('\n'),
                    Some((_, 'r')) => value.push('\r'),
                    Some((_, 't')) => value.push('\t'),
                    Some((_, other @ ('"' | '\\' | '$' | '\''))) => value.push(other),
                    Some((_, other)) => value.extend(['\\', other]),
                    None => {}
                },
                _ => value.push(letter),
            }
        };
        let value = Confidential::new(value);
        self.line += self.rest[..end].matches('\n').count();
        self.rest = &self.rest[end..];
        let behind = self.peek().trim();
        if !behind.is_empty() && !behind.starts_with('#') {
            return Err(self.odd("something stands behind a quote"));
        }
        self.next_line();
        Ok(value)
    }
}

/// A comment begins behind a blank.
fn without_comment(value: &str) -> &str {
    let blank = |at: &usize| value[..*at].ends_with([' ', '\t']);
    let mut marks = value.match_indices('#').map(|(at, _)| at);
    marks.find(blank).map_or(value, |at| value[..at].trim_end())
}
