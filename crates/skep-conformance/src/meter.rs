//! What calls of models may cost, and did: budgets and their counts, rate cards, what is set aside, sums of
//! days.

use skep_authz::rights::{BudgetManage, UsageRead};
use skep_authz::{Authorized, Right};
use skep_domain::{
    BudgetId, BudgetPeriod, BudgetScope, Id, ModelPattern, Principal, Timestamp, UsageId, UserId,
};
use skep_store::row::{Counted, RateCardRow, SpendChange, SpendRow, UsageDayRow, UsageSums};
use skep_store::{DoorTx, Mode, ModelCall, Reservation, StoreError};

use crate::Harness;
use crate::door::door;
use crate::world::{Persona, Tenant, World};

async fn right<H: Harness, P: Right>(world: &World<H>, tenant: &Tenant) -> Authorized<P> {
    world.authorized(tenant, Persona::Human).await
}

async fn put_budget<H: Harness>(
    world: &World<H>,
    tenant: &Tenant,
    (scope, period): (BudgetScope, BudgetPeriod),
    (limit, hard): (u64, bool),
) -> BudgetId {
    let right = right::<H, BudgetManage>(world, tenant).await;
    let mut tx = world.store().begin_org(right).await.unwrap();
    let id = tx.put_budget((scope, period), limit, hard).await.unwrap();
    tx.commit().await.unwrap();
    id
}

fn models(text: &str) -> ModelPattern {
    ModelPattern::parse(text).unwrap()
}

/// In the middle of a month that all windows begin in after the epoch.
const NOW: Timestamp = Timestamp::from_micros(1_763_800_000_000_000);

pub(crate) async fn a_budget_is_one_of_its_scope_period_and_kind<H: Harness>() {
    let world = World::<H>::new().await;
    let tenant = &world.ours;
    let scopes = || {
        [
            BudgetScope::Organization,
            BudgetScope::Workspace(tenant.workspace),
            BudgetScope::Agent(Id::from_bytes([3; 16])),
            BudgetScope::User(Id::from_bytes([3; 16])),
            BudgetScope::Key(Id::from_bytes([4; 16])),
            BudgetScope::Model(models("openai/gpt-5*")),
        ]
    };
    let mut ids = Vec::new();
    for scope in scopes() {
        for period in BudgetPeriod::ALL {
            for hard in [false, true] {
                let what = (scope.clone(), *period);
                ids.push(put_budget(&world, tenant, what, (10, hard)).await);
            }
        }
    }
    let same = (BudgetScope::Organization, BudgetPeriod::Day);
    let again = put_budget(&world, tenant, same, (20, false)).await;
    assert_eq!(again, ids[0], "the same budget, with another limit");
    let mut tx = door(world.store(), Mode::Read).await;
    let held = tx.list_budgets_of(tenant.organization).await.unwrap();
    assert_eq!(held.len(), ids.len());
    assert_eq!(held.iter().filter(|budget| budget.limit == 20).count(), 1);
    for scope in scopes() {
        let of = held.iter().filter(|budget| budget.scope == scope);
        assert_eq!(of.count(), 2 * BudgetPeriod::ALL.len(), "{scope:?}");
    }
    let theirs = tx.list_budgets_of(world.theirs.organization).await.unwrap();
    assert!(theirs.is_empty(), "those of another organization");
    drop(tx);
    for (tenant, gone) in [(&world.theirs, false), (&world.ours, true)] {
        let right = right::<H, BudgetManage>(&world, tenant).await;
        let mut tx = world.store().begin_org(right).await.unwrap();
        assert_eq!(tx.remove_budget(ids[0]).await.unwrap(), gone);
        tx.commit().await.unwrap();
    }
}

async fn change(
    tx: &mut DoorTx,
    tenant: &Tenant,
    budget: BudgetId,
    start: Timestamp,
    (reserved, spent): (i64, i64),
) {
    let change = SpendChange {
        budget,
        start,
        reserved,
        spent,
    };
    let changes = tx.change_spends(tenant.organization, vec![change]);
    changes.await.unwrap();
}

async fn spends<H: Harness>(world: &World<H>, tenant: &Tenant) -> Vec<(Timestamp, u64, u64)> {
    let mut tx = door(world.store(), Mode::Read).await;
    let found = tx.list_spends_of(tenant.organization, NOW).await.unwrap();
    let shown = |spend: SpendRow| (spend.start, spend.reserved, spend.spent);
    let mut found: Vec<_> = found.into_iter().map(shown).collect();
    found.sort_unstable();
    found
}

pub(crate) async fn l08_counts_of_budgets_add_up_in_their_windows<H: Harness>() {
    let world = World::<H>::new().await;
    let tenant = &world.ours;
    let total = (BudgetScope::Organization, BudgetPeriod::Total);
    let budget = put_budget(&world, tenant, total, (1_000, true)).await;
    let (epoch, day) = (Timestamp::from_micros(0), BudgetPeriod::Day.start(NOW));
    let long_ago = Timestamp::from_micros(86_400_000_000);
    for mode in [Mode::Swift, Mode::Write] {
        let mut tx = door(world.store(), mode).await;
        change(&mut tx, tenant, budget, epoch, (50, 0)).await;
        change(&mut tx, tenant, budget, epoch, (-30, 20)).await;
        change(&mut tx, tenant, budget, day, (7, 0)).await;
        change(&mut tx, tenant, budget, long_ago, (9, 9)).await;
        tx.commit().await.unwrap();
    }
    assert_eq!(
        spends(&world, tenant).await,
        [(epoch, 40, 40), (day, 14, 0)]
    );
    let mut tx = door(world.store(), Mode::Write).await;
    change(&mut tx, tenant, budget, epoch, (-500, -500)).await;
    change(
        &mut tx,
        tenant,
        BudgetId::from_bytes([9; 16]),
        epoch,
        (1, 1),
    )
    .await;
    change(&mut tx, &world.theirs, budget, epoch, (1, 1)).await;
    tx.commit().await.unwrap();
    let found = spends(&world, tenant).await;
    assert_eq!(found, [(epoch, 0, 0), (day, 14, 0)], "never below nothing");
    assert!(spends(&world, &world.theirs).await.is_empty());
    let mut tx = door(world.store(), Mode::Swift).await;
    change(&mut tx, tenant, budget, epoch, (5, 5)).await;
    drop(tx);
    assert_eq!(
        spends(&world, tenant).await,
        found,
        "what is not committed is not"
    );
}

fn card(pattern: &str, input: u64) -> RateCardRow {
    RateCardRow {
        models: models(pattern),
        version: 0,
        input,
        output: 2,
        cache_read: Some(3),
        cache_write: None,
        reasoning: Some(0),
        created_at: NOW,
    }
}

pub(crate) async fn rate_cards_have_versions_and_the_last_one_counts<H: Harness>() {
    let world = World::<H>::new().await;
    let right_of_theirs = right::<H, BudgetManage>(&world, &world.theirs).await;
    let mut tx = world.store().begin_org(right_of_theirs).await.unwrap();
    tx.put_rate_card(card("openai/*", 99)).await.unwrap();
    tx.commit().await.unwrap();
    for (pattern, input, version) in [("openai/*", 1, 1), ("openai/*", 5, 2), ("*/x", 7, 1)] {
        let right = right::<H, BudgetManage>(&world, &world.ours).await;
        let mut tx = world.store().begin_org(right).await.unwrap();
        let given = tx.put_rate_card(card(pattern, input)).await.unwrap();
        assert_eq!(given, version, "{pattern}");
        tx.commit().await.unwrap();
    }
    let right = right::<H, UsageRead>(&world, &world.ours).await;
    let mut tx = world.store().begin_org(right).await.unwrap();
    let now = tx.list_rate_cards().await.unwrap();
    let now: Vec<_> = now
        .iter()
        .map(|card| (card.models.as_str(), card.input))
        .collect();
    assert_eq!(now, [("*/x", 7), ("openai/*", 5)]);
    let all = tx
        .list_rate_card_versions(&models("openai/*"), 10)
        .await
        .unwrap();
    let expected = [(5, 2), (1, 1)].map(|(input, version)| RateCardRow {
        version,
        ..card("openai/*", input)
    });
    assert_eq!(all, expected);
}

fn reservation(tenant: &Tenant, byte: u8, expires_at: Timestamp) -> Reservation {
    Reservation {
        id: UsageId::from_bytes([byte; 16]),
        at: NOW,
        expires_at,
        amount: 11,
        counted: Counted(vec![(BudgetId::from_bytes([5; 16]), NOW)]),
        rate: Some("openai/* 2".into()),
        call: ModelCall {
            organization: tenant.organization,
            workspace: tenant.workspace,
            principal: Principal::User(UserId::from_bytes([6; 16])),
            credential: Id::from_bytes([7; 16]),
            provider: "openai".into(),
            model: "gpt-5".into(),
            request: "request".into(),
            input: 1 << 40,
            output: 0,
        },
    }
}

pub(crate) async fn l06_what_is_set_aside_is_taken_once<H: Harness>() {
    let world = World::<H>::new().await;
    let soon = Timestamp::from_micros(NOW.as_micros() + 1);
    let late = Timestamp::from_micros(NOW.as_micros() + 100);
    let held = [
        reservation(&world.ours, 1, late),
        reservation(&world.ours, 2, soon),
        reservation(&world.theirs, 2, soon),
    ];
    let mut tx = door(world.store(), Mode::Swift).await;
    tx.put_reservations(&held).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = door(world.store(), Mode::Swift).await;
    let twice = tx.put_reservations(&held[..1]).await.unwrap_err();
    assert!(matches!(twice, StoreError::Conflict(_)), "{twice}");
    drop(tx);
    let mut tx = door(world.store(), Mode::Write).await;
    let stale = tx.list_stale_reservations(late, 10).await.unwrap();
    assert_eq!(stale.len(), 2);
    let ours = stale
        .iter()
        .find(|stale| stale.call == held[1].call)
        .unwrap();
    assert_eq!((ours.amount, &ours.counted), (11, &held[1].counted));
    assert_eq!(ours.rate, held[1].rate);
    let (mine, other) = (world.ours.organization, world.theirs.organization);
    let taken = tx.take_reservations(vec![
        (mine, held[0].id),
        (other, held[0].id),
        (mine, held[1].id),
        (mine, held[1].id),
    ]);
    assert_eq!(taken.await.unwrap(), [held[0].id, held[1].id]);
    let left = tx.list_stale_reservations(late, 10).await.unwrap();
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].call.organization, other);
}

pub(crate) async fn sums_of_days_add_up<H: Harness>() {
    let world = World::<H>::new().await;
    let day = BudgetPeriod::Day.start(NOW);
    let row = |tenant: &Tenant, model: &str, calls: i64| UsageDayRow {
        day,
        workspace: tenant.workspace,
        principal: Principal::Agent(Id::from_bytes([6; 16])),
        credential: Id::from_bytes([7; 16]),
        provider: "openai".into(),
        model: model.into(),
        sums: UsageSums {
            calls,
            estimated: 1,
            input: 2,
            output: 3,
            cache_read: 4,
            cache_write: 5,
            reasoning: 6,
            cost: 7,
        },
    };
    let mut tx = door(world.store(), Mode::Swift).await;
    for calls in [1, 3, -2] {
        for tenant in [&world.ours, &world.theirs] {
            let rows = vec![row(tenant, "a", calls), row(tenant, "b", 1)];
            tx.add_usage_days(tenant.organization, rows).await.unwrap();
        }
    }
    tx.commit().await.unwrap();
    let right = right::<H, UsageRead>(&world, &world.ours).await;
    let mut tx = world.store().begin_org(right).await.unwrap();
    let next = Timestamp::from_micros(day.as_micros() + 1);
    let mut found = tx.list_usage_days(day..next, 10).await.unwrap();
    found.sort_by(|one, other| one.model.cmp(&other.model));
    let sums = |calls| UsageSums {
        calls,
        estimated: 3,
        input: 6,
        output: 9,
        cache_read: 12,
        cache_write: 15,
        reasoning: 18,
        cost: 21,
    };
    let expected = [("a", 2), ("b", 3)].map(|(model, calls)| UsageDayRow {
        sums: sums(calls),
        ..row(&world.ours, model, calls)
    });
    assert_eq!(found, expected);
    assert_eq!(tx.list_usage_days(day..next, 1).await.unwrap().len(), 1);
    assert!(tx.list_usage_days(next..next, 10).await.unwrap().is_empty());
}
