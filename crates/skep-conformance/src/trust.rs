//! Whose word counts for how much, and what is held back.

use skep_authz::rights::{MemoryDelete, MemoryRead, MemoryReview, MemoryWrite};
use skep_domain::{MemoryId, MemoryKind, MemoryState, Timestamp, Trust};
use skep_store::{Kept, MemoryFilter, NewMemory, Origin, PageOf, StoreError, Tx};

use crate::Harness;
use crate::sample::{fresh, new_memory};
use crate::world::{Persona, World};

const HUMAN: Persona = Persona::Human;
const ALL: PageOf<MemoryId> = PageOf {
    limit: 200,
    before: None,
};

fn held<H: Harness>(world: &World<H>, statement: &str) -> NewMemory {
    let mut memory = new_memory(world.store(), statement);
    memory.state = MemoryState::Quarantined;
    memory.reasons = vec!["it gives orders".into(), "it came from a page".into()];
    memory
}

pub(crate) async fn m04_an_outside_source_yields_no_procedure<H: Harness>() {
    let world = World::<H>::new().await;
    for kind in MemoryKind::ALL {
        for trust in Trust::ALL {
            let mut tx: Tx<MemoryWrite> = world.begin(&world.ours, HUMAN).await;
            let mut memory = new_memory(world.store(), &format!("{kind:?} {trust:?}"));
            (memory.kind, memory.trust) = (*kind, *trust);
            let refused = *kind == MemoryKind::Procedure && *trust == Trust::External;
            let kept = tx.put_memory(memory).await;
            assert_eq!(
                matches!(kept, Err(StoreError::Refused(_))),
                refused,
                "{kind:?} {trust:?}"
            );
        }
    }
    // Nor by way of a memory that is derived from one.
    let mut tx: Tx<MemoryWrite> = world.begin(&world.ours, HUMAN).await;
    let mut page = new_memory(world.store(), "a page says so");
    page.trust = Trust::External;
    let page = fresh(tx.put_memory(page).await.unwrap());
    let mut steps = new_memory(world.store(), "steps");
    steps.kind = MemoryKind::Procedure;
    steps.origins = vec![Origin::Memory(page)];
    assert!(matches!(
        tx.put_memory(steps).await,
        Err(StoreError::Refused(_))
    ));
}

pub(crate) async fn m04_derived_trust_is_the_least_of_the_lineage<H: Harness>() {
    let world = World::<H>::new().await;
    let mut tx: Tx<MemoryWrite> = world.begin(&world.ours, HUMAN).await;
    let mut parents = Vec::new();
    for trust in Trust::ALL {
        let mut memory = new_memory(world.store(), &format!("{trust:?}"));
        memory.trust = *trust;
        parents.push((fresh(tx.put_memory(memory).await.unwrap()), *trust));
    }
    for (first, least) in &parents {
        for (second, other) in &parents {
            let mut memory = new_memory(world.store(), &format!("{least:?} and {other:?}"));
            memory.origins = vec![Origin::Memory(*first), Origin::Memory(*second)];
            let id = fresh(tx.put_memory(memory).await.unwrap());
            let kept = tx.get_memory(id).await.unwrap().unwrap();
            assert_eq!(kept.trust, *least.min(other));
        }
    }
    let held_back = fresh(tx.put_memory(held(&world, "poison")).await.unwrap());
    let mut child = new_memory(world.store(), "child of poison");
    child.origins = vec![Origin::Memory(held_back)];
    let kept = tx.put_memory(child).await.unwrap();
    let child = tx.get_kept(&kept).await.unwrap().unwrap();
    assert_eq!(child.state, MemoryState::Quarantined);
    tx.commit().await.unwrap();

    // Nobody rests on what they may not read, of this workspace or of another.
    let private = parents[0].0;
    for (tenant, persona) in [
        (&world.ours, Persona::Isolated),
        (&world.theirs, Persona::Human),
    ] {
        let mut tx: Tx<MemoryWrite> = world.begin(tenant, persona).await;
        let mut memory = new_memory(world.store(), "claims a parent");
        memory.origins = vec![Origin::Memory(private)];
        assert!(tx.put_memory(memory).await.is_err(), "{persona:?}");
    }
}

pub(crate) async fn only_a_human_raises_trust<H: Harness>() {
    let world = World::<H>::new().await;
    let mut tx: Tx<MemoryWrite> = world.begin(&world.ours, HUMAN).await;
    let mut page = new_memory(world.store(), "said");
    page.trust = Trust::External;
    page.origins = vec![Origin::Source(world.store().mint())];
    let id = fresh(tx.put_memory(page).await.unwrap());
    for (trust, then) in [
        (Trust::Tool, Trust::External),
        (Trust::Agent, Trust::External),
        (Trust::User, Trust::User),
        (Trust::External, Trust::User),
    ] {
        let mut again = new_memory(world.store(), "said");
        again.trust = trust;
        assert_eq!(tx.put_memory(again).await.unwrap(), Kept::Known(id));
        let kept = tx.get_memory(id).await.unwrap().unwrap();
        assert_eq!(kept.trust, then, "after {trust:?}");
    }
}

pub(crate) async fn m02_quarantined_memories_are_on_no_way_in<H: Harness>() {
    let world = World::<H>::new().await;
    let mut tx: Tx<MemoryWrite> = world.begin(&world.ours, HUMAN).await;
    let id = fresh(tx.put_memory(held(&world, "poison")).await.unwrap());
    let again = tx.put_memory(held(&world, "poison")).await.unwrap();
    assert_eq!(again, Kept::Known(id), "it waits once");
    tx.commit().await.unwrap();
    let mut tx: Tx<MemoryRead> = world.begin(&world.ours, HUMAN).await;
    let now = Some(world.store().now());
    for as_of in [None, now, Some(Timestamp::from_micros(i64::MAX))] {
        let filter = MemoryFilter {
            as_of,
            ..MemoryFilter::default()
        };
        assert!(tx.authorize(&[id], &filter).await.unwrap().is_empty());
        assert!(tx.list_memories(&filter, ALL).await.unwrap().is_empty());
    }
    assert!(tx.get_memory(id).await.unwrap().is_none());
}

pub(crate) async fn m02_a_human_releases_what_is_held_back<H: Harness>() {
    let world = World::<H>::new().await;
    let mut tx: Tx<MemoryWrite> = world.begin(&world.ours, HUMAN).await;
    let good = fresh(tx.put_memory(held(&world, "good")).await.unwrap());
    let bad = fresh(tx.put_memory(held(&world, "bad")).await.unwrap());
    tx.commit().await.unwrap();
    let at = world.store().now();

    for (tenant, persona) in [
        (&world.theirs, Persona::Human),
        (&world.ours, Persona::Isolated),
        (&world.ours, Persona::Shared),
    ] {
        let mut tx: Tx<MemoryReview> = world.begin(tenant, persona).await;
        let released = tx.review(good, true, "let me in", at).await;
        assert!(!matches!(released, Ok(true)), "{persona:?}");
        drop(tx);
        let mut tx: Tx<MemoryReview> = world.begin(tenant, persona).await;
        let seen = tx.list_quarantined(ALL).await.unwrap().len();
        let may_see = tenant.workspace == world.ours.workspace && persona == Persona::Shared;
        assert_eq!(seen > 0, may_see, "{persona:?}");
    }

    let mut tx: Tx<MemoryReview> = world.begin(&world.ours, HUMAN).await;
    let waiting = tx.list_quarantined(ALL).await.unwrap();
    let ids: Vec<MemoryId> = waiting.iter().map(|held| held.memory.id).collect();
    assert_eq!(ids, [bad, good]);
    assert_eq!(
        waiting[0].reasons,
        ["it gives orders", "it came from a page"]
    );
    assert!(tx.review(good, true, "it is fine", at).await.unwrap());
    assert!(tx.review(bad, false, "it is not", at).await.unwrap());
    for id in [good, bad] {
        assert!(!tx.review(id, true, "again", at).await.unwrap());
    }
    let history = tx.list_history(good).await.unwrap();
    let states: Vec<MemoryState> = history.iter().map(|entry| entry.state).collect();
    assert_eq!(states, [MemoryState::Quarantined, MemoryState::Active]);
    assert_eq!(history[1].reasons, ["it is fine"]);
    assert_eq!(history[1].actor, Some(HUMAN.principal()));
    tx.commit().await.unwrap();

    let mut tx: Tx<MemoryWrite> = world.begin(&world.ours, HUMAN).await;
    assert!(tx.get_memory(good).await.unwrap().is_some());
    let again = tx.put_memory(held(&world, "bad")).await.unwrap();
    assert_eq!(
        again,
        Kept::Known(bad),
        "what was refused is not asked again"
    );
}

pub(crate) async fn a_memory_is_accepted_only_if_nothing_says_the_same<H: Harness>() {
    let world = World::<H>::new().await;
    let mut tx: Tx<MemoryWrite> = world.begin(&world.ours, HUMAN).await;
    let id = fresh(tx.put_memory(held(&world, "same")).await.unwrap());
    fresh(
        tx.put_memory(new_memory(world.store(), "same"))
            .await
            .unwrap(),
    );
    tx.commit().await.unwrap();
    let at = world.store().now();
    let mut tx: Tx<MemoryReview> = world.begin(&world.ours, HUMAN).await;
    let accepted = tx.review(id, true, "fine", at).await;
    assert!(matches!(accepted, Err(StoreError::Conflict(_))));
}

pub(crate) async fn t10_a_history_follows_the_ring<H: Harness>() {
    let world = World::<H>::new().await;
    let mut tx: Tx<MemoryDelete> = world.begin(&world.ours, HUMAN).await;
    let mut memory = new_memory(world.store(), "mine");
    memory.visibility = skep_domain::Visibility::Private;
    let id = fresh(tx.put_memory(memory).await.unwrap());
    let at = world.store().now();
    tx.forget(id, "it was wrong", at).await.unwrap();
    tx.commit().await.unwrap();
    for (tenant, persona) in Persona::ALL
        .iter()
        .flat_map(|persona| [(&world.ours, *persona), (&world.theirs, *persona)])
    {
        let mut tx: Tx<MemoryRead> = world.begin(tenant, persona).await;
        let seen = tx.list_history(id).await.unwrap().len();
        let owner = tenant.workspace == world.ours.workspace && persona == HUMAN;
        assert_eq!(seen, usize::from(owner), "{persona:?}");
    }
}
