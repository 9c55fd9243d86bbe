//! What was committed is there after everything was closed and opened again.

use skep_authz::rights::{MemoryRead, MemoryWrite, SessionCapture, SessionRead};
use skep_domain::SessionState;
use skep_store::{Project, Tx};

use crate::Harness;
use crate::sample::{fresh, new_memory, new_session, new_turns};
use crate::world::{Persona, Tenant, World};

const HUMAN: Persona = Persona::Human;

pub(crate) async fn everything_is_there_after_reopening<H: Harness>() {
    let mut world = World::<H>::new().await;
    let store = world.store();
    let project = Project {
        id: store.mint(),
        name: "skep".into(),
    };
    let (mut session, turns) = (new_session(store, "a"), new_turns(store, "t", 3));
    let mut memory = new_memory(store, "statement");
    session.project = Some(project.id);
    memory.project = Some(project.id);
    memory.session = Some(session.id);
    memory.turns = turns.iter().map(|turn| turn.id).collect();
    let mut tx: Tx<SessionCapture> = world.begin(&world.ours, HUMAN).await;
    tx.put_project(&project).await.unwrap();
    tx.put_session(&session).await.unwrap();
    tx.append_turns(session.id, &turns).await.unwrap();
    fresh(tx.put_memory(memory.clone()).await.unwrap());
    tx.put_cursor("source", "here").await.unwrap();
    tx.commit().await.unwrap();
    let mut tx: Tx<SessionCapture> = world.begin(&world.ours, HUMAN).await;
    let ended = tx.set_session_state(session.id, SessionState::Ended);
    ended.await.unwrap();
    assert_eq!(tx.commit().await.unwrap().seq, 2);

    for _ in 0..2 {
        world.reopen().await;
        let mut tx: Tx<SessionRead> = world.begin(&world.ours, HUMAN).await;
        assert_eq!(tx.seq().await.unwrap(), 2);
        let kept = tx.get_session(session.id).await.unwrap().unwrap();
        assert_eq!(kept.state, SessionState::Ended);
        assert_eq!(kept.project.as_deref(), Some("skep"));
        assert_eq!(kept.title, session.title);
        assert_eq!((kept.turns, kept.memories), (3, 1));
        let kept = tx.list_turns(session.id, 0, 9).await.unwrap();
        for (kept, put) in kept.iter().zip(&turns) {
            assert_eq!(kept.turn.id, put.id);
            assert_eq!(kept.turn.text, put.text);
            assert_eq!(kept.turn.paths, put.paths);
            assert_eq!(kept.turn.at, put.at);
        }
        let cursor = tx.get_cursor("source").await.unwrap();
        assert_eq!(cursor.as_deref(), Some("here"));
        let kept = tx.get_memory(memory.id).await.unwrap().unwrap();
        assert_eq!(kept.body, memory.body);
        assert_eq!(kept.turns, memory.turns);
        assert_eq!(kept.validity, memory.validity);
        assert_eq!(kept.session, Some(session.id));
        drop(tx);
    }
    let mut tx: Tx<MemoryWrite> = world.begin(&world.ours, HUMAN).await;
    let again = tx.put_memory(memory.clone()).await.unwrap();
    assert_eq!(again, skep_store::Kept::Known(memory.id));
}

/// More workspaces than a backend keeps open at once, used in turn and then again.
pub(crate) async fn many_workspaces_open_in_turn<H: Harness>() {
    let world = World::<H>::new().await;
    let tenants: Vec<Tenant> = (1_000..1_100).map(Tenant::from_seed).collect();
    for tenant in &tenants {
        world.put_workspace_of_one(tenant).await.unwrap();
        put_one(&world, tenant).await;
    }
    for tenant in tenants.iter().rev() {
        put_one(&world, tenant).await;
        let mut tx: Tx<MemoryRead> = world.begin(tenant, HUMAN).await;
        assert_eq!(tx.seq().await.unwrap(), 2);
    }
}

async fn put_one<H: Harness>(world: &World<H>, tenant: &Tenant) {
    let mut tx: Tx<MemoryWrite> = world.begin(tenant, HUMAN).await;
    let now = world.store().now();
    let memory = new_memory(world.store(), &format!("{}", now.as_micros()));
    fresh(tx.put_memory(memory).await.unwrap());
    tx.commit().await.unwrap();
}
