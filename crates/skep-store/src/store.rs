//! The store: opens an installation, knows its keys, hands out transactions. It has no data methods.

mod access;
mod jobs;
mod organization;
mod shared;

pub use jobs::{Claimed, Settled};
pub use organization::{Closing, MadeKey, NotGiven, OrganizationKeeper, OwnKey};

use std::collections::HashMap;
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use skep_authz::rights::AuditRead;
use skep_authz::{Authorized, Denied, Right, Upkeep};
use skep_crypto::{
    CryptoError, DataKey, InstallToken, InstanceKeys, InstanceSecret, KeyEncryptionKey, Plain,
    Random, RootKey, RootKeyProvider,
};
use skep_domain::{
    Clock, Id, OrganizationId, Principal, ReadPolicy, Reader, ReadingRing, Role, Timestamp,
    WorkspaceId,
};

use crate::access::{ControlKeys, Crier};
use crate::backend::{Backend, Mode};
use crate::keys::{WorkspaceKeys, column};
use crate::row::{CredentialRow, InstanceRow, WorkspaceRow};
use crate::scope::{ControlKey, ScopeKey};
use crate::{StoreError, Tx, snapshot};
use organization::Owned;

/// What a store is made of.
pub struct StoreParts<'a> {
    /// Where rows go.
    pub backend: Arc<dyn Backend>,
    /// Where the root key is kept.
    pub root: &'a dyn RootKeyProvider,
    /// What the root key is bound to; may be empty.
    pub machine_id: Vec<u8>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
}

/// An open installation.
pub struct Store {
    pub(crate) backend: Arc<dyn Backend>,
    pub(crate) kek: Arc<KeyEncryptionKey>,
    instance: InstanceKeys,
    control: Arc<ControlKeys>,
    /// The number of the pepper that new credentials are made under. Behind on a node that another
    /// one's rotation has not reached, which costs nothing: each row says its own.
    pepper: AtomicU32,
    /// The generation of signing keys, and since when.
    signing: Mutex<(u32, Timestamp)>,
    crier: Crier,
    clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    keys: Mutex<OpenKeys>,
    owned: Owned,
}

/// The keys of workspaces that are open.
#[derive(Default)]
struct OpenKeys {
    held: HashMap<WorkspaceId, OpenKey>,
    /// Counts what was forgotten: a row that was read before then is not to be relied on.
    round: u64,
}

#[derive(Clone)]
struct OpenKey {
    whose: OrganizationId,
    /// Whether the organization's own key was needed.
    is_layered: bool,
    keys: Arc<WorkspaceKeys>,
}

impl OpenKeys {
    fn forget_where(&mut self, forget: impl Fn(&OpenKey) -> bool) {
        self.round += 1;
        self.held.retain(|_, held| !forget(held));
    }
}

/// A workspace to make.
pub struct NewWorkspace {
    /// Its tenant.
    pub organization: OrganizationId,
    /// Its id.
    pub workspace: WorkspaceId,
    /// Its name.
    pub name: String,
    /// Who may enter it from the first moment.
    pub credentials: Vec<NewCredential>,
}

/// A credential to make with a workspace.
pub struct NewCredential {
    /// What it is found by: see [`Store::socket_credential`] and [`Store::token_credential`].
    pub key: skep_authz::CredentialKey,
    /// Whom it proves.
    pub principal: Principal,
    /// With which role.
    pub role: Role,
    /// Reading what, for agents.
    pub policy: ReadPolicy,
}

/// Why a credential did not become a caller.
#[derive(Debug, thiserror::Error)]
pub enum AuthenticateError {
    /// It is not good.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// It could not be checked: refuse, and say that trying again may help.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Store {
    /// Opens an installation, or makes one in an empty backend. Of several nodes that find it empty one
    /// makes it, and the others open that.
    ///
    /// # Errors
    /// [`StoreError::Crypto`] with [`CryptoError::WrongKey`] when the root key is not the one this
    /// installation was made with; [`StoreError::Refused`] when it is missing. Nothing was changed.
    pub async fn open(parts: StoreParts<'_>) -> Result<Self, StoreError> {
        let StoreParts {
            backend,
            root,
            machine_id,
            clock,
            random,
        } = parts;
        let row = backend.instance(&ControlKey::new()).await?;
        let (kek, secret) = if let Some(row) = row {
            let key = root
                .load()?
                .ok_or_else(|| StoreError::Refused(MISSING_KEY.into()))?;
            unwrap(&row, &key, &machine_id)?
        } else {
            let key = root.load()?.map_or_else(|| root.create(&*random), Ok)?;
            let made = install(&*backend, &key, &machine_id, clock.now(), &*random).await;
            match made {
                // Another node was first.
                Err(StoreError::Conflict(what)) => {
                    let row = backend.instance(&ControlKey::new()).await?;
                    unwrap(&row.ok_or(StoreError::Conflict(what))?, &key, &machine_id)?
                }
                made => made?,
            }
        };
        let control = Arc::new(ControlKeys::new(&secret, Arc::clone(&random)));
        let mut rows = backend
            .begin_control(&ControlKey::new(), Mode::Read)
            .await?;
        let pepper = rows.pepper().await?;
        let signing = rows.signing().await?;
        drop(rows);
        Ok(Self {
            backend,
            kek: Arc::new(kek),
            instance: secret.keys(),
            control,
            pepper: AtomicU32::new(pepper),
            signing: Mutex::new(signing),
            crier: Crier::default(),
            clock,
            random,
            keys: Mutex::default(),
            owned: Owned::default(),
        })
    }

    /// Keys of the whole installation: id tags, pepper, cursors.
    #[must_use]
    pub fn instance_keys(&self) -> &InstanceKeys {
        &self.instance
    }

    /// The backend's name.
    #[must_use]
    pub fn backend_name(&self) -> &'static str {
        self.backend.name()
    }

    /// The present time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A fresh id.
    #[must_use]
    pub fn mint<I: Id>(&self) -> I {
        I::mint(self.clock.now(), self.random.array())
    }

    /// 128 fresh random bits, such as the marks of an injection need.
    #[must_use]
    pub fn nonce(&self) -> [u8; 16] {
        self.random.array()
    }

    /// The key of the credential that is the daemon's own user on its own socket.
    #[must_use]
    pub const fn socket_credential() -> skep_authz::CredentialKey {
        skep_authz::CredentialKey::SocketOwner
    }

    /// The key of an install token.
    #[must_use]
    pub fn token_credential(&self, token: &InstallToken) -> skep_authz::CredentialKey {
        skep_authz::CredentialKey::InstallToken(token.stored_form(&self.instance.pepper))
    }

    /// Makes a workspace with a data key of its own.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when it, or one of its credentials, exists.
    pub async fn put_workspace(&self, new: NewWorkspace) -> Result<(), StoreError> {
        let scope = ScopeKey::provision(new.organization, new.workspace);
        let data = DataKey::generate(&*self.random);
        let id = new.workspace.to_bytes();
        let own = self.own(new.organization, i64::MAX).await?;
        let wrapped = match own.and_then(|given| given.lock) {
            Some(lock) => self.kek.wrap_layered(&lock, &data, id, &*self.random),
            None => self.kek.wrap(&data, id, &*self.random),
        };
        let keys = WorkspaceKeys::new(new.workspace, data, Arc::clone(&self.random));
        let now = self.clock.now();
        let row = WorkspaceRow {
            key: wrapped,
            fingerprint: Some(self.control.workspace_name(new.organization, &new.name)),
            name: keys.seal(
                column::WORKSPACE_NAME,
                new.workspace.to_bytes(),
                new.name.as_bytes(),
            ),
            created_at: now,
        };
        let credentials = new.credentials.into_iter().map(|credential| CredentialRow {
            id: self.mint(),
            key: credential.key,
            principal: credential.principal,
            role: credential.role,
            policy: credential.policy,
            created_at: now,
        });
        self.backend
            .put_workspace(&scope, row, credentials.collect())
            .await
    }

    /// Puts a new install token in the place of the workspace's old ones, which are void at once.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn replace_install_token(
        &self,
        tenant: (OrganizationId, WorkspaceId),
        new: &InstallToken,
    ) -> Result<(), StoreError> {
        let scope = ScopeKey::provision(tenant.0, tenant.1);
        self.backend
            .replace_install_token(&scope, self.token_credential(new))
            .await
    }

    /// Every workspace, for the daemon's upkeep. Ids only. Keys of those that are no more are forgotten
    /// on the way: another node may have deleted them.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn workspaces(&self) -> Result<Vec<(OrganizationId, WorkspaceId)>, StoreError> {
        let there = self.backend.workspaces(&ControlKey::new()).await?;
        self.keep_keys_of(&there);
        Ok(there)
    }

    /// What somebody of the workspace may read; `None` when nobody there has this id. Credentials
    /// that disagree are read as the narrowest policy.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn get_ring(
        &self,
        authorized: &Authorized<AuditRead>,
        principal: Principal,
    ) -> Result<Option<ReadingRing>, StoreError> {
        let scope = ScopeKey::of(authorized);
        let policies = self.backend.policies(&scope, principal).await?;
        let Some(first) = policies.first() else {
            return Ok(None);
        };
        let policy = if policies.iter().all(|policy| policy == first) {
            *first
        } else {
            ReadPolicy::Isolated
        };
        Ok(Some(ReadingRing::new(match principal {
            Principal::User(user) => Reader::Human(user),
            Principal::Agent(agent) => Reader::Agent(agent, policy),
        })))
    }

    /// Opens a transaction with exactly the right that was proved.
    ///
    /// # Errors
    /// [`StoreError`]; nothing was changed.
    pub async fn begin<P: Right>(&self, authorized: Authorized<P>) -> Result<Tx<P>, StoreError> {
        let scope = ScopeKey::of(&authorized);
        let keys = self.keys_of(&scope).await?;
        let mode = if P::WRITES { Mode::Write } else { Mode::Read };
        let backend = match self.backend.begin(&scope, mode).await {
            Err(StoreError::Gone) => {
                self.forget_keys(scope.workspace());
                return Err(StoreError::Gone);
            }
            outcome => outcome?,
        };
        Ok(Tx::new(authorized, scope, keys, backend))
    }

    /// The name of a workspace.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn workspace_name<P: Right>(
        &self,
        authorized: &Authorized<P>,
    ) -> Result<String, StoreError> {
        self.name_of(&ScopeKey::of(authorized)).await
    }

    async fn name_of(&self, scope: &ScopeKey) -> Result<String, StoreError> {
        let keys = self.keys_of(scope).await?;
        let row = self
            .backend
            .workspace(scope)
            .await?
            .ok_or(StoreError::Gone)?;
        keys.open_text(
            column::WORKSPACE_NAME,
            scope.workspace().to_bytes(),
            &row.name,
        )
    }

    /// Keeps a snapshot of a workspace's index, sealed. A large one takes a moment: call it where
    /// that may block.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_snapshot<P: Upkeep>(
        &self,
        authorized: Authorized<P>,
        bytes: &[u8],
    ) -> Result<(), StoreError> {
        let scope = ScopeKey::of(&authorized);
        let keys = self.keys_of(&scope).await?;
        let sealed = snapshot::seal(&keys, self.random.array(), bytes);
        self.backend.put_snapshot(&scope, sealed).await
    }

    /// Removes the last snapshot of a workspace's index: it may hold what was erased.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn drop_snapshot<P: Upkeep>(
        &self,
        authorized: Authorized<P>,
    ) -> Result<(), StoreError> {
        let scope = ScopeKey::of(&authorized);
        self.backend.drop_snapshot(&scope).await
    }

    /// Sees to it that nothing of what was erased is left in the workspace's files; `false` when
    /// somebody still reads, and it has to be tried again.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn scrub<P: Upkeep>(&self, authorized: Authorized<P>) -> Result<bool, StoreError> {
        let scope = ScopeKey::of(&authorized);
        self.backend.scrub(&scope).await
    }

    /// The last snapshot of a workspace's index, opened. A large one takes a moment: call it where
    /// that may block.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get_snapshot<P: Upkeep>(
        &self,
        authorized: Authorized<P>,
    ) -> Result<Option<Plain<Vec<u8>>>, StoreError> {
        let scope = ScopeKey::of(&authorized);
        let keys = self.keys_of(&scope).await?;
        let sealed = self.backend.snapshot(&scope).await?;
        sealed
            .map(|sealed| snapshot::open(&keys, &sealed))
            .transpose()
    }

    async fn keys_of(&self, scope: &ScopeKey) -> Result<Arc<WorkspaceKeys>, StoreError> {
        let (organization, workspace) = (scope.organization(), scope.workspace());
        let (held, round) = {
            let keys = self.open_keys();
            (keys.held.get(&workspace).cloned(), keys.round)
        };
        if let Some(held) = held {
            if held.is_layered {
                self.own(organization, i64::MAX).await?;
            }
            return Ok(held.keys);
        }
        let row = self.backend.workspace(scope).await?;
        let key = row.ok_or(StoreError::Gone)?.key;
        let (id, is_layered) = (workspace.to_bytes(), key.is_layered());
        let data = if is_layered {
            let given = self.own(organization, i64::MAX).await?;
            let lock = given.and_then(|given| given.lock);
            let lock = lock.ok_or(StoreError::Closed(Closing::Unnamed))?;
            self.kek.unwrap_layered(&lock, &key, id)?
        } else {
            self.kek.unwrap(&key, id)?
        };
        let random = Arc::clone(&self.random);
        let opened = OpenKey {
            whose: organization,
            is_layered,
            keys: Arc::new(WorkspaceKeys::new(workspace, data, random)),
        };
        let keys = Arc::clone(&opened.keys);
        let mut open = self.open_keys();
        // What was forgotten meanwhile is not held on to by whoever read before.
        if open.round == round {
            open.held.insert(workspace, opened);
        }
        Ok(keys)
    }

    fn open_keys(&self) -> MutexGuard<'_, OpenKeys> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Opens the installation's own row.
fn unwrap(
    row: &InstanceRow,
    root: &RootKey,
    machine_id: &[u8],
) -> Result<(KeyEncryptionKey, InstanceSecret), StoreError> {
    let kek = KeyEncryptionKey::derive(root, row.id, machine_id);
    let secret = kek.unwrap_instance(&row.secret)?;
    Ok((kek, secret))
}

/// Makes the installation's own row: its id, and its secret under a key that follows from the root.
async fn install(
    backend: &dyn Backend,
    root: &RootKey,
    machine_id: &[u8],
    created_at: Timestamp,
    random: &dyn Random,
) -> Result<(KeyEncryptionKey, InstanceSecret), StoreError> {
    let id = random.array::<16>();
    let kek = KeyEncryptionKey::derive(root, id, machine_id);
    let secret = InstanceSecret::generate(random);
    let row = InstanceRow {
        id,
        secret: kek.wrap_instance(&secret, random),
        created_at,
    };
    backend.put_instance(&ControlKey::new(), row).await?;
    Ok((kek, secret))
}

const MISSING_KEY: &str = "the root key is missing: put the key file of this data directory back; without it nothing in \
                           here can be read";

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store")
            .field("backend", &self.backend.name())
            .finish_non_exhaustive()
    }
}

/// The message behind a failed start, when the root key is the reason.
#[must_use]
pub fn is_wrong_key(error: &StoreError) -> bool {
    matches!(error, StoreError::Crypto(CryptoError::WrongKey))
}
