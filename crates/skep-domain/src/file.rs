//! Where the files stand that somebody keeps among their memories.

/// A file or a folder under `/memories`. One text is one place: nothing in it is resolved, followed,
/// decoded or made shorter, and no two texts that look alike are two places.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FilePath(String);

/// Why a text is no such place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FilePathError {
    /// It does not begin with `/memories`.
    Outside,
    /// More than [`FilePath::BYTES`].
    TooLong,
    /// More than [`FilePath::DEPTH`] names.
    TooDeep,
    /// A name that no file may have.
    Name,
}

/// No listing shows it, so nothing may hide there.
const HIDDEN: &str = "node_modules";

impl FilePath {
    /// The folder of all.
    pub const ROOT: &'static str = "/memories";
    /// Bytes of a path.
    pub const BYTES: usize = 512;
    /// Names below `/memories`.
    pub const DEPTH: usize = 8;
    /// Bytes of a name.
    pub const NAME: usize = 128;

    /// The place of a text.
    ///
    /// # Errors
    /// [`FilePathError`].
    pub fn parse(text: &str) -> Result<Self, FilePathError> {
        let below = text
            .strip_prefix(Self::ROOT)
            .ok_or(FilePathError::Outside)?;
        if text.len() > Self::BYTES {
            return Err(FilePathError::TooLong);
        }
        if !below.is_empty() {
            let names = below.strip_prefix('/').ok_or(FilePathError::Outside)?;
            if names.split('/').count() > Self::DEPTH {
                return Err(FilePathError::TooDeep);
            }
            if !names.split('/').all(is_name) {
                return Err(FilePathError::Name);
            }
        }
        Ok(Self(text.to_owned()))
    }

    /// The whole path.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is the folder of all, where no file can stand.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.0 == Self::ROOT
    }

    /// Its last name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// The folders it stands in, the folder of all first.
    pub fn folders(&self) -> impl Iterator<Item = &str> {
        let slashes = self.0.match_indices('/').map(|(at, _)| at);
        slashes.filter(|at| *at > 0).map(|at| &self.0[..at])
    }

    /// What of another path is below this one; `None` for one that is not.
    #[must_use]
    pub fn below<'o>(&self, other: &'o Self) -> Option<&'o str> {
        other.0.strip_prefix(&self.0)?.strip_prefix('/')
    }
}

impl FilePathError {
    /// One sentence for whoever named it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Outside => "a path begins with /memories/",
            Self::TooLong => "a path has at most 512 bytes",
            Self::TooDeep => "a path has at most 8 names below /memories",
            Self::Name => {
                "the names of a path have ASCII letters, digits, spaces and . _ - + @ ( ) , and at most 128 of them; \
                 none is empty, begins with a dot or a space, ends with one, or is node_modules"
            }
        }
    }
}

impl std::fmt::Display for FilePath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// What no file system, no shell and no reader takes for another name, or for a way elsewhere.
fn is_name(name: &str) -> bool {
    let fits = |byte: &u8| byte.is_ascii_alphanumeric() || b" ._-+@(),".contains(byte);
    name.len() <= FilePath::NAME
        && !name.is_empty()
        && name.bytes().all(|byte| fits(&byte))
        && !name.starts_with(['.', ' '])
        && !name.ends_with(['.', ' '])
        && name != HIDDEN
}

#[cfg(test)]
mod tests {
    use super::{FilePath, FilePathError};

    #[test]
    fn n14_a_path_leads_nowhere_but_below_memories() {
        for good in [
            "/memories",
            "/memories/a.txt",
            "/memories/notes (2)/a_b-c+d@e,f.xml",
        ] {
            assert_eq!(FilePath::parse(good).unwrap().as_str(), good);
        }
        let name = FilePathError::Name;
        for (bad, why) in [
            ("", FilePathError::Outside),
            ("memories/a", FilePathError::Outside),
            ("/memoriesx/a", FilePathError::Outside),
            ("/Memories/a", FilePathError::Outside),
            ("/etc/passwd", FilePathError::Outside),
            ("//memories/a", FilePathError::Outside),
            ("/./memories/a", FilePathError::Outside),
            ("/memories/", name),
            ("/memories//a", name),
            ("/memories/a/", name),
            ("/memories/.", name),
            ("/memories/..", name),
            ("/memories/../memories/a", name),
            ("/memories/a/../b", name),
            ("/memories/..\\b", name),
            ("/memories\\..\\b", FilePathError::Outside),
            ("/memories/%2e%2e%2fb", name),
            ("/memories/%2e%2e/b", name),
            ("/memories/a\0b", name),
            ("/memories/a\nb", name),
            ("/memories/\u{ff0e}\u{ff0e}/b", name),
            ("/memories/n\u{43e}tes.txt", name),
            ("/memories/a\u{200b}", name),
            ("/memories/a\u{2215}b", name),
            ("/memories/.hidden", name),
            ("/memories/a.", name),
            ("/memories/ a", name),
            ("/memories/node_modules/a", name),
            ("/memories/~root/a", name),
            ("/memories/a:b", name),
            ("/memories/a/b/c/d/e/f/g/h/i", FilePathError::TooDeep),
        ] {
            assert_eq!(FilePath::parse(bad), Err(why), "{bad:?}");
        }
        let name = format!("/memories/{}", "x".repeat(129));
        assert_eq!(FilePath::parse(&name), Err(FilePathError::Name));
        let long = format!("/memories/{}/{}", "x".repeat(255), "x".repeat(255));
        assert_eq!(FilePath::parse(&long), Err(FilePathError::TooLong));
        assert!(FilePath::parse(&name[..138]).is_ok());
    }

    #[test]
    fn a_path_knows_its_folders() {
        let path = FilePath::parse("/memories/a/b/c.txt").unwrap();
        let folders: Vec<&str> = path.folders().collect();
        assert_eq!(folders, ["/memories", "/memories/a", "/memories/a/b"]);
        assert_eq!(path.name(), "c.txt");
        let root = FilePath::parse("/memories").unwrap();
        assert_eq!((root.folders().count(), root.is_root()), (0, true));
        let folder = FilePath::parse("/memories/a").unwrap();
        assert_eq!(folder.below(&path), Some("b/c.txt"));
        assert_eq!(root.below(&path), Some("a/b/c.txt"));
        assert_eq!(folder.below(&folder), None);
        let beside = FilePath::parse("/memories/ab").unwrap();
        assert_eq!(folder.below(&beside), None);
    }
}
