//! `file`: one file of the daemon's own user.

use std::path::Path;

use skep_crypto::{FileRootKey, RootKey, RootKeyProvider};

use super::{Keeper, Slot, random};

/// The key in a file, and beside it the one that is about to take its place.
pub(super) struct InFile {
    current: FileRootKey,
    next: FileRootKey,
}

impl InFile {
    pub(super) fn new(path: &Path) -> Self {
        Self {
            current: FileRootKey::new(path),
            next: FileRootKey::new(beside(path)),
        }
    }

    fn slot(&self, slot: Slot) -> &FileRootKey {
        match slot {
            Slot::Current => &self.current,
            Slot::Next => &self.next,
        }
    }
}

/// Where the next one is.
pub(super) fn beside(path: &Path) -> std::path::PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".next");
    name.into()
}

impl Keeper for InFile {
    fn shown(&self) -> String {
        format!("file {}", self.current.file().path().display())
    }

    fn load(&self, slot: Slot) -> anyhow::Result<Option<RootKey>> {
        Ok(self.slot(slot).load()?)
    }

    fn keep(&self, slot: Slot, key: &RootKey) -> anyhow::Result<()> {
        Ok(self.slot(slot).replace(key, &random())?)
    }

    fn forget(&self, slot: Slot) -> anyhow::Result<()> {
        Ok(self.slot(slot).file().remove().map(drop)?)
    }
}
