//! What is there already is found, and not written twice.

use skep_authz::rights::{MemoryDelete, MemoryRead, MemoryWrite, SessionCapture, SessionRead};
use skep_domain::{MemoryState, SessionState, Timestamp};
use skep_store::{Kept, MemoryFilter, PageOf, Project, Tx};

use crate::Harness;
use crate::sample::{fresh, new_memory, new_session, new_turn, new_turns, put_session};
use crate::world::{Persona, World};

const HUMAN: Persona = Persona::Human;

pub(crate) async fn a_turn_is_appended_once<H: Harness>() {
    let world = World::<H>::new().await;
    let store = world.store();
    let mut tx: Tx<SessionCapture> = world.begin(&world.ours, HUMAN).await;
    let session = tx.put_session(&new_session(store, "a")).await.unwrap();
    let other = tx.put_session(&new_session(store, "b")).await.unwrap();
    let turns = new_turns(store, "t", 4);
    let new = tx.append_turns(session, &turns[..3]).await.unwrap();
    assert_eq!(new, [true; 3]);
    tx.commit().await.unwrap();

    let mut tx: Tx<SessionCapture> = world.begin(&world.ours, HUMAN).await;
    // The same events under fresh ids, as a second run of an import mints them; one is new, and
    // one comes twice in a batch.
    let mut again = new_turns(store, "t", 4);
    again.push(new_turn(store, "t-3"));
    let new = tx.append_turns(session, &again).await.unwrap();
    assert_eq!(new, [false, false, false, true, false]);
    let elsewhere = new_turns(store, "t", 2);
    let new = tx.append_turns(other, &elsewhere).await.unwrap();
    assert_eq!(new, [true; 2], "another session has its own events");
    tx.commit().await.unwrap();

    let mut tx: Tx<SessionRead> = world.begin(&world.ours, HUMAN).await;
    let kept = tx.list_turns(session, 0, 200).await.unwrap();
    let ids: Vec<_> = kept.iter().map(|turn| turn.turn.id).collect();
    assert_eq!(ids, [turns[0].id, turns[1].id, turns[2].id, again[3].id]);
    assert_eq!(kept[1].turn.text, turns[1].text);
}

pub(crate) async fn ordinals_have_no_gap<H: Harness>() {
    let world = World::<H>::new().await;
    let store = world.store();
    let mut tx: Tx<SessionCapture> = world.begin(&world.ours, HUMAN).await;
    let session = tx.put_session(&new_session(store, "a")).await.unwrap();
    tx.commit().await.unwrap();
    let mut expected = Vec::new();
    // Batches that overlap more and less, some dropped before they are committed.
    for (batch, (from, to)) in [(0, 5), (3, 8), (0, 8), (2, 11), (8, 9), (9, 14)]
        .into_iter()
        .enumerate()
    {
        let turns = (from..to).map(|n| new_turn(store, &format!("e{n}")));
        let turns: Vec<_> = turns.collect();
        let mut tx: Tx<SessionCapture> = world.begin(&world.ours, HUMAN).await;
        tx.append_turns(session, &turns).await.unwrap();
        if batch % 3 == 1 {
            drop(tx);
            continue;
        }
        tx.commit().await.unwrap();
        let known = expected.len();
        expected.extend((known..to).map(|n| format!("e{n}")));
    }
    let mut tx: Tx<SessionRead> = world.begin(&world.ours, HUMAN).await;
    let kept = tx.list_turns(session, 0, 200).await.unwrap();
    let kept: Vec<_> = kept
        .into_iter()
        .map(|turn| (turn.ordinal, turn.turn.client_event_id))
        .collect();
    let expected: Vec<_> = (0..).zip(expected).collect();
    assert_eq!(kept, expected);
    let count = tx.get_session(session).await.unwrap().unwrap().turns;
    assert_eq!(count, expected.len() as u64);
}

pub(crate) async fn a_session_is_found_again_and_widened<H: Harness>() {
    let world = World::<H>::new().await;
    let store = world.store();
    let at = Timestamp::from_millis;
    let mut first = new_session(store, "a");
    first.span = (at(2_000), at(3_000));
    let mut tx: Tx<SessionCapture> = world.begin(&world.ours, HUMAN).await;
    let id = tx.put_session(&first).await.unwrap();
    assert_eq!(id, first.id);
    let ended = tx.set_session_state(id, SessionState::Ended);
    ended.await.unwrap();
    tx.commit().await.unwrap();

    for (span, expected) in [
        ((at(2_500), at(2_600)), (at(2_000), at(3_000))),
        ((at(1_000), at(2_600)), (at(1_000), at(3_000))),
        ((at(2_500), at(9_000)), (at(1_000), at(9_000))),
    ] {
        let mut again = new_session(store, "a");
        again.span = span;
        let mut tx: Tx<SessionCapture> = world.begin(&world.ours, HUMAN).await;
        assert_eq!(tx.put_session(&again).await.unwrap(), id);
        tx.commit().await.unwrap();
        let mut tx: Tx<SessionRead> = world.begin(&world.ours, HUMAN).await;
        let session = tx.get_session(id).await.unwrap().unwrap();
        assert_eq!(session.span, expected);
        assert_eq!(
            session.state,
            SessionState::Open,
            "a late turn opens it again"
        );
        assert_eq!(session.external_id, "a");
    }

    let mut tx: Tx<SessionCapture> = world.begin(&world.ours, Persona::Colleague).await;
    let other = tx.put_session(&new_session(store, "a")).await.unwrap();
    assert_ne!(other, id, "somebody else's session of the same name");
}

pub(crate) async fn a_project_is_found_again<H: Harness>() {
    let world = World::<H>::new().await;
    let project = |name: &str| Project {
        id: world.store().mint(),
        name: name.into(),
    };
    let mut tx: Tx<SessionCapture> = world.begin(&world.ours, HUMAN).await;
    let first = project("skep");
    assert_eq!(tx.put_project(&first).await.unwrap(), first.id);
    assert_eq!(tx.put_project(&project("skep")).await.unwrap(), first.id);
    let second = project("honey");
    assert_eq!(tx.put_project(&second).await.unwrap(), second.id);
    tx.commit().await.unwrap();
    let mut tx: Tx<SessionRead> = world.begin(&world.ours, HUMAN).await;
    assert_eq!(tx.get_project("skep").await.unwrap(), Some(first.id));
    assert_eq!(tx.get_project("wax").await.unwrap(), None);
}

pub(crate) async fn the_last_cursor_counts<H: Harness>() {
    let world = World::<H>::new().await;
    for position in ["1", "2"] {
        let mut tx: Tx<SessionCapture> = world.begin(&world.ours, HUMAN).await;
        tx.put_cursor("a", position).await.unwrap();
        tx.commit().await.unwrap();
        let mut tx: Tx<SessionRead> = world.begin(&world.ours, HUMAN).await;
        let cursor = tx.get_cursor("a").await.unwrap();
        assert_eq!(cursor.as_deref(), Some(position));
        assert_eq!(tx.get_cursor("b").await.unwrap(), None);
    }
}

pub(crate) async fn the_same_statement_is_one_memory<H: Harness>() {
    let world = World::<H>::new().await;
    let store = world.store();
    let mut tx: Tx<MemoryWrite> = world.begin(&world.ours, HUMAN).await;
    let first = fresh(tx.put_memory(new_memory(store, "a")).await.unwrap());
    let twice = tx.put_memory(new_memory(store, "a")).await.unwrap();
    assert_eq!(twice, Kept::Known(first), "in one transaction");
    tx.commit().await.unwrap();
    let mut tx: Tx<MemoryWrite> = world.begin(&world.ours, HUMAN).await;
    let again = tx.put_memory(new_memory(store, "a")).await.unwrap();
    assert_eq!(again, Kept::Known(first), "in another");
    fresh(tx.put_memory(new_memory(store, "b")).await.unwrap());
    tx.commit().await.unwrap();
    let mut tx: Tx<MemoryWrite> = world.begin(&world.ours, Persona::Shared).await;
    let theirs = fresh(tx.put_memory(new_memory(store, "a")).await.unwrap());
    assert_ne!(theirs, first, "what another says is another's");
    tx.commit().await.unwrap();
    let mut tx: Tx<MemoryRead> = world.begin(&world.ours, HUMAN).await;
    let page = PageOf {
        limit: 200,
        before: None,
    };
    let all = tx.list_memories(&MemoryFilter::default(), page).await;
    assert_eq!(all.unwrap().len(), 3);
}

pub(crate) async fn a_forgotten_statement_can_be_kept_again<H: Harness>() {
    let world = World::<H>::new().await;
    let store = world.store();
    let mut tx: Tx<MemoryWrite> = world.begin(&world.ours, HUMAN).await;
    let mut held = new_memory(store, "held back");
    held.state = MemoryState::Quarantined;
    fresh(tx.put_memory(held).await.unwrap());
    fresh(tx.put_memory(new_memory(store, "held back")).await.unwrap());
    let first = fresh(tx.put_memory(new_memory(store, "a")).await.unwrap());
    put_session(&mut tx, store, "unrelated", 1).await;
    tx.commit().await.unwrap();

    let mut tx: Tx<MemoryDelete> = world.begin(&world.ours, HUMAN).await;
    let forgotten = tx.forget(first, "wrong", store.now()).await.unwrap();
    assert_eq!(forgotten, Some(true));
    let again = fresh(tx.put_memory(new_memory(store, "a")).await.unwrap());
    assert_ne!(again, first);
    tx.commit().await.unwrap();
    let mut tx: Tx<MemoryRead> = world.begin(&world.ours, HUMAN).await;
    let old = tx.get_memory(first).await.unwrap().unwrap();
    assert_eq!(old.state, MemoryState::Forgotten);
    let new = tx.get_memory(again).await.unwrap().unwrap();
    assert_eq!(new.state, MemoryState::Active);
}
