//! Every way in, for every reader, against the reference model of the ring.

use skep_authz::rights::{MemoryDelete, MemoryRead, SessionCapture, SessionRead};
use skep_domain::{MemoryId, RingFacts, SessionId, TurnId, Visibility};
use skep_store::{MemoryFilter, PageOf, Tx};

use crate::Harness;
use crate::sample::{fresh, new_memory, new_session, new_turn};
use crate::world::{Persona, World};

/// A session, a turn and a memory of it, owned by a persona.
struct Row {
    facts: RingFacts,
    session: SessionId,
    turn: TurnId,
    memory: MemoryId,
}

async fn put_rows<H: Harness>(world: &World<H>) -> Vec<Row> {
    let store = world.store();
    let mut rows = Vec::new();
    for owner in Persona::ALL {
        for visibility in Visibility::ALL {
            let name = format!("{owner:?} {}", visibility.as_str());
            let mut tx: Tx<SessionCapture> = world.begin(&world.ours, owner).await;
            let mut session = new_session(store, &name);
            session.visibility = *visibility;
            let session = tx.put_session(&session).await.unwrap();
            let turn = new_turn(store, &name);
            tx.append_turns(session, std::slice::from_ref(&turn))
                .await
                .unwrap();
            let mut memory = new_memory(store, &name);
            memory.visibility = *visibility;
            memory.session = Some(session);
            let memory = fresh(tx.put_memory(memory).await.unwrap());
            tx.commit().await.unwrap();
            rows.push(Row {
                facts: RingFacts {
                    owner: owner.principal(),
                    owner_group: owner.ring().group(),
                    visibility: *visibility,
                    project: None,
                },
                session,
                turn: turn.id,
                memory,
            });
        }
    }
    rows
}

pub(crate) async fn t10_every_way_in_follows_the_ring<H: Harness>() {
    let world = World::<H>::new().await;
    let rows = put_rows(&world).await;
    for reader in Persona::ALL {
        let ring = reader.ring();
        let (open, shut): (Vec<&Row>, Vec<&Row>) =
            rows.iter().partition(|row| ring.allows(&row.facts));
        assert!(!open.is_empty() && !shut.is_empty(), "{reader:?}");
        read_memories(&world, reader, &rows, &open, &shut).await;
        read_sessions(&world, reader, &rows, &open, &shut).await;
        forget_shut(&world, reader, &shut).await;
    }
    daemon_sees_nobodys_list(&world, &rows).await;
}

/// A memory that a reader may not see does not even count for them.
pub(crate) async fn t10_a_count_follows_the_ring<H: Harness>() {
    let world = World::<H>::new().await;
    let store = world.store();
    let mut tx: Tx<SessionCapture> = world.begin(&world.ours, Persona::Human).await;
    let session = tx.put_session(&new_session(store, "a")).await.unwrap();
    for visibility in Visibility::ALL {
        let mut memory = new_memory(store, visibility.as_str());
        memory.visibility = *visibility;
        memory.session = Some(session);
        fresh(tx.put_memory(memory).await.unwrap());
    }
    tx.commit().await.unwrap();
    for (reader, expected) in [
        (Persona::Human, 3),
        (Persona::Colleague, 2),
        (Persona::Shared, 1),
    ] {
        let mut tx: Tx<SessionRead> = world.begin(&world.ours, reader).await;
        let one = tx.get_session(session).await.unwrap().unwrap();
        assert_eq!(one.memories, expected, "{reader:?}");
        let page = PageOf {
            limit: 9,
            before: None,
        };
        let listed = tx.list_sessions(page).await.unwrap();
        assert_eq!(listed[0].memories, expected, "{reader:?}");
    }
}

async fn read_memories<H: Harness>(
    world: &World<H>,
    reader: Persona,
    rows: &[Row],
    open: &[&Row],
    shut: &[&Row],
) {
    let expected: Vec<MemoryId> = open.iter().map(|row| row.memory).collect();
    let mut tx: Tx<MemoryRead> = world.begin(&world.ours, reader).await;
    let candidates: Vec<MemoryId> = rows.iter().map(|row| row.memory).collect();
    let visible = tx.authorize(&candidates, &MemoryFilter::default()).await;
    let visible = visible.unwrap();
    let ids: Vec<MemoryId> = visible.iter().map(skep_store::Visible::id).collect();
    assert_eq!(ids, expected, "authorize as {reader:?}");
    let loaded = tx.load(&visible).await.unwrap();
    let ids: Vec<MemoryId> = loaded.iter().map(|memory| memory.id).collect();
    assert_eq!(ids, expected, "load as {reader:?}, in the order asked for");
    let page = PageOf {
        limit: 200,
        before: None,
    };
    let listed = tx.list_memories(&MemoryFilter::default(), page).await;
    let mut ids: Vec<MemoryId> = listed.unwrap().iter().map(|memory| memory.id).collect();
    ids.reverse();
    assert_eq!(ids, expected, "list as {reader:?}");
    for row in open {
        assert!(tx.get_memory(row.memory).await.unwrap().is_some());
    }
    for row in shut {
        let got = tx.get_memory(row.memory).await.unwrap();
        assert!(got.is_none(), "{reader:?} got {:?}", row.facts);
    }
}

async fn read_sessions<H: Harness>(
    world: &World<H>,
    reader: Persona,
    rows: &[Row],
    open: &[&Row],
    shut: &[&Row],
) {
    let expected: Vec<SessionId> = open.iter().map(|row| row.session).collect();
    let mut tx: Tx<SessionRead> = world.begin(&world.ours, reader).await;
    let page = PageOf {
        limit: 200,
        before: None,
    };
    let listed = tx.list_sessions(page).await.unwrap();
    let mut ids: Vec<SessionId> = listed.iter().map(|session| session.id).collect();
    ids.reverse();
    assert_eq!(ids, expected, "list as {reader:?}");
    assert!(listed.iter().all(|session| session.memories == 1));
    let all: Vec<TurnId> = rows.iter().map(|row| row.turn).collect();
    let turns = tx.get_turns(&all).await.unwrap();
    let ids: Vec<TurnId> = turns.iter().map(|turn| turn.turn.id).collect();
    let expected: Vec<TurnId> = open.iter().map(|row| row.turn).collect();
    assert_eq!(ids, expected, "turns as {reader:?}, in the order asked for");
    for row in open {
        assert!(tx.get_session(row.session).await.unwrap().is_some());
        assert_eq!(tx.list_turns(row.session, 0, 9).await.unwrap().len(), 1);
    }
    for row in shut {
        let got = tx.get_session(row.session).await.unwrap();
        assert!(got.is_none(), "{reader:?} got {:?}", row.facts);
        assert!(tx.list_turns(row.session, 0, 9).await.unwrap().is_empty());
    }
}

async fn forget_shut<H: Harness>(world: &World<H>, reader: Persona, shut: &[&Row]) {
    let mut tx: Tx<MemoryDelete> = world.begin(&world.ours, reader).await;
    for row in shut {
        let forgotten = tx.forget(row.memory, "none of yours", world.store().now());
        assert_eq!(
            forgotten.await.unwrap(),
            None,
            "{reader:?}: {:?}",
            row.facts
        );
    }
    assert_eq!(tx.commit().await.unwrap().seq, 15);
}

/// The daemon sees every row of the change feed, and none through what serves a caller.
async fn daemon_sees_nobodys_list<H: Harness>(world: &World<H>, rows: &[Row]) {
    let mut tx = world.survey(&world.ours).await;
    let changes = tx.list_changes((0, None), 200).await.unwrap();
    assert_eq!(changes.len(), rows.len());
    let candidates: Vec<MemoryId> = rows.iter().map(|row| row.memory).collect();
    let visible = tx.authorize(&candidates, &MemoryFilter::default()).await;
    assert!(visible.unwrap().is_empty());
    let page = PageOf {
        limit: 200,
        before: None,
    };
    assert!(tx.list_sessions(page).await.unwrap().is_empty());
    assert!(tx.get_memory(rows[0].memory).await.unwrap().is_none());
}
