//! Makes captured text inert: no terminal escapes, no controls, no invisible or reordering characters.
//!
//! Clean first, redact second, cut last: an escape inside a key would hide it from the redactor,
//! and a cut through one would leave half of it behind.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Removes terminal escapes, control characters and invisible characters, turns every line ending
/// into `\n`, and shows characters that reorder text as `[U+202E]`.
#[must_use]
pub fn clean(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        rest = match c {
            '\u{1b}' => skip_escape(after),
            '\u{9b}' => skip_control_sequence(after),
            '\u{90}' | '\u{98}' | '\u{9d}' | '\u{9e}' | '\u{9f}' => skip_string(after),
            '\r' => {
                out.push('\n');
                after.strip_prefix('\n').unwrap_or(after)
            }
            '\u{2028}' | '\u{2029}' | '\u{85}' => {
                out.push('\n');
                after
            }
            '\u{8}' => {
                // A backspace in terminal output strikes out what stands before it.
                if out.chars().next_back().is_some_and(|last| last != '\n') {
                    out.pop();
                }
                after
            }
            '\u{200c}' | '\u{200d}' => {
                // Joiners shape emoji and several scripts; between ASCII they only hide.
                let joins = |c: Option<char>| c.is_some_and(|c| !c.is_ascii() && !is_invisible(c));
                if joins(out.chars().next_back()) && joins(after.chars().next()) {
                    out.push(c);
                }
                after
            }
            _ if reorders(c) => {
                let _ = write!(out, "[U+{:04X}]", u32::from(c));
                after
            }
            _ if is_control(c) || is_invisible(c) => after,
            _ => {
                out.push(c);
                after
            }
        };
    }
    Cow::Owned(out)
}

fn is_plain(c: char) -> bool {
    match c {
        '\n' | '\t' | ' '..='~' => true,
        _ => {
            !is_control(c)
                && !is_invisible(c)
                && !reorders(c)
                && !matches!(c, '\u{2028}' | '\u{2029}' | '\u{200c}' | '\u{200d}')
        }
    }
}

pub(crate) fn is_control(c: char) -> bool {
    c.is_control() && c != '\n' && c != '\t'
}

/// Embeddings, overrides and isolates: the characters of CVE-2021-42574.
pub(crate) fn reorders(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Characters that carry text no reader sees: marks, fillers, tags, supplementary selectors.
pub(crate) fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2060}'..='\u{2065}'
        | '\u{206a}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e01ef}')
}

/// Skips what follows ESC (ECMA-48 §5.3, §5.4, §5.6).
fn skip_escape(after: &str) -> &str {
    let Some(c) = after.chars().next() else {
        return after;
    };
    let next = &after[c.len_utf8()..];
    match c {
        '[' => skip_control_sequence(next),
        ']' | 'P' | 'X' | '^' | '_' => skip_string(next),
        ' '..='/' => {
            let end = next.trim_start_matches(|c| (' '..='/').contains(&c));
            end.strip_prefix(|c: char| ('0'..='~').contains(&c))
                .unwrap_or(end)
        }
        '0'..='~' => next,
        _ => after,
    }
}

/// Skips parameters, intermediates and the final byte of a control sequence.
fn skip_control_sequence(after: &str) -> &str {
    let end = after.trim_start_matches(|c| (' '..='?').contains(&c));
    end.strip_prefix(|c: char| ('@'..='~').contains(&c))
        .unwrap_or(end)
}

/// The longest operating-system command that is taken for one; an unterminated longer one is text.
const STRING_MAX: usize = 4096;

fn skip_string(after: &str) -> &str {
    for (at, c) in after.char_indices().take(STRING_MAX) {
        match c {
            '\u{7}' | '\u{9c}' => return &after[at + c.len_utf8()..],
            '\u{1b}' => return after[at + 1..].strip_prefix('\\').unwrap_or(&after[at..]),
            '\n' => return &after[at..],
            _ => {}
        }
    }
    after
}

/// Cuts `text` to at most `limit` bytes, keeping its head and its tail and saying how much went.
///
/// Two thirds of the room go to the head. A `limit` too small for the notice keeps the head alone.
#[must_use]
pub fn cut_middle(text: &str, limit: usize) -> Cow<'_, str> {
    if text.len() <= limit {
        return Cow::Borrowed(text);
    }
    let notice = |cut: usize| format!("\n[… {cut} bytes cut …]\n");
    let room = limit.saturating_sub(notice(text.len()).len());
    if room < 16 {
        return Cow::Owned(text[..text.floor_char_boundary(limit)].to_owned());
    }
    let tail_room = room / 3;
    let head = &text[..text.floor_char_boundary(room - tail_room)];
    let tail = &text[text.ceil_char_boundary(text.len() - tail_room)..];
    let cut = text.len() - head.len() - tail.len();
    Cow::Owned(format!("{head}{}{tail}", notice(cut)))
}

/// Cuts `text` to at most `limit` characters at a word's end where there is one, marking the cut.
#[must_use]
pub fn cut_line(text: &str, limit: usize) -> Cow<'_, str> {
    let Some((end, _)) = text.char_indices().nth(limit) else {
        return Cow::Borrowed(text);
    };
    let last = text
        .char_indices()
        .nth(limit.saturating_sub(1))
        .map_or(end, |(at, _)| at);
    let head = &text[..last];
    let at_word = head
        .rfind(char::is_whitespace)
        .filter(|at| *at * 3 > head.len() * 2);
    let head = at_word.map_or(head, |at| &head[..at]);
    Cow::Owned(format!(
        "{}…",
        head.trim_end_matches([' ', ',', ';', ':', '(', '·'])
    ))
}

#[cfg(test)]
mod tests {
    use super::{clean, cut_line, cut_middle};
    use proptest::prelude::*;
    use std::borrow::Cow;

    #[test]
    fn terminal_output_becomes_text() {
        for (raw, expected) in [
            ("\u{1b}[1;31merror\u{1b}[0m: no", "error: no"),
            (
                "\u{1b}]8;;https://a.example\u{1b}\\link\u{1b}]8;;\u{7}!",
                "link!",
            ),
            ("\u{1b}(Bplain\u{1b}=", "plain"),
            ("\u{9b}31mred", "red"),
            ("a\r\nb\rc\n", "a\nb\nc\n"),
            ("abx\u{8}c", "abc"),
            ("nul\0 bell\u{7}", "nul bell"),
            ("bom\u{feff}soft\u{ad}zero\u{200b}", "bomsoftzero"),
            ("tag\u{e0069}\u{e0067}s", "tags"),
            ("gh\u{200d}p_x", "ghp_x"),
            (
                "access\u{202e} revert\u{2069}",
                "access[U+202E] revert[U+2069]",
            ),
            ("family 👩\u{200d}👧 stays", "family 👩\u{200d}👧 stays"),
            ("unterminated \u{1b}]0;title\nnext", "unterminated \nnext"),
        ] {
            assert_eq!(clean(raw), expected, "{raw:?}");
        }
    }

    #[test]
    fn ordinary_text_is_not_copied() {
        assert!(matches!(clean("täglich, 日本語\n\tok"), Cow::Borrowed(_)));
    }

    #[test]
    fn a_cut_names_the_bytes_that_went() {
        let text = format!("{}{}", "a".repeat(900), "é".repeat(50));
        let cut = cut_middle(&text, 100);
        assert!(cut.len() <= 100, "{}", cut.len());
        let gone: usize = cut
            .split_once("[… ")
            .and_then(|(_, rest)| rest.split_once(" bytes cut …]"))
            .map(|(count, _)| count.parse().unwrap())
            .unwrap();
        let kept = cut.len() - format!("\n[… {gone} bytes cut …]\n").len();
        assert_eq!(kept + gone, text.len());
        assert!(cut.starts_with('a') && cut.ends_with('é'));
    }

    #[test]
    fn a_line_is_cut_at_a_word() {
        assert_eq!(cut_line("one two three", 20), "one two three");
        assert_eq!(cut_line("one two three four", 14), "one two three…");
        assert_eq!(cut_line("onetwothreefour", 5), "onet…");
    }

    proptest! {
        #[test]
        fn cleaning_is_idempotent_and_leaves_nothing_hidden(text in any::<String>()) {
            let once = clean(&text).into_owned();
            prop_assert_eq!(clean(&once), once.as_str());
            prop_assert!(once.chars().all(|c| c == '\n' || c == '\t' || !c.is_control()));
        }

        #[test]
        fn cuts_stay_within_their_limit(text in any::<String>(), limit in 0_usize..200) {
            prop_assert!(cut_middle(&text, limit).len() <= limit.max(text.len().min(limit)));
            prop_assert!(cut_line(&text, limit.max(1)).chars().count() <= limit.max(1));
        }
    }
}
