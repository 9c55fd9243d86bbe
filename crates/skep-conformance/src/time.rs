//! What takes another memory's place, what stands against it, and what is taken back.

use skep_authz::rights::{MemoryDelete, MemoryRead, MemoryWrite, SessionCapture};
use skep_domain::{ConflictId, MemoryId, MemoryState, RemovalMode, Resolution, Trust, Visibility};
use skep_store::row::ConflictRow;
use skep_store::{Kept, MemoryFilter, NewMemory, Origin, PageOf, Removal, Root, Tx, Withdrawn};

use crate::Harness;
use crate::sample::{fresh, new_memory, put_session};
use crate::world::{Persona, Tenant, World};

const HUMAN: Persona = Persona::Human;
const CONFLICTS: PageOf<ConflictId> = PageOf {
    limit: 200,
    before: None,
};
const ALL: PageOf<MemoryId> = PageOf {
    limit: 200,
    before: None,
};

pub(crate) async fn put<H: Harness>(world: &World<H>, who: Persona, memory: NewMemory) -> MemoryId {
    let mut tx: Tx<MemoryWrite> = world.begin(&world.ours, who).await;
    let id = fresh(tx.put_memory(memory).await.unwrap());
    tx.commit().await.unwrap();
    id
}

pub(crate) async fn supersede<H: Harness>(
    world: &World<H>,
    (tenant, who): (&Tenant, Persona),
    pair: (MemoryId, MemoryId),
) -> bool {
    let mut tx: Tx<MemoryWrite> = world.begin(tenant, who).await;
    let writer = tx.writer().unwrap();
    let at = world.store().now();
    let done = tx.supersede(&writer, pair, "newer", at).await.unwrap();
    tx.commit().await.unwrap();
    done
}

async fn listed<H: Harness>(world: &World<H>) -> Vec<MemoryId> {
    let mut tx: Tx<MemoryRead> = world.begin(&world.ours, HUMAN).await;
    let page = tx
        .list_memories(&MemoryFilter::default(), ALL)
        .await
        .unwrap();
    page.iter().map(|memory| memory.id).collect()
}

pub(crate) async fn a_topic_is_shared_within_a_project_and_a_ring<H: Harness>() {
    let world = World::<H>::new().await;
    let about = |statement: &str| {
        let mut memory = new_memory(world.store(), statement);
        memory.topics = vec!["about:port".into(), format!("says:{statement}")];
        memory
    };
    let mut private = about("private");
    private.visibility = Visibility::Private;
    let private = put(&world, HUMAN, private).await;
    let open = put(&world, HUMAN, about("open")).await;
    let mut elsewhere = about("another project");
    let mut tx: Tx<SessionCapture> = world.begin(&world.ours, HUMAN).await;
    let project = skep_store::Project {
        id: world.store().mint(),
        name: "other".into(),
    };
    elsewhere.project = Some(tx.put_project(&project).await.unwrap());
    tx.commit().await.unwrap();
    put(&world, HUMAN, elsewhere).await;
    for (tenant, who, expected) in [
        (&world.ours, HUMAN, vec![open, private]),
        (&world.ours, Persona::Colleague, vec![open]),
        (&world.ours, Persona::Shared, vec![open]),
        (&world.ours, Persona::Isolated, vec![]),
        (&world.theirs, HUMAN, vec![]),
    ] {
        let mut tx: Tx<MemoryWrite> = world.begin(tenant, who).await;
        let writer = tx.writer().unwrap();
        let related = tx.list_related(&writer, &about("new")).await.unwrap();
        let ids: Vec<MemoryId> = related.iter().map(|memory| memory.id).collect();
        assert_eq!(ids, expected, "{who:?}");
    }
}

pub(crate) async fn m04_only_a_word_as_strong_takes_a_place<H: Harness>() {
    let world = World::<H>::new().await;
    for older in Trust::ALL {
        for newer in Trust::ALL {
            let with = |trust: Trust, name: &str| {
                let mut memory = new_memory(world.store(), &format!("{name} {older:?} {newer:?}"));
                memory.trust = trust;
                memory
            };
            let first = put(&world, HUMAN, with(*older, "old")).await;
            let second = put(&world, HUMAN, with(*newer, "new")).await;
            let done = supersede(&world, (&world.ours, HUMAN), (first, second)).await;
            assert_eq!(done, newer >= older, "{newer:?} over {older:?}");
            let again = supersede(&world, (&world.ours, HUMAN), (first, second)).await;
            assert!(!again, "once");
        }
    }
    let older = put(&world, HUMAN, new_memory(world.store(), "known")).await;
    let mut held = new_memory(world.store(), "held back");
    held.state = MemoryState::Quarantined;
    let held = put(&world, HUMAN, held).await;
    let done = supersede(&world, (&world.ours, HUMAN), (older, held)).await;
    assert!(!done, "m02: what is held back takes nobody's place");
}

pub(crate) async fn t10_nobody_replaces_what_they_may_not_read_or_do_not_own<H: Harness>() {
    let world = World::<H>::new().await;
    for who in Persona::ALL {
        let older = put(
            &world,
            HUMAN,
            new_memory(world.store(), &format!("old {who:?}")),
        )
        .await;
        let newer = put(
            &world,
            who,
            new_memory(world.store(), &format!("new {who:?}")),
        )
        .await;
        let theirs = supersede(&world, (&world.theirs, who), (older, newer)).await;
        assert!(!theirs, "t01: another workspace's");
        let done = supersede(&world, (&world.ours, who), (older, newer)).await;
        assert_eq!(done, matches!(who, HUMAN | Persona::Colleague), "{who:?}");
    }
    let mut secret = new_memory(world.store(), "private");
    secret.visibility = Visibility::Private;
    let secret = put(&world, HUMAN, secret).await;
    let newer = put(
        &world,
        Persona::Colleague,
        new_memory(world.store(), "a guess"),
    )
    .await;
    assert!(!supersede(&world, (&world.ours, Persona::Colleague), (secret, newer)).await);
    let open = put(&world, HUMAN, new_memory(world.store(), "open")).await;
    assert!(
        !supersede(&world, (&world.ours, HUMAN), (open, secret)).await,
        "less visible"
    );
}

pub(crate) async fn what_is_replaced_stays_in_the_past<H: Harness>() {
    let world = World::<H>::new().await;
    let mut ids = Vec::new();
    let mut instants = Vec::new();
    for n in 0..4 {
        ids.push(put(&world, HUMAN, new_memory(world.store(), &format!("v{n}"))).await);
        if n > 0 {
            let pair = (ids[n - 1], ids[n]);
            assert!(supersede(&world, (&world.ours, HUMAN), pair).await);
        }
        instants.push(world.store().now());
    }
    assert_eq!(listed(&world).await, [ids[3]]);
    let mut tx: Tx<MemoryRead> = world.begin(&world.ours, HUMAN).await;
    for (n, at) in instants.iter().enumerate() {
        let filter = MemoryFilter {
            as_of: Some(*at),
            ..MemoryFilter::default()
        };
        let then = tx.list_memories(&filter, ALL).await.unwrap();
        let then: Vec<MemoryId> = then.iter().map(|memory| memory.id).collect();
        assert_eq!(then, [ids[n]], "as of version {n}");
    }
    for id in &ids {
        let links = tx.list_versions(*id).await.unwrap();
        assert_eq!(
            links,
            [(ids[0], ids[1]), (ids[1], ids[2]), (ids[2], ids[3])]
        );
    }
    let first = tx.get_memory(ids[0]).await.unwrap().unwrap();
    let second = tx.get_memory(ids[1]).await.unwrap().unwrap();
    assert_eq!(first.state, MemoryState::Superseded);
    assert_eq!(first.validity.to, Some(second.validity.from));
    drop(tx);
    let mut tx: Tx<MemoryRead> = world.begin(&world.ours, Persona::Isolated).await;
    assert!(tx.list_versions(ids[0]).await.unwrap().is_empty(), "t10");
}

pub(crate) async fn t10_a_conflict_shows_to_who_reads_both<H: Harness>() {
    let world = World::<H>::new().await;
    let older = put(&world, HUMAN, new_memory(world.store(), "yes")).await;
    let mut private = new_memory(world.store(), "no");
    private.visibility = Visibility::Private;
    let private = put(&world, HUMAN, private).await;
    let open = put(&world, HUMAN, new_memory(world.store(), "perhaps")).await;
    let mut tx: Tx<MemoryDelete> = world.begin(&world.ours, HUMAN).await;
    let row = |newer| ConflictRow {
        id: world.store().mint(),
        older,
        newer,
        found_at: world.store().now(),
        resolved: None,
    };
    let (hidden, shown) = (row(private), row(open));
    assert!(tx.put_conflict(hidden).await.unwrap());
    assert!(tx.put_conflict(shown).await.unwrap());
    assert!(!tx.put_conflict(row(open)).await.unwrap(), "noted once");
    tx.commit().await.unwrap();
    for (tenant, who, expected) in [
        (&world.ours, HUMAN, vec![shown.id, hidden.id]),
        (&world.ours, Persona::Colleague, vec![shown.id]),
        (&world.ours, Persona::Shared, vec![shown.id]),
        (&world.ours, Persona::Isolated, vec![]),
        (&world.theirs, HUMAN, vec![]),
    ] {
        let mut tx: Tx<MemoryRead> = world.begin(tenant, who).await;
        let found = tx.list_conflicts(CONFLICTS).await.unwrap();
        let ids: Vec<ConflictId> = found.iter().map(|conflict| conflict.id).collect();
        assert_eq!(ids, expected, "{who:?}");
        for id in [shown.id, hidden.id] {
            let got = tx.get_conflict(id).await.unwrap();
            assert_eq!(got.is_some(), expected.contains(&id), "{who:?}");
        }
    }
    let mut tx: Tx<MemoryDelete> = world.begin(&world.ours, HUMAN).await;
    let at = world.store().now();
    let both = Resolution::KeepBoth;
    assert!(tx.settle_conflict(shown.id, both, at).await.unwrap());
    assert!(!tx.settle_conflict(shown.id, both, at).await.unwrap());
    let left = tx.list_conflicts(CONFLICTS).await.unwrap();
    assert_eq!(left.len(), 1);
    tx.forget(private, "no", at).await.unwrap();
    assert!(tx.list_conflicts(CONFLICTS).await.unwrap().is_empty());
}

/// Two sessions, and what each, both or neither of them said.
pub(crate) struct Rewindable {
    pub(crate) sessions: [skep_domain::SessionId; 2],
    pub(crate) before: MemoryId,
    pub(crate) poison: MemoryId,
    derived: MemoryId,
    shared: MemoryId,
}

pub(crate) async fn rewindable<H: Harness>(world: &World<H>) -> Rewindable {
    let store = world.store();
    let mut tx: Tx<SessionCapture> = world.begin(&world.ours, HUMAN).await;
    let first = put_session(&mut tx, store, "a", 3).await;
    let second = put_session(&mut tx, store, "b", 3).await;
    let before = fresh(tx.put_memory(new_memory(store, "before")).await.unwrap());
    let said = |session, statement: &str| {
        let mut memory = new_memory(store, statement);
        memory.session = Some(session);
        memory
    };
    let poison = fresh(tx.put_memory(said(first, "poison")).await.unwrap());
    let mut derived = new_memory(store, "derived");
    derived.origins = vec![Origin::Memory(poison)];
    let derived = fresh(tx.put_memory(derived).await.unwrap());
    let shared = fresh(tx.put_memory(said(first, "shared")).await.unwrap());
    let again = tx.put_memory(said(second, "shared")).await.unwrap();
    assert_eq!(again, Kept::Known(shared));
    let writer = tx.writer().unwrap();
    let pair = (before, poison);
    assert!(
        tx.supersede(&writer, pair, "newer", store.now())
            .await
            .unwrap()
    );
    tx.commit().await.unwrap();
    Rewindable {
        sessions: [first, second],
        before,
        poison,
        derived,
        shared,
    }
}

pub(crate) async fn take_back<H: Harness>(world: &World<H>, removal: &Removal) -> Withdrawn {
    let mut total = Withdrawn::default();
    loop {
        // One at a time, as if killed after each.
        let mut tx = world.maintain(&world.ours).await;
        let at = world.store().now();
        let done = tx.take_back(removal, at, 1).await.unwrap();
        tx.commit().await.unwrap();
        if done.removed + done.kept == 0 {
            return total;
        }
        total += done;
    }
}

pub(crate) async fn m04_a_session_is_taken_back_with_what_came_of_it<H: Harness>() {
    for mode in [RemovalMode::Forget, RemovalMode::Erase] {
        let world = World::<H>::new().await;
        let made = rewindable(&world).await;
        let removal = Removal {
            root: Root::Session(made.sessions[0]),
            mode,
            reason: "poisoned".into(),
        };
        let mut tx: Tx<MemoryDelete> = world.begin(&world.ours, HUMAN).await;
        tx.put_removal(&removal, world.store().now()).await.unwrap();
        tx.commit().await.unwrap();
        let mut tx = world.survey(&world.ours).await;
        assert_eq!(tx.list_removals(9).await.unwrap().len(), 1);
        drop(tx);
        let done = take_back(&world, &removal).await;
        let expected = Withdrawn {
            removed: 2,
            kept: 1,
            restored: 1,
        };
        assert_eq!(done, expected, "{mode:?}");
        assert_eq!(take_back(&world, &removal).await, Withdrawn::default());
        let mut expected = vec![made.shared, made.before];
        expected.sort_unstable_by(|a, b| b.cmp(a));
        assert_eq!(listed(&world).await, expected, "{mode:?}");
        let mut tx: Tx<MemoryRead> = world.begin(&world.ours, HUMAN).await;
        for id in [made.poison, made.derived] {
            let state = tx.get_memory(id).await.unwrap().map(|memory| memory.state);
            let left = (mode == RemovalMode::Forget).then_some(MemoryState::Forgotten);
            assert_eq!(state, left, "{mode:?}");
        }
        let back = tx.get_memory(made.before).await.unwrap().unwrap();
        assert_eq!((back.validity.to, back.validity.superseded), (None, None));
        let shared = tx.get_memory(made.shared).await.unwrap().unwrap();
        assert_eq!(shared.session, Some(made.sessions[1]));
        drop(tx);
        let mut tx = world.maintain(&world.ours).await;
        tx.finish_removal(removal.root, world.store().now())
            .await
            .unwrap();
        assert!(tx.is_taken_back(removal.root).await.unwrap());
        assert!(tx.list_removals(9).await.unwrap().is_empty());
    }
}

pub(crate) async fn what_was_replaced_again_stays_replaced<H: Harness>() {
    let world = World::<H>::new().await;
    let made = rewindable(&world).await;
    let last = put(&world, HUMAN, new_memory(world.store(), "last")).await;
    assert!(supersede(&world, (&world.ours, HUMAN), (made.poison, last)).await);
    let removal = Removal {
        root: Root::Session(made.sessions[0]),
        mode: RemovalMode::Forget,
        reason: "poisoned".into(),
    };
    assert_eq!(take_back(&world, &removal).await.restored, 0);
    let mut tx: Tx<MemoryRead> = world.begin(&world.ours, HUMAN).await;
    let links = tx.list_versions(made.before).await.unwrap();
    assert!(links.contains(&(made.before, last)), "{links:?}");
    assert!(!listed(&world).await.contains(&made.before));
}

pub(crate) async fn t18_erasure_leaves_a_tombstone<H: Harness>() {
    let world = World::<H>::new().await;
    let made = rewindable(&world).await;
    for (tenant, who) in [(&world.theirs, HUMAN), (&world.ours, Persona::Isolated)] {
        let mut tx: Tx<MemoryDelete> = world.begin(tenant, who).await;
        assert_eq!(tx.erase(made.poison, world.store().now()).await.unwrap(), 0);
    }
    let mut tx: Tx<MemoryDelete> = world.begin(&world.ours, HUMAN).await;
    assert_eq!(tx.erase(made.poison, world.store().now()).await.unwrap(), 1);
    assert_eq!(tx.erase(made.poison, world.store().now()).await.unwrap(), 0);
    tx.commit().await.unwrap();
    let mut tx = world.survey(&world.ours).await;
    let erased = tx.list_erasures((0, None), 9).await.unwrap();
    let ids: Vec<MemoryId> = erased.iter().map(|(_, id)| *id).collect();
    assert_eq!(ids, [made.poison]);
    assert!(tx.is_unscrubbed().await.unwrap());
    let changes = tx.list_changes((0, None), 200).await.unwrap();
    assert!(changes.iter().all(|change| change.id != made.poison));
    drop(tx);
    let mut tx = world.survey(&world.theirs).await;
    assert!(tx.list_erasures((0, None), 9).await.unwrap().is_empty());
    drop(tx);

    // A session goes with its turns; what rests on another one too stays.
    let session = made.sessions[1];
    let removal = Removal {
        root: Root::Session(session),
        mode: RemovalMode::EraseAll,
        reason: "gone".into(),
    };
    take_back(&world, &removal).await;
    let mut tx = world.maintain(&world.ours).await;
    assert_eq!(tx.erase_turns(session, 2).await.unwrap(), 2);
    assert_eq!(tx.erase_turns(session, 2).await.unwrap(), 1);
    assert_eq!(tx.erase_turns(session, 2).await.unwrap(), 0);
    tx.erase_session(session, world.store().now())
        .await
        .unwrap();
    tx.mark_scrubbed().await.unwrap();
    tx.commit().await.unwrap();
    let mut tx: Tx<MemoryRead> = world.begin(&world.ours, HUMAN).await;
    assert!(tx.get_session(session).await.unwrap().is_none());
    let shared = tx.get_memory(made.shared).await.unwrap().unwrap();
    assert_eq!(shared.session, Some(made.sessions[0]));
}

pub(crate) async fn t18_an_edited_memory_is_erased_in_every_version<H: Harness>() {
    let world = World::<H>::new().await;
    for erased in 0..4 {
        // Three edits of one memory that was private at first, and then another by a rule.
        let mut ids = Vec::new();
        for n in 0..5 {
            let mut new = new_memory(world.store(), &format!("{erased} v{n}"));
            if n == 0 {
                new.visibility = Visibility::Private;
            }
            ids.push(put(&world, HUMAN, new).await);
        }
        let mut tx: Tx<MemoryWrite> = world.begin(&world.ours, HUMAN).await;
        let writer = tx.writer().unwrap();
        for (n, reason) in [(0, None), (1, Some("why")), (2, None)] {
            let (pair, at) = ((ids[n], ids[n + 1]), world.store().now());
            assert!(tx.put_version(&writer, pair, reason, at).await.unwrap());
        }
        tx.commit().await.unwrap();
        assert!(supersede(&world, (&world.ours, HUMAN), (ids[3], ids[4])).await);

        let target = ids[erased];
        for (tenant, who) in [(&world.theirs, HUMAN), (&world.ours, Persona::Isolated)] {
            let mut tx: Tx<MemoryDelete> = world.begin(tenant, who).await;
            assert!(tx.list_edits(target, 9).await.unwrap().is_empty(), "t10");
            assert_eq!(tx.erase(target, world.store().now()).await.unwrap(), 0);
        }
        let mut tx: Tx<MemoryRead> = world.begin(&world.ours, Persona::Colleague).await;
        let seen = tx.list_edits(ids[3], 9).await.unwrap();
        assert_eq!(
            seen,
            ids[1..3],
            "t10: what they may not read is not counted"
        );
        assert!(tx.list_edits(ids[4], 9).await.unwrap().is_empty(), "a rule");
        drop(tx);
        let mut tx: Tx<MemoryDelete> = world.begin(&world.ours, HUMAN).await;
        assert_eq!(tx.list_edits(target, 9).await.unwrap().len(), 3);
        assert_eq!(tx.erase(target, world.store().now()).await.unwrap(), 4);
        tx.commit().await.unwrap();
        let mut tx: Tx<MemoryRead> = world.begin(&world.ours, HUMAN).await;
        for id in &ids[..4] {
            assert!(tx.get_memory(*id).await.unwrap().is_none(), "{erased}");
        }
        assert!(tx.get_memory(ids[4]).await.unwrap().is_some(), "another");
    }
}

pub(crate) async fn t10_an_import_is_taken_back_by_who_may_see_it<H: Harness>() {
    let world = World::<H>::new().await;
    for tenant in [&world.ours, &world.theirs] {
        let mut tx: Tx<SessionCapture> = world.begin(tenant, HUMAN).await;
        let session = put_session(&mut tx, world.store(), "a", 1).await;
        tx.put_session_source(session, "git:harbour").await.unwrap();
        tx.put_session_source(session, "git:harbour").await.unwrap();
        tx.commit().await.unwrap();
    }
    for (who, expected) in [(HUMAN, 1), (Persona::Isolated, 0)] {
        let mut tx: Tx<MemoryDelete> = world.begin(&world.ours, who).await;
        let found = tx.list_sessions_of("git:harbour").await.unwrap();
        assert_eq!(found.len(), expected, "{who:?}");
        assert!(tx.list_sessions_of("git:other").await.unwrap().is_empty());
    }
}
