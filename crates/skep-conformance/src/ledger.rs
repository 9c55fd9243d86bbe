//! The ledger: every entry is a leaf of its own log, an event is recorded once, and what is proved leads to the
//! root that was signed.

use skep_authz::rights::{AuditExport, AuditRead, UsageRead};
use skep_authz::{CanRead, Right};
use skep_domain::{Id, MemoryId, OrganizationId, SessionId, Timestamp, UsageId};
use skep_ledger::{
    Checkpoint, EMPTY_ROOT, Frontier, Hash, Log, VerifierKey, leaf_hash, verify_consistency,
    verify_inclusion,
};
use skep_store::row::{CheckpointRow, LogKey};
use skep_store::{
    DoorTx, Entered, Exported, Line, Mode, NewAudit, NewUsage, OrgTx, Outcome, PageOf, Piece,
    StoreError,
};

use crate::Harness;
use crate::world::{Persona, Tenant, World};

#[expect(
    clippy::disallowed_methods,
    reason = "the suite stands in the door to see what it lets through"
)]
pub(crate) async fn door<H: Harness>(world: &World<H>) -> DoorTx {
    world.store().begin_door(Mode::Write).await.unwrap()
}

pub(crate) async fn tx<P: Right + CanRead, H: Harness>(
    world: &World<H>,
    tenant: &Tenant,
) -> OrgTx<P> {
    let caller = world.caller(tenant.token(Persona::Human)).await.unwrap();
    let right = caller.authorize::<P>().unwrap();
    world.store().begin_org(right).await.unwrap()
}

pub(crate) fn event(number: u64) -> NewUsage {
    let mut id = [7; 16];
    id[8..].copy_from_slice(&number.to_be_bytes());
    NewUsage {
        id: UsageId::from_bytes(id),
        at: Timestamp::from_micros(7),
        workspace: None,
        principal: None,
        credential: None,
        facts: format!("{{\"tokens\":{number}}}"),
    }
}

pub(crate) async fn used<H: Harness>(
    world: &World<H>,
    organization: OrganizationId,
    events: &[NewUsage],
) -> Vec<Entered> {
    let mut tx = door(world).await;
    let entered = tx.append_usage(organization, events).await.unwrap();
    tx.commit().await.unwrap();
    entered
}

pub(crate) async fn signed<H: Harness>(
    world: &World<H>,
    tenant: &Tenant,
    log: Log,
) -> CheckpointRow {
    let mut tx = door(world).await;
    let key = LogKey::new(Some(tenant.organization), log);
    let checkpoint = tx.sign_ledger(key).await.unwrap().unwrap();
    tx.commit().await.unwrap();
    checkpoint
}

pub(crate) async fn exported<H: Harness>(
    world: &World<H>,
    tenant: &Tenant,
    log: Log,
) -> Vec<Exported> {
    let mut tx = tx::<AuditExport, H>(world, tenant).await;
    tx.export_entries(log, 0, 10_000).await.unwrap()
}

/// The root over the lines that an export has, made anew.
fn root_of(entries: &[Exported]) -> Hash {
    let mut tree = Frontier::default();
    for entry in entries {
        let Line::Whole(line) = &entry.line else {
            panic!("{entry:?}");
        };
        assert_eq!(leaf_hash(line.as_bytes()), entry.leaf);
        tree.push(entry.leaf, |_, _, _| {});
    }
    tree.root()
}

pub(crate) fn decided(
    tenant: &Tenant,
    number: u32,
) -> (NewAudit, Option<skep_domain::Principal>, u32) {
    let entry = NewAudit {
        at: Timestamp::from_micros(7),
        action: format!("act{number}"),
        outcome: Outcome::Allowed,
        organization: Some(tenant.organization),
        workspace: Some(tenant.workspace),
        credential: None,
        reason: "of the suite \u{2014} \"quoted\"\n".into(),
        request: "r".into(),
        peer: Some("127.0.0.1".into()),
        target: None,
        shown: Vec::new(),
    };
    (entry, Some(Persona::Human.principal()), number)
}

pub(crate) async fn l04_what_was_shown_is_found_by_it<H: Harness>() {
    let world = World::<H>::new().await;
    let memory = |number: u8| Piece::Memory(MemoryId::from_bytes([number; 16]));
    let session = Piece::Session(SessionId::from_bytes([9; 16]));
    for (round, pieces) in [
        vec![memory(1), memory(2)],
        vec![],
        vec![memory(2), session],
        vec![memory(3)],
    ]
    .into_iter()
    .enumerate()
    {
        let mut tx = door(&world).await;
        let (mut entry, who, times) = decided(&world.ours, 1);
        entry.shown = pieces;
        tx.append_audit(&[(entry, who, times)]).await.unwrap();
        // What is given up was shown to nobody.
        if round == 3 {
            drop(tx);
        } else {
            tx.commit().await.unwrap();
        }
    }
    let seen = async |tenant: &Tenant, piece: Piece, page: PageOf<u64>| {
        let mut tx = door(&world).await;
        let found = tx
            .list_seen(tenant.organization, piece, page)
            .await
            .unwrap();
        assert!(
            found
                .iter()
                .all(|entry| entry.decision.shown.contains(&piece))
        );
        found.iter().map(|entry| entry.seq).collect::<Vec<_>>()
    };
    let all = PageOf {
        limit: 10,
        before: None,
    };
    assert_eq!(seen(&world.ours, memory(1), all).await, [1]);
    assert_eq!(seen(&world.ours, memory(2), all).await, [3, 1]);
    assert_eq!(seen(&world.ours, session, all).await, [3]);
    assert_eq!(seen(&world.ours, memory(3), all).await, [0; 0]);
    let one = PageOf { limit: 1, ..all };
    assert_eq!(seen(&world.ours, memory(2), one).await, [3]);
    let older = PageOf {
        before: Some(3),
        ..all
    };
    assert_eq!(seen(&world.ours, memory(2), older).await, [1]);
    // The same bytes are another thing under another name, and of nobody else.
    let other = Piece::Session(SessionId::from_bytes([1; 16]));
    assert_eq!(seen(&world.ours, other, all).await, [0; 0]);
    assert_eq!(seen(&world.theirs, memory(1), all).await, [0; 0]);
}

pub(crate) async fn l01_every_entry_is_a_leaf_of_its_own_log<H: Harness>() {
    let world = World::<H>::new().await;
    for round in 0..3 {
        let mut tx = door(&world).await;
        let ours = [decided(&world.ours, round), decided(&world.theirs, round)];
        tx.append_audit(&ours).await.unwrap();
        let events: Vec<NewUsage> = (0..4).map(|n| event(u64::from(round) * 4 + n)).collect();
        tx.append_usage(world.ours.organization, &events)
            .await
            .unwrap();
        // What is given up is no leaf.
        if round == 1 {
            drop(tx);
        } else {
            tx.commit().await.unwrap();
        }
    }
    for (tenant, log, entries) in [
        (&world.ours, Log::Audit, 2),
        (&world.theirs, Log::Audit, 2),
        (&world.ours, Log::Usage, 8),
    ] {
        let exported = exported(&world, tenant, log).await;
        let places: Vec<u64> = exported.iter().map(|entry| entry.seq).collect();
        assert_eq!(places, (1..=entries).collect::<Vec<u64>>());
        let checkpoint = signed(&world, tenant, log).await;
        assert_eq!(checkpoint.size, entries);
        assert_eq!(checkpoint.root, root_of(&exported));
        let mut tx = tx::<AuditRead, H>(&world, tenant).await;
        let head = tx.log_head(log).await.unwrap();
        assert_eq!((head.first, head.size), (1, entries));
        let key = VerifierKey::parse(&head.key).unwrap();
        let opened = Checkpoint::open(&checkpoint.note, &key).unwrap();
        assert_eq!((opened.size, opened.root), (entries, checkpoint.root));
        assert_eq!(opened.origin, head.origin);
    }
    assert!(exported(&world, &world.theirs, Log::Usage).await.is_empty());
    let mut tx = tx::<AuditRead, H>(&world, &world.ours).await;
    let all = PageOf {
        limit: 9,
        before: None,
    };
    let record = tx.list_audit(all).await.unwrap();
    assert_eq!(record.len(), 2);
    let said = &record[0].decision;
    assert_eq!(
        (&*said.action, &*said.reason, &*said.request),
        ("act2", "of the suite \u{2014} \"quoted\"\n", "r")
    );
    assert_eq!(said.peer.as_deref(), Some("127.0.0.1"));
}

pub(crate) async fn l01_proofs_lead_to_the_signed_root<H: Harness>() {
    let world = World::<H>::new().await;
    let organization = world.ours.organization;
    let (mut roots, mut number) = (vec![(0, EMPTY_ROOT)], 0);
    // Over the edge of a subtree that is kept, and not only at it.
    for batch in [1, 6, 249, 1, 300, 60] {
        let events: Vec<NewUsage> = (0..batch).map(|n| event(number + n)).collect();
        used(&world, organization, &events).await;
        number += batch;
        let checkpoint = signed(&world, &world.ours, Log::Usage).await;
        assert_eq!(checkpoint.size, number);
        roots.push((checkpoint.size, checkpoint.root));
    }
    let mut tx = tx::<AuditRead, H>(&world, &world.ours).await;
    for (size, root) in &roots {
        for seq in [1, 2, 7, 8, 255, 256, 257, 512, 557, number] {
            let proved = tx.prove_inclusion(Log::Usage, seq, *size).await.unwrap();
            assert_eq!(proved.is_some(), seq <= *size, "{seq} of {size}");
            if let Some(proved) = proved {
                let place = (seq - 1, *size);
                assert_eq!((proved.index, proved.size), place);
                verify_inclusion(proved.leaf, place, root, &proved.proof).unwrap();
            }
        }
        for (old, before) in roots.iter().filter(|(old, _)| old <= size && *old > 0) {
            let proof = tx.prove_consistency(Log::Usage, *old, *size).await.unwrap();
            verify_consistency((*old, before), (*size, root), &proof.unwrap()).unwrap();
        }
    }
    for (seq, size) in [(0, 5), (6, 5), (1, number + 1), (1, 0)] {
        assert_eq!(
            tx.prove_inclusion(Log::Usage, seq, size).await.unwrap(),
            None
        );
    }
    for (old, size) in [(0, 5), (6, 5), (1, number + 1)] {
        let proof = tx.prove_consistency(Log::Usage, old, size).await.unwrap();
        assert_eq!(proof, None);
    }
}

pub(crate) async fn l02_a_thousand_entries_have_a_checkpoint_at_once<H: Harness>() {
    let world = World::<H>::new().await;
    let organization = world.ours.organization;
    let events: Vec<NewUsage> = (0..1_700).map(event).collect();
    let sizes = async |tx: &mut OrgTx<AuditRead>| {
        let page = PageOf {
            limit: 9,
            before: None,
        };
        let found = tx.list_checkpoints(Log::Usage, page).await.unwrap();
        found.iter().map(|found| found.size).collect::<Vec<u64>>()
    };
    for (part, expected) in [
        (0..999, vec![]),
        (999..1_000, vec![1_000]),
        (1_000..1_700, vec![1_000]),
    ] {
        used(&world, organization, &events[part]).await;
        let mut tx = tx::<AuditRead, H>(&world, &world.ours).await;
        assert_eq!(sizes(&mut tx).await, expected);
    }
    let mut tx = door(&world).await;
    let ahead = tx.list_ledgers_ahead(10).await.unwrap();
    assert_eq!(ahead.len(), 1);
    assert_eq!((ahead[0].size, ahead[0].signed), (1_700, 1_000));
    assert_eq!(ahead[0].key.organization, Some(organization));
    let key = ahead[0].key;
    // The same head signed twice is one checkpoint.
    tx.sign_ledger(key).await.unwrap();
    tx.sign_ledger(key).await.unwrap();
    let last = tx.list_last_checkpoints(None, 10).await.unwrap();
    let last: Vec<(LogKey, u64)> = last.iter().map(|(key, row)| (*key, row.size)).collect();
    assert_eq!(last, [(key, 1_700)]);
    let after = tx.list_last_checkpoints(Some(key), 10).await.unwrap();
    assert!(after.is_empty());
    assert!(tx.list_ledgers_ahead(10).await.unwrap().is_empty());
    let nobody = LogKey::new(None, Log::Usage);
    assert_eq!(tx.sign_ledger(nobody).await.unwrap(), None);
    tx.commit().await.unwrap();
}

pub(crate) async fn l06_an_event_is_recorded_once<H: Harness>() {
    let world = World::<H>::new().await;
    let (ours, theirs) = (world.ours.organization, world.theirs.organization);
    let twice = [event(1), event(2), event(1)];
    let entered = used(&world, ours, &twice).await;
    assert_eq!(
        entered,
        [Entered::New(1), Entered::New(2), Entered::Known(1)]
    );
    let entered = used(&world, ours, &[event(2), event(3)]).await;
    assert_eq!(entered, [Entered::Known(2), Entered::New(3)]);
    // Another organization's event of the same id is another event.
    assert_eq!(used(&world, theirs, &[event(2)]).await, [Entered::New(1)]);
    let mut tx = tx::<UsageRead, H>(&world, &world.ours).await;
    let page = PageOf {
        limit: 2,
        before: None,
    };
    let newest = tx.list_usage(page).await.unwrap();
    let seqs: Vec<u64> = newest.iter().map(|entry| entry.seq).collect();
    assert_eq!(seqs, [3, 2]);
    assert!(
        newest[0]
            .line
            .as_deref()
            .unwrap()
            .contains(",\"usage\":{\"tokens\":3},\"salt\":\"")
    );
    drop(tx);
    let mut tx = door(&world).await;
    for facts in ["", "1", "[]", "{\"a\":1}\n", "{\"a\":1", "{\"a\":\n1}"] {
        let event = NewUsage {
            facts: facts.into(),
            ..event(9)
        };
        let refused = tx.append_usage(ours, &[event]).await;
        assert!(matches!(refused, Err(StoreError::Refused(_))), "{facts}");
    }
}
