//! The two ends of a move: an installation that is there, and a place for one.

use std::sync::Arc;

use skep_crypto::{
    InstanceKeys, InstanceSecret, KeyEncryptionKey, Random, RootKey, RootKeyProvider, WrappedKey,
};

use skep_domain::Id;

use super::tables::Table;
use super::value::{Row, Value};
use crate::StoreError;
use crate::backend::{Area, Backend, Walk};
use crate::scope::{ControlKey, ScopeKey};

/// A backend, and what keys are wrapped under there.
pub struct Party<'a> {
    /// Where rows are.
    pub backend: Arc<dyn Backend>,
    /// Where the root key is kept.
    pub root: &'a dyn RootKeyProvider,
    /// What the root key is bound to; may be empty.
    pub machine_id: Vec<u8>,
    /// Randomness.
    pub random: Arc<dyn Random>,
}

/// An installation that its root key opens: nobody moves what they could not read.
pub struct Installation {
    pub(super) backend: Arc<dyn Backend>,
    pub(super) kek: Arc<KeyEncryptionKey>,
    pub(super) id: [u8; 16],
    /// Not known of one that is being made.
    pub(super) secret: Option<InstanceSecret>,
    pub(super) random: Arc<dyn Random>,
}

/// A place without an installation.
pub struct Vacant {
    backend: Arc<dyn Backend>,
    root: RootKey,
    machine_id: Vec<u8>,
    random: Arc<dyn Random>,
}

impl Party<'_> {
    /// The installation that is there, if there is one.
    ///
    /// # Errors
    /// As [`Store::open`](crate::Store::open).
    pub async fn installation(&self) -> Result<Option<Installation>, StoreError> {
        let Some(row) = self.backend.instance(&ControlKey::new()).await? else {
            return Ok(None);
        };
        let root = self.root.load()?.ok_or_else(|| {
            StoreError::Refused("the root key is missing: put its file back".into())
        })?;
        let kek = KeyEncryptionKey::derive(&root, row.id, &self.machine_id);
        let secret = kek.unwrap_instance(&row.secret)?;
        Ok(Some(Installation {
            backend: Arc::clone(&self.backend),
            kek: Arc::new(kek),
            id: row.id,
            secret: Some(secret),
            random: Arc::clone(&self.random),
        }))
    }

    /// Whether there is one, whoever can open it.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn has_installation(&self) -> Result<bool, StoreError> {
        Ok(self.backend.instance(&ControlKey::new()).await?.is_some())
    }

    /// The place, if there is no installation in it. A root key is made unless there is one.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when something is there.
    pub async fn vacant(&self) -> Result<Vacant, StoreError> {
        let key = ControlKey::new();
        let is_taken = self.backend.instance(&key).await?.is_some()
            || !self.backend.workspaces(&key).await?.is_empty();
        if is_taken {
            return Err(StoreError::Refused(
                "there is an installation already: nothing was changed".into(),
            ));
        }
        let root = self.root.load()?;
        Ok(Vacant {
            backend: Arc::clone(&self.backend),
            root: root.map_or_else(|| self.root.create(&*self.random), Ok)?,
            machine_id: self.machine_id.clone(),
            random: Arc::clone(&self.random),
        })
    }
}

impl Vacant {
    /// The place of an installation of this id.
    pub(super) fn of(self, id: [u8; 16]) -> Installation {
        Installation {
            kek: Arc::new(KeyEncryptionKey::derive(&self.root, id, &self.machine_id)),
            backend: self.backend,
            id,
            secret: None,
            random: self.random,
        }
    }
}

impl Installation {
    /// Opens the key of each workspace with what follows from the root key, and says how many there are.
    ///
    /// # Errors
    /// [`StoreError::Crypto`] when one does not open.
    pub async fn open_keys(&self) -> Result<u64, StoreError> {
        let there = self.backend.workspaces(&ControlKey::new()).await?;
        for (organization, workspace) in &there {
            let scope = ScopeKey::provision(*organization, *workspace);
            // One that was deleted meanwhile has none.
            if let Some(row) = self.backend.workspace(&scope).await? {
                self.kek.check(&row.key, workspace.to_bytes())?;
            }
        }
        Ok(there.len() as u64)
    }

    /// The keys of the whole installation; not known of one that is being made.
    #[must_use]
    pub fn instance_keys(&self) -> Option<InstanceKeys> {
        self.secret.as_ref().map(InstanceSecret::keys)
    }

    /// A view of the installation's own rows.
    pub(super) async fn control(&self) -> Result<Box<dyn Walk>, StoreError> {
        let walk = self
            .backend
            .walk(Area::Installation(&ControlKey::new()))
            .await?;
        walk.ok_or(StoreError::Damaged("the installation's rows"))
    }
}

/// Wraps what is wrapped in a row of the installation under another key.
pub(super) fn rewrap(
    table: &Table,
    row: &mut Row,
    (from, to): (&KeyEncryptionKey, &KeyEncryptionKey),
    random: &dyn Random,
) -> Result<(), StoreError> {
    for (at, column) in table.columns.iter().enumerate() {
        if !column.is_wrapped {
            continue;
        }
        // That of a deleted workspace is no more.
        if row[at].bytes().is_some_and(<[u8]>::is_empty) {
            continue;
        }
        let id = table.place("id").and_then(|id| row[id].id());
        let (Some(bytes), Some(id)) = (row[at].bytes(), id) else {
            return Err(StoreError::Damaged("a wrapped key"));
        };
        let wrapped = WrappedKey::from_bytes(bytes.to_vec());
        let wrapped = if table.name == "instance" {
            from.rewrap_instance(to, &wrapped, random)?
        } else {
            from.rewrap(to, &wrapped, id, random)?
        };
        row[at] = Value::Bytes(wrapped.as_bytes().to_vec());
    }
    Ok(())
}
