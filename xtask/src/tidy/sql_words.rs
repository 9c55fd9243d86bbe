//! SQL cut into words, enough to see which table a statement touches and where a column stands.

/// One word of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// A keyword or a name, lower case, quotes removed.
    Name(String),
    /// A parameter, a number or a string: a value, never a column.
    Value,
    /// A place where the program puts text in (`{…}`).
    Hole,
    /// One other character.
    Mark(char),
}

impl Word {
    pub(super) fn is(&self, name: &str) -> bool {
        matches!(self, Self::Name(own) if own == name)
    }

    pub(super) fn is_one_of(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.is(name))
    }
}

/// Cuts text into statements, each a list of words; comments are dropped.
pub(super) fn statements(text: &str) -> Vec<Vec<Word>> {
    let mut statements = vec![Vec::new()];
    for word in words(text) {
        if word == Word::Mark(';') {
            statements.push(Vec::new());
        } else if let Some(last) = statements.last_mut() {
            last.push(word);
        }
    }
    statements.retain(|words| !words.is_empty());
    statements
}

fn words(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (word, length) = match first {
            _ if rest.starts_with("--") => (None, until(rest, 2, "\n")),
            _ if rest.starts_with("/*") => (None, until(rest, 2, "*/")),
            '\'' => (Some(Word::Value), until(rest, 1, "'")),
            '"' | '`' => quoted(rest, first),
            '[' => quoted(rest, ']'),
            '{' => (Some(Word::Hole), until(rest, 1, "}")),
            '?' | ':' | '@' | '$' => (Some(Word::Value), 1 + name_length(&rest[1..])),
            c if c.is_alphanumeric() || c == '_' => {
                let length = name_length(rest);
                let name = rest[..length].to_lowercase();
                let value = c.is_ascii_digit();
                (
                    Some(if value { Word::Value } else { Word::Name(name) }),
                    length,
                )
            }
            c if c.is_whitespace() => (None, c.len_utf8()),
            c => (Some(Word::Mark(c)), c.len_utf8()),
        };
        words.extend(word);
        rest = &rest[length.min(rest.len())..];
    }
    words
}

/// The length up to and including `end`, looked for after `from` bytes.
fn until(text: &str, from: usize, end: &str) -> usize {
    text[from..]
        .find(end)
        .map_or(text.len(), |at| from + at + end.len())
}

fn quoted(text: &str, close: char) -> (Option<Word>, usize) {
    let length = until(text, 1, &close.to_string());
    let name = text[1..length].trim_end_matches(close).to_lowercase();
    (Some(Word::Name(name)), length)
}

fn name_length(text: &str) -> usize {
    text.find(|c: char| !(c.is_alphanumeric() || c == '_'))
        .unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::{Word, statements};

    fn shown(text: &str) -> Vec<String> {
        let shown = |word: &Word| match word {
            Word::Name(name) => name.clone(),
            Word::Value => "?".to_owned(),
            Word::Hole => "{}".to_owned(),
            Word::Mark(mark) => mark.to_string(),
        };
        statements(text)
            .iter()
            .map(|words| words.iter().map(shown).collect::<Vec<_>>().join(" "))
            .collect()
    }

    #[test]
    fn words_and_statements() {
        let table: &[(&str, &[&str])] = &[
            ("SELECT a FROM b", &["select a from b"]),
            ("a = :workspace_id AND b = ?1", &["a = ? and b = ?"]),
            ("'it''s; fine' -- c; d\n; \"Turn\"", &["? ?", "turn"]),
            ("/* a; */ x.y", &["x . y"]),
            ("FROM {table} LIMIT 10", &["from {} limit ?"]),
            ("[Odd name] `other`", &["odd name other"]),
            (";;", &[]),
            ("'open", &["?"]),
        ];
        for (text, expected) in table {
            assert_eq!(shown(text), *expected, "{text}");
        }
    }
}
