//! Entries of the ledger that are erased: the line goes, the hash stays, and so does every proof.

use std::collections::BTreeSet;

use skep_authz::rights::{AuditErase, AuditRead, UsageRead};
use skep_domain::{Id, MemoryId, Timestamp};
use skep_ledger::{ERASE, Hash, Log, verify_consistency, verify_inclusion};
use skep_store::{
    Entered, ErasedEntries, Exported, Line, NewAudit, Outcome, PageOf, Piece, Unerasable,
};

use crate::Harness;
use crate::ledger::{decided, door, event, exported, signed, tx, used};
use crate::world::{Persona, Tenant, World};

const ALL: PageOf<u64> = PageOf {
    limit: 1_000,
    before: None,
};

/// What whoever erases says.
fn said() -> NewAudit {
    NewAudit {
        at: Timestamp::from_micros(9),
        action: "something else".into(),
        outcome: Outcome::Allowed,
        organization: None,
        workspace: None,
        credential: None,
        reason: "asked for under article 17".into(),
        request: "r".into(),
        peer: None,
        target: None,
        shown: Vec::new(),
    }
}

async fn erased<H: Harness>(
    world: &World<H>,
    tenant: &Tenant,
    (log, places): (Log, &[u64]),
) -> Result<ErasedEntries, Unerasable> {
    let mut tx = tx::<AuditErase, H>(world, tenant).await;
    let places: BTreeSet<u64> = places.iter().copied().collect();
    let done = tx.erase_entries(log, &places, said()).await.unwrap();
    if done.is_ok() {
        tx.commit().await.unwrap();
    }
    done
}

/// So many entries in both logs, each of those of the record showing one memory.
pub async fn enter<H: Harness>(world: &World<H>, entries: u32) {
    for number in 0..entries {
        let mut tx = door(world).await;
        let (mut entry, who, times) = decided(&world.ours, number);
        entry.shown = vec![memory(7)];
        tx.append_audit(&[(entry, who, times)]).await.unwrap();
        tx.append_usage(world.ours.organization, &[event(u64::from(number))])
            .await
            .unwrap();
        tx.commit().await.unwrap();
    }
}

/// Erases an entry.
pub async fn erase_entry<H: Harness>(world: &World<H>, (log, place): (Log, u64)) {
    let done = erased(world, &world.ours, (log, &[place])).await;
    assert_eq!(done.map(|done| done.erased), Ok(vec![place]));
}

fn memory(number: u8) -> Piece {
    Piece::Memory(MemoryId::from_bytes([number; 16]))
}

fn tombstones(entries: &[Exported]) -> Vec<u64> {
    let erased = entries.iter().filter(|entry| entry.line == Line::Erased);
    erased.map(|entry| entry.seq).collect()
}

/// The places of entries that were erased, as an export has them.
pub(crate) async fn places_of_erased<H: Harness>(world: &World<H>, log: Log) -> Vec<u64> {
    tombstones(&exported(world, &world.ours, log).await)
}

/// That each entry is in each of these trees, and each tree begins with the ones before it.
async fn all_is_proved<H: Harness>(
    world: &World<H>,
    (log, entries): (Log, &[Exported]),
    trees: &[(u64, Hash)],
) {
    let mut tx = tx::<AuditRead, H>(world, &world.ours).await;
    for (at, (size, root)) in trees.iter().enumerate() {
        for entry in entries.iter().filter(|entry| entry.seq <= *size) {
            let proved = tx.prove_inclusion(log, entry.seq, *size).await.unwrap();
            let proved = proved.unwrap();
            assert_eq!(proved.leaf, entry.leaf);
            verify_inclusion(entry.leaf, (entry.seq - 1, *size), root, &proved.proof).unwrap();
        }
        for (old, before) in &trees[..at] {
            let proof = tx.prove_consistency(log, *old, *size).await.unwrap();
            verify_consistency((*old, before), (*size, root), &proof.unwrap()).unwrap();
        }
    }
}

pub(crate) async fn l07_proofs_outlive_the_lines_of_entries<H: Harness>() {
    let world = World::<H>::new().await;
    enter(&world, 6).await;
    for log in [Log::Audit, Log::Usage] {
        let mut trees = Vec::new();
        let first = signed(&world, &world.ours, log).await;
        trees.push((first.size, first.root));
        let before = exported(&world, &world.ours, log).await;
        let done = erased(&world, &world.ours, (log, &[2, 5])).await.unwrap();
        assert_eq!((&*done.erased, &*done.already), (&[2, 5][..], &[][..]));
        enter(&world, 2).await;
        let last = signed(&world, &world.ours, log).await;
        trees.push((last.size, last.root));
        let after = exported(&world, &world.ours, log).await;
        assert_eq!(tombstones(&after), [2, 5], "{log}");
        for (was, is) in before.iter().zip(&after) {
            assert_eq!((was.seq, was.leaf), (is.seq, is.leaf));
            assert!(is.line == Line::Erased || is.line == was.line);
        }
        all_is_proved(&world, (log, &after), &trees).await;
    }
    // What came after leads to the same tree as if nothing had been erased, and sums read on.
    let mut tx = tx::<UsageRead, H>(&world, &world.ours).await;
    let use_of = tx.list_usage(ALL).await.unwrap();
    let gone = use_of.iter().filter(|entry| entry.line.is_none());
    let gone: Vec<u64> = gone.map(|entry| entry.seq).collect();
    assert_eq!(gone, [5, 2]);
    drop(tx);
    let again = used(&world, world.ours.organization, &[event(1)]).await;
    assert_eq!(again, [Entered::Known(2)], "it stays recorded once");
}

pub(crate) async fn l07_of_an_erased_entry_only_its_place_time_and_act_stay<H: Harness>() {
    let world = World::<H>::new().await;
    enter(&world, 3).await;
    erased(&world, &world.ours, (Log::Audit, &[2]))
        .await
        .unwrap();
    let mut tx = tx::<AuditRead, H>(&world, &world.ours).await;
    let record = tx.list_audit(ALL).await.unwrap();
    let places: Vec<(u64, bool)> = record.iter().map(|one| (one.seq, one.is_erased)).collect();
    assert_eq!(places, [(4, false), (3, false), (2, true), (1, false)]);
    let gone = &record[2];
    assert_eq!((gone.principal, gone.times), (None, 1));
    let left = NewAudit {
        at: Timestamp::from_micros(7),
        action: "act1".into(),
        organization: Some(world.ours.organization),
        reason: String::new(),
        request: String::new(),
        ..said()
    };
    assert_eq!(gone.decision, left);
    let says = &record[0];
    assert_eq!(says.principal, Some(Persona::Human.principal()));
    let told = (&*says.decision.action, says.decision.target.as_deref());
    assert_eq!(told, (ERASE, Some("audit:2")));
    assert_eq!(says.decision.reason, "asked for under article 17");
    drop(tx);
    let mut tx = door(&world).await;
    let organization = world.ours.organization;
    let seen = tx.list_seen(organization, memory(7), ALL).await.unwrap();
    let seen: Vec<u64> = seen.iter().map(|entry| entry.seq).collect();
    assert_eq!(seen, [3, 1]);
}

pub(crate) async fn l07_all_that_is_asked_for_is_erased_or_nothing<H: Harness>() {
    let world = World::<H>::new().await;
    enter(&world, 3).await;
    let first = erased(&world, &world.ours, (Log::Usage, &[1]))
        .await
        .unwrap();
    assert_eq!(first.entry, 4);
    for (log, places, why) in [
        (Log::Audit, &[1, 99][..], Unerasable::Unknown(99)),
        (Log::Audit, &[0, 1], Unerasable::Unknown(0)),
        (Log::Audit, &[1, u64::MAX], Unerasable::Unknown(u64::MAX)),
        (Log::Usage, &[2, 4], Unerasable::Unknown(4)),
        (Log::Audit, &[1, 4], Unerasable::SaysWhatWasErased(4)),
    ] {
        let refused = erased(&world, &world.ours, (log, places)).await;
        assert_eq!(refused, Err(why), "{log} {places:?}");
    }
    // The same places of somebody else are other entries, or none.
    let theirs = erased(&world, &world.theirs, (Log::Audit, &[1])).await;
    assert_eq!(theirs, Err(Unerasable::Unknown(1)));
    for log in [Log::Audit, Log::Usage] {
        let gone = tombstones(&exported(&world, &world.ours, log).await);
        assert_eq!(gone, if log == Log::Usage { vec![1] } else { vec![] });
    }
    assert_eq!(exported(&world, &world.ours, Log::Audit).await.len(), 4);
}

pub(crate) async fn l07_a_second_time_is_no_mistake_and_what_is_given_up_is_there<H: Harness>() {
    let world = World::<H>::new().await;
    enter(&world, 3).await;
    erase_entry(&world, (Log::Usage, 1)).await;
    let again = erased(&world, &world.ours, (Log::Usage, &[1, 2])).await;
    let again = again.unwrap();
    assert_eq!((&*again.erased, &*again.already), (&[2][..], &[1][..]));
    // What is given up is erased no more than anything else of it.
    let mut tx = tx::<AuditErase, H>(&world, &world.ours).await;
    let places = BTreeSet::from([3]);
    let done = tx.erase_entries(Log::Audit, &places, said()).await;
    assert!(done.unwrap().is_ok());
    drop(tx);
    let entries = exported(&world, &world.ours, Log::Audit).await;
    assert_eq!((entries.len(), tombstones(&entries)), (5, vec![]));
}

/// A checkpoint stands for what is erased, from before it was.
pub(crate) async fn l07_what_is_erased_was_signed_for<H: Harness>() {
    let world = World::<H>::new().await;
    enter(&world, 3).await;
    erased(&world, &world.ours, (Log::Audit, &[3]))
        .await
        .unwrap();
    let mut tx = tx::<AuditRead, H>(&world, &world.ours).await;
    let found = tx.list_checkpoints(Log::Audit, ALL).await.unwrap();
    let sizes: Vec<u64> = found.iter().map(|found| found.size).collect();
    assert_eq!(sizes, [3]);
}
