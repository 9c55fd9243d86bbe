//! `passphrase`: a file that a passphrase opens, which is asked for at each start or read from elsewhere.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, bail};
use skep_crypto::{CryptoError, LockCost, Plain, PrivateFile, RootKey, lock_root, unlock_root};

use super::credential::handed_over;
use super::file::beside;
use super::{Keeper, Slot, random};
use crate::config::{Key, Passphrase};
use crate::{files, secret};

/// Longer files are not ours.
const LINE: usize = 512;
/// Characters of a passphrase at least.
const SHORTEST: usize = 12;

/// The key in a locked file, and beside it the one that is about to take its place.
pub(super) struct Locked {
    home: PathBuf,
    path: PathBuf,
    from: Passphrase,
    cost: LockCost,
    /// Asked for once.
    passphrase: Mutex<Option<Plain<String>>>,
}

/// What a locked file says to a passphrase that is another one.
#[derive(Debug)]
pub(super) struct DoesNotOpen(String);

impl fmt::Display for DoesNotOpen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = &self.0;
        write!(
            f,
            "the passphrase does not open {shown}: it is another one, or the file was changed. Try again, or \
             restore the file from a copy"
        )
    }
}

impl std::error::Error for DoesNotOpen {}

impl Locked {
    pub(super) fn new(home: &Path, key: &Key) -> anyhow::Result<Self> {
        Ok(Self {
            home: home.to_owned(),
            path: key.locked_file(home),
            from: key.passphrase()?,
            cost: key.cost()?,
            passphrase: Mutex::new(None),
        })
    }

    fn file(&self, slot: Slot) -> PrivateFile {
        PrivateFile::new(match slot {
            Slot::Current => self.path.clone(),
            Slot::Next => beside(&self.path),
        })
    }

    /// Calls `with` with the passphrase; one that is to be new is asked for twice.
    fn with<T>(
        &self,
        is_new: bool,
        with: impl FnOnce(&Plain<String>) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let mut held = self
            .passphrase
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let passphrase = match held.take() {
            Some(held) => held,
            None => self.read(is_new)?,
        };
        let outcome = with(held.insert(passphrase));
        if outcome.is_err() {
            // One that was mistyped is asked for again.
            *held = None;
        }
        outcome
    }

    fn read(&self, is_new: bool) -> anyhow::Result<Plain<String>> {
        match &self.from {
            Passphrase::File(file) => {
                files::read_line(&self.home.join(file)).context("key.passphrase_file")
            }
            Passphrase::Credential(name) => {
                let bytes = handed_over(name)?;
                let text = std::str::from_utf8(bytes.expose()).ok();
                let line = text.and_then(|text| text.lines().next());
                let line =
                    line.with_context(|| format!("the credential {name} holds no passphrase"))?;
                Ok(Plain::new(line.to_owned()))
            }
            Passphrase::Terminal => {
                let instead = "set key.passphrase_file or key.passphrase_credential";
                let typed = secret::ask("Passphrase of the root key: ", instead)?;
                if is_new {
                    let again = secret::ask("The same once more: ", instead)?;
                    if again.expose() != typed.expose() {
                        bail!("the two are not the same; nothing was changed");
                    }
                }
                Ok(typed)
            }
        }
    }
}

impl Keeper for Locked {
    fn shown(&self) -> String {
        format!("passphrase, {}", self.path.display())
    }

    fn has(&self, slot: Slot) -> anyhow::Result<bool> {
        Ok(self.file(slot).read(LINE)?.is_some())
    }

    fn load(&self, slot: Slot) -> anyhow::Result<Option<RootKey>> {
        let file = self.file(slot);
        let shown = file.path().display().to_string();
        let Some(line) = file.read(LINE)? else {
            return Ok(None);
        };
        let line = std::str::from_utf8(&line)
            .ok()
            .filter(|line| line.len() < LINE);
        let line = line.with_context(|| format!("{shown} is no locked root key"))?;
        let unlocked = self.with(false, |passphrase| match unlock_root(line, passphrase) {
            Err(CryptoError::Damaged) => Err(anyhow::Error::new(DoesNotOpen(shown.clone()))),
            other => other.with_context(|| shown.clone()),
        });
        unlocked.map(Some)
    }

    fn keep(&self, slot: Slot, key: &RootKey) -> anyhow::Result<()> {
        let is_new = !self.has(Slot::Current)?;
        let line = self.with(is_new, |passphrase| {
            if passphrase.expose().chars().count() < SHORTEST {
                bail!("the passphrase is too short: it must have at least {SHORTEST} characters");
            }
            Ok(lock_root(key, passphrase, self.cost, &random())?)
        })?;
        Ok(self
            .file(slot)
            .replace(format!("{line}\n").as_bytes(), &random())?)
    }

    fn forget(&self, slot: Slot) -> anyhow::Result<()> {
        Ok(self.file(slot).remove().map(drop)?)
    }
}
