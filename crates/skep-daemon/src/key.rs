//! Where the root key is kept, behind one seam: read once, and handed out from memory.

mod asked;
mod command;
mod credential;
mod file;
mod keyring;
mod locked;
pub(crate) mod organization;
mod rotate;
pub(crate) mod verbs;

use std::fmt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, bail};
use skep_crypto::{CryptoError, Plain, Random, RootKey, RootKeyProvider, SystemRandom};

use crate::config::{Config, Key, Kind};

pub(crate) use credential::leave_the_environment;

/// Which of two keys: the second is there while one takes the place of the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slot {
    Current,
    Next,
}

/// A place that root keys are kept in.
pub(crate) trait Keeper: Send + Sync {
    /// What and where it is, for people.
    fn shown(&self) -> String;

    /// Whether a key is there, without opening it where that would ask somebody.
    fn has(&self, slot: Slot) -> anyhow::Result<bool> {
        Ok(self.load(slot)?.is_some())
    }

    /// The key that is there.
    fn load(&self, slot: Slot) -> anyhow::Result<Option<RootKey>>;

    /// Why nothing can be kept here from this side, and what to do instead; `None` where it can.
    fn read_only(&self) -> Option<String> {
        None
    }

    /// Keeps a key, in the place of another one if one is there. It is durable when this returns.
    fn keep(&self, slot: Slot, key: &RootKey) -> anyhow::Result<()>;

    /// Removes a key; fine if there is none.
    fn forget(&self, slot: Slot) -> anyhow::Result<()>;
}

/// The root key of this daemon.
pub(crate) struct Root {
    keeper: Box<dyn Keeper>,
    /// Read once: somebody may have been asked for a passphrase.
    held: Mutex<Option<RootKey>>,
}

/// A place of this kind, by these settings.
fn keeper(
    kind: Kind,
    home: &Path,
    key: &Key,
    variable: Option<&Plain<Vec<u8>>>,
) -> anyhow::Result<Box<dyn Keeper>> {
    Ok(match kind {
        Kind::File => Box::new(file::InFile::new(&key.file(home))),
        Kind::Passphrase => Box::new(locked::Locked::new(home, key)?),
        Kind::Keyring => Box::new(keyring::InKeyring::new(home, key.keyring_program()?)),
        Kind::Credential => Box::new(credential::Credential::new(key.credential()?)),
        Kind::Environment => Box::new(credential::Variable::new(key.variable()?, variable)?),
        Kind::Command => Box::new(command::FromCommand::new(home, key)?),
    })
}

impl Root {
    /// The place that is configured. Touches nothing yet.
    pub(crate) fn of(home: &Path, config: &Config) -> anyhow::Result<Self> {
        Self::at(config.key.kind()?, home, config)
    }

    /// A place of this kind, with what is configured for it.
    pub(crate) fn at(kind: Kind, home: &Path, config: &Config) -> anyhow::Result<Self> {
        Ok(Self {
            keeper: keeper(kind, home, &config.key, config.root_key.as_ref())?,
            held: Mutex::new(None),
        })
    }

    pub(crate) fn keeper(&self) -> &dyn Keeper {
        &*self.keeper
    }

    pub(crate) fn shown(&self) -> String {
        self.keeper.shown()
    }

    /// The key, though another one may be about to take its place.
    pub(crate) fn current(&self) -> anyhow::Result<Option<RootKey>> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.is_none() {
            let found = self.keeper.load(Slot::Current);
            *held = found.with_context(|| format!("the root key ({})", self.shown()))?;
        }
        Ok(held.as_ref().map(RootKey::again))
    }

    fn try_load(&self) -> anyhow::Result<Option<RootKey>> {
        let is_held = self
            .held
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_some();
        if !is_held && self.keeper.has(Slot::Next)? {
            bail!(
                "a new root key is about to take the place of the one in {}: finish that with `skepd key \
                 rotate-root`",
                self.shown()
            );
        }
        self.current()
    }

    fn try_create(&self, random: &dyn Random) -> anyhow::Result<RootKey> {
        if let Some(why) = self.keeper.read_only() {
            bail!(
                "there is no root key in {}, and none can be made there from here: {why}",
                self.shown()
            );
        }
        if self.keeper.has(Slot::Current)? {
            bail!(
                "there is a root key in {} already; nothing was changed",
                self.shown()
            );
        }
        let key = RootKey::generate(random);
        self.keeper
            .keep(Slot::Current, &key)
            .with_context(|| format!("keeping a root key in {}", self.shown()))?;
        // What cannot be had back must not seal anything.
        let again = self.keeper.load(Slot::Current)?;
        if !again.is_some_and(|again| again.is(&key)) {
            bail!(
                "{} did not give back the root key that it was given",
                self.shown()
            );
        }
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = Some(key.again());
        Ok(key)
    }
}

impl RootKeyProvider for Root {
    fn load(&self) -> Result<Option<RootKey>, CryptoError> {
        self.try_load().map_err(said)
    }

    fn create(&self, random: &dyn Random) -> Result<RootKey, CryptoError> {
        self.try_create(random).map_err(said)
    }
}

/// Reads a key that a program printed or a system handed over.
fn parsed(bytes: &Plain<Vec<u8>>, of: &dyn fmt::Display) -> anyhow::Result<RootKey> {
    RootKey::parse(bytes.expose()).with_context(|| format!("what {of} gave"))
}

fn said(error: anyhow::Error) -> CryptoError {
    match error.downcast::<CryptoError>() {
        Ok(known) => known,
        Err(other) => CryptoError::RootKey(format!("{other:#}")),
    }
}

fn random() -> SystemRandom {
    SystemRandom
}
