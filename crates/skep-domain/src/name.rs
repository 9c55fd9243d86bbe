//! Names that people choose: one byte form, no invisible characters, compared by skeleton.

use unicode_normalization::UnicodeNormalization;
use unicode_security::confusable_detection::skeleton;

use crate::Limits;

/// Why a name was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing is left after trimming.
    #[error("a name needs at least one character")]
    Empty,
    /// Longer than [`Limits::NAME_CHARS`].
    #[error("a name has at most {} characters", Limits::NAME_CHARS)]
    TooLong,
    /// Only letters, digits, `.`, `_` and `-`.
    #[error("a name holds letters, digits, '.', '_' and '-' only; this one has {0:?}")]
    Character(char),
}

/// 1 to 128 characters, NFC, Unicode letters, digits, `.`, `_`, `-`.
///
/// Never part of a storage, cache or file key; those are built from ids.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Name(String);

impl Name {
    /// Normalises to NFC and checks.
    ///
    /// # Errors
    /// [`NameError`] says which rule it breaks.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let name: String = text.nfc().collect();
        if name.is_empty() {
            return Err(NameError::Empty);
        }
        if name.chars().count() > Limits::NAME_CHARS {
            return Err(NameError::TooLong);
        }
        match name
            .chars()
            .find(|c| !(c.is_alphanumeric() || ".-_".contains(*c) || is_mark(*c)))
        {
            Some(bad) => Err(NameError::Character(bad)),
            None => Ok(Self(name)),
        }
    }

    /// The one stored form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What must be unique inside a scope: the UTS 39 skeleton of the lower-cased name.
    #[must_use]
    pub fn skeleton(&self) -> String {
        skeleton(&self.0.to_lowercase()).collect()
    }
}

/// Combining marks carry vowels in many scripts, so letters alone would shut those out.
fn is_mark(c: char) -> bool {
    unicode_normalization::char::is_combining_mark(c)
}

#[cfg(test)]
mod tests {
    use super::{Name, NameError};

    #[test]
    fn t20_names_have_one_form_and_no_invisible_characters() {
        let cases = [
            ("api-server_2.0", Ok(())),
            ("Zürich", Ok(())),
            ("हिन्दी", Ok(())),
            ("", Err(NameError::Empty)),
            ("a b", Err(NameError::Character(' '))),
            ("a\u{202E}b", Err(NameError::Character('\u{202E}'))),
            ("a\u{200B}b", Err(NameError::Character('\u{200B}'))),
            ("a/b", Err(NameError::Character('/'))),
            ("a\0b", Err(NameError::Character('\0'))),
        ];
        for (text, expected) in cases {
            assert_eq!(Name::parse(text).map(|_| ()), expected, "{text:?}");
        }
        assert_eq!(Name::parse(&"x".repeat(129)), Err(NameError::TooLong));
        assert_eq!(Name::parse("e\u{301}"), Name::parse("é"));
    }

    #[test]
    fn t20_look_alikes_share_a_skeleton() {
        let latin = Name::parse("admin").unwrap();
        let cyrillic = Name::parse("аdmin").unwrap();
        assert_ne!(latin, cyrillic);
        assert_eq!(latin.skeleton(), cyrillic.skeleton());
    }
}
