//! The key hierarchy: root key → key-encryption key → wrapped data keys and instance secret.

use chacha20poly1305::{KeyInit, XChaCha20Poly1305};
use zeroize::Zeroizing;

use crate::{CryptoError, DataKey, InstanceSecret, Random, RootKey, VaultKey, aead, frame, kdf};

const VERSION: u8 = 1;
const KEY_ID: usize = 8;
const HEADER: usize = 1 + KEY_ID;

/// The key that wraps keys, never content. One per root key, instance and machine.
pub struct KeyEncryptionKey {
    cipher: XChaCha20Poly1305,
    id: [u8; KEY_ID],
}

/// A key under a [`KeyEncryptionKey`]: version (1) ‖ id of that key (8) ‖ nonce (24) ‖ key (32) ‖
/// tag (16). Safe to store beside the data; destroying it erases what the key sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrappedKey(Vec<u8>);

/// What a wrapped key is for; authenticated, so that one kind never passes for another.
#[derive(Clone, Copy)]
enum Purpose {
    Workspace([u8; 16]),
    Instance,
    Vault(u32),
}

impl WrappedKey {
    /// Takes bytes read from a store.
    #[must_use]
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes to store.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl KeyEncryptionKey {
    /// HKDF-SHA-256 (RFC 5869) with the root key as input, the instance id as salt, and
    /// `"skep kek v1"` ‖ length-prefixed machine id as info: a data directory copied to another
    /// machine does not open there, and neither does one opened as another instance.
    #[must_use]
    pub fn derive(root: &RootKey, instance: [u8; 16], machine_id: &[u8]) -> Self {
        Self::derive_for(b"skep kek v1", root, instance, machine_id)
    }

    /// The key that wraps those of a host's vault, which wraps nothing that is in a store: bound to
    /// the machine even where a database that several share is not.
    #[must_use]
    pub fn derive_vault(root: &RootKey, instance: [u8; 16], machine_id: &[u8]) -> Self {
        Self::derive_for(b"skep vault kek v1", root, instance, machine_id)
    }

    fn derive_for(label: &[u8], root: &RootKey, instance: [u8; 16], machine_id: &[u8]) -> Self {
        let mut info = label.to_vec();
        frame::push_part(&mut info, machine_id);
        let key = kdf::derive(root.bytes(), &instance, &info);
        // A one-way name of the key, to tell "wrong key" from "damaged" and to resume a rewrap.
        let name = kdf::derive(&*key, &[], b"skep kek id v1");
        let mut id = [0; KEY_ID];
        id.copy_from_slice(&name[..KEY_ID]);
        Self {
            cipher: XChaCha20Poly1305::new((&*key).into()),
            id,
        }
    }

    /// Wraps the data key of `workspace`.
    #[must_use]
    pub fn wrap(&self, key: &DataKey, workspace: [u8; 16], random: &dyn Random) -> WrappedKey {
        self.wrap_bytes(key.bytes(), Purpose::Workspace(workspace), random)
    }

    /// Unwraps the data key of `workspace`.
    ///
    /// # Errors
    /// [`CryptoError::WrongKey`] if it was wrapped under another key, [`CryptoError::Damaged`] if
    /// its bytes were changed or it belongs to another workspace.
    pub fn unwrap(
        &self,
        wrapped: &WrappedKey,
        workspace: [u8; 16],
    ) -> Result<DataKey, CryptoError> {
        self.unwrap_bytes(wrapped, Purpose::Workspace(workspace))
            .map(DataKey::from_bytes)
    }

    /// Wraps the instance secret.
    #[must_use]
    pub fn wrap_instance(&self, secret: &InstanceSecret, random: &dyn Random) -> WrappedKey {
        self.wrap_bytes(secret.bytes(), Purpose::Instance, random)
    }

    /// Unwraps the instance secret.
    ///
    /// # Errors
    /// As [`KeyEncryptionKey::unwrap`].
    pub fn unwrap_instance(&self, wrapped: &WrappedKey) -> Result<InstanceSecret, CryptoError> {
        self.unwrap_bytes(wrapped, Purpose::Instance)
            .map(InstanceSecret::from_bytes)
    }

    /// Wraps the key of a vault that has this number.
    #[must_use]
    pub fn wrap_vault(&self, key: &VaultKey, number: u32, random: &dyn Random) -> WrappedKey {
        self.wrap_bytes(key.bytes(), Purpose::Vault(number), random)
    }

    /// Unwraps the key of a vault that has this number.
    ///
    /// # Errors
    /// As [`KeyEncryptionKey::unwrap`].
    pub fn unwrap_vault(&self, wrapped: &WrappedKey, number: u32) -> Result<VaultKey, CryptoError> {
        self.unwrap_bytes(wrapped, Purpose::Vault(number))
            .map(VaultKey::from_bytes)
    }

    /// The data key of `workspace`, wrapped under `new` instead of `self`; no data is touched.
    /// One already under `new` comes back as it is, so an interrupted rotation can start over.
    ///
    /// # Errors
    /// As [`KeyEncryptionKey::unwrap`].
    pub fn rewrap(
        &self,
        new: &Self,
        wrapped: &WrappedKey,
        workspace: [u8; 16],
        random: &dyn Random,
    ) -> Result<WrappedKey, CryptoError> {
        self.rewrap_bytes(new, wrapped, Purpose::Workspace(workspace), random)
    }

    /// The instance secret, wrapped under `new` instead of `self`.
    ///
    /// # Errors
    /// As [`KeyEncryptionKey::unwrap`].
    pub fn rewrap_instance(
        &self,
        new: &Self,
        wrapped: &WrappedKey,
        random: &dyn Random,
    ) -> Result<WrappedKey, CryptoError> {
        self.rewrap_bytes(new, wrapped, Purpose::Instance, random)
    }

    fn rewrap_bytes(
        &self,
        new: &Self,
        wrapped: &WrappedKey,
        purpose: Purpose,
        random: &dyn Random,
    ) -> Result<WrappedKey, CryptoError> {
        match new.unwrap_bytes(wrapped, purpose) {
            Ok(_) => Ok(wrapped.clone()),
            Err(CryptoError::WrongKey) => {
                let key = self.unwrap_bytes(wrapped, purpose)?;
                Ok(new.wrap_bytes(&key, purpose, random))
            }
            Err(other) => Err(other),
        }
    }

    fn header(&self) -> [u8; HEADER] {
        let mut header = [VERSION; HEADER];
        header[1..].copy_from_slice(&self.id);
        header
    }

    fn wrap_bytes(&self, key: &[u8; 32], purpose: Purpose, random: &dyn Random) -> WrappedKey {
        let header = self.header();
        let aad = purpose.associated_data(&header);
        WrappedKey(aead::seal(&self.cipher, random, &header, &aad, key))
    }

    fn unwrap_bytes(
        &self,
        wrapped: &WrappedKey,
        purpose: Purpose,
    ) -> Result<Zeroizing<[u8; 32]>, CryptoError> {
        let header = wrapped
            .0
            .first_chunk::<HEADER>()
            .ok_or(CryptoError::Damaged)?;
        if header[0] != VERSION {
            return Err(CryptoError::Malformed {
                what: "wrapped key",
            });
        }
        if header[1..] != self.id {
            return Err(CryptoError::WrongKey);
        }
        let mut opened = Zeroizing::new(Vec::new());
        let aad = purpose.associated_data(header);
        aead::open(&self.cipher, header, &aad, &wrapped.0, &mut opened)?;
        let mut key = Zeroizing::new([0; 32]);
        let bytes = opened.first_chunk::<32>().filter(|_| opened.len() == 32);
        key.copy_from_slice(bytes.ok_or(CryptoError::Damaged)?);
        Ok(key)
    }
}

impl Purpose {
    fn associated_data(self, header: &[u8; HEADER]) -> Vec<u8> {
        let mut out = Vec::with_capacity(64);
        out.extend_from_slice(header);
        match self {
            Self::Workspace(id) => {
                frame::push_part(&mut out, b"workspace");
                frame::push_part(&mut out, &id);
            }
            Self::Instance => frame::push_part(&mut out, b"instance"),
            Self::Vault(number) => {
                frame::push_part(&mut out, b"vault");
                frame::push_part(&mut out, &number.to_le_bytes());
            }
        }
        out
    }
}

#[cfg(test)]
mod tests;
