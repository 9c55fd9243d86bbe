//! The record of what was put in front of models: byte-exact, in order, and closed to whoever may
//! not see a memory in it.

use skep_authz::rights::{SessionCapture, SessionRead};
use skep_domain::{InjectionId, MemoryId, Moment, SessionId, Visibility};
use skep_store::{
    InjectedItem, Injection, InjectionBody, NewInjection, PageOf, Store, StoreError, Tx,
};

use crate::Harness;
use crate::sample::{fresh, new_memory, new_session};
use crate::world::{Persona, Tenant, World};

const HUMAN: Persona = Persona::Human;
const ALL: PageOf<InjectionId> = PageOf {
    limit: 200,
    before: None,
};

pub(crate) fn new_injection(
    store: &Store,
    session: SessionId,
    moment: Moment,
    memories: &[MemoryId],
) -> NewInjection {
    NewInjection {
        id: store.mint(),
        session,
        at: store.now(),
        moment,
        body: InjectionBody {
            anchor: String::new(),
            text: format!(
                "exact bytes, <escaped> & all\n of {} memories",
                memories.len()
            ),
            query: "what was asked".into(),
            floor: 0.25,
        },
        items: memories
            .iter()
            .map(|memory| InjectedItem {
                memory: *memory,
                scores: vec![("vector".into(), 0.5), ("rank".into(), 0.125)],
            })
            .collect(),
    }
}

/// A session and two memories of one persona, the second memory as closed as asked.
async fn fill<H: Harness>(
    world: &World<H>,
    tenant: &Tenant,
    who: Persona,
    second: Visibility,
) -> (SessionId, [MemoryId; 2]) {
    let store = world.store();
    let mut tx: Tx<SessionCapture> = world.begin(tenant, who).await;
    let session = tx.put_session(&new_session(store, "injected")).await;
    let first = fresh(tx.put_memory(new_memory(store, "first")).await.unwrap());
    let mut memory = new_memory(store, "second");
    memory.visibility = second;
    let second = fresh(tx.put_memory(memory).await.unwrap());
    tx.commit().await.unwrap();
    (session.unwrap(), [first, second])
}

pub(crate) async fn inject<H: Harness>(
    world: &World<H>,
    who: Persona,
    new: &NewInjection,
) -> Result<u64, StoreError> {
    let mut tx: Tx<SessionCapture> = world.begin(&world.ours, who).await;
    let ordinal = tx.put_injection(new).await?;
    tx.commit().await?;
    Ok(ordinal)
}

async fn list<H: Harness>(
    world: &World<H>,
    tenant: &Tenant,
    who: Persona,
    session: Option<SessionId>,
) -> Vec<Injection> {
    let mut tx: Tx<SessionRead> = world.begin(tenant, who).await;
    tx.list_injections(session, ALL).await.unwrap()
}

pub(crate) async fn what_was_injected_reads_back_exactly<H: Harness>() {
    let world = World::<H>::new().await;
    let (session, memories) = fill(&world, &world.ours, HUMAN, Visibility::Workspace).await;
    let first = new_injection(world.store(), session, Moment::SessionStart, &memories[..1]);
    let second = new_injection(world.store(), session, Moment::Prompt, &memories);
    assert_eq!(inject(&world, HUMAN, &first).await.unwrap(), 0);
    assert_eq!(inject(&world, HUMAN, &second).await.unwrap(), 1);
    for of in [Some(session), None] {
        let read = list(&world, &world.ours, HUMAN, of).await;
        let shape: Vec<_> = read
            .iter()
            .map(|row| (row.id, row.ordinal, row.moment))
            .collect();
        assert_eq!(
            shape,
            [
                (second.id, 1, Moment::Prompt),
                (first.id, 0, Moment::SessionStart)
            ]
        );
        let (body, items) = read[0].content.clone().unwrap();
        assert_eq!((body, items), (second.body.clone(), second.items.clone()));
    }
    let mut tx: Tx<SessionRead> = world.begin(&world.ours, HUMAN).await;
    let before = PageOf {
        limit: 1,
        before: Some(second.id),
    };
    let page = tx.list_injections(Some(session), before).await.unwrap();
    assert_eq!(page.len(), 1);
    assert_eq!(page[0].id, first.id);
}

pub(crate) async fn a_model_has_what_was_injected_since_its_context_was_emptied<H: Harness>() {
    let world = World::<H>::new().await;
    let (session, [first, second]) = fill(&world, &world.ours, HUMAN, Visibility::Workspace).await;
    let mut has = Vec::new();
    for (moment, memory) in [
        (Moment::SessionStart, first),
        (Moment::Prompt, second),
        (Moment::Compacted, first),
    ] {
        let new = new_injection(world.store(), session, moment, &[memory]);
        inject(&world, HUMAN, &new).await.unwrap();
        let mut tx: Tx<SessionCapture> = world.begin(&world.ours, HUMAN).await;
        let injected = tx.list_injected(session).await.unwrap();
        has.push((injected.contains(&first), injected.contains(&second)));
    }
    assert_eq!(has, [(true, false), (true, true), (true, false)]);
}

pub(crate) async fn t10_a_shared_session_does_not_open_a_closed_memory<H: Harness>() {
    let world = World::<H>::new().await;
    let who = Persona::Isolated;
    let (session, memories) = fill(&world, &world.ours, who, Visibility::Private).await;
    for memories in [&memories[..1], &memories[..]] {
        let new = new_injection(world.store(), session, Moment::Prompt, memories);
        inject(&world, who, &new).await.unwrap();
    }
    for (reader, expected) in [
        (Persona::Isolated, vec![true, true]),
        (Persona::Human, vec![false, true]),
        (Persona::Shared, vec![false, true]),
        // Of another group: the session itself is closed.
        (Persona::Grouped, vec![]),
    ] {
        let read = list(&world, &world.ours, reader, Some(session)).await;
        let open: Vec<bool> = read.iter().map(|row| row.content.is_some()).collect();
        assert_eq!(open, expected, "{reader:?}");
    }
    let new = new_injection(world.store(), session, Moment::Prompt, &[]);
    let outcome = inject(&world, Persona::Grouped, &new).await;
    assert!(
        outcome.is_err(),
        "into a session that is closed: {outcome:?}"
    );
}

pub(crate) async fn t01_injections_of_another_workspace_do_not_exist<H: Harness>() {
    let world = World::<H>::new().await;
    let (session, memories) = fill(&world, &world.ours, HUMAN, Visibility::Workspace).await;
    fill(&world, &world.theirs, HUMAN, Visibility::Workspace).await;
    let new = new_injection(world.store(), session, Moment::Prompt, &memories);
    inject(&world, HUMAN, &new).await.unwrap();
    for of in [Some(session), None] {
        assert!(list(&world, &world.theirs, HUMAN, of).await.is_empty());
    }
    let mut tx: Tx<SessionCapture> = world.begin(&world.theirs, HUMAN).await;
    assert!(tx.list_injected(session).await.unwrap().is_empty());
    assert!(tx.put_injection(&new).await.is_err());
    drop(tx);
    assert_eq!(list(&world, &world.ours, HUMAN, None).await.len(), 1);
}
