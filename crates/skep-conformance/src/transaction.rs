//! Transactions: all or nothing, each by itself, and nobody waits for a writer but writers.

use std::pin::pin;
use std::task::{Context, Waker};

use skep_authz::rights::{MemoryRead, MemoryWrite, SessionCapture, SessionRead};
use skep_domain::MemoryId;
use skep_store::{MemoryFilter, PageOf, Project, Tx};

use crate::Harness;
use crate::sample::{fresh, new_memory, new_session, new_turns, put_session};
use crate::world::{Persona, World};

const HUMAN: Persona = Persona::Human;

async fn memories<H: Harness>(world: &World<H>) -> Vec<MemoryId> {
    let mut tx: Tx<MemoryRead> = world.begin(&world.ours, HUMAN).await;
    list(&mut tx).await
}

async fn list(tx: &mut Tx<MemoryRead>) -> Vec<MemoryId> {
    let page = PageOf {
        limit: 200,
        before: None,
    };
    let listed = tx.list_memories(&MemoryFilter::default(), page).await;
    let listed = listed.unwrap();
    listed.iter().map(|memory| memory.id).collect()
}

pub(crate) async fn uncommitted_rows_are_invisible<H: Harness>() {
    let world = World::<H>::new().await;
    let mut tx: Tx<SessionCapture> = world.begin(&world.ours, HUMAN).await;
    let session = put_session(&mut tx, world.store(), "a", 2).await;
    let memory = new_memory(world.store(), "a");
    let memory = fresh(tx.put_memory(memory).await.unwrap());
    assert!(tx.get_memory(memory).await.unwrap().is_some(), "by its own");

    assert!(memories(&world).await.is_empty());
    let mut other: Tx<SessionRead> = world.begin(&world.ours, HUMAN).await;
    assert!(other.get_session(session).await.unwrap().is_none());
    assert_eq!(other.seq().await.unwrap(), 0);
    drop(other);

    tx.commit().await.unwrap();
    assert_eq!(memories(&world).await, [memory]);
    let mut other: Tx<SessionRead> = world.begin(&world.ours, HUMAN).await;
    assert_eq!(other.get_session(session).await.unwrap().unwrap().turns, 2);
}

pub(crate) async fn t05_a_dropped_transaction_leaves_nothing<H: Harness>() {
    let world = World::<H>::new().await;
    let store = world.store();
    for _ in 0..20 {
        let mut tx: Tx<SessionCapture> = world.begin(&world.ours, HUMAN).await;
        let project = Project {
            id: store.mint(),
            name: "skep".into(),
        };
        tx.put_project(&project).await.unwrap();
        put_session(&mut tx, store, "a", 3).await;
        tx.put_cursor("source", "here").await.unwrap();
        fresh(tx.put_memory(new_memory(store, "a")).await.unwrap());
        assert_eq!(tx.seq().await.unwrap(), 1);
        drop(tx);

        let mut tx: Tx<MemoryRead> = world.begin(&world.ours, HUMAN).await;
        assert_eq!(tx.seq().await.unwrap(), 0);
        assert_eq!(tx.get_project("skep").await.unwrap(), None);
        assert_eq!(tx.get_cursor("source").await.unwrap(), None);
        assert!(list(&mut tx).await.is_empty());
        let page = PageOf {
            limit: 9,
            before: None,
        };
        assert!(tx.list_sessions(page).await.unwrap().is_empty());
    }
}

/// A caller that goes away in the middle of a call, as a request does when its client hangs up.
pub(crate) async fn t05_a_call_given_up_half_way_leaves_nothing<H: Harness>() {
    let world = World::<H>::new().await;
    let store = world.store();
    let mut tx: Tx<SessionCapture> = world.begin(&world.ours, HUMAN).await;
    let session = tx.put_session(&new_session(store, "a")).await.unwrap();
    tx.commit().await.unwrap();

    // A call may be over before it can be given up, if the machine is busy enough.
    let (mut given_up, mut round) = (0, 0);
    while given_up < 8 {
        round += 1;
        assert!(round < 400, "hardly a call could be given up");
        let mut tx: Tx<SessionCapture> = world.begin(&world.ours, HUMAN).await;
        let turns = new_turns(store, &format!("{round}"), 100);
        tx.append_turns(session, &turns[..10]).await.unwrap();
        let pending = {
            let mut call = pin!(tx.append_turns(session, &turns[10..]));
            let polled = call.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            polled.is_pending()
        };
        given_up += usize::from(pending);
        if pending && given_up % 2 == 0 {
            let commit = tx.commit().await;
            assert!(commit.is_err(), "half of it must not be committed");
        } else {
            drop(tx);
        }

        let mut tx: Tx<SessionRead> = world.begin(&world.ours, HUMAN).await;
        assert_eq!(tx.seq().await.unwrap(), 1);
        assert!(tx.list_turns(session, 0, 9).await.unwrap().is_empty());
    }
    let mut tx: Tx<SessionCapture> = world.begin(&world.ours, HUMAN).await;
    let turns = new_turns(store, "at last", 3);
    tx.append_turns(session, &turns).await.unwrap();
    assert_eq!(tx.commit().await.unwrap().seq, 2);
}

pub(crate) async fn an_error_ends_the_transaction<H: Harness>() {
    let world = World::<H>::new().await;
    let store = world.store();
    let mut tx: Tx<MemoryWrite> = world.begin(&world.ours, HUMAN).await;
    fresh(tx.put_memory(new_memory(store, "a")).await.unwrap());
    let turns = new_turns(store, "t", 1);
    let nowhere = store.mint();
    assert!(tx.append_turns(nowhere, &turns).await.is_err());
    assert!(tx.commit().await.is_err());
    assert!(memories(&world).await.is_empty());
}

pub(crate) async fn readers_go_on_during_a_long_write<H: Harness>() {
    let world = World::<H>::new().await;
    let store = world.store();
    let mut tx: Tx<SessionCapture> = world.begin(&world.ours, HUMAN).await;
    let before = fresh(tx.put_memory(new_memory(store, "before")).await.unwrap());
    tx.commit().await.unwrap();

    let mut writer: Tx<SessionCapture> = world.begin(&world.ours, HUMAN).await;
    for n in 0..10 {
        put_session(&mut writer, store, &format!("session {n}"), 100).await;
        let memory = new_memory(store, &format!("during {n}"));
        fresh(writer.put_memory(memory).await.unwrap());
        assert_eq!(memories(&world).await, [before], "while it is open");
    }
    let mut theirs: Tx<MemoryWrite> = world.begin(&world.theirs, HUMAN).await;
    let elsewhere = theirs.put_memory(new_memory(store, "elsewhere")).await;
    fresh(elsewhere.unwrap());
    theirs.commit().await.unwrap();

    writer.commit().await.unwrap();
    assert_eq!(memories(&world).await.len(), 11);
}

pub(crate) async fn a_reader_keeps_its_view<H: Harness>() {
    let world = World::<H>::new().await;
    let store = world.store();
    let mut reader: Tx<MemoryRead> = world.begin(&world.ours, HUMAN).await;
    assert!(list(&mut reader).await.is_empty());
    for n in 0..3 {
        let mut tx: Tx<MemoryWrite> = world.begin(&world.ours, HUMAN).await;
        let memory = new_memory(store, &format!("{n}"));
        let id = fresh(tx.put_memory(memory).await.unwrap());
        tx.commit().await.unwrap();
        assert!(list(&mut reader).await.is_empty());
        assert_eq!(reader.seq().await.unwrap(), 0);
        assert!(reader.get_memory(id).await.unwrap().is_none());
        assert_eq!(memories(&world).await.len(), n + 1);
    }
    assert_eq!(reader.commit().await.unwrap().seq, 0);
}

pub(crate) async fn writers_take_turns<H: Harness>() {
    const WRITERS: usize = 16;
    let world = std::sync::Arc::new(World::<H>::new().await);
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..WRITERS {
        let world = std::sync::Arc::clone(&world);
        tasks.spawn(async move {
            let mut tx: Tx<SessionCapture> = world.begin(&world.ours, HUMAN).await;
            // All of them append to one session: a lost update would show in its ordinals.
            let session = new_session(world.store(), "one for all");
            let session = tx.put_session(&session).await.unwrap();
            let turns = new_turns(world.store(), &format!("writer {n}"), 5);
            tx.append_turns(session, &turns).await.unwrap();
            (session, tx.commit().await.unwrap().seq)
        });
    }
    let mut done = tasks.join_all().await;
    done.sort_unstable_by_key(|(_, seq)| *seq);
    let seqs: Vec<u64> = done.iter().map(|(_, seq)| *seq).collect();
    assert_eq!(seqs, (1..=WRITERS as u64).collect::<Vec<_>>());
    let mut tx: Tx<SessionRead> = world.begin(&world.ours, HUMAN).await;
    let turns = tx.list_turns(done[0].0, 0, 200).await.unwrap();
    let ordinals: Vec<u64> = turns.iter().map(|turn| turn.ordinal).collect();
    assert_eq!(ordinals, (0..5 * WRITERS as u64).collect::<Vec<_>>());
}
