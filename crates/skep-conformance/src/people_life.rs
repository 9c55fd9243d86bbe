//! Stays in sessions, merges and deletion of participants.

use skep_authz::rights::{
    MemberManage, MemoryRead, MemoryWrite, ParticipantSelf, SessionCapture, SessionRead,
};
use skep_domain::{MemoryId, ParticipantId};
use skep_store::{Card, MemoryFilter, Observed, Participant, Reach, Tx};

use crate::Harness;
use crate::people::{consent, derive, found, join, leave, named, observe, own, session};
use crate::sample::{fresh, new_memory, new_turns};
use crate::world::{Persona, World};

/// Closes: whoever joined late, or left, read everything.
pub(crate) async fn t12_members_see_the_turns_of_their_stay<H: Harness>() {
    let world = World::<H>::new().await;
    let human = own(&world, &world.ours, Persona::Human).await;
    let agent = own(&world, &world.ours, Persona::Isolated).await;
    let session = session(&world, "meeting", 6).await;
    let mut tx: Tx<SessionRead> = world.begin(&world.ours, Persona::Human).await;
    let turns = tx.list_turns(session, 0, 9).await.unwrap();
    drop(tx);
    let mut early = new_memory(world.store(), "early");
    (early.session, early.turns) = (Some(session), vec![turns[0].turn.id]);
    let mut within = new_memory(world.store(), "within");
    (within.session, within.turns) = (Some(session), vec![turns[2].turn.id, turns[3].turn.id]);
    let mut tx: Tx<MemoryWrite> = world.begin(&world.ours, Persona::Human).await;
    let early = fresh(tx.put_memory(early).await.unwrap());
    tx.commit().await.unwrap();
    join(&world, session, human, 0).await;
    join(&world, session, agent, 2).await;
    let shared = own(&world, &world.ours, Persona::Shared).await;
    join(&world, session, shared, 2).await;
    let mut tx: Tx<MemoryWrite> = world.begin(&world.ours, Persona::Human).await;
    let within = fresh(tx.put_memory(within).await.unwrap());
    tx.commit().await.unwrap();
    leave(&world, session, agent, 4).await;
    leave(&world, session, shared, 4).await;

    // Owner, members with and without a wide ring, and a colleague whose role read it before.
    for (reader, ordinals, memories) in [
        (Persona::Human, vec![0, 1, 2, 3, 4, 5], vec![early, within]),
        (Persona::Isolated, vec![2, 3], vec![]),
        (Persona::Shared, vec![2, 3], vec![within]),
        (Persona::Colleague, vec![], vec![]),
    ] {
        let mut tx: Tx<SessionRead> = world.begin(&world.ours, reader).await;
        let listed = tx.list_turns(session, 0, 9).await.unwrap();
        let seen: Vec<u64> = listed.iter().map(|turn| turn.ordinal).collect();
        assert_eq!(seen, ordinals, "{reader:?}");
        let newest = tx.list_turns_before(session, u64::MAX, 9).await.unwrap();
        let backwards: Vec<u64> = newest.iter().rev().map(|turn| turn.ordinal).collect();
        assert_eq!(backwards, ordinals, "{reader:?}");
        let ids: Vec<_> = turns.iter().map(|turn| turn.turn.id).collect();
        assert_eq!(tx.get_turns(&ids).await.unwrap().len(), ordinals.len());
        let summary = tx.get_session(session).await.unwrap();
        assert_eq!(summary.is_some(), !ordinals.is_empty(), "{reader:?}");
        if let Some(summary) = summary {
            assert_eq!(summary.turns, ordinals.len() as u64, "{reader:?}");
            assert_eq!(summary.memories, memories.len() as u64, "{reader:?}");
            let last = listed.last().map(|turn| turn.turn.at).unwrap();
            assert!(reader == Persona::Human || summary.span.1 == last);
        }
        assert_eq!(
            tx.list_members(session).await.unwrap().is_empty(),
            ordinals.is_empty()
        );
        let mut tx: Tx<MemoryRead> = world.begin(&world.ours, reader).await;
        let visible = tx
            .authorize(&[early, within], &MemoryFilter::default())
            .await
            .unwrap();
        let ids: Vec<MemoryId> = visible.iter().map(skep_store::Visible::id).collect();
        assert_eq!(ids, memories, "{reader:?}");
    }
}

/// Closes: deleting leaves derived rows, names and authorship behind.
pub(crate) async fn t18_a_deleted_participant_leaves_an_id_and_no_words<H: Harness>() {
    let world = World::<H>::new().await;
    let subject = own(&world, &world.ours, Persona::Colleague).await;
    let observer = own(&world, &world.ours, Persona::Human).await;
    let alias = named(&world, Persona::Human, "coll").await.unwrap();
    merge(&world, alias, Some(subject)).await;
    let session = session(&world, "meeting", 0).await;
    let mut tx: Tx<SessionCapture> = world.begin(&world.ours, Persona::Human).await;
    let mut turns = new_turns(world.store(), "said", 3);
    turns[1].author = Some(subject);
    turns[2].author = Some(observer);
    tx.append_turns(session, &turns).await.unwrap();
    tx.commit().await.unwrap();
    consent(&world, subject, None, true).await;
    let seen_as = Observed { subject, observer };
    let first = observe(&world, Persona::Human, seen_as, "works at night").await;
    let derived = fresh(
        derive(&world, Persona::Human, &[first], "sleeps")
            .await
            .unwrap(),
    );
    let human = participant(&world, observer).await;
    let mut tx: Tx<ParticipantSelf> = world.begin(&world.ours, Persona::Colleague).await;
    let card = Card {
        facts: vec!["night owl".into()],
        hidden: vec![first],
    };
    tx.set_participant_card(subject, &card).await.unwrap();
    let me = tx.get_own_participant().await.unwrap().unwrap();
    assert_eq!(me.card, card);
    let now = world.store().now();
    assert!(
        tx.erase_participant(&human, now).await.is_err(),
        "one deletes oneself, not others"
    );
    drop(tx);
    let mut tx: Tx<ParticipantSelf> = world.begin(&world.ours, Persona::Colleague).await;
    let erased = tx.erase_participant(&me, now).await.unwrap();
    assert_eq!((erased.participants, erased.memories), (2, 2));
    tx.commit().await.unwrap();

    // Not even a consent given again by force shows anything.
    consent(&world, subject, None, true).await;
    let mut tx: Tx<MemoryRead> = world.begin(&world.ours, Persona::Human).await;
    for id in [first, derived] {
        let left = tx.get_memory(id).await.unwrap();
        assert!(left.is_none_or(|memory| memory.body == skep_store::MemoryBody::default()));
    }
    let mut tx: Tx<SessionRead> = world.begin(&world.ours, Persona::Human).await;
    let said = tx.list_turns(session, 0, 9).await.unwrap();
    let authors: Vec<_> = said.iter().map(|turn| turn.turn.author).collect();
    assert_eq!(authors, [None, None, Some(observer)]);
    let mut tx: Tx<ParticipantSelf> = world.begin(&world.ours, Persona::Colleague).await;
    assert_eq!(tx.get_own_participant().await.unwrap(), None);
    let history = tx.list_consents(subject).await.unwrap();
    assert!(history[..2].iter().all(|entry| entry.note.is_none()));
    drop(tx);
    assert!(named(&world, Persona::Human, "coll").await.is_some());
}

async fn participant<H: Harness>(world: &World<H>, id: ParticipantId) -> Participant {
    let mut tx: Tx<MemberManage> = world.begin(&world.ours, Persona::Human).await;
    tx.get_exact_participant(id).await.unwrap().unwrap()
}

pub(crate) async fn merge<H: Harness>(
    world: &World<H>,
    id: ParticipantId,
    into: Option<ParticipantId>,
) {
    let mut tx: Tx<MemberManage> = world.begin(&world.ours, Persona::Human).await;
    let now = world.store().now();
    tx.set_merged(id, into, now).await.unwrap();
    tx.commit().await.unwrap();
}

/// Two are one until they are not, and no consent of the one covers the other.
pub(crate) async fn a_merge_is_undone_without_loss_and_carries_no_consent<H: Harness>() {
    let world = World::<H>::new().await;
    let human = own(&world, &world.ours, Persona::Human).await;
    let colleague = own(&world, &world.ours, Persona::Colleague).await;
    let alias = named(&world, Persona::Human, "coll").await.unwrap();
    let session = session(&world, "meeting", 3).await;
    join(&world, session, alias, 1).await;
    for subject in [alias, colleague] {
        consent(&world, subject, None, true).await;
    }
    let seen_as = |subject| Observed {
        subject,
        observer: human,
    };
    let of_alias = observe(&world, Persona::Human, seen_as(alias), "a").await;
    let of_one = observe(&world, Persona::Human, seen_as(colleague), "b").await;
    merge(&world, alias, Some(colleague)).await;
    let both = [of_alias, of_one];
    assert_eq!(found(&world, Persona::Human, colleague, &both).await, both);
    let mut tx: Tx<SessionRead> = world.begin(&world.ours, Persona::Colleague).await;
    assert_eq!(tx.list_turns(session, 0, 9).await.unwrap().len(), 2);
    let got = tx.get_participant(alias, Reach::default()).await.unwrap();
    assert_eq!(got.map(|one| one.id), Some(colleague));
    drop(tx);
    consent(&world, alias, None, false).await;
    assert_eq!(
        found(&world, Persona::Human, colleague, &both).await,
        [of_one]
    );
    merge(&world, alias, None).await;
    let mut tx: Tx<SessionRead> = world.begin(&world.ours, Persona::Colleague).await;
    assert!(tx.list_turns(session, 0, 9).await.unwrap().is_empty());
}
