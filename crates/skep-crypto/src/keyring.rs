//! The key hierarchy: root key → key-encryption key → wrapped data keys and instance secret.

use chacha20poly1305::{KeyInit, XChaCha20Poly1305};
use zeroize::Zeroizing;

use crate::{
    CryptoError, DataKey, InstanceSecret, Plain, Random, RootKey, VaultKey, aead, frame, kdf,
};

const VERSION: u8 = 1;
/// What is wrapped is a key that an organization's own key has wrapped before.
const LAYERED: u8 = 2;
const KEY_ID: usize = 8;
const HEADER: usize = 1 + KEY_ID;

/// The key that wraps keys, never content. One per root key, instance and machine.
pub struct KeyEncryptionKey {
    cipher: XChaCha20Poly1305,
    id: [u8; KEY_ID],
}

/// A key under a [`KeyEncryptionKey`]: version (1) ‖ id of that key (8) ‖ nonce (24) ‖ key (32) ‖
/// tag (16). Safe to store beside the data; destroying it erases what the key sealed. In a layered one
/// another such key stands in the place of the key.
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

    /// Whether a key of the organization's own is needed too.
    #[must_use]
    pub fn is_layered(&self) -> bool {
        self.0.first() == Some(&LAYERED)
    }
}

/// 32 bytes that an organization keeps elsewhere, and without which its workspaces stay closed. Wiped
/// when dropped.
pub struct OrganizationKey(RootKey);

impl OrganizationKey {
    /// A fresh one.
    #[must_use]
    pub fn generate(random: &dyn Random) -> Self {
        Self(RootKey::generate(random))
    }

    /// Reads one in any form that [`RootKey::parse`] reads.
    ///
    /// # Errors
    /// [`CryptoError::Malformed`].
    pub fn parse(bytes: &[u8]) -> Result<Self, CryptoError> {
        RootKey::parse(bytes).map(Self)
    }

    /// One that is kept as root keys are.
    #[must_use]
    pub fn of(key: RootKey) -> Self {
        Self(key)
    }

    /// The 32 bytes themselves, for a program that wraps them.
    #[must_use]
    pub fn raw(&self) -> Plain<Vec<u8>> {
        self.0.raw()
    }

    /// Whether both are the same key; compared in constant time.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        self.0.is(&other.0)
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

    /// The key that wraps those of an organization's workspaces before the installation's own does.
    #[must_use]
    pub fn of_organization(key: &OrganizationKey, organization: [u8; 16]) -> Self {
        Self::derive_for(b"skep organization kek v1", &key.0, organization, &[])
    }

    /// Which key it is, by a one-way name: equal for the same key alone, and of no use to whoever would guess it.
    #[must_use]
    pub fn name(&self) -> [u8; KEY_ID] {
        self.id
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

    /// Wraps the data key of `workspace` under the key of its organization, and that under this one.
    #[must_use]
    pub fn wrap_layered(
        &self,
        own: &Self,
        key: &DataKey,
        workspace: [u8; 16],
        random: &dyn Random,
    ) -> WrappedKey {
        let inner = own.wrap(key, workspace, random);
        self.wrap_payload(
            LAYERED,
            inner.as_bytes(),
            Purpose::Workspace(workspace),
            random,
        )
    }

    /// Unwraps a data key that both have wrapped.
    ///
    /// # Errors
    /// As [`KeyEncryptionKey::unwrap`]; also when `own` is not the organization's key.
    pub fn unwrap_layered(
        &self,
        own: &Self,
        wrapped: &WrappedKey,
        workspace: [u8; 16],
    ) -> Result<DataKey, CryptoError> {
        let (version, inner) = self.open_payload(wrapped, Purpose::Workspace(workspace))?;
        if version != LAYERED {
            return Err(CryptoError::Damaged);
        }
        own.unwrap(&WrappedKey(inner.to_vec()), workspace)
    }

    /// Sees that this one has wrapped the key of `workspace`, whoever else is needed to open it.
    ///
    /// # Errors
    /// As [`KeyEncryptionKey::unwrap`].
    pub fn check(&self, wrapped: &WrappedKey, workspace: [u8; 16]) -> Result<(), CryptoError> {
        self.open_payload(wrapped, Purpose::Workspace(workspace))
            .map(|_| ())
    }

    /// The data key of `workspace`, wrapped under `new` instead of `self`; no data is touched, and what an
    /// organization's own key has wrapped stays so. One already under `new` comes back as it is, so an
    /// interrupted rotation can start over.
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
        self.rewrap_payload(new, wrapped, Purpose::Workspace(workspace), random)
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
        self.rewrap_payload(new, wrapped, Purpose::Instance, random)
    }

    /// The key of a vault that has this number, wrapped under `new` instead of `self`.
    ///
    /// # Errors
    /// As [`KeyEncryptionKey::unwrap`].
    pub fn rewrap_vault(
        &self,
        new: &Self,
        wrapped: &WrappedKey,
        number: u32,
        random: &dyn Random,
    ) -> Result<WrappedKey, CryptoError> {
        self.rewrap_payload(new, wrapped, Purpose::Vault(number), random)
    }

    fn rewrap_payload(
        &self,
        new: &Self,
        wrapped: &WrappedKey,
        purpose: Purpose,
        random: &dyn Random,
    ) -> Result<WrappedKey, CryptoError> {
        match new.open_payload(wrapped, purpose) {
            Ok(_) => Ok(wrapped.clone()),
            Err(CryptoError::WrongKey) => {
                let (version, payload) = self.open_payload(wrapped, purpose)?;
                Ok(new.wrap_payload(version, &payload, purpose, random))
            }
            Err(other) => Err(other),
        }
    }

    fn wrap_bytes(&self, key: &[u8; 32], purpose: Purpose, random: &dyn Random) -> WrappedKey {
        self.wrap_payload(VERSION, key, purpose, random)
    }

    fn wrap_payload(
        &self,
        version: u8,
        payload: &[u8],
        purpose: Purpose,
        random: &dyn Random,
    ) -> WrappedKey {
        let mut header = [version; HEADER];
        header[1..].copy_from_slice(&self.id);
        let aad = purpose.associated_data(&header);
        WrappedKey(aead::seal(&self.cipher, random, &header, &aad, payload))
    }

    fn unwrap_bytes(
        &self,
        wrapped: &WrappedKey,
        purpose: Purpose,
    ) -> Result<Zeroizing<[u8; 32]>, CryptoError> {
        let (version, payload) = self.open_payload(wrapped, purpose)?;
        if version == LAYERED {
            return Err(CryptoError::Closed);
        }
        let mut key = Zeroizing::new([0; 32]);
        let bytes = payload.first_chunk::<32>().filter(|_| payload.len() == 32);
        key.copy_from_slice(bytes.ok_or(CryptoError::Damaged)?);
        Ok(key)
    }

    /// What is wrapped, and in which version.
    fn open_payload(
        &self,
        wrapped: &WrappedKey,
        purpose: Purpose,
    ) -> Result<(u8, Zeroizing<Vec<u8>>), CryptoError> {
        let header = wrapped
            .0
            .first_chunk::<HEADER>()
            .ok_or(CryptoError::Damaged)?;
        let version = header[0];
        let is_known =
            version == VERSION || (version == LAYERED && matches!(purpose, Purpose::Workspace(_)));
        if !is_known {
            return Err(CryptoError::Malformed {
                what: "wrapped key",
            });
        }
        if header[1..] != self.id {
            return Err(CryptoError::WrongKey);
        }
        let mut opened = Zeroizing::new(Vec::with_capacity(wrapped.0.len()));
        let aad = purpose.associated_data(header);
        aead::open(&self.cipher, header, &aad, &wrapped.0, &mut opened)?;
        Ok((version, opened))
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
