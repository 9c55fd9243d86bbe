//! Tenants: a workspace each, with an owner, an install token and agents under every policy.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use skep_authz::{Caller, Presented};
use skep_crypto::{InstallToken, SystemRandom};
use skep_domain::{
    AgentId, Clock, OrganizationId, Principal, ReadPolicy, Role, UserId, WorkspaceId,
};
use skep_store::backend::Backend;
use skep_store::{NewCredential, NewWorkspace, Store, StoreError, StoreParts};
use skep_store_sqlite::{Options, SqliteBackend};

use crate::MemoryRootKey;

/// One tenant and the tokens of its people and agents.
pub struct Tenant {
    /// Its organization.
    pub organization: OrganizationId,
    /// Its workspace.
    pub workspace: WorkspaceId,
    tokens: Vec<(&'static str, InstallToken)>,
}

/// Opens the embedded store in a directory.
///
/// # Errors
/// As [`Store::open`].
pub async fn open_store(
    directory: &Path,
    root: &MemoryRootKey,
    clock: Arc<dyn Clock>,
) -> Result<Store, StoreError> {
    open_with(directory, root, clock, Options::default()).await
}

/// Opens it for one reader at a time, whom others wait for a moment and then not: as if it did not
/// answer.
///
/// # Errors
/// As [`Store::open`].
pub async fn open_impatient_store(
    directory: &Path,
    root: &MemoryRootKey,
    clock: Arc<dyn Clock>,
) -> Result<Store, StoreError> {
    let options = Options {
        readers: 1,
        patience: Duration::from_millis(300),
        ..Options::default()
    };
    open_with(directory, root, clock, options).await
}

async fn open_with(
    directory: &Path,
    root: &MemoryRootKey,
    clock: Arc<dyn Clock>,
    options: Options,
) -> Result<Store, StoreError> {
    let backend = SqliteBackend::open(directory, options).await?;
    open_on(Arc::new(backend), root, clock).await
}

pub(crate) async fn open_on(
    backend: Arc<dyn Backend>,
    root: &MemoryRootKey,
    clock: Arc<dyn Clock>,
) -> Result<Store, StoreError> {
    Store::open(StoreParts {
        backend,
        root,
        machine_id: b"test machine".to_vec(),
        clock,
        random: Arc::new(SystemRandom),
    })
    .await
}

impl Tenant {
    /// Makes a tenant with these personas: `owner` (a human admin), `reader` (a human readonly),
    /// `colleague` (a human operator), `isolated` and `shared` (agents under those policies),
    /// `steward` (an agent with an operator's role) and `mate` (one with an admin's).
    ///
    /// # Errors
    /// As [`Store::put_workspace`].
    pub async fn create(store: &Store, name: &str) -> Result<Self, StoreError> {
        let (organization, workspace) = (store.mint(), store.mint());
        let human = |name, role| {
            let who = Principal::User(store.mint::<UserId>());
            (name, who, role, ReadPolicy::Isolated)
        };
        let agent = |name, role, policy| {
            let who = Principal::Agent(store.mint::<AgentId>());
            (name, who, role, policy)
        };
        let personas = [
            human("owner", Role::Admin),
            human("reader", Role::Readonly),
            human("colleague", Role::Operator),
            agent("isolated", Role::Agent, ReadPolicy::Isolated),
            agent("shared", Role::Agent, ReadPolicy::Shared),
            agent("steward", Role::Operator, ReadPolicy::Shared),
            agent("mate", Role::Admin, ReadPolicy::Shared),
        ];
        let tokens: Vec<_> = personas
            .iter()
            .map(|persona| (persona.0, InstallToken::mint(&SystemRandom)))
            .collect();
        let credentials = personas
            .iter()
            .zip(&tokens)
            .map(|((_, principal, role, policy), (_, token))| NewCredential {
                key: store.token_credential(token),
                principal: *principal,
                role: *role,
                policy: *policy,
            })
            .collect();
        store
            .put_workspace(NewWorkspace {
                organization,
                workspace,
                name: name.into(),
                credentials,
            })
            .await?;
        Ok(Self {
            organization,
            workspace,
            tokens,
        })
    }

    /// Makes a tenant whose one member, the human admin `owner`, is known by the socket as well.
    ///
    /// # Errors
    /// As [`Store::put_workspace`].
    pub async fn of_socket(store: &Store) -> Result<Self, StoreError> {
        let (organization, workspace) = (store.mint(), store.mint());
        let principal = Principal::User(store.mint::<UserId>());
        let token = InstallToken::mint(&SystemRandom);
        let member = |key| NewCredential {
            key,
            principal,
            role: Role::Admin,
            policy: ReadPolicy::Isolated,
        };
        let credentials = vec![
            member(Store::socket_credential()),
            member(store.token_credential(&token)),
        ];
        store
            .put_workspace(NewWorkspace {
                organization,
                workspace,
                name: "socket".into(),
                credentials,
            })
            .await?;
        Ok(Self {
            organization,
            workspace,
            tokens: vec![("owner", token)],
        })
    }

    /// The bearer token of a persona.
    ///
    /// # Panics
    /// For a persona that does not exist.
    #[must_use]
    #[expect(
        clippy::expect_used,
        reason = "a misspelt persona is a defect of the test"
    )]
    pub fn token(&self, persona: &str) -> String {
        let (_, token) = self
            .tokens
            .iter()
            .find(|(name, _)| *name == persona)
            .expect("a known persona");
        token.text().expose().clone()
    }

    /// A persona as the store knows it.
    ///
    /// # Panics
    /// When the store does not know its own persona.
    #[expect(clippy::expect_used, reason = "a test without its caller cannot go on")]
    pub async fn caller(&self, store: &Store, persona: &str) -> Caller {
        let header = format!("Bearer {}", self.token(persona));
        let presented = Presented::authorization(Some(header.as_bytes()), store.instance_keys())
            .expect("a well-formed token");
        store
            .authenticate(presented)
            .await
            .expect("a known credential")
    }
}
