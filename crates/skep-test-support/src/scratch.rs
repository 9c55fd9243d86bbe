//! A directory that is ours alone and goes away, and a root key that never touches a disk.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Mutex;

use skep_crypto::{CryptoError, Random, RootKey, RootKeyProvider, SeededRandom};
use tempfile::TempDir;

/// A private directory, removed when dropped.
#[derive(Debug)]
pub struct Scratch(TempDir);

impl Scratch {
    /// Makes one.
    ///
    /// # Panics
    /// When the system has no room for a directory.
    #[must_use]
    #[expect(
        clippy::expect_used,
        reason = "a test without a directory cannot go on"
    )]
    pub fn new() -> Self {
        let directory = tempfile::Builder::new()
            .prefix("skep")
            .permissions(std::fs::Permissions::from_mode(0o700))
            .tempdir()
            .expect("a scratch directory");
        Self(directory)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Default for Scratch {
    fn default() -> Self {
        Self::new()
    }
}

/// A root key in memory: the same seed gives the same key, so a store can be opened again.
#[derive(Debug)]
pub struct MemoryRootKey {
    seed: u64,
    created: Mutex<bool>,
}

impl MemoryRootKey {
    /// A provider whose key follows from the seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            created: Mutex::new(true),
        }
    }

    /// A provider that has lost its key.
    #[must_use]
    pub fn lost() -> Self {
        Self {
            seed: 0,
            created: Mutex::new(false),
        }
    }
}

impl RootKeyProvider for MemoryRootKey {
    fn load(&self) -> Result<Option<RootKey>, CryptoError> {
        let created = self.created.lock().is_ok_and(|created| *created);
        Ok(created.then(|| RootKey::generate(&SeededRandom::new(self.seed))))
    }

    fn create(&self, _: &dyn Random) -> Result<RootKey, CryptoError> {
        if let Ok(mut created) = self.created.lock() {
            *created = true;
        }
        Ok(RootKey::generate(&SeededRandom::new(self.seed)))
    }
}
