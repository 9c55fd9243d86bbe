//! The only home of ciphers, hashes, signatures, randomness and the key hierarchy.
//!
//! Content is sealed under a [`DataKey`] per workspace; data keys are wrapped under one
//! [`KeyEncryptionKey`], derived from a [`RootKey`] that never enters a store. Every ciphertext is
//! tied to its place by an [`Identity`]; erasing a workspace is forgetting its wrapped key.
//!
//! What is secret is [`Plain`] (no `Debug`, no `Clone`, wiped at drop); what is safe to store is
//! [`Sealed`] or [`WrappedKey`].
#![warn(missing_docs, clippy::missing_errors_doc)]

mod aead;
mod archive;
mod certain;
mod error;
mod foreign;
mod frame;
#[cfg(test)]
mod hex;
mod instance;
mod kdf;
mod key_file;
mod keyring;
mod locked;
mod mac;
mod password;
mod plain;
mod private;
mod random;
mod root;
mod scram;
mod sealed;
mod sign;
mod token;
mod totp;
mod vault;

pub use aead::{DataKey, Identity, SEALED_OVERHEAD};
pub use archive::{
    ARCHIVE_HEADER, ArchiveLock, ArchiveOpener, ArchiveSealer, CHUNK_HEAD, CHUNK_MAX, CHUNK_TAIL,
    RecoveryKey,
};
pub use error::CryptoError;
pub use foreign::{P256Key, RsaKey};
pub use instance::{InstanceKeys, InstanceSecret, Peppers, SigningSeeds};
pub use key_file::{FileRootKey, PrivateFile};
pub use keyring::{KeyEncryptionKey, OrganizationKey, WrappedKey};
pub use locked::{LockCost, lock_root, unlock_root};
pub use mac::{MacKey, sha256, sha512};
pub use password::{PasswordCost, PasswordHash, hash_password, hash_password_at};
pub use plain::Plain;
pub use private::{Others, PrivateDirectory, PrivateError};
pub use random::{Random, SeededRandom, SystemRandom};
pub use root::{RootKey, RootKeyProvider, machine_id};
pub use scram::{scram_fits, scram_verifier};
pub use sealed::Sealed;
pub use sign::{PublicKey, Signature, SigningKey};
pub use token::{Bearer, BearerKind, InstallToken, MAX_CREDENTIAL_BYTES};
pub use totp::{RECOVERY_CODES, RecoveryCode, TOTP_DIGITS, TOTP_PERIOD, TotpSeed};
pub use vault::VaultKey;
