//! The installation's own rows: workspaces, credentials, snapshots, the root key.

use std::sync::Arc;

use skep_authz::rights::MemoryRead;
use skep_crypto::{InstallToken, RootKey, SeededRandom, SystemRandom};
use skep_store::{NewWorkspace, OTHER_ROOT, Store, StoreError, StoreParts, Tx, is_wrong_key};

use crate::Harness;
use crate::world::{Persona, Tenant, World, survey};

pub(crate) async fn a_workspace_is_made_once<H: Harness>() {
    let world = World::<H>::new().await;
    let again = world.put_workspace(&world.ours).await;
    assert!(matches!(again, Err(StoreError::Conflict(_))), "{again:?}");
    let mut known = world.store().workspaces().await.unwrap();
    known.sort_unstable();
    let mut expected = [&world.ours, &world.theirs].map(|t| (t.organization, t.workspace));
    expected.sort_unstable();
    assert_eq!(known, expected);
    let right = survey(world.ours.organization, world.ours.workspace);
    let name = world.store().workspace_name(&right).await.unwrap();
    assert_eq!(name, "default");

    // Another's credential in a new workspace: nothing of it is made.
    let mut third = Tenant::from_seed(50);
    third.borrow_tokens(&world.theirs);
    let taken = world.put_workspace(&third).await;
    assert!(matches!(taken, Err(StoreError::Conflict(_))), "{taken:?}");
    assert_eq!(world.store().workspaces().await.unwrap().len(), 2);
}

pub(crate) async fn t09_a_credential_opens_one_workspace<H: Harness>() {
    let world = World::<H>::new().await;
    for tenant in [&world.ours, &world.theirs] {
        for persona in Persona::ALL {
            let caller = world.caller(tenant.token(persona)).await.unwrap();
            assert_eq!(caller.organization(), tenant.organization);
            assert_eq!(caller.workspace(), tenant.workspace);
            assert_eq!(caller.principal(), persona.principal());
        }
    }
    let stranger = InstallToken::mint(&SystemRandom).text();
    assert!(world.caller(&stranger).await.is_none());
}

pub(crate) async fn an_install_token_is_replaced<H: Harness>() {
    let world = World::<H>::new().await;
    let owner = Tenant::from_seed(60);
    world.put_workspace_of_one(&owner).await.unwrap();
    let fresh = InstallToken::mint(&SystemRandom);
    let tenant = (owner.organization, owner.workspace);
    let replaced = world.store().replace_install_token(tenant, &fresh).await;
    replaced.unwrap();
    assert!(world.caller(owner.token(Persona::Human)).await.is_none());
    let caller = world.caller(&fresh.text()).await.unwrap();
    assert_eq!(caller.workspace(), owner.workspace);
    assert_eq!(caller.principal(), Persona::Human.principal());
    let theirs = world.caller(world.theirs.token(Persona::Human)).await;
    assert!(theirs.is_some(), "nobody else's changed");
}

async fn snapshot<H: Harness>(world: &World<H>, tenant: &Tenant) -> Option<Vec<u8>> {
    let right = survey(tenant.organization, tenant.workspace);
    let kept = world.store().get_snapshot(right).await.unwrap();
    kept.map(|kept| kept.expose().clone())
}

pub(crate) async fn a_snapshot_belongs_to_its_workspace<H: Harness>() {
    let mut world = World::<H>::new().await;
    assert_eq!(snapshot(&world, &world.ours).await, None);
    let large = vec![7; 3 << 20];
    for bytes in [&b"first"[..], &large, b"last"] {
        let right = survey(world.ours.organization, world.ours.workspace);
        world.store().put_snapshot(right, bytes).await.unwrap();
        let kept = snapshot(&world, &world.ours).await;
        assert!(kept.as_deref() == Some(bytes), "{} bytes", bytes.len());
    }
    assert_eq!(snapshot(&world, &world.theirs).await, None);
    world.reopen().await;
    let kept = snapshot(&world, &world.ours).await;
    assert_eq!(kept.as_deref(), Some(&b"last"[..]));
}

pub(crate) async fn a_wrong_root_key_changes_nothing<H: Harness>() {
    let mut world = World::<H>::new().await;
    let outcome = world.reopen_with_root(77).await;
    assert!(is_wrong_key(&outcome.unwrap_err()));
    world.reopen().await;
    let mut tx: Tx<MemoryRead> = world.begin(&world.ours, Persona::Human).await;
    assert_eq!(tx.seq().await.unwrap(), 0);
}

pub(crate) async fn x09_another_root_key_opens_everything_and_the_old_one_nothing<H: Harness>() {
    let mut world = World::<H>::new().await;
    world.close();
    let party = world.own_party().await;
    // A node that nobody has told.
    let stale = Store::open(StoreParts {
        backend: Arc::clone(&party.backend),
        root: party.root,
        machine_id: party.machine_id.clone(),
        clock: world.shared_clock(),
        random: Arc::new(SeededRandom::new(8_001)),
    });
    let stale = stale.await.unwrap();
    let [old, new, stranger] = [1, 77, 78].map(|seed| RootKey::generate(&SeededRandom::new(seed)));
    let refused = party.change_root(&stranger, &new).await.map(|_| ());
    assert!(is_wrong_key(&refused.unwrap_err()));
    let changed = party.change_root(&old, &new).await.unwrap();
    assert_eq!((changed.workspaces, changed.wrapped), (2, 3));
    // As it is run again after a kill.
    let changed = party.change_root(&old, &new).await.unwrap();
    assert_eq!((changed.workspaces, changed.wrapped), (2, 0));
    let late = stale.put_workspace(NewWorkspace {
        organization: world.ours.organization,
        workspace: stale.mint(),
        name: "late".into(),
        credentials: Vec::new(),
    });
    assert!(matches!(late.await, Err(StoreError::Refused(said)) if said == OTHER_ROOT));
    drop((stale, party));
    assert!(is_wrong_key(&world.reopen_with_root(1).await.unwrap_err()));
    world.reopen_from_now_on_with_root(77).await;
    for tenant in [&world.ours, &world.theirs] {
        let mut tx: Tx<MemoryRead> = world.begin(tenant, Persona::Human).await;
        assert_eq!(tx.seq().await.unwrap(), 0);
    }
}
