//! The data directory: which files it holds, and whether it is ours alone.

use std::fs::{DirBuilder, Metadata};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

/// The directory that one daemon owns, by default `~/.skep`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home(PathBuf);

impl Home {
    /// Wraps a path, made absolute; nothing is touched.
    ///
    /// # Errors
    /// When the working directory is needed and gone.
    pub fn new(path: impl AsRef<Path>) -> io::Result<Self> {
        Ok(Self(std::path::absolute(path)?))
    }

    /// The directory itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Where the daemon listens.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.0.join("skepd.sock")
    }

    /// What the daemon wants to see over TCP.
    #[must_use]
    pub fn install_token(&self) -> PathBuf {
        self.0.join("install-token")
    }

    /// What the daemon printed.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.0.join("skepd.log")
    }

    /// The daemon's process id.
    #[must_use]
    pub fn pid_file(&self) -> PathBuf {
        self.0.join("skepd.pid")
    }

    /// Held by the daemon for as long as it lives.
    #[must_use]
    pub fn lock_file(&self) -> PathBuf {
        self.0.join("skepd.lock")
    }

    /// Makes the directory for its owner alone. `true` if it was not there.
    ///
    /// # Errors
    /// When it cannot be made. One that is there is left as it is: see [`Home::check`].
    pub fn create(&self) -> io::Result<bool> {
        if let Some(parent) = self.0.parent() {
            std::fs::create_dir_all(parent)?;
        }
        match DirBuilder::new().mode(0o700).create(&self.0) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Whether the directory is one that a daemon may keep its data in.
    ///
    /// # Errors
    /// [`HomeProblem`] says what to change.
    pub fn check(&self) -> Result<(), HomeProblem> {
        let facts = std::fs::symlink_metadata(&self.0).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => HomeProblem::Missing,
            _ => HomeProblem::Unreadable(error.to_string()),
        })?;
        if !facts.is_dir() {
            return Err(HomeProblem::NotADirectory);
        }
        Self::check_owner(&facts)
    }

    fn check_owner(facts: &Metadata) -> Result<(), HomeProblem> {
        let ours = rustix::process::geteuid().as_raw();
        if facts.uid() != ours {
            return Err(HomeProblem::Owner {
                uid: facts.uid(),
                ours,
            });
        }
        let mode = facts.mode() & 0o777;
        if mode & !0o700 == 0 {
            Ok(())
        } else {
            Err(HomeProblem::Mode(mode))
        }
    }
}

/// What is wrong with a home.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HomeProblem {
    /// Nothing is there yet.
    #[error("it does not exist")]
    Missing,
    /// It cannot be looked at.
    #[error("it cannot be read: {0}")]
    Unreadable(String),
    /// Something else is there.
    #[error("it is not a directory (a link to one does not count)")]
    NotADirectory,
    /// Somebody else's.
    #[error("it belongs to user {uid}, and you are user {ours}")]
    Owner {
        /// Its owner.
        uid: u32,
        /// Ourselves.
        ours: u32,
    },
    /// Others can read or write it.
    #[error("its mode is {0:04o}: others can get at it")]
    Mode(u32),
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::{Home, HomeProblem};

    #[test]
    fn x05_a_home_is_made_for_its_owner_and_a_wider_one_is_named() {
        let root = tempfile::tempdir().unwrap();
        let home = Home::new(root.path().join("a/b")).unwrap();
        assert_eq!(home.check(), Err(HomeProblem::Missing));
        assert!(home.create().unwrap());
        assert!(!home.create().unwrap());
        assert_eq!(home.check(), Ok(()));
        fs::set_permissions(home.path(), Permissions::from_mode(0o750)).unwrap();
        assert_eq!(home.check(), Err(HomeProblem::Mode(0o750)));
        let file = Home::new(root.path().join("file")).unwrap();
        fs::write(file.path(), "").unwrap();
        assert_eq!(file.check(), Err(HomeProblem::NotADirectory));
        let link = Home::new(root.path().join("link")).unwrap();
        symlink(root.path(), link.path()).unwrap();
        assert_eq!(link.check(), Err(HomeProblem::NotADirectory));
    }
}
