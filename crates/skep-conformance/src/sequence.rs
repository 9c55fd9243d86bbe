//! `seq`: one for every commit that changed something, and nothing else moves it.

use skep_authz::rights::{MemoryDelete, MemoryRead, MemoryWrite, SessionCapture};
use skep_domain::SessionState;
use skep_store::{NewVector, Project, Tx};

use crate::Harness;
use crate::sample::{fresh, new_memory, new_session, new_turns, put_session};
use crate::world::{Persona, World};

const HUMAN: Persona = Persona::Human;

async fn seq<H: Harness>(world: &World<H>) -> u64 {
    world.survey(&world.ours).await.seq().await.unwrap()
}

pub(crate) async fn every_writing_commit_adds_one<H: Harness>() {
    let world = World::<H>::new().await;
    let store = world.store();
    assert_eq!(seq(&world).await, 0);
    let mut expected = 0;
    for n in 0..5 {
        let mut tx: Tx<SessionCapture> = world.begin(&world.ours, HUMAN).await;
        assert_eq!(tx.seq().await.unwrap(), expected, "not before it wrote");
        expected += 1;
        put_session(&mut tx, store, &format!("session {n}"), 3).await;
        assert_eq!(tx.seq().await.unwrap(), expected, "once it wrote");
        let a = fresh(
            tx.put_memory(new_memory(store, &format!("a {n}")))
                .await
                .unwrap(),
        );
        let b = fresh(
            tx.put_memory(new_memory(store, &format!("b {n}")))
                .await
                .unwrap(),
        );
        assert_eq!(tx.commit().await.unwrap().seq, expected);
        assert_eq!(seq(&world).await, expected);
        let mut daemon = world.survey(&world.ours).await;
        let changes = daemon.list_changes((expected - 1, None), 9).await.unwrap();
        let changes: Vec<_> = changes.iter().map(|row| (row.seq, row.id)).collect();
        assert_eq!(
            changes,
            [(expected, a), (expected, b)],
            "one seq for all of it"
        );
    }
    assert_eq!(world.survey(&world.theirs).await.seq().await.unwrap(), 0);
}

pub(crate) async fn what_changes_nothing_adds_nothing<H: Harness>() {
    let world = World::<H>::new().await;
    let store = world.store();
    let session = new_session(store, "session");
    let turns = new_turns(store, "turn", 3);
    let project = Project {
        id: store.mint(),
        name: "skep".into(),
    };
    let mut memory = None;
    for _ in 0..2 {
        let mut tx: Tx<SessionCapture> = world.begin(&world.ours, HUMAN).await;
        tx.put_project(&project).await.unwrap();
        let session = tx.put_session(&session).await.unwrap();
        tx.append_turns(session, &turns).await.unwrap();
        tx.append_turns(session, &[]).await.unwrap();
        let open = tx.set_session_state(session, SessionState::Open);
        open.await.unwrap();
        let kept = tx.put_memory(new_memory(store, "statement")).await;
        memory.get_or_insert_with(|| fresh(kept.unwrap()));
        assert_eq!(tx.commit().await.unwrap().seq, 1);
    }
    let memory = memory.unwrap();

    let mut tx: Tx<MemoryRead> = world.begin(&world.ours, HUMAN).await;
    tx.get_memory(memory).await.unwrap();
    assert_eq!(tx.commit().await.unwrap().seq, 1);
    let tx: Tx<MemoryWrite> = world.begin(&world.ours, HUMAN).await;
    assert_eq!(tx.commit().await.unwrap().seq, 1, "nothing was asked of it");
    let mut tx = world.maintain(&world.ours).await;
    tx.put_vectors([1; 8], Vec::<NewVector>::new())
        .await
        .unwrap();
    assert_eq!(tx.commit().await.unwrap().seq, 1);

    let forgotten = [(Some(true), 2), (Some(false), 2)];
    for (outcome, seq) in forgotten {
        let mut tx: Tx<MemoryDelete> = world.begin(&world.ours, HUMAN).await;
        let done = tx.forget(memory, "reason", store.now()).await.unwrap();
        assert_eq!(done, outcome);
        assert_eq!(tx.commit().await.unwrap().seq, seq);
    }
}
