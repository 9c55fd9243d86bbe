//! The key line of a memory: its statement in short, then what else it is about.

use super::draft::Draft;
use super::sentence::{content_words, sentences};
use crate::clean::cut_line;

/// Characters for the statement itself.
const HEAD_CHARS: usize = 112;

/// Builds the line from the statement, and from names and context that the statement leaves out.
pub(super) fn key_line(statement: &str, names: &[String], context: Option<&str>) -> String {
    let first = sentences(statement).first().copied().unwrap_or(statement);
    let first = first.trim_end_matches(['.', '!', ':']);
    let whole = cut_line(first, Draft::KEY_CHARS).into_owned();
    let lower = whole.to_lowercase();
    let is_new = |name: &&str| !lower.contains(&name.to_lowercase());
    let mut extras: Vec<String> = names
        .iter()
        .filter_map(|name| short(name))
        .filter(is_new)
        .take(6)
        .map(str::to_owned)
        .collect();
    // A statement that names little says what it is about by the words around it.
    if names.len() < 3 {
        extras.extend(telling_words(context.unwrap_or_default(), &lower));
    }
    let mut line = if extras.is_empty() {
        whole
    } else {
        cut_line(first, HEAD_CHARS).into_owned()
    };
    let mut room = Draft::KEY_CHARS.saturating_sub(line.chars().count());
    for extra in extras {
        let cost = extra.chars().count() + 3;
        if cost <= room && !line.to_lowercase().contains(&extra.to_lowercase()) {
            line.push_str(" · ");
            line.push_str(&extra);
            room -= cost;
        }
    }
    line
}

/// A path by its last two parts; nothing of a URL, which is long and says little.
fn short(name: &str) -> Option<&str> {
    if name.contains("://") {
        return None;
    }
    let is_path = name.contains('/') && !name.contains(' ');
    match name.rmatch_indices('/').nth(1) {
        Some((at, _)) if is_path && name.len() > 32 => Some(&name[at + 1..]),
        _ => Some(name),
    }
}

/// Up to four words of a context: those it says most often, in its order.
fn telling_words(context: &str, known: &str) -> Vec<String> {
    let words = content_words(context);
    let mut counts: Vec<(usize, usize, &String)> = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let is_word = word.len() > 3 && word.bytes().any(|byte| byte.is_ascii_lowercase());
        match counts.iter_mut().find(|(_, _, seen)| *seen == word) {
            Some((count, ..)) => *count += 1,
            None if is_word && !known.contains(word.as_str()) => counts.push((1, at, word)),
            None => {}
        }
    }
    // A short context is a goal, and every word of it counts; of a long one only what it repeats.
    let least = if context.len() <= 120 { 1 } else { 2 };
    counts.retain(|(count, ..)| *count >= least);
    counts.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    counts.truncate(4);
    counts.sort_by_key(|(_, at, _)| *at);
    counts
        .into_iter()
        .map(|(_, _, word)| word.clone())
        .collect()
}
