//! The stage of every property: a store with two workspaces of two organizations, the same names in
//! both, and in each the same personas.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use skep_authz::{Authorized, Caller, Maintain, Presented, Right, Survey};
use skep_crypto::{
    CryptoError, InstallToken, Plain, Random, RootKey, RootKeyProvider, SeededRandom,
};
use skep_domain::{
    AgentId, Clock, Id, OrganizationId, PolicyGroupId, Principal, ReadPolicy, Reader, ReadingRing,
    Role, Timestamp, UserId, WorkspaceId,
};
use skep_store::archive::Party;
use skep_store::{
    NewCredential, NewWorkspace, OrganizationKeeper, Store, StoreError, StoreParts, Tx,
};

use crate::Harness;

/// Who acts in a property.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Persona {
    /// A human admin.
    Human,
    /// Another one.
    Colleague,
    /// An agent that reads its own.
    Isolated,
    /// An agent that reads what is shared.
    Shared,
    /// An agent that reads its group.
    Grouped,
}

/// A store with two tenants.
pub struct World<H> {
    harness: H,
    store: Option<Store>,
    clock: Arc<StepClock>,
    seed: u64,
    /// How often it was opened; each time draws from another source of randomness.
    opened: u64,
    /// The tenant that acts.
    pub ours: Tenant,
    /// The tenant that must not notice.
    pub theirs: Tenant,
}

/// One workspace of one organization.
pub struct Tenant {
    /// Its organization.
    pub organization: OrganizationId,
    /// Its workspace.
    pub workspace: WorkspaceId,
    tokens: Vec<Plain<String>>,
}

/// Moves on a millisecond at every look, so that ids sort in the order they were minted.
struct StepClock(AtomicI64);

/// The same root key for the same seed.
pub(crate) struct SeededRoot(pub(crate) u64);

impl Persona {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Human,
        Self::Colleague,
        Self::Isolated,
        Self::Shared,
        Self::Grouped,
    ];

    /// Who it is, the same in both tenants.
    #[must_use]
    pub fn principal(self) -> Principal {
        let bytes = [self as u8 + 1; 16];
        match self {
            Self::Human | Self::Colleague => Principal::User(UserId::from_bytes(bytes)),
            Self::Isolated | Self::Shared | Self::Grouped => {
                Principal::Agent(AgentId::from_bytes(bytes))
            }
        }
    }

    /// The reference for what it may read.
    #[must_use]
    pub fn ring(self) -> ReadingRing {
        ReadingRing::new(match self.principal() {
            Principal::User(user) => Reader::Human(user),
            Principal::Agent(agent) => Reader::Agent(agent, self.policy()),
        })
    }

    fn policy(self) -> ReadPolicy {
        match self {
            Self::Shared => ReadPolicy::Shared,
            Self::Grouped => ReadPolicy::Group(PolicyGroupId([7; 16])),
            Self::Human | Self::Colleague | Self::Isolated => ReadPolicy::Isolated,
        }
    }

    fn role(self) -> Role {
        match self {
            Self::Human | Self::Colleague => Role::Admin,
            // An agent may not forget; the suite wants to see that its ring stops it all the same.
            Self::Isolated | Self::Shared | Self::Grouped => Role::Operator,
        }
    }
}

impl<H: Harness> World<H> {
    /// A fresh one.
    pub async fn new() -> Self {
        Self::create(H::fresh().await, 1).await
    }

    /// A store in an empty place; all of it follows from the seed.
    pub async fn create(harness: H, seed: u64) -> Self {
        let world = Self::join(harness, seed, 0).await;
        for tenant in [&world.ours, &world.theirs] {
            world.put_workspace(tenant).await.unwrap();
        }
        world
    }

    /// A place where a store with this seed was created, opened for the `opened`th time.
    pub async fn join(harness: H, seed: u64, opened: u64) -> Self {
        let mut world = Self {
            harness,
            store: None,
            clock: Arc::new(StepClock(AtomicI64::new(
                1_700_000_000_000_000 + i64::try_from(opened).unwrap() * 1_000_000_000,
            ))),
            seed,
            opened,
            ours: Tenant::from_seed(seed * 2),
            theirs: Tenant::from_seed(seed * 2 + 1),
        };
        world.store = Some(world.open(seed).await.unwrap());
        world
    }

    /// What rows moved to a place are wrapped under there, and what opens them.
    pub(crate) async fn party(&self, root: &'static dyn RootKeyProvider) -> Party<'static> {
        Party {
            backend: self.harness.open().await,
            root,
            machine_id: Vec::new(),
            random: Arc::new(SeededRandom::new(self.seed * 7_000 + self.opened)),
        }
    }

    /// What is wrapped here, and what opens it; no store may be open.
    pub(crate) async fn own_party(&self) -> Party<'static> {
        /// Of the seed of every fresh world.
        static OWN: SeededRoot = SeededRoot(1);
        Party {
            machine_id: b"one machine".to_vec(),
            ..self.party(&OWN).await
        }
    }

    /// The place, without a store that is open.
    pub(crate) async fn closed(seed: u64) -> Self {
        Self {
            harness: H::fresh().await,
            store: None,
            clock: Arc::new(StepClock(AtomicI64::new(1_800_000_000_000_000))),
            seed,
            opened: 900,
            ours: Tenant::from_seed(seed * 2),
            theirs: Tenant::from_seed(seed * 2 + 1),
        }
    }

    /// Closes the store, which a moved one takes the place of.
    pub(crate) fn close(&mut self) {
        self.store = None;
    }

    /// Opens what was moved here.
    pub(crate) async fn open_moved(&mut self, root: &dyn RootKeyProvider) {
        let parts = StoreParts {
            backend: self.harness.open().await,
            root,
            machine_id: Vec::new(),
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            random: Arc::new(SeededRandom::new(self.seed * 9_000)),
        };
        self.store = Some(Store::open(parts).await.unwrap());
    }

    /// The clock that opened stores share.
    pub(crate) fn shared_clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock) as Arc<dyn Clock>
    }

    /// The time that the store goes by.
    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> &Store {
        self.store.as_ref().unwrap()
    }

    /// Closes everything and opens it again.
    pub async fn reopen(&mut self) {
        self.store = None;
        self.opened += 1;
        self.store = Some(self.open(self.seed).await.unwrap());
    }

    /// Has the store ask here for keys that organizations keep themselves, until it is opened anew.
    pub fn ask_for_keys(&mut self, keeper: Arc<dyn OrganizationKeeper>) {
        let store = self.store.take();
        self.store = store.map(|store| store.with_organization_keys(keeper));
    }

    /// Lets time pass.
    pub(crate) fn pass(&self, micros: i64) {
        self.clock.0.fetch_add(micros, Ordering::Relaxed);
    }

    /// Closes everything, and opens it from now on with the root key of another seed.
    pub(crate) async fn reopen_from_now_on_with_root(&mut self, seed: u64) {
        self.seed = seed;
        self.reopen().await;
    }

    /// Closes everything and tries to open it with another root key.
    pub(crate) async fn reopen_with_root(&mut self, seed: u64) -> Result<(), StoreError> {
        self.store = None;
        self.opened += 1;
        self.store = Some(self.open(seed).await?);
        Ok(())
    }

    /// Makes a tenant's workspace, with every persona in it.
    pub async fn put_workspace(&self, tenant: &Tenant) -> Result<(), StoreError> {
        self.put_workspace_of(tenant, &Persona::ALL).await
    }

    /// Makes a tenant's workspace with one human in it.
    pub async fn put_workspace_of_one(&self, tenant: &Tenant) -> Result<(), StoreError> {
        self.put_workspace_of(tenant, &[Persona::Human]).await
    }

    async fn put_workspace_of(
        &self,
        tenant: &Tenant,
        personas: &[Persona],
    ) -> Result<(), StoreError> {
        let credentials = personas.iter().zip(&tenant.tokens);
        let credentials = credentials.map(|(persona, token)| NewCredential {
            key: self.store().token_credential(&parse(token)),
            principal: persona.principal(),
            role: persona.role(),
            policy: persona.policy(),
        });
        self.store()
            .put_workspace(NewWorkspace {
                organization: tenant.organization,
                workspace: tenant.workspace,
                name: "default".into(),
                credentials: credentials.collect(),
            })
            .await
    }

    /// A transaction of a persona.
    pub async fn begin<P: Right>(&self, tenant: &Tenant, persona: Persona) -> Tx<P> {
        self.try_begin(tenant, persona).await.unwrap()
    }

    /// A transaction of a persona in a workspace that may not be fit for one, or a store that does not answer.
    pub async fn try_begin<P: Right>(
        &self,
        tenant: &Tenant,
        persona: Persona,
    ) -> Result<Tx<P>, StoreError> {
        let Some(caller) = self.caller(tenant.token(persona)).await else {
            return Err(StoreError::Unavailable("nobody answers for it".into()));
        };
        self.store().begin(caller.authorize().unwrap()).await
    }

    /// A transaction of whoever a token belongs to.
    pub(crate) async fn begin_with<P: Right>(&self, token: &Plain<String>) -> Tx<P> {
        let caller = self.caller(token).await.unwrap();
        self.store()
            .begin(caller.authorize().unwrap())
            .await
            .unwrap()
    }

    /// A right that a persona proves beside the one it opens a transaction with.
    pub async fn authorized<P: Right>(&self, tenant: &Tenant, persona: Persona) -> Authorized<P> {
        let caller = self.caller(tenant.token(persona)).await.unwrap();
        caller.authorize().unwrap()
    }

    /// A transaction of the daemon's own that looks over a tenant.
    pub async fn survey(&self, tenant: &Tenant) -> Tx<Survey> {
        let authorized = survey(tenant.organization, tenant.workspace);
        self.store().begin(authorized).await.unwrap()
    }

    /// A transaction of the daemon's own that works on a tenant.
    pub async fn maintain(&self, tenant: &Tenant) -> Tx<Maintain> {
        self.store().begin(maintain(tenant)).await.unwrap()
    }

    /// Sees to it that nothing of what was erased is left in a tenant's files, if nobody reads.
    pub async fn scrub(&self, tenant: &Tenant) -> bool {
        let authorized = survey(tenant.organization, tenant.workspace);
        self.store().scrub(authorized).await.unwrap()
    }

    /// Who comes with a token, if anybody.
    pub(crate) async fn caller(&self, token: &Plain<String>) -> Option<Caller> {
        let header = format!("Bearer {}", token.expose());
        let keys = self.store().instance_keys();
        let presented = Presented::authorization(Some(header.as_bytes()), keys).unwrap();
        self.store().authenticate(presented).await.ok()
    }

    async fn open(&self, root: u64) -> Result<Store, StoreError> {
        Store::open(StoreParts {
            backend: self.harness.open().await,
            root: &SeededRoot(root),
            machine_id: b"one machine".to_vec(),
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            random: Arc::new(SeededRandom::new(self.seed * 1_000 + self.opened)),
        })
        .await
    }
}

impl Tenant {
    /// Ids and tokens that follow from the seed.
    #[must_use]
    pub fn from_seed(seed: u64) -> Self {
        let seeded = SeededRandom::new(seed);
        let random: &dyn Random = &seeded;
        Self {
            organization: OrganizationId::from_bytes(random.array()),
            workspace: WorkspaceId::from_bytes(random.array()),
            tokens: Persona::ALL
                .iter()
                .map(|_| InstallToken::mint(random).text())
                .collect(),
        }
    }

    /// Takes over another tenant's tokens, which they must not be able to.
    pub(crate) fn borrow_tokens(&mut self, of: &Self) {
        let tokens = of.tokens.iter();
        self.tokens = tokens
            .map(|token| Plain::new(token.expose().clone()))
            .collect();
    }

    pub(crate) fn token(&self, persona: Persona) -> &Plain<String> {
        &self.tokens[persona as usize]
    }
}

pub(crate) fn parse(token: &Plain<String>) -> InstallToken {
    InstallToken::parse(token.expose().as_bytes()).unwrap()
}

#[expect(
    clippy::disallowed_methods,
    reason = "the suite tests what the daemon's own jobs may see"
)]
pub(crate) fn survey(organization: OrganizationId, workspace: WorkspaceId) -> Authorized<Survey> {
    skep_authz::survey(organization, workspace)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the suite tests what the daemon's own jobs may do"
)]
fn maintain(tenant: &Tenant) -> Authorized<Maintain> {
    skep_authz::upkeep(tenant.organization, tenant.workspace)
}

impl Clock for StepClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.fetch_add(1_000, Ordering::Relaxed))
    }
}

impl RootKeyProvider for SeededRoot {
    fn load(&self) -> Result<Option<RootKey>, CryptoError> {
        Ok(Some(RootKey::generate(&SeededRandom::new(self.0))))
    }

    fn create(&self, _: &dyn Random) -> Result<RootKey, CryptoError> {
        Ok(RootKey::generate(&SeededRandom::new(self.0)))
    }
}
