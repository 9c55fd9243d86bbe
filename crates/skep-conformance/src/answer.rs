//! Answers of models that are kept for whoever asks again: one call for each key of somebody's.

use skep_authz::Maintain;
use skep_domain::{Id, Limits, MemoryId, Principal, Timestamp};
use skep_store::{AnswerAsk, AnswerClaim, AnswerClaimed, KeptAnswer, Tx};

use crate::Harness;
use crate::world::{Persona, Tenant, World};

const RUN: [u8; 16] = [1; 16];
const SECOND: i64 = 1_000_000;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(seconds * SECOND)
}

/// What is asked, and by whom.
#[derive(Clone, Copy)]
struct Asking<'a> {
    asker: Principal,
    key: &'a str,
    text: &'a str,
    run: [u8; 16],
    now: i64,
    instead_of: Option<AnswerClaim>,
}

async fn ask<H: Harness>(
    world: &World<H>,
    tenant: &Tenant,
    asking: Asking<'_>,
    is_alone: bool,
) -> AnswerClaimed {
    let mut tx: Tx<Maintain> = world.maintain(tenant).await;
    let ask = AnswerAsk {
        asker: asking.asker,
        key: asking.key.as_bytes(),
        asked: &[b"chat", asking.text.as_bytes()],
        run: asking.run,
        now: at(asking.now),
        until: at(asking.now + 100),
        instead_of: asking.instead_of,
    };
    let claimed = tx.claim_answer(ask, is_alone).await.unwrap();
    tx.commit().await.unwrap();
    claimed
}

async fn ours<H: Harness>(world: &World<H>, tenant: &Tenant, asking: Asking<'_>) -> AnswerClaim {
    match ask(world, tenant, asking, true).await {
        AnswerClaimed::Ours(claim) => claim,
        other => panic!("{other:?}"),
    }
}

fn given() -> Vec<(Principal, MemoryId)> {
    [Persona::Human, Persona::Colleague]
        .map(|owner| (owner.principal(), MemoryId::from_bytes([owner as u8; 16])))
        .to_vec()
}

fn answer(text: &[u8]) -> KeptAnswer {
    KeptAnswer {
        provider: "up".into(),
        usage: Some("usg_1".into()),
        is_stream: true,
        given: given(),
        body: text.to_vec(),
    }
}

async fn keep<H: Harness>(
    world: &World<H>,
    tenant: &Tenant,
    claim: AnswerClaim,
    (text, now): (&[u8], i64),
) -> bool {
    let mut tx: Tx<Maintain> = world.maintain(tenant).await;
    let (answer, times) = (answer(text), (at(now), at(now + 1_000)));
    let kept = tx.keep_answer(claim, &answer, times).await.unwrap();
    tx.commit().await.unwrap();
    kept
}

async fn let_go<H: Harness>(world: &World<H>, tenant: &Tenant, claim: AnswerClaim) -> bool {
    let mut tx: Tx<Maintain> = world.maintain(tenant).await;
    let gone = tx.drop_answer_claim(claim).await.unwrap();
    tx.commit().await.unwrap();
    gone
}

async fn prune<H: Harness>(world: &World<H>, tenant: &Tenant, now: i64) -> u64 {
    let mut tx: Tx<Maintain> = world.maintain(tenant).await;
    let gone = tx.prune_answers(at(now)).await.unwrap();
    tx.commit().await.unwrap();
    gone
}

fn asking(key: &str, now: i64) -> Asking<'_> {
    Asking {
        asker: Persona::Human.principal(),
        key,
        text: "hello",
        run: RUN,
        now,
        instead_of: None,
    }
}

/// One of many who ask at the same time is to call; the others hear that it is under way, and later what came
/// of it.
pub(crate) async fn f03_a_key_stands_for_one_call<H: Harness>() {
    let world = World::<H>::new().await;
    let tenant = &world.ours;
    let first = asking("k", 10);
    let claim = ours(&world, tenant, first).await;
    let again = Asking { now: 20, ..first };
    let under_way = ask(&world, tenant, again, true).await;
    assert!(
        matches!(under_way, AnswerClaimed::UnderWay { until } if until == at(110)),
        "{under_way:?}"
    );
    let other = Asking {
        text: "bye",
        ..again
    };
    let differs = ask(&world, tenant, other, true).await;
    assert!(matches!(differs, AnswerClaimed::Other), "{differs:?}");
    assert!(keep(&world, tenant, claim, (b"the tide", 30)).await);
    assert!(!keep(&world, tenant, claim, (b"another", 31)).await, "once");
    assert!(!let_go(&world, tenant, claim).await, "it has an answer");
    match ask(&world, tenant, again, true).await {
        AnswerClaimed::Kept(_, kept) => assert_eq!(kept, answer(b"the tide")),
        other => panic!("{other:?}"),
    }
    let differs = ask(&world, tenant, other, true).await;
    assert!(matches!(differs, AnswerClaimed::Other), "{differs:?}");
    // Its time is over: the key is as good as new, for whatever is asked.
    ours(
        &world,
        tenant,
        Asking {
            now: 1_030,
            ..other
        },
    )
    .await;
}

/// What nobody answers any more can be asked for again.
pub(crate) async fn f03_a_call_that_came_to_nothing_can_be_made_again<H: Harness>() {
    let world = World::<H>::new().await;
    let tenant = &world.ours;
    let first = asking("k", 10);
    let given_up = ours(&world, tenant, first).await;
    assert!(let_go(&world, tenant, given_up).await);
    let late = ours(&world, tenant, first).await;
    assert!(!let_go(&world, tenant, given_up).await, "it is another's");
    assert!(!keep(&world, tenant, given_up, (b"too late", 20)).await);
    // A later run of a program that has the store alone: whoever claimed it is no more.
    let run = [2; 16];
    let shared = ask(&world, tenant, Asking { run, ..first }, false).await;
    assert!(
        matches!(shared, AnswerClaimed::UnderWay { .. }),
        "{shared:?}"
    );
    let taken = ours(&world, tenant, Asking { run, ..first }).await;
    assert!(!keep(&world, tenant, late, (b"of the dead", 20)).await);
    assert!(keep(&world, tenant, taken, (b"alive", 20)).await);
    let kept = ask(
        &world,
        tenant,
        Asking {
            run: [3; 16],
            ..first
        },
        true,
    )
    .await;
    assert!(matches!(kept, AnswerClaimed::Kept(..)), "{kept:?}");
    // One whose time is over, whoever has it.
    let other = ours(&world, tenant, asking("o", 10)).await;
    ours(&world, tenant, asking("o", 110)).await;
    assert!(!keep(&world, tenant, other, (b"too late", 110)).await);
}

/// An answer that is to count no more is another call to make, for one of those who find it, and of that one alone.
pub(crate) async fn t01_an_answer_that_is_not_to_be_given_makes_room_for_one_call<H: Harness>() {
    let world = World::<H>::new().await;
    let tenant = &world.ours;
    let first = asking("k", 10);
    let claim = ours(&world, tenant, first).await;
    assert!(keep(&world, tenant, claim, (b"the tide", 10)).await);
    let found = match ask(&world, tenant, first, true).await {
        AnswerClaimed::Kept(found, _) => found,
        other => panic!("{other:?}"),
    };
    let anew = Asking {
        instead_of: Some(found),
        ..first
    };
    let second = ours(&world, tenant, anew).await;
    let late = ask(&world, tenant, anew, true).await;
    assert!(matches!(late, AnswerClaimed::UnderWay { .. }), "{late:?}");
    assert!(keep(&world, tenant, second, (b"the ebb", 10)).await);
    // Whoever found the first one has no say in the second.
    match ask(&world, tenant, anew, true).await {
        AnswerClaimed::Kept(_, kept) => assert_eq!(kept, answer(b"the ebb")),
        other => panic!("{other:?}"),
    }
}

/// The same key of somebody else, or in another workspace, is another one.
pub(crate) async fn t01_an_answer_is_of_who_asked<H: Harness>() {
    let world = World::<H>::new().await;
    let (tenant, foreign) = (&world.ours, &world.theirs);
    let alice = asking("k", 10);
    let bob = Asking {
        asker: Persona::Colleague.principal(),
        ..alice
    };
    let claim = ours(&world, tenant, alice).await;
    assert!(keep(&world, tenant, claim, (b"for alice", 10)).await);
    let of_bob = ours(&world, tenant, bob).await;
    assert!(keep(&world, tenant, of_bob, (b"for bob", 10)).await);
    // Whoever it is there, with the same id and key.
    let there = ours(&world, foreign, alice).await;
    assert!(!keep(&world, foreign, claim, (b"changed", 10)).await);
    assert!(!let_go(&world, tenant, there).await);
    assert_eq!(prune(&world, foreign, 2_000).await, 1, "its own alone");
    for (asking, text) in [(alice, b"for alice".as_slice()), (bob, b"for bob")] {
        match ask(&world, tenant, asking, true).await {
            AnswerClaimed::Kept(_, kept) => assert_eq!(kept.body, text),
            other => panic!("{other:?}"),
        }
    }
}

/// A workspace keeps so many bytes of them; what is under way is not among those.
pub(crate) async fn answers_have_an_end<H: Harness>() {
    let world = World::<H>::new().await;
    let tenant = &world.ours;
    let big = vec![b'x'; Limits::ANSWER_BYTES];
    let waiting = ours(&world, tenant, asking("waiting", 10)).await;
    let fit = Limits::ANSWERS_BYTES / Limits::ANSWER_BYTES as u64;
    for turn in 0..=fit {
        let now = 20 + i64::try_from(turn).unwrap();
        let key = format!("k{turn}");
        let claim = ours(&world, tenant, asking(&key, now)).await;
        assert!(keep(&world, tenant, claim, (&big, now)).await);
    }
    let last = 20 + i64::try_from(fit).unwrap();
    let newest = format!("k{fit}");
    let kept = ask(&world, tenant, asking(&newest, last), true).await;
    assert!(matches!(kept, AnswerClaimed::Kept(..)));
    ours(&world, tenant, asking("k0", last)).await;
    assert!(keep(&world, tenant, waiting, (b"here", last)).await);
    // One that is longer is not kept, and can be asked for again.
    let mut longer = big;
    longer.push(b'x');
    let claim = ours(&world, tenant, asking("long", last)).await;
    assert!(!keep(&world, tenant, claim, (&longer, last)).await);
    ours(&world, tenant, asking("long", last)).await;
}
