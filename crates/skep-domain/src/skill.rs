//! Skills: folders of instructions that a team's agents share, in the form of the open standard
//! (<https://agentskills.io/specification>).

use crate::Limits;
use crate::memory::coded;

coded! {
    /// How far a version of a skill has come.
    SkillState {
        /// Somebody with the right has yet to read it.
        Waiting = 0, "waiting";
        /// Teammates may pull it; of each skill at most one version is.
        Approved = 1, "approved";
        /// Nobody gets it.
        Rejected = 2, "rejected";
        /// Another version was approved in its place.
        Superseded = 3, "superseded";
        /// It was approved, and is no more.
        Withdrawn = 4, "withdrawn";
    }
}

impl SkillState {
    /// Whether somebody may approve a version in this state.
    #[must_use]
    pub const fn may_be_approved(self) -> bool {
        matches!(self, Self::Waiting | Self::Superseded)
    }
}

/// Why a name was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a skill's name has 1 to {} lower-case letters and digits, with single hyphens between them",
    Limits::SKILL_NAME
)]
pub struct SkillNameError;

/// What a skill is called, and its folder with it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SkillName(String);

impl SkillName {
    /// Checks a name.
    ///
    /// # Errors
    /// [`SkillNameError`].
    pub fn parse(text: &str) -> Result<Self, SkillNameError> {
        let is_word = |word: &str| {
            !word.is_empty()
                && word
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        };
        let fits = text.len() <= Limits::SKILL_NAME && text.split('-').all(is_word);
        // Windows opens a device under these, whatever folder they stand in.
        if fits && !is_device(text) {
            Ok(Self(text.into()))
        } else {
            Err(SkillNameError)
        }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why a path was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a file of a skill has a path like scripts/check.py: at most {} levels and {} bytes, of ASCII letters, \
     digits, '.', '_' and '-', and no part that begins or ends with a dot",
    Limits::SKILL_DEPTH,
    Limits::SKILL_PATH
)]
pub struct SkillPathError;

/// Checks the path of a file in a skill's folder: below it wherever it is unpacked, visible there, and
/// meaning the same on every system. Both ends ask, for neither trusts the other.
///
/// # Errors
/// [`SkillPathError`].
pub fn check_skill_path(path: &str) -> Result<(), SkillPathError> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let is_part = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && !part.ends_with('.')
            && part.bytes().all(plain)
            && !is_device(part)
    };
    let fits = path.len() <= Limits::SKILL_PATH
        && path.split('/').count() <= Limits::SKILL_DEPTH
        && path.split('/').all(is_part);
    if fits { Ok(()) } else { Err(SkillPathError) }
}

/// Whether Windows takes a part of a path for a device.
fn is_device(part: &str) -> bool {
    let stem = part.split('.').next().unwrap_or(part).to_ascii_lowercase();
    let numbered = |name: &str| {
        stem.strip_prefix(name)
            .is_some_and(|rest| rest.len() == 1 && rest.bytes().all(|byte| byte.is_ascii_digit()))
    };
    ["con", "prn", "aux", "nul"].contains(&stem.as_str()) || numbered("com") || numbered("lpt")
}

#[cfg(test)]
mod tests {
    use super::{SkillName, check_skill_path};

    #[test]
    fn names_are_those_of_the_standard() {
        for good in ["a", "pdf-processing", "x2", "9", "a-b-c", &"a".repeat(64)] {
            assert!(SkillName::parse(good).is_ok(), "{good}");
        }
        let bad = [
            "", "-a", "a-", "a--b", "A", "a_b", "a.b", "a/b", "..", "ä", "a b", "con", "lpt1",
            "a\n",
        ];
        for bad in bad.into_iter().chain([&*"a".repeat(65)]) {
            assert!(SkillName::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn n04_paths_stay_below_their_folder() {
        for good in ["SKILL.md", "scripts/check.py", "references/a-b_c.1.md"] {
            assert!(check_skill_path(good).is_ok(), "{good}");
        }
        let bad = [
            "",
            "/",
            "/etc/passwd",
            "..",
            "../x",
            "a/../b",
            "a//b",
            "a/",
            "./a",
            ".bashrc",
            "a/.git",
            "a\\b",
            "C:x",
            "a\0b",
            "a\nb",
            "nul",
            "a/COM1.txt",
            "a.",
            "a./b",
            "ä",
            "a b",
            "a/b/c/d/e/f",
            "-\u{202e}",
        ];
        for bad in bad.into_iter().chain([&*"a".repeat(201)]) {
            assert!(check_skill_path(bad).is_err(), "{bad:?}");
        }
    }
}
