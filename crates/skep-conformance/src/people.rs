//! Participants: who reaches whom, who sees which turns, what consent hides, what deletion leaves.

use skep_authz::rights::{
    MemberManage, MemoryRead, MemoryWrite, ParticipantSelf, ParticipantSpeak, SessionCapture,
    SessionRead,
};
use skep_domain::{MemoryId, MemoryState, Name, ParticipantId, ParticipantKind, SessionId};
use skep_store::row::ObservationPage;
use skep_store::{
    Kept, MemoryFilter, NewConsent, NewParticipant, Observed, Origin, PageOf, Reach, Tx,
};

use crate::Harness;
use crate::sample::{fresh, new_memory, new_session, new_turn, new_turns};
use crate::world::{Persona, Tenant, World};

const ALL: PageOf<ParticipantId> = PageOf {
    limit: 200,
    before: None,
};

/// The participant that a persona speaks as.
pub(crate) async fn own<H: Harness>(
    world: &World<H>,
    tenant: &Tenant,
    persona: Persona,
) -> ParticipantId {
    let store = world.store();
    let mut tx: Tx<ParticipantSelf> = world.begin(tenant, persona).await;
    if let Some(known) = tx.get_own_participant().await.unwrap() {
        return known.id;
    }
    let new = NewParticipant {
        id: store.mint(),
        kind: ParticipantKind::Human,
        principal: Some(persona.principal()),
        name: None,
        at: store.now(),
    };
    assert!(tx.put_participant(&new).await.unwrap());
    tx.commit().await.unwrap();
    new.id
}

/// A participant without a credential, added by a persona.
pub(crate) async fn named<H: Harness>(
    world: &World<H>,
    by: Persona,
    name: &str,
) -> Option<ParticipantId> {
    let store = world.store();
    let mut tx: Tx<ParticipantSpeak> = world.begin(&world.ours, by).await;
    let new = NewParticipant {
        id: store.mint(),
        kind: ParticipantKind::Outside,
        principal: None,
        name: Some(Name::parse(name).unwrap()),
        at: store.now(),
    };
    let kept = tx.put_participant(&new).await.unwrap();
    tx.commit().await.unwrap();
    kept.then_some(new.id)
}

pub(crate) async fn consent<H: Harness>(
    world: &World<H>,
    subject: ParticipantId,
    observer: Option<ParticipantId>,
    given: bool,
) -> bool {
    let mut tx: Tx<ParticipantSelf> = world.begin(&world.ours, Persona::Human).await;
    let new = NewConsent {
        subject,
        observer,
        given,
        at: world.store().now(),
        note: Some("because".into()),
    };
    let changed = tx.put_consent(&new).await.unwrap();
    tx.commit().await.unwrap();
    changed
}

pub(crate) async fn observe<H: Harness>(
    world: &World<H>,
    by: Persona,
    seen_as: Observed,
    text: &str,
) -> MemoryId {
    let mut tx: Tx<MemoryWrite> = world.begin(&world.ours, by).await;
    let memory = new_memory(world.store(), text);
    let kept = tx.put_observation(seen_as, memory).await.unwrap();
    tx.commit().await.unwrap();
    fresh(kept)
}

pub(crate) async fn derive<H: Harness>(
    world: &World<H>,
    by: Persona,
    parents: &[MemoryId],
    text: &str,
) -> Result<Kept, skep_store::StoreError> {
    let mut tx: Tx<MemoryWrite> = world.begin(&world.ours, by).await;
    let mut memory = new_memory(world.store(), text);
    memory.origins = parents.iter().map(|id| Origin::Memory(*id)).collect();
    let kept = tx.put_memory(memory).await?;
    tx.commit().await?;
    Ok(kept)
}

pub(crate) async fn join<H: Harness>(
    world: &World<H>,
    session: SessionId,
    who: ParticipantId,
    from: u64,
) {
    let mut tx: Tx<SessionCapture> = world.begin(&world.ours, Persona::Human).await;
    let now = world.store().now();
    assert!(tx.open_window(session, who, from, now).await.unwrap());
    tx.commit().await.unwrap();
}

pub(crate) async fn leave<H: Harness>(
    world: &World<H>,
    session: SessionId,
    who: ParticipantId,
    to: u64,
) {
    let mut tx: Tx<SessionCapture> = world.begin(&world.ours, Persona::Human).await;
    let now = world.store().now();
    assert!(tx.close_window(session, who, to, now).await.unwrap());
    tx.commit().await.unwrap();
}

/// A session of the human's with this many turns.
pub(crate) async fn session<H: Harness>(world: &World<H>, name: &str, turns: usize) -> SessionId {
    let store = world.store();
    let mut tx: Tx<SessionCapture> = world.begin(&world.ours, Persona::Human).await;
    let session = tx.put_session(&new_session(store, name)).await.unwrap();
    let turns = new_turns(store, name, turns);
    tx.append_turns(session, &turns).await.unwrap();
    tx.commit().await.unwrap();
    session
}

async fn reached<H: Harness>(world: &World<H>, by: Persona) -> Vec<ParticipantId> {
    let mut tx: Tx<SessionRead> = world.begin(&world.ours, by).await;
    let listed = tx.list_participants(Reach::default(), None, ALL).await;
    let mut ids: Vec<ParticipantId> = listed.unwrap().iter().map(|one| one.id).collect();
    for id in &ids {
        let got = tx.get_participant(*id, Reach::default()).await.unwrap();
        assert_eq!(got.map(|one| one.id), Some(*id));
    }
    ids.sort();
    ids
}

/// Closes: participants could be listed by any key of the workspace.
pub(crate) async fn t12_those_who_share_no_session_do_not_reach_each_other<H: Harness>() {
    let world = World::<H>::new().await;
    let human = own(&world, &world.ours, Persona::Human).await;
    let colleague = own(&world, &world.ours, Persona::Colleague).await;
    let shared = own(&world, &world.ours, Persona::Shared).await;
    let outside = named(&world, Persona::Human, "customer").await.unwrap();
    let session = session(&world, "meeting", 4).await;
    assert_eq!(reached(&world, Persona::Colleague).await, [colleague]);
    assert_eq!(reached(&world, Persona::Human).await, [human, outside]);

    for (who, from) in [(human, 0), (colleague, 2), (outside, 0)] {
        join(&world, session, who, from).await;
    }
    assert_eq!(
        reached(&world, Persona::Colleague).await,
        [human, colleague, outside]
    );
    assert_eq!(reached(&world, Persona::Shared).await, [shared]);
    // Those whose stays never overlapped have not met.
    leave(&world, session, outside, 2).await;
    assert_eq!(
        reached(&world, Persona::Colleague).await,
        [human, colleague]
    );
    let mut tx: Tx<SessionRead> = world.begin(&world.ours, Persona::Colleague).await;
    for gone in [outside, shared, world.store().mint()] {
        let got = tx.get_participant(gone, Reach::default()).await.unwrap();
        assert_eq!(got, None);
    }
    let by_name = Name::parse("customer").unwrap();
    let listed = tx.list_participants(Reach::default(), Some(&by_name), ALL);
    assert!(listed.await.unwrap().is_empty(), "a name is no way round");
}

/// Another workspace's participants, sessions and memories are nothing here.
pub(crate) async fn t01_foreign_participants_reach_nothing<H: Harness>() {
    let world = World::<H>::new().await;
    let ours = own(&world, &world.ours, Persona::Human).await;
    let theirs = own(&world, &world.theirs, Persona::Human).await;
    let mut tx: Tx<SessionRead> = world.begin(&world.ours, Persona::Human).await;
    let manages = world.authorized::<MemberManage>(&world.ours, Persona::Human);
    let everyone = Reach::of(Some(&manages.await));
    let got = tx.get_participant(theirs, everyone).await.unwrap();
    assert_eq!(got, None);
    let listed = tx.list_participants(everyone, None, ALL).await.unwrap();
    assert_eq!(listed.iter().map(|one| one.id).collect::<Vec<_>>(), [ours]);
    assert!(tx.list_consents(theirs).await.unwrap().is_empty());
    drop(tx);

    let mut tx: Tx<ParticipantSelf> = world.begin(&world.ours, Persona::Human).await;
    let new = NewConsent {
        subject: theirs,
        observer: None,
        given: true,
        at: world.store().now(),
        note: None,
    };
    assert!(tx.put_consent(&new).await.is_err());
    drop(tx);
    let seen_as = Observed {
        subject: theirs,
        observer: ours,
    };
    let mut tx: Tx<MemoryWrite> = world.begin(&world.ours, Persona::Human).await;
    let memory = new_memory(world.store(), "about a stranger");
    assert!(tx.put_observation(seen_as, memory).await.is_err());
    drop(tx);
    let mut tx: Tx<SessionCapture> = world.begin(&world.theirs, Persona::Human).await;
    let foreign = tx
        .put_session(&new_session(world.store(), "x"))
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let mut tx: Tx<SessionCapture> = world.begin(&world.ours, Persona::Human).await;
    let now = world.store().now();
    assert!(tx.open_window(foreign, ours, 0, now).await.is_err());
    drop(tx);
    let mut tx: Tx<SessionCapture> = world.begin(&world.ours, Persona::Human).await;
    let mut turn = new_turn(world.store(), "e");
    turn.author = Some(theirs);
    let session = tx
        .put_session(&new_session(world.store(), "y"))
        .await
        .unwrap();
    assert!(tx.append_turns(session, &[turn]).await.is_err());
}

/// What one reader finds of some memories, by every way in.
pub(crate) async fn found<H: Harness>(
    world: &World<H>,
    reader: Persona,
    subject: ParticipantId,
    ids: &[MemoryId],
) -> Vec<MemoryId> {
    let mut tx: Tx<MemoryRead> = world.begin(&world.ours, reader).await;
    let visible = tx.authorize(ids, &MemoryFilter::default()).await.unwrap();
    let mut seen: Vec<MemoryId> = visible.iter().map(skep_store::Visible::id).collect();
    let as_of = MemoryFilter {
        as_of: Some(world.store().now()),
        ..MemoryFilter::default()
    };
    let then = tx.authorize(ids, &as_of).await.unwrap();
    assert_eq!(
        then.iter().map(skep_store::Visible::id).collect::<Vec<_>>(),
        seen,
        "no other moment shows more"
    );
    let loaded = tx.load(&visible).await.unwrap();
    assert_eq!(loaded.len(), seen.len());
    for id in ids {
        let got = tx.get_memory(*id).await.unwrap().is_some();
        assert_eq!(got, seen.contains(id), "get {id:?}");
        let history = tx.list_history(*id).await.unwrap();
        assert!(got || history.is_empty());
    }
    for filter in [MemoryFilter::default(), as_of] {
        let page = PageOf {
            limit: 200,
            before: None,
        };
        let mut listed: Vec<MemoryId> = tx
            .list_memories(&filter, page)
            .await
            .unwrap()
            .iter()
            .map(|memory| memory.id)
            .collect();
        listed.sort();
        seen.sort();
        assert_eq!(listed, seen, "list");
    }
    let page = ObservationPage {
        subject,
        observer: None,
        limit: 200,
        before: None,
    };
    let observed = tx.list_observations(page).await.unwrap();
    let mut observed: Vec<MemoryId> = observed.iter().map(|one| one.memory.id).collect();
    observed.sort();
    assert_eq!(observed, seen, "observations");
    let mut daemon = world.survey(&world.ours).await;
    let fed = daemon.list_changes((0, None), 200).await.unwrap();
    let mut fed: Vec<MemoryId> = fed
        .iter()
        .filter(|change| change.state == MemoryState::Active)
        .map(|change| change.id)
        .collect();
    fed.sort();
    assert_eq!(fed, seen, "what the index is told");
    seen
}

/// Closes: conclusions about a peer stay readable, whatever the peer wants.
pub(crate) async fn t12_a_withdrawn_consent_hides_what_was_derived_on_every_way_in<H: Harness>() {
    let world = World::<H>::new().await;
    let subject = own(&world, &world.ours, Persona::Colleague).await;
    let observer = own(&world, &world.ours, Persona::Human).await;
    let seen_as = Observed { subject, observer };
    assert!(consent(&world, subject, None, true).await);
    assert!(!consent(&world, subject, None, true).await, "said already");
    let first = observe(&world, Persona::Human, seen_as, "works at night").await;
    let derived = derive(&world, Persona::Human, &[first], "is in another timezone").await;
    let derived = fresh(derived.unwrap());
    let further = derive(&world, Persona::Human, &[derived], "answers late").await;
    let all = [first, derived, fresh(further.unwrap())];
    assert_eq!(found(&world, Persona::Human, subject, &all).await, all);

    let before = world.survey(&world.ours).await.seq().await.unwrap();
    assert!(consent(&world, subject, None, false).await);
    assert_eq!(found(&world, Persona::Human, subject, &all).await, []);
    let mut daemon = world.survey(&world.ours).await;
    let changed = daemon.list_changes((before, None), 200).await.unwrap();
    assert_eq!(changed.len(), 3, "the index hears of each");
    drop(daemon);
    let more = derive(&world, Persona::Human, &[first], "from what is hidden").await;
    assert!(more.is_err(), "nothing is concluded from what is hidden");

    assert!(consent(&world, subject, Some(observer), true).await);
    assert_eq!(found(&world, Persona::Human, subject, &all).await, all);
    let stranger = own(&world, &world.ours, Persona::Shared).await;
    assert!(consent(&world, subject, Some(stranger), false).await);
    assert_eq!(found(&world, Persona::Human, subject, &all).await, all);
    let mut tx: Tx<ParticipantSelf> = world.begin(&world.ours, Persona::Human).await;
    let history = tx.list_consents(subject).await.unwrap();
    let said: Vec<_> = history
        .iter()
        .map(|one| (one.observer, one.given))
        .collect();
    assert_eq!(
        said,
        [
            (None, true),
            (None, false),
            (Some(observer), true),
            (Some(stranger), false)
        ]
    );
    assert!(
        history
            .iter()
            .all(|one| one.note.as_deref() == Some("because"))
    );
}

/// The same words about two people, or about nobody, are different memories.
pub(crate) async fn t12_a_consent_hides_no_memory_that_does_not_rest_on_it<H: Harness>() {
    let world = World::<H>::new().await;
    let subject = own(&world, &world.ours, Persona::Colleague).await;
    let observer = own(&world, &world.ours, Persona::Human).await;
    consent(&world, subject, None, true).await;
    consent(&world, observer, None, true).await;
    let plain = derive(&world, Persona::Human, &[], "likes tabs").await;
    let plain = fresh(plain.unwrap());
    let seen_as = Observed { subject, observer };
    let about = observe(&world, Persona::Human, seen_as, "likes tabs").await;
    let mirrored = Observed {
        subject: observer,
        observer: subject,
    };
    let other = observe(&world, Persona::Human, mirrored, "likes tabs").await;
    consent(&world, subject, None, false).await;
    let mut tx: Tx<MemoryRead> = world.begin(&world.ours, Persona::Human).await;
    for (id, there) in [(plain, true), (about, false), (other, true)] {
        assert_eq!(tx.get_memory(id).await.unwrap().is_some(), there);
    }
}

pub(crate) async fn t20_names_that_look_alike_are_one<H: Harness>() {
    let world = World::<H>::new().await;
    for (name, kept) in [
        ("Ivan", true),
        ("ivan", false),
        ("lvan", false),
        ("Іvan", false),
        ("ivana", true),
    ] {
        let id = named(&world, Persona::Human, name).await;
        assert_eq!(id.is_some(), kept, "{name}");
    }
    let me = own(&world, &world.ours, Persona::Human).await;
    let mut tx: Tx<ParticipantSelf> = world.begin(&world.ours, Persona::Human).await;
    let now = world.store().now();
    let of = |name: &str| Name::parse(name).unwrap();
    assert!(!tx.set_participant_name(me, &of("IVAN"), now).await.unwrap());
    assert!(tx.set_participant_name(me, &of("olga"), now).await.unwrap());
    assert!(tx.set_participant_name(me, &of("Olga"), now).await.unwrap());
    for (name, count) in [("Olga", 1), ("0lga", 0)] {
        let name = of(name);
        let found = tx.list_participants(Reach::default(), Some(&name), ALL);
        assert_eq!(
            found.await.unwrap().len(),
            count,
            "a look-alike is not the name"
        );
    }
}
