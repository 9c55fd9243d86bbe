//! The vault of this host: beside the data, opened with the root key and the machine.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, anyhow};
use skep_app::Vault;
use skep_crypto::{FileRootKey, KeyEncryptionKey, RootKeyProvider, SystemRandom, machine_id};
use skep_store::Store;

use crate::config::Config;

/// Opens it; makes one if there is none. Also where a database is shared, it is this machine's alone.
pub(crate) fn open(home: &Path, config: &Config, store: &Store) -> anyhow::Result<Arc<Vault>> {
    let key = config.key_file(home);
    let root = FileRootKey::new(&key).load()?;
    let root = root.ok_or_else(|| anyhow!("the root key {} is gone", key.display()))?;
    // Another installation with the same root key is another vault.
    let instance = store.instance_keys().fingerprint.tag16(&[b"vault"]);
    let lock = KeyEncryptionKey::derive_vault(&root, instance, &machine_id());
    let vault = Vault::open(home, lock, Arc::new(SystemRandom)).with_context(|| {
        format!(
            "opening {}; move it away to start with an empty one",
            home.join("vault").display()
        )
    })?;
    Ok(Arc::new(vault))
}
