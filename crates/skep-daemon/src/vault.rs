//! The vault of this host: beside the data, opened with the root key and the machine.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, anyhow};
use skep_app::Vault;
use skep_crypto::{
    InstanceKeys, KeyEncryptionKey, RootKey, RootKeyProvider, SystemRandom, machine_id,
};
use skep_store::Store;

use crate::key::Root;

/// Opens it; makes one if there is none. Also where a database is shared, it is this machine's alone.
pub(crate) fn open(home: &Path, root: &Root, store: &Store) -> anyhow::Result<Arc<Vault>> {
    let key = root.load()?;
    let key = key.ok_or_else(|| anyhow!("the root key ({}) is gone", root.shown()))?;
    let vault = Vault::open(
        home,
        lock(&key, store.instance_keys()),
        Arc::new(SystemRandom),
    )
    .with_context(|| {
        format!(
            "opening {}; move it away to start with an empty one",
            home.join("vault").display()
        )
    })?;
    Ok(Arc::new(vault))
}

/// What the keys of this host's vault are wrapped under.
pub(crate) fn lock(root: &RootKey, instance: &InstanceKeys) -> KeyEncryptionKey {
    // Another installation with the same root key is another vault.
    let instance = instance.fingerprint.tag16(&[b"vault"]);
    KeyEncryptionKey::derive_vault(root, instance, &machine_id())
}
