//! The key line of a memory: its statement in short, then what else it is about.

use super::draft::Draft;
use super::sentence::{content_words, sentences};
use crate::clean::cut_line;

/// Characters for the statement itself.
const HEAD_CHARS: usize = 112;

/// Builds the line from the statement, and from names and context that the statement leaves out.
pub(super) fn key_line(statement: &str, names: &[String], context: Option<&str>) -> String {
    let first = sentences(statement).first().copied().unwrap_or(statement);
    let head = cut_line(first.trim_end_matches(['.', '!', ':']), HEAD_CHARS).into_owned();
    let lower = head.to_lowercase();
    let mut line = head;
    let mut room = Draft::KEY_CHARS.saturating_sub(line.chars().count());
    let mut add = |word: &str| {
        let cost = word.chars().count() + 3;
        if cost <= room && !line.to_lowercase().contains(&word.to_lowercase()) {
            line.push_str(" · ");
            line.push_str(word);
            room -= cost;
        }
    };
    for name in names.iter().map(|name| short(name)).take(6) {
        add(name);
    }
    for word in context
        .map(content_words)
        .unwrap_or_default()
        .iter()
        .filter(|word| word.len() > 3)
        .take(8)
    {
        if !lower.contains(word.as_str()) {
            add(word);
        }
    }
    line
}

/// A path by its last two parts, a URL without its scheme.
fn short(name: &str) -> &str {
    if let Some((_, rest)) = name.split_once("://") {
        return rest.trim_end_matches('/');
    }
    let is_path = name.contains('/') && !name.contains(' ');
    match name.rmatch_indices('/').nth(1) {
        Some((at, _)) if is_path && name.len() > 32 => &name[at + 1..],
        _ => name,
    }
}
