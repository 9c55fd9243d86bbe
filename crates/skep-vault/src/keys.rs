//! The keys of a vault: one names its files, and the newest of the numbered ones seals them.

use std::collections::BTreeMap;
use std::ffi::OsStr;

use base64ct::{Base64UrlUnpadded, Encoding};
use skep_crypto::{
    DataKey, KeyEncryptionKey, MacKey, PrivateDirectory, Random, VaultKey, WrappedKey,
};
use skep_domain::RecordClass;

use crate::VaultError;
use crate::error::unopened;
use crate::place::Place;

const FILE: &str = "keys";
const HEADER: &str = "skep-vault-keys-1";
/// The number of the key that names files; it is never replaced.
const NAMES: u32 = 0;
/// Longer files are not ours: two keys are live at most, of a hundred bytes each.
const MAX: usize = 4096;

/// The keys that are live.
pub(crate) struct Keys {
    lock: KeyEncryptionKey,
    names: MacKey,
    /// As they are kept, by number; the first names files.
    wrapped: BTreeMap<u32, WrappedKey>,
    live: BTreeMap<u32, VaultKey>,
}

impl Keys {
    /// Those of the vault in `directory`; made if it has none and holds nothing.
    pub(crate) fn open(
        directory: &PrivateDirectory,
        lock: KeyEncryptionKey,
        random: &dyn Random,
    ) -> Result<Self, VaultError> {
        if let Some(text) = directory.read(OsStr::new(FILE), MAX)? {
            return Self::read(&text, lock);
        }
        if !directory.names(1)?.is_empty() {
            // Records without keys are worth nothing, and a new key would hide that.
            return Err(damaged());
        }
        let mut wrapped = BTreeMap::new();
        for number in [NAMES, 1] {
            let key = VaultKey::generate(random);
            wrapped.insert(number, lock.wrap_vault(&key, number, random));
        }
        directory.create(OsStr::new(FILE), write(&wrapped).as_bytes(), random)?;
        let text = directory.read(OsStr::new(FILE), MAX)?.ok_or_else(damaged)?;
        Self::read(&text, lock)
    }

    /// Whether there are any, and they open.
    pub(crate) fn opens(
        directory: &PrivateDirectory,
        lock: &KeyEncryptionKey,
    ) -> Result<bool, VaultError> {
        let Some(text) = directory.read(OsStr::new(FILE), MAX)? else {
            return Ok(false);
        };
        let text = std::str::from_utf8(&text).map_err(|_| damaged())?;
        for (number, key) in parse(text).ok_or_else(damaged)? {
            let opened = lock.unwrap_vault(&key, number);
            opened.map_err(|error| unopened(&error, FILE))?;
        }
        Ok(true)
    }

    /// Wraps all of them under another key; `false` if there are none.
    pub(crate) fn change_lock(
        directory: &PrivateDirectory,
        (from, to): (&KeyEncryptionKey, &KeyEncryptionKey),
        random: &dyn Random,
    ) -> Result<bool, VaultError> {
        let Some(text) = directory.read(OsStr::new(FILE), MAX)? else {
            return Ok(false);
        };
        let text = std::str::from_utf8(&text).map_err(|_| damaged())?;
        let mut wrapped = parse(text).ok_or_else(damaged)?;
        for (number, key) in &mut wrapped {
            let anew = from.rewrap_vault(to, key, *number, random);
            *key = anew.map_err(|error| unopened(&error, FILE))?;
        }
        directory.replace(OsStr::new(FILE), write(&wrapped).as_bytes(), random)?;
        Ok(true)
    }

    fn read(text: &[u8], lock: KeyEncryptionKey) -> Result<Self, VaultError> {
        let text = std::str::from_utf8(text).map_err(|_| damaged())?;
        let mut wrapped = parse(text).ok_or_else(damaged)?;
        let mut live = BTreeMap::new();
        for (number, key) in &wrapped {
            let opened = lock.unwrap_vault(key, *number);
            live.insert(*number, opened.map_err(|error| unopened(&error, FILE))?);
        }
        let names = live.remove(&NAMES).ok_or_else(damaged)?.names();
        wrapped.retain(|number, _| *number == NAMES || live.contains_key(number));
        if live.is_empty() {
            return Err(damaged());
        }
        Ok(Self {
            lock,
            names,
            wrapped,
            live,
        })
    }

    /// The file of a record of this name.
    pub(crate) fn file(&self, place: &Place, class: RecordClass, name: &str) -> [u8; 16] {
        let [organization, workspace, agent] = place.parts();
        let class = class.as_str().as_bytes();
        self.names
            .tag16(&[organization, workspace, agent, class, name.as_bytes()])
    }

    /// The number that new files are sealed with.
    pub(crate) fn newest(&self) -> u32 {
        self.live.keys().next_back().copied().unwrap_or(NAMES)
    }

    /// How many numbers are live: two while a rotation is under way.
    pub(crate) fn live(&self) -> usize {
        self.live.len()
    }

    /// The key of this number for records of a class in a place, as long as it is live; `own` is the one that the
    /// place's organization needs as well.
    pub(crate) fn records(
        &self,
        number: u32,
        own: Option<&VaultKey>,
        place: &Place,
        class: RecordClass,
    ) -> Option<DataKey> {
        let key = self.live.get(&number)?;
        let (class, place) = (class.as_str(), place.parts());
        Some(match own {
            None => key.records(class, &place),
            Some(own) => key.records_with(own, class, &place),
        })
    }

    /// Puts a new number in force; the older ones stay until nothing is sealed with them.
    pub(crate) fn add(
        &mut self,
        directory: &PrivateDirectory,
        random: &dyn Random,
    ) -> Result<(), VaultError> {
        let number = self.newest() + 1;
        let key = VaultKey::generate(random);
        let mut wrapped = self.wrapped.clone();
        wrapped.insert(number, self.lock.wrap_vault(&key, number, random));
        directory.replace(OsStr::new(FILE), write(&wrapped).as_bytes(), random)?;
        self.wrapped = wrapped;
        self.live.insert(number, key);
        Ok(())
    }

    /// Gives up every number but the newest. Nothing may be sealed with them any more.
    pub(crate) fn retire(
        &mut self,
        directory: &PrivateDirectory,
        random: &dyn Random,
    ) -> Result<(), VaultError> {
        let newest = self.newest();
        let mut wrapped = self.wrapped.clone();
        wrapped.retain(|number, _| *number == NAMES || *number == newest);
        directory.replace(OsStr::new(FILE), write(&wrapped).as_bytes(), random)?;
        self.wrapped = wrapped;
        self.live.retain(|number, _| *number == newest);
        Ok(())
    }
}

fn write(wrapped: &BTreeMap<u32, WrappedKey>) -> String {
    let lines = wrapped.iter().map(|(number, key)| {
        format!(
            "{number} {}\n",
            Base64UrlUnpadded::encode_string(key.as_bytes())
        )
    });
    std::iter::once(format!("{HEADER}\n"))
        .chain(lines)
        .collect()
}

fn parse(text: &str) -> Option<BTreeMap<u32, WrappedKey>> {
    let lines = text.strip_prefix(HEADER)?.strip_prefix('\n')?;
    let mut keys = BTreeMap::new();
    for line in lines.lines() {
        let (number, key) = line.split_once(' ')?;
        let key = Base64UrlUnpadded::decode_vec(key).ok()?;
        let before = keys.insert(number.parse().ok()?, WrappedKey::from_bytes(key));
        if before.is_some() {
            return None;
        }
    }
    Some(keys)
}

fn damaged() -> VaultError {
    VaultError::Damaged { what: FILE.into() }
}
