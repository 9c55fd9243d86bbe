//! Escaping, and its exact inverse: no stored text can look like a mark, and none is lost.

use crate::clean::{is_control, is_invisible, reorders};

/// Escapes a text for the inside of a block. Line breaks and tabs stay.
pub(super) fn body(text: &str) -> String {
    escape(text, |c| c == '\n' || c == '\t')
}

/// Escapes a text for a double-quoted attribute.
pub(super) fn attribute(text: &str) -> String {
    escape(text, |_| false)
}

/// The text that was escaped; `None` for anything that [`body`] would not have written.
pub(super) fn read_body(escaped: &str) -> Option<String> {
    read(escaped).filter(|text| body(text) == escaped)
}

/// The text that was escaped; `None` for anything that [`attribute`] would not have written.
pub(super) fn read_attribute(escaped: &str) -> Option<String> {
    read(escaped).filter(|text| attribute(text) == escaped)
}

fn escape(text: &str, stays: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    let mut before = None;
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            _ if stays(c) => out.push(c),
            _ if deceives(c)
                || (c == '[' && opens_role(rest.as_str()))
                || (joins(c) && !is_shaping(before, rest.clone().next())) =>
            {
                out.push_str(&format!("&#x{:x};", u32::from(c)));
            }
            _ => out.push(c),
        }
        before = Some(c);
    }
    out
}

/// What a reader cannot see, or could take for a mark.
fn deceives(c: char) -> bool {
    let breaks = matches!(c, '\n' | '\t' | '\u{2028}' | '\u{2029}');
    breaks || is_control(c) || is_invisible(c) || reorders(c) || looks_like_a_mark(c)
}

/// Fullwidth and small forms of `&`, `<` and `>`, and the angle quotes and brackets that pass for
/// them in many typefaces.
fn looks_like_a_mark(c: char) -> bool {
    matches!(
        c,
        '\u{ff06}'
            | '\u{ff1c}'
            | '\u{ff1e}'
            | '\u{fe60}'
            | '\u{fe64}'
            | '\u{fe65}'
            | '\u{2039}'
            | '\u{203a}'
            | '\u{2329}'
            | '\u{232a}'
            | '\u{27e8}'
            | '\u{27e9}'
            | '\u{3008}'
            | '\u{3009}'
            | '\u{276e}'..='\u{2771}' | '\u{1438}' | '\u{1433}'
    )
}

/// The role marks of some chat templates have square brackets; what has angle brackets is inert
/// already.
fn opens_role(rest: &str) -> bool {
    let rest = rest.strip_prefix('/').unwrap_or(rest);
    ["INST]", "SYS]", "SYSTEM]"].iter().any(|role| {
        rest.get(..role.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(role))
    })
}

fn joins(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}')
}

/// Joiners shape emoji and several scripts; beside ASCII they only hide.
fn is_shaping(before: Option<char>, after: Option<char>) -> bool {
    let shapes = |c: Option<char>| c.is_some_and(|c| !c.is_ascii() && !joins(c) && !deceives(c));
    shapes(before) && shapes(after)
}

fn read(escaped: &str) -> Option<String> {
    let mut out = String::with_capacity(escaped.len());
    let mut rest = escaped;
    while let Some((before, tail)) = rest.split_once('&') {
        out.push_str(before);
        let (name, after) = tail.split_once(';')?;
        out.push(match name {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            _ => char::from_u32(u32::from_str_radix(name.strip_prefix("#x")?, 16).ok()?)?,
        });
        rest = after;
    }
    out.push_str(rest);
    Some(out)
}
