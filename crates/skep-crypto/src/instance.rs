//! Keys of the whole installation: id tags, credential checks, pepper, fingerprints, cursors.

use zeroize::Zeroizing;

use crate::{DataKey, MacKey, Plain, Random, SigningKey, kdf};

/// 32 random bytes made once at installation and stored wrapped
/// ([`KeyEncryptionKey::wrap_instance`](crate::KeyEncryptionKey::wrap_instance)).
///
/// The instance keys follow from it and not from the root key, so replacing the root key changes
/// no id tag and voids no credential.
pub struct InstanceSecret(Zeroizing<[u8; 32]>);

/// One MAC key for each purpose, so that a tag made for one is worthless for another.
pub struct InstanceKeys {
    /// Tags inside public ids.
    pub id_tag: MacKey,
    /// The check inside a minted credential, read before any query.
    pub credential: MacKey,
    /// The first pepper: install tokens, and digests that are never rotated.
    pub pepper: MacKey,
    /// The peppers under which other random credentials are stored, by number.
    pub peppers: Peppers,
    /// Fingerprints of values that are looked up by equality across workspaces.
    pub fingerprint: MacKey,
    /// Paging cursors, bound to their scope and filter.
    pub cursor: MacKey,
    /// Nonces that a client puts into its proofs of possession.
    pub nonce: MacKey,
    /// Whom an allowance belongs to, in a store that other nodes read.
    pub limit: MacKey,
    /// Names of clients that registered themselves, and what their forms carry.
    pub client: MacKey,
    /// The seeds of the keys that sign access tokens, by their number.
    pub signing: SigningSeeds,
}

/// The seeds of signing keys by number: every node of an installation makes the same one at the same
/// time, and none has to be stored.
pub struct SigningSeeds(Zeroizing<[u8; 32]>);

impl SigningSeeds {
    /// The seed of this number, made anew at each call.
    #[must_use]
    pub fn get(&self, number: u64) -> Plain<[u8; 32]> {
        let mut label = b"skep signing key v1".to_vec();
        label.extend_from_slice(&number.to_le_bytes());
        Plain::new(*kdf::derive(&*self.0, &[], &label))
    }
}

/// Peppers by number: a row says which one it was made under, so that a new one can be put in force
/// while credentials made under older ones go on working.
pub struct Peppers(Zeroizing<[u8; 32]>);

impl Peppers {
    /// The pepper of this number, made anew at each call: two hashes.
    #[must_use]
    pub fn get(&self, number: u32) -> MacKey {
        let mut label = b"skep pepper of credentials v1".to_vec();
        label.extend_from_slice(&number.to_le_bytes());
        MacKey::from_bytes(&kdf::derive(&*self.0, &[], &label))
    }
}

impl InstanceSecret {
    /// The key that seals the installation's own rows: names of people, labels, what tickets hold.
    #[must_use]
    pub fn control_key(&self) -> DataKey {
        DataKey::from_bytes(kdf::derive(self.bytes(), &[], b"skep control rows v1"))
    }

    /// The key that signs the heads of logs: the installation's, wherever its rows are.
    #[must_use]
    pub fn ledger_key(&self) -> SigningKey {
        SigningKey::from_seed(&kdf::derive(self.bytes(), &[], b"skep ledger v1"))
    }

    /// A fresh secret.
    #[must_use]
    pub fn generate(random: &dyn Random) -> Self {
        Self(Zeroizing::new(random.array()))
    }

    pub(crate) fn from_bytes(bytes: Zeroizing<[u8; 32]>) -> Self {
        Self(bytes)
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The keys that follow from this secret (HKDF-SHA-256, one label each).
    #[must_use]
    pub fn keys(&self) -> InstanceKeys {
        let key = |label: &[u8]| MacKey::from_bytes(&kdf::derive(self.bytes(), &[], label));
        InstanceKeys {
            id_tag: key(b"skep id tag v1"),
            credential: key(b"skep credential check v1"),
            pepper: key(b"skep pepper v1"),
            peppers: Peppers(Zeroizing::new(*self.bytes())),
            fingerprint: key(b"skep fingerprint v1"),
            cursor: key(b"skep cursor v1"),
            nonce: key(b"skep proof nonce v1"),
            limit: key(b"skep limit v1"),
            client: key(b"skep client name v1"),
            signing: SigningSeeds(Zeroizing::new(*self.bytes())),
        }
    }
}
