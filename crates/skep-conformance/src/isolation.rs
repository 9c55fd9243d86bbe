//! Nothing of one workspace shows in another, whatever id is asked for.

use skep_authz::rights::{MemoryDelete, MemoryRead, MemoryWrite, SessionCapture, SessionRead};
use skep_domain::{MemoryId, SessionId, SessionState, TurnId};
use skep_store::{MemoryFilter, NewVector, PageOf, Project, StoreError, Tx};

use crate::sample::{fresh, new_memory, new_session, new_turn, put_session};
use crate::world::{Persona, Tenant, World, survey};
use crate::{Harness, sample};

const HUMAN: Persona = Persona::Human;
const MODEL: [u8; 8] = [1; 8];

struct Filled {
    session: SessionId,
    turn: TurnId,
    memory: MemoryId,
}

/// One of everything, under names that both tenants use.
async fn fill<H: Harness>(world: &World<H>, tenant: &Tenant) -> Filled {
    let store = world.store();
    let mut tx: Tx<SessionCapture> = world.begin(tenant, HUMAN).await;
    let project = Project {
        id: store.mint(),
        name: "skep".into(),
    };
    let project = tx.put_project(&project).await.unwrap();
    let mut session = new_session(store, "default");
    session.project = Some(project);
    let session = tx.put_session(&session).await.unwrap();
    let turn = new_turn(store, "event");
    tx.append_turns(session, std::slice::from_ref(&turn))
        .await
        .unwrap();
    tx.put_cursor("source", "here").await.unwrap();
    let mut memory = new_memory(store, "statement");
    memory.project = Some(project);
    memory.session = Some(session);
    memory.turns = vec![turn.id];
    let memory = fresh(tx.put_memory(memory).await.unwrap());
    tx.commit().await.unwrap();
    Filled {
        session,
        turn: turn.id,
        memory,
    }
}

/// What a tenant's own transactions see of it.
#[derive(Debug, PartialEq)]
struct Seen {
    memories: Vec<MemoryId>,
    facts: Vec<MemoryId>,
    sessions: Vec<(SessionId, u64, SessionState)>,
    changes: Vec<MemoryId>,
    seq: u64,
    vectors: usize,
}

async fn see<H: Harness>(world: &World<H>, tenant: &Tenant) -> Seen {
    let mut tx: Tx<MemoryRead> = world.begin(tenant, HUMAN).await;
    let page = PageOf {
        limit: 200,
        before: None,
    };
    let filter = MemoryFilter::default();
    let memories = tx.list_memories(&filter, page).await.unwrap();
    let facts = tx.list_memory_facts(&filter, page).await.unwrap();
    let page = PageOf {
        limit: 200,
        before: None,
    };
    let sessions = tx.list_sessions(page).await.unwrap();
    let mut daemon = world.survey(tenant).await;
    let changes = daemon.list_changes((0, None), 200).await.unwrap();
    Seen {
        memories: memories.iter().map(|memory| memory.id).collect(),
        facts: facts.iter().map(|facts| facts.id).collect(),
        sessions: sessions
            .iter()
            .map(|session| (session.id, session.turns, session.state))
            .collect(),
        vectors: changes.iter().filter(|row| row.vector.is_some()).count(),
        changes: changes.into_iter().map(|change| change.id).collect(),
        seq: daemon.seq().await.unwrap(),
    }
}

pub(crate) async fn t01_foreign_ids_reach_nothing<H: Harness>() {
    let world = World::<H>::new().await;
    fill(&world, &world.ours).await;
    let foreign = fill(&world, &world.theirs).await;
    let before = see(&world, &world.theirs).await;

    read_foreign(&world, &foreign).await;
    write_foreign(&world, &foreign).await;
    maintain_foreign(&world, &foreign).await;

    assert_eq!(see(&world, &world.theirs).await, before);
}

async fn read_foreign<H: Harness>(world: &World<H>, foreign: &Filled) {
    let mut tx: Tx<MemoryRead> = world.begin(&world.ours, HUMAN).await;
    let candidates = [foreign.memory];
    let allowed = tx.authorize(&candidates, &MemoryFilter::default()).await;
    assert!(allowed.unwrap().is_empty());
    assert!(tx.get_memory(foreign.memory).await.unwrap().is_none());

    let mut theirs: Tx<MemoryRead> = world.begin(&world.theirs, HUMAN).await;
    let visible = theirs
        .authorize(&candidates, &MemoryFilter::default())
        .await;
    let loaded = tx.load(&visible.unwrap()).await;
    assert!(matches!(loaded, Err(StoreError::Refused(_))), "{loaded:?}");

    let mut tx: Tx<SessionRead> = world.begin(&world.ours, HUMAN).await;
    assert!(tx.get_session(foreign.session).await.unwrap().is_none());
    let turns = tx.list_turns(foreign.session, 0, 200).await.unwrap();
    assert!(turns.is_empty());
    assert!(tx.get_turns(&[foreign.turn]).await.unwrap().is_empty());
}

async fn write_foreign<H: Harness>(world: &World<H>, foreign: &Filled) {
    let mut tx: Tx<MemoryDelete> = world.begin(&world.ours, HUMAN).await;
    let forgotten = tx.forget(foreign.memory, "why not", world.store().now());
    assert_eq!(forgotten.await.unwrap(), None);
    tx.commit().await.unwrap();

    let turns = sample::new_turns(world.store(), "intruder", 2);
    let mut tx: Tx<SessionCapture> = world.begin(&world.ours, HUMAN).await;
    assert!(tx.append_turns(foreign.session, &turns).await.is_err());
    drop(tx);
    let mut tx: Tx<SessionCapture> = world.begin(&world.ours, HUMAN).await;
    let ended = tx.set_session_state(foreign.session, SessionState::Ended);
    assert!(ended.await.is_err());
    drop(tx);

    // A reference to a row of another workspace is a reference to nothing.
    let mut memory = new_memory(world.store(), "about a foreign session");
    memory.session = Some(foreign.session);
    let mut tx: Tx<MemoryWrite> = world.begin(&world.ours, HUMAN).await;
    assert!(tx.put_memory(memory).await.is_err());
}

async fn maintain_foreign<H: Harness>(world: &World<H>, foreign: &Filled) {
    let mut tx = world.maintain(&world.ours).await;
    let vector = NewVector {
        id: foreign.memory,
        dim: 2,
        bytes: vec![1, 2],
    };
    tx.put_vectors(MODEL, vec![vector]).await.unwrap();
    tx.commit().await.unwrap();

    let mut tx = world.maintain(&world.ours).await;
    let state = tx.get_distil_state(foreign.session).await.unwrap();
    assert_eq!(state, None);
    assert!(
        tx.get_distil_session(foreign.session)
            .await
            .unwrap()
            .is_none()
    );
    let turns = tx.list_turns_to_distil(foreign.session, 0, 10).await;
    assert!(turns.unwrap().is_empty());
    assert!(tx.set_distilled(foreign.session, 1).await.is_err());
}

/// A right in a workspace under another organization than its own opens nothing, even when the
/// workspace's keys were used a moment ago.
pub(crate) async fn t01_another_tenants_key_opens_nothing<H: Harness>() {
    let world = World::<H>::new().await;
    fill(&world, &world.ours).await;
    fill(&world, &world.theirs).await;
    let crossed = survey(world.theirs.organization, world.ours.workspace);
    let name = world.store().workspace_name(&crossed).await;
    assert!(name.is_err(), "{name:?}");
    let outcome = world.store().begin(crossed).await;
    assert!(outcome.is_err(), "{outcome:?}");
    let crossed = survey(world.theirs.organization, world.ours.workspace);
    assert!(world.store().get_snapshot(crossed).await.is_err());
    let nowhere = Tenant::from_seed(99);
    let absent = survey(nowhere.organization, nowhere.workspace);
    assert!(world.store().begin(absent).await.is_err());
}

pub(crate) async fn t09_the_same_names_are_disjoint<H: Harness>() {
    let world = World::<H>::new().await;
    let ours = fill(&world, &world.ours).await;
    let empty = see(&world, &world.theirs).await;
    assert!(empty.memories.is_empty() && empty.sessions.is_empty() && empty.seq == 0);
    let mut tx: Tx<SessionCapture> = world.begin(&world.theirs, HUMAN).await;
    assert_eq!(tx.get_project("skep").await.unwrap(), None);
    assert_eq!(tx.get_cursor("source").await.unwrap(), None);
    drop(tx);

    let theirs = fill(&world, &world.theirs).await;
    assert_ne!(ours.session, theirs.session);
    assert_eq!(see(&world, &world.ours).await.memories, [ours.memory]);
    assert_eq!(see(&world, &world.theirs).await.memories, [theirs.memory]);

    let mut tx: Tx<SessionCapture> = world.begin(&world.ours, HUMAN).await;
    put_session(&mut tx, world.store(), "another", 3).await;
    tx.put_cursor("source", "there").await.unwrap();
    tx.commit().await.unwrap();
    let mut tx: Tx<SessionRead> = world.begin(&world.theirs, HUMAN).await;
    let cursor = tx.get_cursor("source").await.unwrap();
    assert_eq!(cursor.as_deref(), Some("here"));
    assert_eq!(see(&world, &world.theirs).await.seq, 1);
}
