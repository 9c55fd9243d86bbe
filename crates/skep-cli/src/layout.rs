//! Text for a terminal: nothing that a terminal obeys, wrapped at words.

use std::borrow::Cow;

use unicode_width::UnicodeWidthStr;

/// Replaces whatever a terminal would obey or hide: control characters other than the line feed,
/// and characters that turn the reading direction. Stored text comes from anywhere.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    if text.chars().all(|c| c == '\n' || !is_active(c)) {
        return Cow::Borrowed(text);
    }
    let shown = text.chars().map(|c| match c {
        '\n' => '\n',
        '\t' => ' ',
        '\0'..='\x1f' => char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{FFFD}'),
        c if is_active(c) => '\u{FFFD}',
        c => c,
    });
    Cow::Owned(shown.collect())
}

fn is_active(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{061C}' | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{2028}' | '\u{2029}'
            | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{E0000}'..='\u{E007F}')
}

/// As [`visible`], on one line.
pub(crate) fn one_line(text: &str) -> String {
    visible(text)
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

/// As [`one_line`], at most `width` columns, the last being `…` if more was there.
pub(crate) fn shortened(text: &str, width: usize) -> String {
    let line = one_line(text);
    if line.width() <= width {
        return line;
    }
    let mut short = String::new();
    for c in line.chars() {
        short.push(c);
        if short.width() >= width {
            short.pop();
            break;
        }
    }
    short.push('…');
    short
}

/// Wraps each line of the text at words and indents it. Without a width, only indents.
pub(crate) fn wrapped(text: &str, width: Option<usize>, indent: usize) -> String {
    let margin = " ".repeat(indent);
    let room = width.map(|width| width.saturating_sub(indent).max(20));
    let text = visible(text);
    let mut lines = Vec::new();
    for line in text.lines() {
        match room {
            Some(room) if line.width() > room => wrap_line(line, room, &mut lines),
            _ => lines.push(line.trim_end().to_owned()),
        }
    }
    for line in &mut lines {
        if !line.is_empty() {
            line.insert_str(0, &margin);
        }
    }
    lines.join("\n")
}

fn wrap_line(line: &str, room: usize, lines: &mut Vec<String>) {
    let mut current = String::new();
    for word in line.split_whitespace() {
        let needed = current.width() + usize::from(!current.is_empty()) + word.width();
        if needed > room && !current.is_empty() {
            lines.push(std::mem::take(&mut current));
        }
        if !current.is_empty() {
            current.push(' ');
        }
        current.push_str(word);
    }
    lines.push(current);
}

/// Without the names and passwords that URLs carry before an `@`.
pub(crate) fn without_userinfo(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        out.push_str(before);
        let ends = |c: char| c.is_whitespace() || "\"'`<>".contains(c);
        let whole = &after[..after.find(ends).unwrap_or(after.len())];
        let authority = &whole[..whole.find(['/', '?', '#']).unwrap_or(whole.len())];
        let port = authority.rsplit(':').next().unwrap_or_default();
        let is_host = port.len() == authority.len() || port.bytes().all(|b| b.is_ascii_digit());
        // A password may hold a `/`: then no port stands where one would.
        let within = if is_host { authority } else { whole };
        let userinfo = within.rfind('@').map_or(0, |at| at + 1);
        if userinfo > 0 {
            out.push_str("…@");
        }
        rest = &after[userinfo..];
    }
    out.push_str(rest);
    out
}

/// `1 line`, `2 lines`.
pub(crate) fn counted(count: u64, one: &str, many: &str) -> String {
    let what = if count == 1 { one } else { many };
    format!("{count} {what}")
}

/// Rows as columns, each as wide as its widest cell; the last column is not padded.
pub(crate) fn columns(rows: &[Vec<String>]) -> Vec<String> {
    let count = rows.iter().map(Vec::len).max().unwrap_or_default();
    let widths: Vec<usize> = (0..count)
        .map(|at| {
            rows.iter()
                .filter_map(|row| row.get(at))
                .map(|cell| cell.width())
                .max()
        })
        .map(Option::unwrap_or_default)
        .collect();
    rows.iter()
        .map(|row| {
            let mut line = String::new();
            for (at, cell) in row.iter().enumerate() {
                line.push_str(cell);
                if at + 1 < row.len() {
                    line.push_str(&" ".repeat(widths[at] - cell.width() + 2));
                }
            }
            line.trim_end().to_owned()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

    use super::{columns, one_line, shortened, visible, without_userinfo, wrapped};

    proptest! {
        #[test]
        fn m01_no_stored_text_commands_the_terminal(text in any::<String>(), width in 40usize..100) {
            for shown in [visible(&text).into_owned(), one_line(&text), wrapped(&text, Some(width), 4)] {
                let clean = shown.chars().all(|c| c == '\n' || !c.is_control());
                prop_assert!(clean, "{:?}", shown);
            }
            prop_assert!(unicode_width::UnicodeWidthStr::width(&*shortened(&text, width)) <= width);
        }

        #[test]
        fn wrapping_loses_no_word(text in "[a-z ]{0,200}", width in 40usize..100) {
            let shown = wrapped(&text, Some(width), 2);
            prop_assert!(shown.lines().all(|line| line.len() <= width
                || line.split_whitespace().count() == 1));
            let before: Vec<_> = text.split_whitespace().collect();
            let after: Vec<_> = shown.split_whitespace().collect();
            prop_assert_eq!(before, after);
        }
    }

    #[test]
    fn what_a_url_carries_before_an_at_is_not_shown() {
        for (text, shown) in [
            (
                "https://user:PW@host/a: refused",
                "https://…@host/a: refused",
            ),
            ("at 'https://user:P/W@host/a'", "at 'https://…@host/a'"),
            (
                "http://token@host:80/ ssh://git:x@h",
                "http://…@host:80/ ssh://…@h",
            ),
            ("https://host:443/a@b?c=d@e", "https://host:443/a@b?c=d@e"),
            ("no URL: a@b, ://", "no URL: a@b, ://"),
        ] {
            assert_eq!(without_userinfo(text), shown);
        }
    }

    #[test]
    fn m01_escapes_and_direction_marks_become_visible() {
        assert_eq!(
            visible("a\x1b[2Jb\u{202E}c\x07\u{9b}d"),
            "a␛[2Jb\u{FFFD}c␇\u{FFFD}d"
        );
        assert_eq!(one_line("a\r\nb\t c\n"), "a␍ b c");
        assert_eq!(shortened("one two three", 8), "one two…");
    }

    #[test]
    fn columns_line_up() {
        let rows = [
            vec!["a".into(), "b".into()],
            vec!["long".into(), "c".into()],
        ];
        assert_eq!(columns(&rows), ["a     b", "long  c"]);
    }
}
