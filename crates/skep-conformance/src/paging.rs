//! Pages: every row once, whatever the page's size and whatever is written meanwhile.

use std::collections::BTreeMap;

use skep_authz::rights::{MemoryDelete, MemoryRead, MemoryWrite, SessionCapture, SessionRead};
use skep_domain::{MemoryId, MemoryKind, MemoryState, SessionId};
use skep_store::{MemoryFilter, NewVector, PageOf, Project, Tx};

use crate::Harness;
use crate::sample::{fresh, new_memory, new_session, put_session};
use crate::world::{Persona, World};

const HUMAN: Persona = Persona::Human;
const ROWS: usize = 230;
const SIZES: [u32; 4] = [1, 7, 199, 200];

async fn put_memories<H: Harness>(world: &World<H>, prefix: &str, count: usize) -> Vec<MemoryId> {
    let mut tx: Tx<MemoryWrite> = world.begin(&world.ours, HUMAN).await;
    let mut ids = Vec::new();
    for n in 0..count {
        let memory = new_memory(world.store(), &format!("{prefix} {n}"));
        ids.push(fresh(tx.put_memory(memory).await.unwrap()));
    }
    tx.commit().await.unwrap();
    ids
}

/// All pages, each in a transaction of its own, with rows arriving in between.
async fn memory_pages<H: Harness>(
    world: &World<H>,
    filter: &MemoryFilter,
    limit: u32,
    arriving: &str,
) -> Vec<MemoryId> {
    let mut seen: Vec<MemoryId> = Vec::new();
    loop {
        let mut tx: Tx<MemoryRead> = world.begin(&world.ours, HUMAN).await;
        let page = PageOf {
            limit,
            before: seen.last().copied(),
        };
        let page = tx.list_memories(filter, page).await.unwrap();
        assert!(page.len() <= limit as usize);
        if page.is_empty() {
            return seen;
        }
        if seen.len() % 50 < limit as usize {
            let name = format!("{arriving} {limit} {}", seen.len());
            put_memories(world, &name, 1).await;
        }
        seen.extend(page.iter().map(|memory| memory.id));
    }
}

pub(crate) async fn memories_page_without_gap_or_double_while_more_arrive<H: Harness>() {
    let world = World::<H>::new().await;
    let mut expected = put_memories(&world, "row", ROWS).await;
    expected.reverse();
    for limit in SIZES {
        let seen = memory_pages(&world, &MemoryFilter::default(), limit, "arrived").await;
        let known: Vec<MemoryId> = seen
            .iter()
            .copied()
            .filter(|id| expected.contains(id))
            .collect();
        assert_eq!(known, expected, "pages of {limit}");
        assert!(seen.is_sorted_by(|a, b| a > b), "newest first, none twice");
    }
    one_project_only(&world).await;
}

async fn one_project_only<H: Harness>(world: &World<H>) {
    let store = world.store();
    let mut tx: Tx<MemoryWrite> = world.begin(&world.ours, HUMAN).await;
    let project = Project {
        id: store.mint(),
        name: "skep".into(),
    };
    let project = tx.put_project(&project).await.unwrap();
    let mut expected = Vec::new();
    for n in 0..30 {
        let mut memory = new_memory(store, &format!("project {n}"));
        memory.project = (n % 3 == 0).then_some(project);
        memory.kind = MemoryKind::ALL[n % 7];
        let (project, kind) = (memory.project, memory.kind);
        let id = fresh(tx.put_memory(memory).await.unwrap());
        if project.is_some() && kind == MemoryKind::Fact {
            expected.insert(0, id);
        }
    }
    tx.commit().await.unwrap();
    let filter = MemoryFilter {
        project: Some(project),
        kinds: vec![MemoryKind::Fact],
        as_of: None,
    };
    let seen = memory_pages(world, &filter, 1, "not of the project").await;
    assert_eq!(seen, expected);
    let mut tx: Tx<MemoryRead> = world.begin(&world.ours, HUMAN).await;
    let page = PageOf {
        limit: 1,
        before: None,
    };
    let page = tx.list_memories(&filter, page).await.unwrap();
    assert_eq!(page[0].project.as_deref(), Some("skep"));
    facts_are_those_of_the_memories(&mut tx, &filter).await;
    facts_are_those_of_the_memories(&mut tx, &MemoryFilter::default()).await;
}

/// A walk over facts meets the same memories as a listing, and says of each what it says.
async fn facts_are_those_of_the_memories(tx: &mut Tx<MemoryRead>, filter: &MemoryFilter) {
    let (mut before, mut walked) = (None, 0);
    loop {
        let page = PageOf { limit: 200, before };
        let memories = tx.list_memories(filter, page).await.unwrap();
        let facts = tx.list_memory_facts(filter, page).await.unwrap();
        let of_memories = memories.iter().map(|memory| {
            let project = memory.project_id.zip(memory.project.clone());
            (memory.id, memory.kind, memory.validity.from, project)
        });
        let of_facts = facts.iter().map(|facts| {
            let project = facts.project.as_ref();
            let project = project.map(|(id, name)| (*id, name.to_string()));
            (facts.id, facts.kind, facts.valid_from, project)
        });
        assert!(of_memories.eq(of_facts), "{filter:?}");
        let Some(last) = facts.last() else { break };
        (before, walked) = (Some(last.id), walked + facts.len());
    }
    assert!(walked > 0, "{filter:?}");
}

pub(crate) async fn sessions_page_without_gap_or_double_while_more_arrive<H: Harness>() {
    let world = World::<H>::new().await;
    let mut tx: Tx<SessionCapture> = world.begin(&world.ours, HUMAN).await;
    let mut expected = Vec::new();
    for n in 0..ROWS {
        let session = new_session(world.store(), &format!("session {n}"));
        expected.insert(0, tx.put_session(&session).await.unwrap());
    }
    tx.commit().await.unwrap();
    for limit in SIZES {
        let mut seen: Vec<SessionId> = Vec::new();
        loop {
            let mut tx: Tx<SessionRead> = world.begin(&world.ours, HUMAN).await;
            let page = PageOf {
                limit,
                before: seen.last().copied(),
            };
            let page = tx.list_sessions(page).await.unwrap();
            if page.is_empty() {
                break;
            }
            if seen.len().is_multiple_of(100) {
                let mut tx: Tx<SessionCapture> = world.begin(&world.ours, HUMAN).await;
                let name = format!("arrived {limit} {}", seen.len());
                put_session(&mut tx, world.store(), &name, 0).await;
                tx.commit().await.unwrap();
            }
            seen.extend(page.iter().map(|session| session.id));
        }
        seen.retain(|id| expected.contains(id));
        assert_eq!(seen, expected, "pages of {limit}");
    }
}

pub(crate) async fn turns_page_by_ordinal<H: Harness>() {
    let world = World::<H>::new().await;
    let mut tx: Tx<SessionCapture> = world.begin(&world.ours, HUMAN).await;
    let session = put_session(&mut tx, world.store(), "a", ROWS).await;
    put_session(&mut tx, world.store(), "b", 5).await;
    tx.commit().await.unwrap();
    for limit in SIZES {
        let mut next = 0;
        let mut tx: Tx<SessionRead> = world.begin(&world.ours, HUMAN).await;
        loop {
            let page = tx.list_turns(session, next, limit).await.unwrap();
            let Some(last) = page.last() else { break };
            let ordinals: Vec<u64> = page.iter().map(|turn| turn.ordinal).collect();
            let expected: Vec<u64> = (next..).take(page.len()).collect();
            assert_eq!(ordinals, expected);
            assert!(page.iter().all(|turn| turn.session == session));
            next = last.ordinal + 1;
        }
        assert_eq!(next, ROWS as u64);
    }
}

/// A feed of changes, read in small pages while memories are added, change their state and get
/// vectors, ends with what is there.
pub(crate) async fn changes_page_without_gap_while_rows_move<H: Harness>() {
    let world = World::<H>::new().await;
    let ids = put_memories(&world, "row", 40).await;
    let mut known: BTreeMap<MemoryId, (MemoryState, bool)> = BTreeMap::new();
    let mut after = (0, None);
    let mut round = 0;
    loop {
        let mut daemon = world.survey(&world.ours).await;
        let page = daemon.list_changes(after, 7).await.unwrap();
        let places: Vec<_> = page.iter().map(|row| (row.seq, Some(row.id))).collect();
        assert!(places.iter().all(|place| *place > after), "in order");
        assert!(places.is_sorted());
        let Some(last) = places.last() else { break };
        after = *last;
        for row in page {
            known.insert(row.id, (row.state, row.vector.is_some()));
        }
        if round < 6 {
            disturb(&world, &ids, round).await;
        }
        round += 1;
    }
    let mut daemon = world.survey(&world.ours).await;
    let seq = daemon.seq().await.unwrap();
    assert_eq!(after.0, seq);
    assert!(
        daemon
            .list_changes((seq, None), 7)
            .await
            .unwrap()
            .is_empty()
    );
    let all = daemon.list_changes((0, None), 200).await.unwrap();
    let all: BTreeMap<_, _> = all
        .into_iter()
        .map(|row| (row.id, (row.state, row.vector.is_some())))
        .collect();
    assert_eq!(known, all);
    assert_eq!(all.len(), 46);
    let forgotten = |state: &&(MemoryState, bool)| state.0 == MemoryState::Forgotten;
    assert_eq!(all.values().filter(forgotten).count(), 6);
    assert_eq!(all.values().filter(|state| state.1).count(), 6);
}

async fn disturb<H: Harness>(world: &World<H>, ids: &[MemoryId], round: usize) {
    put_memories(world, &format!("late {round}"), 1).await;
    let mut tx: Tx<MemoryDelete> = world.begin(&world.ours, HUMAN).await;
    let forgotten = tx.forget(ids[round], "old", world.store().now());
    assert_eq!(forgotten.await.unwrap(), Some(true));
    tx.commit().await.unwrap();
    let mut tx = world.maintain(&world.ours).await;
    let vector = NewVector {
        id: ids[20 + round],
        dim: 1,
        bytes: vec![9],
    };
    tx.put_vectors([3; 8], vec![vector]).await.unwrap();
    tx.commit().await.unwrap();
}
