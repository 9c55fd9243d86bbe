//! The vault of one host: a directory for each place, a sealed file for each record.

use std::ffi::OsStr;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

use skep_authz::{Authorized, Right, rights};
use skep_crypto::{KeyEncryptionKey, Others, Plain, PrivateDirectory, Random};
use skep_domain::{Limits, Principal, RecordClass, RecordName, Reference, Timestamp, WorkspaceId};

use crate::class::{Class, Returned, Secret};
use crate::error::least;
use crate::keys::Keys;
use crate::lent::Lent;
use crate::place::{Place, Scope};
use crate::record::{self, Head, Listed, Record, Tie};
use crate::{VaultError, hex};

pub(crate) const DIRECTORY: &str = "vault";
/// Longer files are not ours.
const FILE_MAX: usize = Limits::RECORD_VALUE + 1024;
/// How often a record is read again whose key was given up meanwhile.
const TRIES: u32 = 3;

/// The records of one host, under keys that open on this host alone.
///
/// Its files block; whoever is asynchronous calls it where that is fine.
pub struct Vault {
    pub(crate) directory: PrivateDirectory,
    pub(crate) keys: RwLock<Keys>,
    /// Held by whoever writes.
    writing: Mutex<()>,
    pub(crate) random: Arc<dyn Random>,
    /// Keys that organizations need beside those of the host, as long as they are lent.
    pub(crate) lent: Lent,
}

/// A record with its value.
pub type Valued = (Listed, Plain<Vec<u8>>);

/// A secret that somebody may use, asked for where files may be read. Only a right makes one.
#[derive(Debug)]
pub struct Wanted {
    place: Place,
    name: RecordName,
}

/// What is held of a secret.
pub enum Held {
    /// Its value.
    Value(Plain<Vec<u8>>),
    /// Where its value is; looking there is not the vault's.
    Elsewhere(Reference),
}

/// A record to set.
struct Set<'a> {
    name: &'a RecordName,
    held: Held,
    at: Timestamp,
}

/// The records of one class in one place.
#[derive(Debug)]
pub struct Listing<T = Listed> {
    /// Those that can be read, by name.
    pub records: Vec<T>,
    /// Files that are not what was written.
    pub damaged: Vec<String>,
}

impl Wanted {
    /// A secret that the caller may use.
    ///
    /// # Errors
    /// [`VaultError::NotYours`] for what belongs to another agent.
    pub fn new(
        right: &Authorized<rights::SecretUse>,
        scope: Scope,
        name: &RecordName,
    ) -> Result<Self, VaultError> {
        if let Scope::Agent(agent) = scope
            && right.principal() != Some(Principal::Agent(agent))
        {
            return Err(VaultError::NotYours);
        }
        Ok(Self {
            place: place_of(right, scope),
            name: name.clone(),
        })
    }

    /// The organization's secret that is the key of a provider of models. Whoever set the provider said so; a
    /// call that uses it gives no name.
    #[must_use]
    pub fn of_provider(right: &Authorized<rights::GatewayUse>, name: &RecordName) -> Self {
        Self {
            place: place_of(right, Scope::Organization),
            name: name.clone(),
        }
    }
}

impl Vault {
    /// The vault in the directory `home`, made if there is none.
    ///
    /// # Errors
    /// When it is not ours alone, or does not open with this key.
    pub fn open(
        home: &Path,
        lock: KeyEncryptionKey,
        random: Arc<dyn Random>,
    ) -> Result<Self, VaultError> {
        let home = PrivateDirectory::open(home, Others::MayLook)?;
        let directory = home.make_inside(DIRECTORY)?;
        directory.sweep()?;
        let keys = Keys::open(&directory, lock, &*random)?;
        let vault = Self {
            directory,
            keys: RwLock::new(keys),
            writing: Mutex::new(()),
            random,
            lent: Lent::default(),
        };
        for place in vault.places()? {
            if let Some(directory) = vault.directory.inside(&place.directory())? {
                directory.sweep()?;
            }
        }
        Ok(vault)
    }

    /// Whether the directory `home` has a vault, and this key opens it. Nothing is made or changed.
    ///
    /// # Errors
    /// [`VaultError::WrongKey`] when it does not open.
    pub fn opens(home: &Path, lock: &KeyEncryptionKey) -> Result<bool, VaultError> {
        let home = PrivateDirectory::open(home, Others::MayLook)?;
        match home.inside(DIRECTORY)? {
            Some(directory) => Keys::opens(&directory, lock),
            None => Ok(false),
        }
    }

    /// Wraps the keys of the vault in `home` under `to` instead of `from`, if there is one. All of them or
    /// none: a kill leaves one or the other. What is under `to` already stays.
    ///
    /// # Errors
    /// [`VaultError::WrongKey`] when one is under neither; nothing was changed.
    pub fn change_lock(
        home: &Path,
        from: &KeyEncryptionKey,
        to: &KeyEncryptionKey,
        random: &dyn Random,
    ) -> Result<bool, VaultError> {
        let home = PrivateDirectory::open(home, Others::MayLook)?;
        match home.inside(DIRECTORY)? {
            Some(directory) => Keys::change_lock(&directory, (from, to), random),
            None => Ok(false),
        }
    }

    /// Which records of a class there are in a place of the caller's.
    ///
    /// # Errors
    /// As [`VaultError`] says; so with every method.
    pub fn list<C: Class>(
        &self,
        right: &Authorized<C::Look>,
        scope: Scope,
    ) -> Result<Listing, VaultError> {
        let (records, damaged) = self.all(&place_of(right, scope), C::CLASS)?;
        let records = records.into_iter().map(|record| record.about).collect();
        Ok(Listing { records, damaged })
    }

    /// The same with the values, of a class whose values are returned.
    ///
    /// # Errors
    /// As [`Vault::list`].
    pub fn read_all<C: Returned>(
        &self,
        right: &Authorized<C::Look>,
        scope: Scope,
    ) -> Result<Listing<Valued>, VaultError> {
        let (records, damaged) = self.all(&place_of(right, scope), C::CLASS)?;
        let both = |record: Record| (record.about, record.value);
        let records = records.into_iter().map(both).collect();
        Ok(Listing { records, damaged })
    }

    /// Sets a record, and says what was set.
    ///
    /// # Errors
    /// [`VaultError::Size`], [`VaultError::Full`].
    pub fn put<C: Class>(
        &self,
        right: &Authorized<C::Change>,
        scope: Scope,
        name: &RecordName,
        value: Plain<Vec<u8>>,
        now: Timestamp,
    ) -> Result<Listed, VaultError> {
        if !(least(C::CLASS)..=Limits::RECORD_VALUE).contains(&value.expose().len()) {
            return Err(VaultError::Size(C::CLASS));
        }
        let set = Set {
            name,
            held: Held::Value(value),
            at: now,
        };
        self.set::<C>(right, scope, set)
    }

    /// Sets a secret to whatever is kept where a reference leads, each time that it is used.
    ///
    /// # Errors
    /// [`VaultError::Full`].
    pub fn refer(
        &self,
        right: &Authorized<rights::SecretWrite>,
        scope: Scope,
        name: &RecordName,
        reference: Reference,
        now: Timestamp,
    ) -> Result<Listed, VaultError> {
        let set = Set {
            name,
            held: Held::Elsewhere(reference),
            at: now,
        };
        self.set::<Secret>(right, scope, set)
    }

    fn set<C: Class>(
        &self,
        right: &Authorized<C::Change>,
        scope: Scope,
        set: Set<'_>,
    ) -> Result<Listed, VaultError> {
        let (value, reference) = match set.held {
            Held::Value(value) => (value, None),
            Held::Elsewhere(reference) => {
                let text = Plain::new(reference.to_string().into_bytes());
                (text, Some(reference))
            }
        };
        let about = Listed {
            name: set.name.clone(),
            created_at: set.at,
            changed_at: set.at,
            changed_by: right.principal(),
            reference,
        };
        self.keep(&place_of(right, scope), C::CLASS, Record { about, value })
    }

    /// Removes a record; `false` if there was none.
    ///
    /// # Errors
    /// When its file cannot be removed.
    pub fn remove<C: Class>(
        &self,
        right: &Authorized<C::Change>,
        scope: Scope,
        name: &RecordName,
    ) -> Result<bool, VaultError> {
        let place = place_of(right, scope);
        let _writing = self.writing();
        let file = self.keys().file(&place, C::CLASS, &name.key());
        match self.directory.inside(&place.directory())? {
            Some(directory) => Ok(directory.remove(OsStr::new(&file_name(C::CLASS, file)))?),
            None => Ok(false),
        }
    }

    /// The value of a record whose class is returned.
    ///
    /// # Errors
    /// [`VaultError::Damaged`].
    pub fn read<C: Returned>(
        &self,
        right: &Authorized<C::Look>,
        scope: Scope,
        name: &RecordName,
    ) -> Result<Option<Plain<Vec<u8>>>, VaultError> {
        let record = self.record(&place_of(right, scope), C::CLASS, name)?;
        Ok(record.map(|record| record.value))
    }

    /// The value of a secret, or where it is, for a use by the daemon itself. Banned by `clippy.toml` outside of the
    /// places that use one: nothing that answers a caller may hold what this gives.
    ///
    /// # Errors
    /// [`VaultError::Damaged`].
    pub fn release(&self, wanted: &Wanted) -> Result<Option<Held>, VaultError> {
        let record = self.record(&wanted.place, RecordClass::Secret, &wanted.name)?;
        Ok(record.map(|record| match record.about.reference {
            Some(reference) => Held::Elsewhere(reference),
            None => Held::Value(record.value),
        }))
    }

    /// Removes whatever a workspace and its agents had; for when the workspace is erased.
    ///
    /// # Errors
    /// When a file cannot be removed.
    pub fn forget_workspace(&self, workspace: WorkspaceId) -> Result<u64, VaultError> {
        let _writing = self.writing();
        let mut removed = 0;
        for place in self.places()? {
            if !place.is_of(workspace) {
                continue;
            }
            let Some(directory) = self.directory.inside(&place.directory())? else {
                continue;
            };
            for name in directory.names(usize::MAX)? {
                removed += u64::from(directory.remove(OsStr::new(&name))?);
            }
        }
        Ok(removed)
    }

    /// Puts a record in its place; of one that was there, when it was made stays.
    pub(crate) fn keep(
        &self,
        place: &Place,
        class: RecordClass,
        mut record: Record,
    ) -> Result<Listed, VaultError> {
        let _writing = self.writing();
        let file = self.keys().file(place, class, &record.about.name.key());
        let before = match self.load(place, class, file) {
            // What is damaged is set anew.
            Err(VaultError::Damaged { .. }) => None,
            found => found?,
        };
        match before {
            Some(before) => record.about.created_at = before.about.created_at,
            None if self.files(place, class)?.len() >= Limits::RECORDS => {
                return Err(VaultError::Full);
            }
            None => {}
        }
        let directory = self.directory.make_inside(&place.directory())?;
        self.store(&directory, place, class, file, &record)?;
        Ok(record.about)
    }

    /// The records of a class in a place by name, and the files that hold none.
    fn all(
        &self,
        place: &Place,
        class: RecordClass,
    ) -> Result<(Vec<Record>, Vec<String>), VaultError> {
        let (mut records, mut damaged) = (Vec::new(), Vec::new());
        for file in self.files(place, class)? {
            match self.load(place, class, file) {
                Ok(Some(record)) => records.push(record),
                // It was removed meanwhile.
                Ok(None) => {}
                Err(VaultError::Damaged { what }) => damaged.push(what),
                Err(other) => return Err(other),
            }
        }
        records.sort_by_key(|record| record.about.name.key());
        Ok((records, damaged))
    }

    fn record(
        &self,
        place: &Place,
        class: RecordClass,
        name: &RecordName,
    ) -> Result<Option<Record>, VaultError> {
        let file = self.keys().file(place, class, &name.key());
        self.load(place, class, file)
    }

    pub(crate) fn writing(&self) -> MutexGuard<'_, ()> {
        // What it guards is in files, which are whole whoever panicked.
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn keys(&self) -> RwLockReadGuard<'_, Keys> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every place that has a directory.
    pub(crate) fn places(&self) -> Result<Vec<Place>, VaultError> {
        let names = self.directory.names(usize::MAX)?;
        Ok(names.iter().filter_map(|name| Place::parse(name)).collect())
    }

    /// The files of a class in a place.
    pub(crate) fn files(
        &self,
        place: &Place,
        class: RecordClass,
    ) -> Result<Vec<[u8; 16]>, VaultError> {
        let Some(directory) = self.directory.inside(&place.directory())? else {
            return Ok(Vec::new());
        };
        let names = directory.names(RecordClass::ALL.len() * (Limits::RECORDS + 1))?;
        let of_class = names
            .iter()
            .filter_map(|name| hex::parse(name.strip_prefix(letter(class))?));
        Ok(of_class.collect())
    }

    /// The record in a file; `None` if there is none.
    pub(crate) fn load(
        &self,
        place: &Place,
        class: RecordClass,
        file: [u8; 16],
    ) -> Result<Option<Record>, VaultError> {
        let name = file_name(class, file);
        let Some(directory) = self.directory.inside(&place.directory())? else {
            return Ok(None);
        };
        for _ in 0..TRIES {
            let Some(bytes) = directory.read(OsStr::new(&name), FILE_MAX)? else {
                return Ok(None);
            };
            let Some(head) = record::head(&bytes) else {
                break;
            };
            let own = self.lent.needed(place, head.is_owned)?;
            // A key that is no longer live was given up after the file was sealed anew.
            let key = self.keys().records(head.number, own.as_ref(), place, class);
            let Some(key) = key else {
                continue;
            };
            match record::open(&bytes, Tie { class, file }, &key) {
                Some(record) => return Ok(Some(record)),
                None => break,
            }
        }
        Err(VaultError::Damaged {
            what: format!("{}/{name}", place.directory()),
        })
    }

    /// What a file is sealed with; `None` if there is no such file.
    pub(crate) fn head_of(
        &self,
        place: &Place,
        class: RecordClass,
        file: [u8; 16],
    ) -> Result<Option<Head>, VaultError> {
        let Some(directory) = self.directory.inside(&place.directory())? else {
            return Ok(None);
        };
        let bytes = directory.read(OsStr::new(&file_name(class, file)), FILE_MAX)?;
        Ok(bytes.and_then(|bytes| record::head(&bytes)))
    }

    pub(crate) fn store(
        &self,
        directory: &PrivateDirectory,
        place: &Place,
        class: RecordClass,
        file: [u8; 16],
        record: &Record,
    ) -> Result<(), VaultError> {
        let name = file_name(class, file);
        let own = self.lent.held(place)?;
        let keys = self.keys();
        let head = Head {
            number: keys.newest(),
            is_owned: own.is_some(),
        };
        let Some(key) = keys.records(head.number, own.as_ref(), place, class) else {
            return Err(VaultError::Damaged { what: name });
        };
        let sealed = record::seal(record, Tie { class, file }, head, &key, &*self.random);
        drop(keys);
        Ok(directory.replace(OsStr::new(&name), &sealed, &*self.random)?)
    }
}

const fn letter(class: RecordClass) -> char {
    match class {
        RecordClass::Secret => 's',
        RecordClass::Setting => 't',
        RecordClass::Own => 'd',
    }
}

fn file_name(class: RecordClass, file: [u8; 16]) -> String {
    format!("{}{}", letter(class), hex::write(file))
}

fn place_of<P: Right>(right: &Authorized<P>, scope: Scope) -> Place {
    Place::new(right.organization(), right.workspace(), scope)
}
