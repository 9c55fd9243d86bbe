//! What a vault holds: classes of records with what each lets be read, and names.

use crate::Limits;

/// Whether the value of a record is ever given to whoever asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadPosture {
    /// To whoever may read it.
    Returned,
    /// To nobody: the daemon uses it, and no interface returns it.
    Internal,
}

/// The classes of records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RecordClass {
    /// A value that agents cause to be used and never read.
    Secret,
    /// A value that whoever may read it gets.
    Setting,
    /// What the daemon keeps for itself, such as keys that it made: nobody sets it, sees that it is
    /// there or removes it.
    Own,
}

/// Each class with its name and what it lets be read.
const CLASSES: [(RecordClass, &str, ReadPosture); 3] = [
    (RecordClass::Secret, "secret", ReadPosture::Internal),
    (RecordClass::Setting, "setting", ReadPosture::Returned),
    (RecordClass::Own, "own", ReadPosture::Internal),
];

impl RecordClass {
    /// Every class.
    pub const ALL: [Self; 3] = [Self::Secret, Self::Setting, Self::Own];

    const fn row(self) -> (Self, &'static str, ReadPosture) {
        CLASSES[self as usize]
    }

    /// Its name, which keys are derived with: it never changes.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.row().1
    }

    /// Whether its values are ever returned.
    #[must_use]
    pub const fn posture(self) -> ReadPosture {
        self.row().2
    }
}

/// Why a name was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the name of a secret or setting has 1 to {} ASCII letters, digits, '_', '-' and '.', begins with a letter \
     and has no two underscores in a row",
    Limits::RECORD_NAME
)]
pub struct RecordNameError;

/// What a record is called; the names of one place differ in more than the case of letters.
///
/// It stands in placeholders (`__skep_<name>__`), so it is ASCII and ends where they do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordName(String);

impl RecordName {
    /// Checks a name.
    ///
    /// # Errors
    /// [`RecordNameError`].
    pub fn parse(text: &str) -> Result<Self, RecordNameError> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
        let is_name = text.len() <= Limits::RECORD_NAME
            && text.starts_with(|first: char| first.is_ascii_alphabetic())
            && text.bytes().all(fits)
            && !text.contains("__")
            && !text.ends_with('_');
        if is_name {
            Ok(Self(text.into()))
        } else {
            Err(RecordNameError)
        }
    }

    /// The name as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What must be unique in its place.
    #[must_use]
    pub fn key(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

#[cfg(test)]
mod tests {
    use super::{ReadPosture, RecordClass, RecordName};

    #[test]
    fn x07_the_classes_are_what_they_say() {
        for class in RecordClass::ALL {
            assert_eq!(
                class.row().0,
                class,
                "the table is in the order of the classes"
            );
        }
        assert_eq!(RecordClass::Secret.posture(), ReadPosture::Internal);
        assert_eq!(RecordClass::Setting.posture(), ReadPosture::Returned);
        assert_eq!(RecordClass::Own.posture(), ReadPosture::Internal);
        let mut names = RecordClass::ALL.map(RecordClass::as_str);
        names.sort_unstable();
        assert!(names.windows(2).all(|two| two[0] != two[1]), "{names:?}");
    }

    #[test]
    fn names_fit_into_placeholders() {
        for name in ["A", "GITHUB_TOKEN", "db.main-1", &"x".repeat(64)] {
            assert_eq!(RecordName::parse(name).unwrap().as_str(), name);
        }
        let long = "x".repeat(65);
        for name in [
            "", "1st", "_x", "x_", "a__b", "a b", "a/b", "../x", "é", "a\n", "a\0", "-x", ".x",
            &long,
        ] {
            assert!(RecordName::parse(name).is_err(), "{name:?}");
        }
        assert_eq!(
            RecordName::parse("Token").unwrap().key(),
            RecordName::parse("TOKEN").unwrap().key()
        );
    }
}
