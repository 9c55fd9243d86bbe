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
    /// Only visible letters and digits, `.`, `_` and `-`.
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
        match name.chars().find(|c| {
            is_invisible(*c) || !(c.is_alphanumeric() || ".-_".contains(*c) || is_mark(*c))
        }) {
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

    /// Both forms that must be unique inside a scope where names stand for people. Look-alikes
    /// depend on case (`Ivan` and `lvan`), so the skeleton is taken before lower-casing and after.
    #[must_use]
    pub fn skeletons(&self) -> [String; 2] {
        let as_written: String = skeleton(&self.0).collect();
        [self.skeleton(), as_written.to_lowercase()]
    }
}

/// Letters and marks that show nothing (Unicode's `Default_Ignorable_Code_Point`, as far as letters
/// and marks have it): two names that differ in these alone would look the same.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{034F}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{3164}' | '\u{FFA0}'
        | '\u{180B}'..='\u{180F}' | '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}')
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
            ("ad\u{FE0F}min", Err(NameError::Character('\u{FE0F}'))),
            ("ad\u{34F}min", Err(NameError::Character('\u{34F}'))),
            ("\u{3164}", Err(NameError::Character('\u{3164}'))),
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

    #[test]
    fn t20_names_that_look_or_sound_the_same_collide_in_one_of_two_forms() {
        let collide = |a: &str, b: &str| {
            let (a, b) = (Name::parse(a).unwrap(), Name::parse(b).unwrap());
            a.skeletons()
                .iter()
                .zip(&b.skeletons())
                .any(|(a, b)| a == b)
        };
        for (a, b) in [
            ("Ivan", "lvan"),
            ("Ivan", "ivan"),
            ("ADMIN", "admin"),
            ("admin", "аdmin"),
            ("paypal", "paypa1"),
            ("e\u{301}ve", "éve"),
            ("ﬁnn", "finn"),
        ] {
            assert!(collide(a, b), "{a} {b}");
        }
        assert!(!collide("anna", "hanna") && !collide("müller", "muller"));
    }
}
