//! Opening the store of a local installation, and its first workspace.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, anyhow};
use skep_crypto::{FileRootKey, SystemRandom, machine_id};
use skep_domain::{OrganizationId, Principal, ReadPolicy, Role, UserId};
use skep_store::{NewCredential, NewWorkspace, Store, StoreError, StoreParts};
use skep_store_sqlite::{Options, SqliteBackend};

use crate::clock::SystemClock;
use crate::config::Config;
use crate::files;

/// Opens the store; in an empty directory, makes the installation and its workspace.
pub(crate) async fn open(home: &Path, config: &Config) -> anyhow::Result<Store> {
    let options = Options {
        open_workspaces: config.store.open_workspaces,
        ..Options::default()
    };
    let backend = SqliteBackend::open(&home.join("data"), options)
        .await
        .context("opening the store")?;
    let root = FileRootKey::new(config.key_file(home));
    let parts = StoreParts {
        backend: Arc::new(backend),
        root: &root,
        machine_id: machine_id(),
        clock: Arc::new(SystemClock),
        random: Arc::new(SystemRandom),
    };
    let store = Store::open(parts)
        .await
        .map_err(|error| explain(error, home, config))?;
    ensure_workspace(home, &store).await?;
    Ok(store)
}

/// A wrong key is the one failure whose way out is worth a paragraph.
fn explain(error: StoreError, home: &Path, config: &Config) -> anyhow::Error {
    if skep_store::is_wrong_key(&error) {
        anyhow!(
            "the root key {} does not open the data in {}. It was made with another key file or on another machine \
             (the key is mixed with the machine id, so that a copied directory does not open). Put the right key \
             file back, or restore on the machine it came from. Nothing was changed.",
            config.key_file(home).display(),
            home.display()
        )
    } else {
        anyhow::Error::new(error).context(format!("opening the store in {}", home.display()))
    }
}

/// The token file is written before the workspace, so that a kill in between leaves a file that the
/// next start takes up, and never a workspace whose token nobody has.
async fn ensure_workspace(home: &Path, store: &Store) -> anyhow::Result<()> {
    let existing = store.workspaces().await?;
    let token = files::read_token(home)?;
    match (existing.first(), token) {
        (Some(_), Some(_)) => Ok(()),
        (Some(tenant), None) => {
            let token = files::create_token(home, &SystemRandom)?;
            tracing::warn!(
                "the install token's file was gone: a new token is in place, the old one is void"
            );
            Ok(store.replace_install_token(*tenant, &token).await?)
        }
        (None, token) => {
            let token = token.map_or_else(|| files::create_token(home, &SystemRandom), Ok)?;
            let owner = Principal::User(store.mint::<UserId>());
            let credential = |key| NewCredential {
                key,
                principal: owner,
                role: Role::Admin,
                policy: ReadPolicy::Isolated,
            };
            let workspace = NewWorkspace {
                organization: store.mint::<OrganizationId>(),
                workspace: store.mint(),
                name: "default".into(),
                credentials: vec![
                    credential(Store::socket_credential()),
                    credential(store.token_credential(&token)),
                ],
            };
            Ok(store.put_workspace(workspace).await?)
        }
    }
}
