//! Budgets under many calls at once, kills, late endings and turning calendars.

use std::sync::Arc;

use skep_app::{
    App, AppError, BudgetRefusal, CallOutcome, Ending, Measured, MeterDesk, ModelCall, NewRateCard,
    Reserved, Settled,
};
use skep_authz::rights;
use skep_domain::{BudgetPeriod, BudgetScope, Id, ModelPattern, Timestamp, UserId};
use skep_llm::{Cost, Price, Usage};
use skep_store::row::UsageSums;
use tokio::task::JoinSet;

use crate::world::World;

const DAY: i64 = 86_400_000_000;

/// An application whose meter runs, until it is dropped.
struct Running {
    app: Arc<App>,
    #[expect(dead_code, reason = "held: dropped, it ends the task")]
    desk: JoinSet<()>,
}

fn run(world: &World) -> Running {
    let app = Arc::new(world.start());
    let mut desk = JoinSet::new();
    desk.spawn(MeterDesk::new(Arc::clone(&app)).run());
    Running { app, desk }
}

/// A call that reads so many tokens at most, at a millionth each.
fn call(world: &World, input: u64) -> ModelCall {
    ModelCall {
        organization: world.a.organization,
        workspace: world.a.workspace,
        principal: skep_domain::Principal::User(UserId::from_bytes([7; 16])),
        credential: Id::from_bytes([8; 16]),
        provider: "mock".into(),
        model: "echo".into(),
        request: "request".into(),
        input,
        output: 0,
    }
}

fn used(input: u64, outcome: CallOutcome) -> Ending {
    let usage = Usage {
        input,
        ..Usage::default()
    };
    Ending {
        usage,
        measured: Measured::Provider,
        outcome,
    }
}

async fn price(world: &World, app: &App) {
    let card = NewRateCard {
        models: ModelPattern::parse("mock/*").unwrap(),
        price: Price {
            input: Cost(1_000_000),
            ..Price::default()
        },
    };
    let may = world.may::<rights::BudgetManage>(&world.a).await;
    app.put_rate_card(may, card).await.unwrap();
}

async fn bound(world: &World, app: &App, period: BudgetPeriod, limit: u64) {
    let may = world.may::<rights::BudgetManage>(&world.a).await;
    let scope = (BudgetScope::Organization, period);
    app.put_budget(may, scope, Cost(limit), true).await.unwrap();
}

/// What is set aside and what is spent, of the only budget.
async fn counted(world: &World, app: &App) -> (u64, u64) {
    let may = world.may::<rights::UsageRead>(&world.a).await;
    let standings = app.list_budgets(may).await.unwrap();
    assert_eq!(standings.len(), 1, "{standings:?}");
    (standings[0].reserved.0, standings[0].spent.0)
}

async fn sums(world: &World, app: &App) -> UsageSums {
    let may = world.may::<rights::UsageRead>(&world.a).await;
    let all = Timestamp::from_micros(0)..Timestamp::from_micros(i64::MAX);
    let (rows, whole) = app.list_usage_days(may, all).await.unwrap();
    assert!(whole && rows.len() <= 1, "{rows:?}");
    rows.first().map(|row| row.sums).unwrap_or_default()
}

/// The record of what was used, oldest first: outcome, cost, and whether it corrects another.
async fn entries(world: &World) -> Vec<(String, u64, bool)> {
    #[derive(serde::Deserialize)]
    struct Line {
        usage: Facts,
    }
    #[derive(serde::Deserialize)]
    struct Facts {
        outcome: String,
        cost: u64,
        corrects: Option<String>,
    }
    let may = world.may::<rights::UsageRead>(&world.a).await;
    let mut tx = world.store.begin_org(may).await.unwrap();
    let page = skep_store::PageOf {
        limit: 1_000,
        before: None,
    };
    let entries = tx.list_usage(page).await.unwrap();
    let read = entries.iter().rev().map(|entry| {
        let Line { usage } = serde_json::from_str(entry.line.as_ref().unwrap()).unwrap();
        (usage.outcome, usage.cost, usage.corrects.is_some())
    });
    read.collect()
}

/// Everything that was told before is written when this returns.
async fn flush(world: &World, app: &App) {
    let reserved = app.reserve_call(call(world, 0)).await.unwrap();
    app.settle_call(reserved, used(0, CallOutcome::NotSent));
    let barrier = app.reserve_call(call(world, 0)).await.unwrap();
    drop(barrier);
}

#[tokio::test(flavor = "multi_thread")]
async fn l08_what_a_call_gives_back_is_there_for_the_next_one() {
    let world = World::new().await;
    let running = run(&world);
    let app = &running.app;
    price(&world, app).await;
    // Room for one call that is under way, beside what each of them costs in the end.
    bound(&world, app, BudgetPeriod::Total, 150).await;
    for spent in 0..50 {
        let reserved = app.reserve_call(call(&world, 100)).await;
        let reserved = reserved.unwrap_or_else(|error| panic!("call {spent}: {error}"));
        let beside = app.reserve_call(call(&world, 100)).await;
        assert!(matches!(beside, Err(AppError::BudgetExceeded(_))));
        let _ = app.settle_call(reserved, used(1, CallOutcome::Finished));
    }
    assert_eq!(
        counted(&world, app).await,
        (0, 50),
        "whoever looks sees all that ended"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn l08_of_two_hundred_calls_at_once_a_limit_of_a_hundred_lets_exactly_a_hundred_pass() {
    let world = World::new().await;
    let running = run(&world);
    price(&world, &running.app).await;
    bound(&world, &running.app, BudgetPeriod::Month, 100).await;
    let mut asking = JoinSet::new();
    for _ in 0..200 {
        let (app, call) = (Arc::clone(&running.app), call(&world, 1));
        asking.spawn(async move {
            match app.reserve_call(call).await {
                Ok(reserved) => {
                    let Settled { cost, .. } =
                        app.settle_call(reserved, used(1, CallOutcome::Finished));
                    cost
                }
                Err(AppError::BudgetExceeded(BudgetRefusal::Exceeded(_))) => None,
                Err(other) => panic!("{other}"),
            }
        });
    }
    let passed = asking.join_all().await.into_iter().flatten().count();
    assert_eq!(passed, 100);
    let refused = running.app.reserve_call(call(&world, 1)).await;
    assert!(
        refused
            .unwrap_err()
            .to_string()
            .contains("0.0001 of 0.0001 spent this month")
    );
    assert_eq!(counted(&world, &running.app).await, (0, 100));
    assert_eq!(entries(&world).await.len(), 100);
    assert_eq!(sums(&world, &running.app).await.cost, 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn l06_every_ending_is_settled_at_what_it_cost_and_recorded_once() {
    let world = World::new().await;
    let Running { app, .. } = &run(&world);
    price(&world, app).await;
    bound(&world, app, BudgetPeriod::Total, 1_000).await;
    for (most, read, outcome, cost, left) in [
        (100, 40, CallOutcome::Finished, 40, 960),
        (100, 10, CallOutcome::Cancelled, 10, 950),
        (100, 0, CallOutcome::Failed, 0, 950),
        (100, 99, CallOutcome::NotSent, 0, 950),
        // A bound that did not hold is no bound on what is recorded.
        (10, 25, CallOutcome::Finished, 25, 925),
    ] {
        let reserved = app.reserve_call(call(&world, most)).await.unwrap();
        assert_eq!(reserved.most().unwrap_or_default(), Cost(most));
        let settled = app.settle_call(reserved, used(read, outcome));
        assert_eq!(settled.cost, Some(Cost(cost)), "{outcome:?}");
        flush(&world, app).await;
        let (_, spent) = counted(&world, app).await;
        assert_eq!(1_000 - spent, left, "{outcome:?}");
    }
    let costs: Vec<u64> = entries(&world)
        .await
        .into_iter()
        .map(|entry| entry.1)
        .collect();
    assert_eq!(costs.iter().sum::<u64>(), 75);
}

#[tokio::test(flavor = "multi_thread")]
async fn l06_a_call_that_nobody_settles_counts_with_the_most_it_may_have_cost() {
    let world = World::new().await;
    let first = run(&world);
    price(&world, &first.app).await;
    bound(&world, &first.app, BudgetPeriod::Total, 100).await;
    let lost: Reserved = first.app.reserve_call(call(&world, 60)).await.unwrap();
    drop(first);

    // What was set aside outlives the application, and leaves no room for what it may have cost.
    let second = run(&world);
    assert_eq!(counted(&world, &second.app).await, (60, 0));
    assert!(second.app.reserve_call(call(&world, 41)).await.is_err());
    let now = world.store.now();
    let desk = MeterDesk::new(Arc::clone(&second.app));
    assert_eq!(
        desk.give_up_stale(now).await.unwrap(),
        0,
        "its time is not over"
    );
    let later = Timestamp::from_micros(now.as_micros() + DAY);
    assert_eq!(desk.take_over().await.unwrap(), 1, "nobody else is at it");
    assert_eq!(desk.give_up_stale(later).await.unwrap(), 0, "once");
    assert_eq!(counted(&world, &second.app).await, (0, 60));
    assert_eq!(entries(&world).await, [("lost".to_owned(), 60, false)]);

    // It ended after all: what it really cost stands beside that, and counts.
    second
        .app
        .settle_call(lost, used(20, CallOutcome::Finished));
    flush(&world, &second.app).await;
    assert_eq!(counted(&world, &second.app).await, (0, 20));
    let recorded = entries(&world).await;
    assert_eq!(recorded[1], ("finished".to_owned(), 20, true));
    let sums = sums(&world, &second.app).await;
    assert_eq!((sums.cost, sums.input), (20, 20), "{sums:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_begins_anew_and_a_call_counts_when_it_was_made() {
    let world = World::new().await;
    let Running { app, .. } = &run(&world);
    price(&world, app).await;
    bound(&world, app, BudgetPeriod::Day, 100).await;
    let reserved = app.reserve_call(call(&world, 100)).await.unwrap();
    assert!(app.reserve_call(call(&world, 1)).await.is_err());
    world.clock.advance_seconds(86_400);
    assert_eq!(counted(&world, app).await, (0, 0), "another day");
    let other = app.reserve_call(call(&world, 100)).await.unwrap();
    app.settle_call(reserved, used(70, CallOutcome::Finished));
    app.settle_call(other, used(30, CallOutcome::Finished));
    flush(&world, app).await;
    assert_eq!(counted(&world, app).await.1, 30);
}

#[tokio::test(flavor = "multi_thread")]
async fn prices_have_versions_and_a_call_keeps_that_of_its_beginning() {
    let world = World::new().await;
    let Running { app, .. } = &run(&world);
    price(&world, app).await;
    bound(&world, app, BudgetPeriod::Total, 1_000).await;
    let reserved = app.reserve_call(call(&world, 10)).await.unwrap();
    let dearer = NewRateCard {
        models: ModelPattern::parse("mock/*").unwrap(),
        price: Price {
            input: Cost(5_000_000),
            ..Price::default()
        },
    };
    for version in [2, 2] {
        let may = world.may::<rights::BudgetManage>(&world.a).await;
        let made = app.put_rate_card(may, dearer.clone()).await.unwrap();
        assert_eq!(made.version, version, "the same again is no version");
    }
    let settled = app.settle_call(reserved, used(10, CallOutcome::Finished));
    assert_eq!(settled.cost, Some(Cost(10)));
    let next = app.reserve_call(call(&world, 10)).await.unwrap();
    assert_eq!(next.most(), Some(Cost(50)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_of_another_organization_covers_nothing_here() {
    let world = World::new().await;
    let Running { app, .. } = &run(&world);
    let may = world.may::<rights::BudgetManage>(&world.b).await;
    let scope = (BudgetScope::Organization, BudgetPeriod::Total);
    app.put_budget(may, scope, Cost(0), true).await.unwrap();
    assert!(app.reserve_call(call(&world, 1)).await.is_ok());
    let theirs = ModelCall {
        organization: world.b.organization,
        workspace: world.b.workspace,
        ..call(&world, 1)
    };
    let refused = app.reserve_call(theirs).await.unwrap_err();
    assert!(matches!(
        refused,
        AppError::BudgetExceeded(BudgetRefusal::NoPrice)
    ));
}

/// The alerts in the record, oldest first.
async fn alerts(world: &World, app: &App) -> Vec<(String, Option<skep_domain::Principal>)> {
    let may = world.may::<rights::AuditRead>(&world.a).await;
    let page = skep_store::PageOf {
        limit: 100,
        before: None,
    };
    let alerts = app.list_alerts(may, page).await.unwrap();
    let told = alerts.items.into_iter().rev();
    told.map(|entry| (entry.decision.reason, entry.principal))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_that_is_nearly_spent_is_told_in_the_record() {
    let world = World::new().await;
    let Running { app, .. } = &run(&world);
    price(&world, app).await;
    bound(&world, app, BudgetPeriod::Total, 100_000_000).await;
    let user = UserId::from_bytes([7; 16]);
    let may = world.may::<rights::BudgetManage>(&world.a).await;
    let scope = (BudgetScope::User(user), BudgetPeriod::Total);
    app.put_budget(may, scope, Cost(50_000_000), false)
        .await
        .unwrap();
    let own = "of the alert budget of a person for the period total are spent";
    let all = "of the hard budget of the organization for the period total are spent";
    let (own, all) = (
        |share: &str| share.replace("..", own),
        |share: &str| share.replace("..", all),
    );
    let mut told = Vec::new();
    for (read, tells) in [
        (39, None),
        (1, Some(own("80 % ..: 40.00 of 50.00"))),
        (9, None),
        (6, Some(own("100 % ..: 55.00 of 50.00"))),
        (25, Some(all("80 % ..: 80.00 of 100.00"))),
        (19, None),
        (1, Some(all("100 % ..: 100.00 of 100.00"))),
    ] {
        let reserved = app.reserve_call(call(&world, read * 1_000_000)).await;
        let ending = used(read * 1_000_000, CallOutcome::Finished);
        let _ = app.settle_call(reserved.unwrap(), ending);
        flush(&world, app).await;
        told.extend(tells);
        let found = alerts(&world, app).await;
        let reasons: Vec<&str> = found.iter().map(|(reason, _)| reason.as_str()).collect();
        assert_eq!(reasons, told, "after {read}");
    }
    let who: Vec<_> = alerts(&world, app).await;
    let user = Some(skep_domain::Principal::User(user));
    let who: Vec<_> = who.into_iter().map(|(_, who)| who).collect();
    assert_eq!(who, [user, user, None, None], "whom a budget is about");
}
