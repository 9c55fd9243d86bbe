//! Lists of phrases, parted by `|` so that a table stays readable.

/// Whether the text is one of the phrases.
pub(super) fn is_one(text: &str, phrases: &str) -> bool {
    phrases.split('|').any(|phrase| phrase == text)
}

/// Whether the text begins with one.
pub(super) fn begins(text: &str, phrases: &str) -> bool {
    phrases.split('|').any(|phrase| text.starts_with(phrase))
}

/// Whether the text has one inside.
pub(super) fn has(text: &str, phrases: &str) -> bool {
    phrases.split('|').any(|phrase| text.contains(phrase))
}
