//! Sinks of the ledger: what is set, what each has not been given, and whose turn it is.

use skep_authz::Authorized;
use skep_authz::rights::{DiagnosticsRead, OrgManage};
use skep_domain::{Id, OrganizationId, Timestamp, UsageId};
use skep_store::row::{Log, LogKey, SinkKey, SinkState, SinkTurnRow};
use skep_store::{Mode, NewAudit, NewUsage, Outcome, Store, StoreError};

use crate::Harness;
use crate::door::door;
use crate::world::{Persona, Tenant, World};

async fn manages<H: Harness>(world: &World<H>, tenant: &Tenant) -> Authorized<OrgManage> {
    world.authorized(tenant, Persona::Human).await
}

async fn decide(store: &Store, organization: Option<OrganizationId>, count: usize) {
    let mut tx = door(store, Mode::Write).await;
    let one = NewAudit {
        at: tx.now(),
        action: "work".into(),
        outcome: Outcome::Allowed,
        organization,
        workspace: None,
        credential: None,
        reason: String::new(),
        request: "r".into(),
        peer: None,
        target: None,
        shown: Vec::new(),
    };
    let all: Vec<_> = (0..count).map(|_| (one.clone(), None, 1)).collect();
    tx.append_audit(&all).await.unwrap();
    tx.commit().await.unwrap();
}

async fn put<H: Harness>(world: &World<H>, tenant: &Tenant, id: u8, name: &str) -> SinkKey {
    let right = manages(world, tenant).await;
    let mut tx = world.store().begin_org(right).await.unwrap();
    let made_at = tx.now();
    let body = format!("where {name} is");
    tx.put_sink(([id; 16], name), made_at, body.as_bytes())
        .await
        .unwrap();
    let (_, next) = tx.log_bounds(Log::Audit).await.unwrap();
    tx.put_sink_cursor([id; 16], Log::Audit, Some(next))
        .await
        .unwrap();
    tx.commit().await.unwrap();
    SinkKey {
        organization: Some(tenant.organization),
        id: [id; 16],
    }
}

async fn due(store: &Store) -> Vec<SinkKey> {
    let mut tx = door(store, Mode::Read).await;
    tx.list_sinks_due(10).await.unwrap()
}

/// What a sink has not been given, by log.
async fn behind(store: &Store, key: SinkKey, logs: &[Log]) -> Vec<(LogKey, u64, u64)> {
    let mut tx = door(store, Mode::Read).await;
    let rows = tx.list_behind(key, logs, (None, 10)).await.unwrap();
    rows.iter()
        .map(|row| (row.log, row.next, row.end))
        .collect()
}

pub(crate) async fn a_sink_is_due_while_it_has_not_been_given_everything<H: Harness>() {
    let world = World::<H>::new().await;
    let (store, ours) = (world.store(), &world.ours);
    decide(store, Some(ours.organization), 2).await;
    let key = put(&world, ours, 7, "siem").await;
    assert_eq!(due(store).await, []);
    decide(store, Some(world.theirs.organization), 3).await;
    assert_eq!(due(store).await, [], "what others record is theirs");
    decide(store, Some(ours.organization), 3).await;
    assert_eq!(due(store).await, [key]);
    let log = LogKey::new(Some(ours.organization), Log::Audit);
    let found = behind(store, key, &Log::ALL).await;
    let (_, next, end) = found[0];
    assert_eq!((found.len(), found[0].0, end - next), (1, log, 3));
    let mut tx = door(store, Mode::Read).await;
    let entries = tx.list_outgoing(log, next, 10).await.unwrap();
    let places: Vec<u64> = entries.iter().map(|one| one.entry.seq).collect();
    assert_eq!(places, (next..end).collect::<Vec<_>>());
    assert!(
        entries
            .iter()
            .all(|one| one.action.as_deref() == Some("work"))
    );
    let sink = tx.get_sink(key).await.unwrap().unwrap();
    assert_eq!(
        (sink.name.as_str(), sink.body.expose().as_slice()),
        ("siem", b"where siem is".as_slice())
    );
    drop(tx);
    is_due_by_its_turn(store, key).await;
    // What was held by whoever is gone is nobody's.
    let later = Timestamp::from_micros(store.now().as_micros() + 1_000_000_000);
    let mut tx = door(store, Mode::Write).await;
    let held = SinkTurnRow {
        holder: Some([1; 16]),
        held_until: later,
        ..SinkTurnRow::fresh(Timestamp::from_micros(0))
    };
    tx.put_sink_turn(key, held).await.unwrap();
    tx.release_sinks().await.unwrap();
    tx.put_sink_cursor(key.id, log, end).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(due(store).await, [], "it has everything");
    decide(store, Some(ours.organization), 1).await;
    assert_eq!(due(store).await, [key]);
}

/// Not while it waits, is held or is off.
async fn is_due_by_its_turn(store: &Store, key: SinkKey) {
    let now = Timestamp::from_micros(store.now().as_micros() + 1_000_000_000);
    let fresh = SinkTurnRow::fresh(Timestamp::from_micros(0));
    for (turn, is_due) in [
        (
            SinkTurnRow {
                not_before: now,
                ..fresh.clone()
            },
            false,
        ),
        (
            SinkTurnRow {
                holder: Some([1; 16]),
                held_until: now,
                ..fresh.clone()
            },
            false,
        ),
        (
            SinkTurnRow {
                state: SinkState::GivenUp,
                ..fresh.clone()
            },
            false,
        ),
        (
            SinkTurnRow {
                state: SinkState::Gone,
                ..fresh.clone()
            },
            false,
        ),
        (
            SinkTurnRow {
                failures: 3,
                failing_since: Some(now),
                delivered_at: Some(now),
                problem: Some("it answered 500".into()),
                ..fresh.clone()
            },
            true,
        ),
    ] {
        let mut tx = door(store, Mode::Write).await;
        tx.put_sink_turn(key, turn.clone()).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(!due(store).await.is_empty(), is_due, "{turn:?}");
        let mut tx = door(store, Mode::Read).await;
        assert_eq!(tx.sink_turn(key).await.unwrap(), Some(turn));
    }
}

pub(crate) async fn a_sink_of_nobodys_is_given_every_log<H: Harness>() {
    let world = World::<H>::new().await;
    let store = world.store();
    let key = SinkKey {
        organization: None,
        id: [9; 16],
    };
    let before: u64 = behind(store, key, &Log::ALL)
        .await
        .iter()
        .map(|one| one.2 - one.1)
        .sum();
    decide(store, None, 2).await;
    decide(store, Some(world.ours.organization), 3).await;
    let mut tx = door(store, Mode::Write).await;
    let used = NewUsage {
        id: tx.mint::<UsageId>(),
        at: tx.now(),
        workspace: None,
        principal: None,
        credential: None,
        facts: "{}".into(),
    };
    tx.append_usage(world.theirs.organization, &[used])
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let all = behind(store, key, &Log::ALL).await;
    assert_eq!(all.iter().map(|one| one.2 - one.1).sum::<u64>(), before + 6);
    assert!(all.contains(&(
        LogKey::new(Some(world.theirs.organization), Log::Usage),
        1,
        2
    )));
    assert!(behind(store, key, &[]).await.is_empty());
    let audit = behind(store, key, &[Log::Audit]).await;
    assert_eq!(audit.len() + 1, all.len());
    let mut tx = door(store, Mode::Write).await;
    for (log, _, end) in &all {
        tx.put_sink_cursor(key.id, *log, *end).await.unwrap();
    }
    tx.commit().await.unwrap();
    assert_eq!(behind(store, key, &Log::ALL).await, []);
}

/// Who gives a sink of nobody's some logs at a time comes to each, though those before it are always behind.
pub(crate) async fn of_many_logs_each_has_its_turn<H: Harness>() {
    let world = World::<H>::new().await;
    let store = world.store();
    let key = SinkKey {
        organization: None,
        id: [9; 16],
    };
    for number in 0..40_u8 {
        let mut id = [number; 16];
        id[0] = 0xf0;
        decide(store, Some(OrganizationId::from_bytes(id)), 2).await;
    }
    let mut tx = door(store, Mode::Read).await;
    let all: Vec<LogKey> = tx
        .list_behind(key, &Log::ALL, (None, 100))
        .await
        .unwrap()
        .iter()
        .map(|row| row.log)
        .collect();
    assert!(all.len() >= 40 && all.is_sorted_by_key(|log| (log.owner(), log.log.code())));
    let (mut after, mut given) = (None, Vec::new());
    for _ in 0..3 {
        let page = tx.list_behind(key, &Log::ALL, (after, 16)).await.unwrap();
        given.extend(page.iter().map(|row| row.log));
        after = page.last().map(|row| row.log);
    }
    let expected: Vec<LogKey> = all.iter().copied().cycle().take(48).collect();
    assert_eq!(given, expected);
}

pub(crate) async fn t01_a_sink_is_its_organizations<H: Harness>() {
    let world = World::<H>::new().await;
    let store = world.store();
    let ours = put(&world, &world.ours, 1, "siem").await;
    // The same name is free elsewhere, and taken here.
    put(&world, &world.theirs, 2, "siem").await;
    let right = manages(&world, &world.ours).await;
    let mut tx = store.begin_org(right).await.unwrap();
    let now = tx.now();
    let taken = tx.put_sink(([3; 16], "siem"), now, b"x").await;
    assert!(matches!(taken, Err(StoreError::Conflict(_))), "{taken:?}");
    drop(tx);
    let right = manages(&world, &world.theirs).await;
    let mut tx = store.begin_org(right).await.unwrap();
    let names: Vec<[u8; 16]> = tx
        .list_sinks()
        .await
        .unwrap()
        .iter()
        .map(|one| one.id)
        .collect();
    assert_eq!(names, [[2; 16]]);
    assert!(!tx.delete_sink(ours.id).await.unwrap());
    assert_eq!(tx.list_sink_cursors(ours.id).await.unwrap(), []);
    assert_eq!(tx.sink_turn(ours.id).await.unwrap(), None);
    tx.put_sink_cursor(ours.id, Log::Audit, None).await.unwrap();
    tx.commit().await.unwrap();
    let right = manages(&world, &world.ours).await;
    let mut tx = store.begin_org(right).await.unwrap();
    assert_eq!(tx.list_sink_cursors(ours.id).await.unwrap().len(), 1);
    assert!(tx.delete_sink(ours.id).await.unwrap());
    assert_eq!(tx.list_sink_cursors(ours.id).await.unwrap(), []);
    assert_eq!(tx.sink_turn(ours.id).await.unwrap(), None);
    tx.commit().await.unwrap();
    let right: Authorized<DiagnosticsRead> = world.authorized(&world.theirs, Persona::Human).await;
    let mut tx = store.begin_org(right).await.unwrap();
    let turns = tx.list_sink_turns().await.unwrap();
    assert_eq!(turns.len(), 1);
    assert_eq!(turns[0].0, "siem");
}
