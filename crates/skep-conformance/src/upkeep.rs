//! What the daemon's own jobs rely on: distilling, vectors, counts.

use skep_authz::rights::{MemoryDelete, MemoryWrite, SessionCapture};
use skep_domain::{MemoryId, MemoryState, SessionState};
use skep_store::row::CountsRow;
use skep_store::{Change, NewVector, Tx};

use crate::Harness;
use crate::sample::{fresh, new_memory, new_turns, put_session};
use crate::world::{Persona, World};

const HUMAN: Persona = Persona::Human;
const OLD: [u8; 8] = [9; 8];
const NOW: [u8; 8] = [5; 8];
const NEXT: [u8; 8] = [7; 8];

pub(crate) async fn distilling_goes_on_where_it_stopped<H: Harness>() {
    let world = World::<H>::new().await;
    let store = world.store();
    let mut tx: Tx<SessionCapture> = world.begin(&world.ours, HUMAN).await;
    let session = put_session(&mut tx, store, "a", 5).await;
    put_session(&mut tx, store, "without turns", 0).await;
    tx.commit().await.unwrap();

    let mut tx = world.maintain(&world.ours).await;
    let open = tx.list_undistilled(9).await.unwrap();
    assert_eq!(open.len(), 1);
    assert_eq!((open[0].session, open[0].from, open[0].to), (session, 0, 5));
    assert!(!open[0].ended);
    let about = tx.get_distil_session(session).await.unwrap().unwrap();
    assert_eq!(about.owner, HUMAN.principal());
    let turns = tx.list_turns_to_distil(session, 2, 2).await.unwrap();
    let ordinals: Vec<u64> = turns.iter().map(|turn| turn.ordinal).collect();
    assert_eq!(ordinals, [2, 3]);
    let mut memory = new_memory(store, "distilled");
    memory.session = Some(session);
    memory.turns = turns.iter().map(|turn| turn.turn.id).collect();
    let cited = memory.turns.clone();
    let memory = fresh(tx.put_distilled(&about, memory).await.unwrap());
    tx.set_distilled(session, 4).await.unwrap();
    tx.commit().await.unwrap();

    let mut tx: Tx<SessionCapture> = world.begin(&world.ours, HUMAN).await;
    let kept = tx.get_memory(memory).await.unwrap().unwrap();
    assert_eq!((kept.turns, kept.owner), (cited, HUMAN.principal()));
    let turns = new_turns(store, "more", 2);
    tx.append_turns(session, &turns).await.unwrap();
    let ended = tx.set_session_state(session, SessionState::Ended);
    ended.await.unwrap();
    tx.commit().await.unwrap();

    let mut tx = world.maintain(&world.ours).await;
    let state = tx.get_distil_state(session).await.unwrap().unwrap();
    assert_eq!((state.from, state.to, state.ended), (4, 7, true));
    tx.set_distilled(session, 7).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = world.survey(&world.ours).await;
    assert!(tx.list_undistilled(9).await.unwrap().is_empty());
}

/// So that a sitting of many open sessions never keeps finished work waiting.
pub(crate) async fn ended_sessions_are_distilled_first<H: Harness>() {
    let world = World::<H>::new().await;
    let mut tx: Tx<SessionCapture> = world.begin(&world.ours, HUMAN).await;
    let mut expected = Vec::new();
    for (name, turns, state) in [
        ("small", 1, SessionState::Open),
        ("large", 9, SessionState::Open),
        ("ended", 2, SessionState::Ended),
    ] {
        let session = put_session(&mut tx, world.store(), name, turns).await;
        tx.set_session_state(session, state).await.unwrap();
        expected.insert(0, session);
    }
    tx.commit().await.unwrap();
    let mut tx = world.survey(&world.ours).await;
    let sessions = tx.list_undistilled(2).await.unwrap();
    let sessions: Vec<_> = sessions.iter().map(|row| row.session).collect();
    assert_eq!(sessions, expected[..2]);
}

async fn put_memories<H: Harness>(world: &World<H>, count: usize) -> Vec<MemoryId> {
    let mut tx: Tx<MemoryWrite> = world.begin(&world.ours, HUMAN).await;
    let mut ids = Vec::new();
    for n in 0..count {
        let memory = new_memory(world.store(), &format!("{n}"));
        ids.push(fresh(tx.put_memory(memory).await.unwrap()));
    }
    tx.commit().await.unwrap();
    ids
}

pub(crate) async fn embed<H: Harness>(world: &World<H>, model: [u8; 8], ids: &[MemoryId]) -> u64 {
    let mut tx = world.maintain(&world.ours).await;
    let vectors = ids.iter().map(|id| NewVector {
        id: *id,
        dim: 2,
        bytes: vec![model[0], 1],
    });
    tx.put_vectors(model, vectors.collect()).await.unwrap();
    tx.commit().await.unwrap().seq
}

async fn unembedded<H: Harness>(world: &World<H>, model: [u8; 8], limit: u32) -> Vec<MemoryId> {
    let mut tx = world.survey(&world.ours).await;
    let rows = tx.list_unembedded(model, limit).await.unwrap();
    rows.iter().map(|row| row.id).collect()
}

pub(crate) async fn a_vector_is_a_change<H: Harness>() {
    let world = World::<H>::new().await;
    let ids = put_memories(&world, 4).await;
    let seq = embed(&world, NOW, &ids[1..3]).await;
    assert_eq!(seq, 2);
    let mut tx = world.survey(&world.ours).await;
    let changes = tx.list_changes((1, None), 9).await.unwrap();
    let moved: Vec<_> = changes.iter().map(|row| (row.seq, row.id)).collect();
    assert_eq!(moved, [(2, ids[1]), (2, ids[2])]);
    let (model, bytes) = changes[0].vector.as_ref().unwrap();
    assert_eq!((*model, bytes.as_slice()), (NOW, &[NOW[0], 1][..]));
    assert_eq!(changes[0].body.key, "1");
    let all = tx.list_changes((0, None), 9).await.unwrap();
    let order: Vec<_> = all.iter().map(|row| row.id).collect();
    assert_eq!(order, [ids[0], ids[3], ids[1], ids[2]], "each once");
}

pub(crate) async fn t01_a_walk_meets_every_row_of_its_own_workspace_once<H: Harness>() {
    let world = World::<H>::new().await;
    let ids = put_memories(&world, 7).await;
    embed(&world, OLD, &ids[..2]).await;
    embed(&world, NOW, &ids[2..6]).await;
    let mut tx: Tx<MemoryDelete> = world.begin(&world.ours, HUMAN).await;
    let forgotten = tx.forget(ids[5], "old", world.store().now());
    forgotten.await.unwrap();
    tx.commit().await.unwrap();

    let mut tx = world.survey(&world.ours).await;
    let (mut memories, mut vectors) = (Vec::new(), Vec::new());
    let mut from = Some(0);
    while let Some(place) = from {
        let part = tx.walk_memories(place, 2).await.unwrap();
        assert!(part.rows.len() <= 2);
        memories.extend(part.rows);
        from = part.next;
    }
    let mut from = Some(0);
    while let Some(place) = from {
        let part = tx.walk_vectors(NOW, place, 2).await.unwrap();
        vectors.extend(part.rows);
        from = part.next;
    }
    let changes = tx.list_changes((0, None), 99).await.unwrap();
    let mut live: Vec<_> = changes
        .iter()
        .filter(|row| row.state != MemoryState::Forgotten)
        .collect();
    live.sort_by_key(|row| row.id);
    memories.sort_by_key(|row| row.id);
    let told = |row: &Change| (row.seq, row.id, row.kind, row.project, row.body.clone());
    let walked: Vec<_> = memories.iter().map(told).collect();
    assert_eq!(walked, live.into_iter().map(told).collect::<Vec<_>>());
    assert_eq!(walked.len(), 6);
    vectors.sort();
    let expected = ids[2..6].iter().map(|id| (*id, vec![NOW[0], 1]));
    assert_eq!(vectors, expected.collect::<Vec<_>>());

    let mut tx = world.survey(&world.theirs).await;
    assert!(tx.walk_memories(0, 9).await.unwrap().rows.is_empty());
    assert!(tx.walk_vectors(NOW, 0, 9).await.unwrap().rows.is_empty());
}

pub(crate) async fn another_model_asks_for_its_own_vectors<H: Harness>() {
    let world = World::<H>::new().await;
    let ids = put_memories(&world, 6).await;
    embed(&world, OLD, &ids[..2]).await;
    embed(&world, NOW, &ids[2..4]).await;
    let mut tx: Tx<MemoryDelete> = world.begin(&world.ours, HUMAN).await;
    let forgotten = tx.forget(ids[5], "old", world.store().now());
    forgotten.await.unwrap();
    tx.commit().await.unwrap();

    for (model, expected) in [
        (OLD, vec![2, 3, 4]),
        (NOW, vec![0, 1, 4]),
        (NEXT, vec![0, 1, 2, 3, 4]),
    ] {
        let mut found = unembedded(&world, model, 9).await;
        found.sort_unstable();
        let expected: Vec<_> = expected.into_iter().map(|n: usize| ids[n]).collect();
        assert_eq!(found, expected, "{model:?}");
        assert_eq!(unembedded(&world, model, 2).await.len(), 2);
        assert_eq!(
            unembedded(&world, model, 2).await[0],
            ids[4],
            "none at all first"
        );
    }
    embed(&world, NEXT, &ids[..5]).await;
    assert!(unembedded(&world, NEXT, 9).await.is_empty());
    assert_eq!(unembedded(&world, NOW, 9).await.len(), 5, "one vector each");
}

pub(crate) async fn counts_count<H: Harness>() {
    let world = World::<H>::new().await;
    let mut tx = world.survey(&world.ours).await;
    assert_eq!(tx.counts(NOW).await.unwrap(), CountsRow::default());
    drop(tx);
    let mut tx: Tx<SessionCapture> = world.begin(&world.ours, HUMAN).await;
    let session = put_session(&mut tx, world.store(), "a", 5).await;
    put_session(&mut tx, world.store(), "b", 2).await;
    tx.commit().await.unwrap();
    let ids = put_memories(&world, 6).await;
    embed(&world, NOW, &ids[..2]).await;
    embed(&world, OLD, &ids[2..3]).await;
    let mut tx: Tx<MemoryDelete> = world.begin(&world.ours, HUMAN).await;
    let forgotten = tx.forget(ids[0], "old", world.store().now());
    forgotten.await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = world.maintain(&world.ours).await;
    tx.set_distilled(session, 4).await.unwrap();
    tx.commit().await.unwrap();

    let mut tx = world.survey(&world.ours).await;
    let counts = CountsRow {
        sessions: 2,
        turns: 7,
        memories: 5,
        awaiting_vector: 4,
        awaiting_distil: 3,
    };
    assert_eq!(tx.counts(NOW).await.unwrap(), counts);
    let mut tx = world.survey(&world.theirs).await;
    assert_eq!(tx.counts(NOW).await.unwrap(), CountsRow::default());
}
