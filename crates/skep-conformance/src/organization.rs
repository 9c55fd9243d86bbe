//! Keys that organizations keep themselves.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use skep_authz::rights::{MemoryRead, OrgManage};
use skep_crypto::{OrganizationKey, Random, RootKey, SeededRandom};
use skep_store::{
    Closing, MadeKey, NewWorkspace, NotGiven, OrganizationKeeper, Store, StoreError, StoreParts, Tx,
};

use crate::Harness;
use crate::world::{Persona, SeededRoot, Tenant, World, survey};

/// What a keeper says when it is asked.
#[derive(Clone, Copy, PartialEq)]
enum Says {
    Yes,
    No,
    Nothing,
    Another,
}

/// Keeps keys at a few places, and gives them while it likes.
struct Keeper {
    says: Mutex<Says>,
    asked: AtomicU32,
}

impl Keeper {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            says: Mutex::new(Says::Yes),
            asked: AtomicU32::new(0),
        })
    }

    fn says(&self, says: Says) {
        *self.says.lock().unwrap() = says;
    }

    fn asked(&self) -> u32 {
        self.asked.load(Ordering::SeqCst)
    }
}

/// Each place turns bits of its own.
fn turned(place: &str, bytes: &[u8]) -> Vec<u8> {
    let turn = place
        .bytes()
        .fold(0x5a, |turn: u8, byte| turn.rotate_left(1) ^ byte);
    bytes.iter().map(|byte| byte ^ turn).collect()
}

#[async_trait]
impl OrganizationKeeper for Keeper {
    fn shown(&self, place: &str) -> Option<String> {
        ["one", "two"]
            .contains(&place)
            .then(|| format!("place {place}"))
    }

    fn age(&self, _: &str) -> i64 {
        60 * SECOND
    }

    async fn make(&self, place: &str, random: &dyn Random) -> Result<MadeKey, NotGiven> {
        let key = OrganizationKey::generate(random);
        let wrapped = Some(turned(place, key.raw().expose()));
        Ok(MadeKey { key, wrapped })
    }

    async fn give(&self, place: &str, wrapped: Option<&[u8]>) -> Result<OrganizationKey, NotGiven> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let says = *self.says.lock().unwrap();
        match says {
            Says::No => Err(NotGiven::Refused("the key service says no".into())),
            Says::Nothing => Err(NotGiven::Away("nobody answers".into())),
            Says::Another => Ok(OrganizationKey::generate(&SeededRandom::new(99))),
            Says::Yes => {
                let bytes = turned(place, wrapped.unwrap());
                Ok(OrganizationKey::parse(&bytes).unwrap())
            }
        }
    }
}

/// Something that keeps a key at a place called `one`, and gives it.
#[must_use]
pub fn keeper() -> Arc<dyn OrganizationKeeper> {
    Keeper::new()
}

const SECOND: i64 = 1_000_000;

/// Why nothing of a tenant opens, if so.
async fn closing(store: &Store, tenant: &Tenant) -> Option<Closing> {
    let right = survey(tenant.organization, tenant.workspace);
    match store.begin(right).await {
        Ok(_) => None,
        Err(StoreError::Closed(closing)) => Some(closing),
        Err(error) => panic!("{error}"),
    }
}

async fn opens<H: Harness>(world: &World<H>, tenant: &Tenant) -> bool {
    closing(world.store(), tenant).await.is_none()
}

/// A world in which our organization has a key of its own.
async fn enclosed<H: Harness>() -> (World<H>, Arc<Keeper>) {
    let mut world = World::<H>::new().await;
    let keeper = Keeper::new();
    assert!(opens(&world, &world.ours).await);
    world.ask_for_keys(Arc::clone(&keeper) as Arc<dyn OrganizationKeeper>);
    let ours = world.ours.organization;
    assert_eq!(world.store().enclose(ours, "one").await.unwrap(), 1);
    assert_eq!(world.store().enclose(ours, "one").await.unwrap(), 0, "once");
    (world, keeper)
}

pub(crate) async fn x09_what_an_organization_closes_is_closed_within_a_minute<H: Harness>() {
    let (world, keeper) = enclosed::<H>().await;
    let store = world.store();
    assert!(opens(&world, &world.ours).await);
    let asked = keeper.asked();
    for _ in 0..10 {
        assert!(opens(&world, &world.ours).await);
    }
    assert_eq!(keeper.asked(), asked, "not each time");

    keeper.says(Says::No);
    assert!(opens(&world, &world.ours).await, "it is held for a minute");
    world.pass(61 * SECOND);
    assert!(
        store.is_closed(world.ours.organization),
        "before anybody asks"
    );
    assert_eq!(closing(store, &world.ours).await, Some(Closing::Refused));
    assert!(
        opens(&world, &world.theirs).await,
        "others are as they were"
    );
    let asked = keeper.asked();
    assert!(!opens(&world, &world.ours).await);
    assert_eq!(keeper.asked(), asked, "not each time either");
    let told = store
        .own_key(world.ours.organization)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(told.closing, Some(Closing::Refused));
    assert_eq!(told.trouble.as_deref(), Some("the key service says no"));
    assert_eq!((told.enclosed, told.workspaces), (1, 1));
    keeper.says(Says::Yes);
    world.pass(6 * SECOND);
    assert!(opens(&world, &world.ours).await);

    // Whoever looks every few seconds notices sooner, though nobody asks for anything.
    keeper.says(Says::No);
    world.pass(20 * SECOND);
    let ours = world.ours.organization;
    store.ask_again(ours).await.unwrap();
    world.pass(11 * SECOND);
    let asked_again = store.ask_again(ours).await;
    assert!(matches!(
        asked_again,
        Err(StoreError::Closed(Closing::Refused))
    ));
    assert!(store.is_closed(ours) && !store.is_closed(world.theirs.organization));
    assert!(!opens(&world, &world.ours).await);

    // A key that is another one is none.
    keeper.says(Says::Another);
    world.pass(6 * SECOND);
    assert_eq!(closing(store, &world.ours).await, Some(Closing::Refused));
}

pub(crate) async fn x09_a_keeper_that_does_not_answer_is_waited_for_no_longer_than_a_minute<
    H: Harness,
>() {
    let (world, keeper) = enclosed::<H>().await;
    let (store, ours) = (world.store(), world.ours.organization);
    assert!(opens(&world, &world.ours).await);
    keeper.says(Says::Nothing);
    world.pass(31 * SECOND);
    // It is asked, in vain, and what is held counts on.
    store.ask_again(ours).await.unwrap();
    let asked = keeper.asked();
    store.ask_again(ours).await.unwrap();
    assert_eq!(keeper.asked(), asked, "not at each look");
    assert!(opens(&world, &world.ours).await);
    let told = store.own_key(ours).await.unwrap().unwrap();
    assert_eq!(
        (told.closing, told.trouble.as_deref()),
        (None, Some("nobody answers"))
    );
    world.pass(30 * SECOND);
    assert_eq!(closing(store, &world.ours).await, Some(Closing::Away));
    assert!(store.is_closed(ours));
    assert!(opens(&world, &world.theirs).await);
    keeper.says(Says::Yes);
    world.pass(6 * SECOND);
    assert!(opens(&world, &world.ours).await);
    // A clock that is put back makes nothing younger.
    keeper.says(Says::No);
    world.pass(-3_600 * SECOND);
    assert!(!opens(&world, &world.ours).await);
}

pub(crate) async fn x09_the_root_key_alone_opens_nothing_of_such_an_organization<H: Harness>() {
    let (mut world, keeper) = enclosed::<H>().await;
    let ours = world.ours.organization;
    // A workspace that is made later is under it from the first moment.
    let mut later = Tenant::from_seed(50);
    later.organization = ours;
    let new = NewWorkspace {
        organization: ours,
        workspace: later.workspace,
        name: "later".into(),
        credentials: Vec::new(),
    };
    world.store().put_workspace(new).await.unwrap();
    world.reopen().await;
    for tenant in [&world.ours, &later] {
        assert_eq!(closing(world.store(), tenant).await, Some(Closing::Unnamed));
    }
    assert!(opens(&world, &world.theirs).await);

    // Another root key does not need the organization's.
    world.close();
    let party = world.own_party().await;
    let [old, new] = [1, 77].map(|seed| RootKey::generate(&SeededRandom::new(seed)));
    assert_eq!(party.change_root(&old, &new).await.unwrap().wrapped, 4);
    drop(party);
    world.reopen_from_now_on_with_root(77).await;
    assert!(!opens(&world, &world.ours).await);
    world.ask_for_keys(Arc::clone(&keeper) as Arc<dyn OrganizationKeeper>);
    world.pass(6 * SECOND);
    for tenant in [&world.ours, &later, &world.theirs] {
        assert!(opens(&world, tenant).await);
    }

    // It is taken off while it can be had, and not otherwise.
    keeper.says(Says::No);
    let refused = world.store().disclose(ours).await;
    assert!(matches!(refused, Err(StoreError::Closed(Closing::Refused))));
    keeper.says(Says::Yes);
    world.pass(6 * SECOND);
    assert_eq!(world.store().disclose(ours).await.unwrap(), 2);
    world.reopen().await;
    for tenant in [&world.ours, &later] {
        assert!(opens(&world, tenant).await);
    }
}

pub(crate) async fn x09_a_key_that_is_withdrawn_here_is_closed_at_once_and_for_good<H: Harness>() {
    let (mut world, keeper) = enclosed::<H>().await;
    let ours = world.ours.organization;
    assert!(opens(&world, &world.ours).await);
    let right = world
        .authorized::<OrgManage>(&world.ours, Persona::Human)
        .await;
    assert!(world.store().withdraw_key(right).await.unwrap());
    assert!(world.store().is_closed(ours));
    // Whatever its keeper says, and whoever starts again.
    for _ in 0..2 {
        world.pass(10 * SECOND);
        assert_eq!(
            closing(world.store(), &world.ours).await,
            Some(Closing::Withdrawn)
        );
        assert!(opens(&world, &world.theirs).await);
        world.reopen().await;
        world.ask_for_keys(Arc::clone(&keeper) as Arc<dyn OrganizationKeeper>);
    }
    for change in [
        world.store().disclose(ours).await,
        world.store().change_key(ours, "two").await,
        world.store().enclose(ours, "one").await,
    ] {
        assert!(matches!(
            change,
            Err(StoreError::Closed(Closing::Withdrawn))
        ));
    }
    let told = world.store().own_key(ours).await.unwrap().unwrap();
    assert!(told.withdrawn_at.is_some() && told.closing == Some(Closing::Withdrawn));
    let right = world
        .authorized::<OrgManage>(&world.ours, Persona::Human)
        .await;
    assert!(!world.store().withdraw_key(right).await.unwrap(), "once");

    let right = world
        .authorized::<OrgManage>(&world.ours, Persona::Human)
        .await;
    assert!(world.store().restore_key(right).await.unwrap());
    assert!(opens(&world, &world.ours).await);
    // Nobody withdraws what they do not have.
    let right = world
        .authorized::<OrgManage>(&world.theirs, Persona::Human)
        .await;
    let refused = world.store().withdraw_key(right).await;
    assert!(matches!(refused, Err(StoreError::Refused(_))));
    assert!(opens(&world, &world.theirs).await);
}

pub(crate) async fn x09_whoever_reads_while_such_a_key_changes_does_not_notice<H: Harness>() {
    let (world, keeper) = enclosed::<H>().await;
    let (store, ours) = (world.store(), world.ours.organization);
    let vault = store.vault_key(ours).await.unwrap().unwrap();
    let mut reading: Tx<MemoryRead> = world.begin(&world.ours, Persona::Human).await;
    for step in 0..4 {
        let moved = match step {
            0 | 1 => store.change_key(ours, "two").await,
            2 => store.disclose(ours).await,
            _ => store.enclose(ours, "one").await,
        };
        assert_eq!(moved.unwrap(), 1, "{step}");
        reading.seq().await.unwrap();
        assert!(opens(&world, &world.ours).await, "{step}");
        // What records of a vault are sealed with stays the same.
        let again = store.vault_key(ours).await.unwrap().unwrap();
        assert_eq!(again.raw().expose(), vault.raw().expose(), "{step}");
    }
    drop(reading);
    // Another key than the one in force is not taken for it, and a place that nobody named is none.
    let refused = store.enclose(ours, "two").await;
    assert!(matches!(refused, Err(StoreError::Refused(_))));
    let refused = store.change_key(ours, "three").await;
    assert!(matches!(refused, Err(StoreError::Refused(_))));
    keeper.says(Says::Another);
    assert!(store.change_key(ours, "two").await.is_err());
    // Nor does one that does not come back wrap anything.
    let refused = store.enclose(world.theirs.organization, "one").await;
    assert!(matches!(refused, Err(StoreError::Refused(_))));
    assert!(opens(&world, &world.theirs).await);
    keeper.says(Says::Yes);
    world.pass(6 * SECOND);
    assert!(opens(&world, &world.ours).await);
}

pub(crate) async fn x09_a_node_that_had_not_heard_of_such_a_key_leaves_nothing_outside<
    H: Harness,
>() {
    let mut world = World::<H>::new().await;
    let party = world.own_party().await;
    let late = Store::open(StoreParts {
        backend: Arc::clone(&party.backend),
        root: &SeededRoot(1),
        machine_id: party.machine_id.clone(),
        clock: world.shared_clock(),
        random: Arc::new(SeededRandom::new(8_002)),
    });
    let keeper = Keeper::new();
    let late = late.await.unwrap();
    let late = late.with_organization_keys(Arc::clone(&keeper) as Arc<dyn OrganizationKeeper>);
    world.ask_for_keys(Arc::clone(&keeper) as Arc<dyn OrganizationKeeper>);
    let ours = world.ours.organization;
    let made = |workspace| NewWorkspace {
        organization: ours,
        workspace,
        name: format!("late {workspace:?}"),
        credentials: Vec::new(),
    };
    // It has looked: there is no such key.
    late.put_workspace(made(late.mint())).await.unwrap();
    assert!(closing(&late, &world.ours).await.is_none());
    assert_eq!(world.store().enclose(ours, "one").await.unwrap(), 2);
    late.put_workspace(made(late.mint())).await.unwrap();
    let told = world.store().own_key(ours).await.unwrap().unwrap();
    assert_eq!((told.enclosed, told.workspaces), (2, 3));
    world.pass(31 * SECOND);
    world.store().ask_again(ours).await.unwrap();
    let told = world.store().own_key(ours).await.unwrap().unwrap();
    assert_eq!((told.enclosed, told.workspaces), (3, 3));
    // It is told, and withdraws in its turn what it held open.
    late.read_keys().await.unwrap();
    keeper.says(Says::No);
    world.pass(61 * SECOND);
    assert_eq!(closing(&late, &world.ours).await, Some(Closing::Refused));
}
