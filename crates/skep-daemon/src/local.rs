//! Opening the store of an installation, and its first workspace.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, anyhow};
use skep_crypto::{RootKeyProvider, SystemRandom, machine_id};
use skep_domain::{OrganizationId, Principal, ReadPolicy, Role, UserId};
use skep_store::archive::Party;
use skep_store::backend::Backend;
use skep_store::{NewCredential, NewWorkspace, Store, StoreError, StoreParts};
use skep_store_sqlite::{Options, SqliteBackend};

use crate::clock::SystemClock;
use crate::config::Config;
use crate::config::store::Backend as Settings;
use crate::key::Root;
use crate::{database, files};

/// A store, and what it is.
pub(crate) struct Opened {
    pub(crate) store: Store,
    /// What it is and as whom it is used, for whoever asks how this daemon stands.
    pub(crate) shown: String,
}

/// Opens the store; in an empty one, makes the installation and its workspace.
pub(crate) async fn open(home: &Path, config: &Config, root: &Root) -> anyhow::Result<Opened> {
    let settings = config.store.backend()?;
    let (backend, shown) = match &settings {
        Settings::Sqlite { open_workspaces } => files_of_our_own(home, *open_workspaces).await?,
        Settings::Postgres(postgres) => database::open(home, postgres).await?,
    };
    let place = match &settings {
        Settings::Sqlite { .. } => home.display().to_string(),
        Settings::Postgres(postgres) => format!("the database {}", postgres.shown()),
    };
    let is_shared = config.store.is_shared();
    let parts = StoreParts {
        backend,
        root,
        // Nodes of one database are on many machines, and it must outlive each of them. A copy of it has no
        // key beside it.
        machine_id: if is_shared { Vec::new() } else { machine_id() },
        clock: Arc::new(SystemClock),
        random: Arc::new(SystemRandom),
    };
    let store = Store::open(parts)
        .await
        .map_err(|error| explain(error, &place, &root.shown(), is_shared))?;
    ensure_workspace(home, &store, is_shared).await?;
    Ok(Opened { store, shown })
}

/// The store that is configured, for whoever moves what is in it.
pub(crate) async fn party<'r>(
    home: &Path,
    config: &Config,
    root: &'r dyn RootKeyProvider,
) -> anyhow::Result<Party<'r>> {
    let (backend, _) = match &config.store.backend()? {
        Settings::Sqlite { open_workspaces } => files_of_our_own(home, *open_workspaces).await?,
        Settings::Postgres(postgres) => database::open(home, postgres).await?,
    };
    let is_shared = config.store.is_shared();
    Ok(Party {
        backend,
        root,
        machine_id: if is_shared { Vec::new() } else { machine_id() },
        random: Arc::new(SystemRandom),
    })
}

async fn files_of_our_own(
    home: &Path,
    open_workspaces: usize,
) -> anyhow::Result<(Arc<dyn Backend>, String)> {
    let options = Options {
        open_workspaces,
        ..Options::default()
    };
    let backend = SqliteBackend::open(&home.join("data"), options)
        .await
        .context("opening the store")?;
    let shown = "sqlite, embedded: files of the daemon's own user, content sealed";
    Ok((Arc::new(backend), shown.into()))
}

/// A wrong key is the one failure whose way out is worth a paragraph.
fn explain(error: StoreError, place: &str, key: &str, is_shared: bool) -> anyhow::Error {
    if !skep_store::is_wrong_key(&error) {
        return anyhow::Error::new(error).context(format!("opening the store in {place}"));
    }
    if is_shared {
        return anyhow!(
            "the root key ({key}) does not open {place}: all nodes of a database have the same one. Bring \
             the key of a node that it opens for (over a safe way). Nothing was changed."
        );
    }
    anyhow!(
        "the root key ({key}) does not open the data in {place}. It was made with another key or on another \
         machine (the key is mixed with the machine id, so that a copied directory does not open). Put the \
         right key back, or restore on the machine it came from. Nothing was changed."
    )
}

/// The token file is written before the workspace, so that a kill in between leaves a file that the
/// next start takes up, and never a workspace whose token nobody has.
async fn ensure_workspace(home: &Path, store: &Store, is_shared: bool) -> anyhow::Result<()> {
    let existing = store.workspaces().await?;
    let token = files::read_token(home)?;
    match (existing.first(), token) {
        (Some(_), Some(_)) => Ok(()),
        // It may be another node's, which a new one would shut out.
        (Some(_), None) if is_shared => {
            tracing::info!(
                "this node has no install token: programs of its own user come in by the socket"
            );
            Ok(())
        }
        (Some(tenant), None) => {
            let token = files::create_token(home, &SystemRandom)?;
            tracing::warn!(
                "the install token's file was gone: a new token is in place, the old one is void"
            );
            Ok(store.replace_install_token(*tenant, &token).await?)
        }
        (None, token) => {
            let is_new = token.is_none();
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
            match store.put_workspace(workspace).await {
                // Another node that started at the same moment has made it, with a token of its own.
                Err(StoreError::Conflict(_)) if is_shared => {
                    if is_new {
                        files::remove_token(home)?;
                    }
                    tracing::info!("another node has just made the first workspace");
                    Ok(())
                }
                made => Ok(made?),
            }
        }
    }
}
