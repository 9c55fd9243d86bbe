//! What the pass with a model relies on: a day's cap that holds, and progress that lasts.

use skep_authz::rights::SessionCapture;
use skep_domain::SessionId;
use skep_store::Tx;
use skep_store::row::{
    ModelBudgetRow, ModelDayRow, ModelPassRow, ModelPassState, ModelQueueRow, ModelSpentRow,
};

use crate::Harness;
use crate::sample::put_session;
use crate::world::{Persona, Tenant, World};

const DAY: i64 = 20_000;
const MOST: ModelBudgetRow = ModelBudgetRow {
    tokens: 100,
    cost: 1_000,
};

const fn budget(tokens: u64, cost: u64) -> ModelBudgetRow {
    ModelBudgetRow { tokens, cost }
}

async fn reserve<H: Harness>(world: &World<H>, tenant: &Tenant, need: ModelBudgetRow) -> bool {
    let mut tx = world.maintain(tenant).await;
    let granted = tx.reserve_model(DAY, need, MOST).await.unwrap();
    tx.commit().await.unwrap();
    granted
}

async fn day<H: Harness>(world: &World<H>, tenant: &Tenant, day: i64) -> ModelDayRow {
    let mut tx: Tx<skep_authz::rights::DiagnosticsRead> = world.begin(tenant, Persona::Human).await;
    tx.get_model_day(day).await.unwrap()
}

pub(crate) async fn m08_a_days_cap_holds_for_each_workspace_and_what_was_killed_stays_spent<
    H: Harness,
>() {
    let world = World::<H>::new().await;
    assert!(reserve(&world, &world.ours, budget(60, 10)).await);
    assert!(
        !reserve(&world, &world.ours, budget(41, 10)).await,
        "one more than is left"
    );
    assert!(reserve(&world, &world.ours, budget(40, 10)).await);
    assert!(reserve(&world, &world.theirs, budget(100, 1_000)).await);

    let mut tx = world.maintain(&world.ours).await;
    let spent = ModelSpentRow {
        input: 20,
        output: 5,
        cost: 3,
    };
    tx.settle_model(DAY, budget(60, 10), spent).await.unwrap();
    tx.commit().await.unwrap();
    // The other one was never settled.
    let sums = day(&world, &world.ours, DAY).await;
    assert_eq!((sums.calls, sums.spent), (2, spent));
    assert_eq!(sums.reserved, budget(40, 10));
    assert_eq!((sums.tokens(), sums.cost()), (65, 13));
    assert!(!reserve(&world, &world.ours, budget(36, 1)).await);
    assert!(
        !reserve(&world, &world.ours, budget(1, 988)).await,
        "cost has a cap of its own"
    );
    assert!(reserve(&world, &world.ours, budget(35, 987)).await);
    let other = day(&world, &world.ours, DAY + 1).await;
    assert_eq!(other, ModelDayRow::default());
    assert_eq!(day(&world, &world.theirs, DAY).await.calls, 1);
}

pub(crate) async fn m08_reservations_at_once_do_not_pass_the_cap<H: Harness>() {
    let world = World::<H>::new().await;
    let mut granted = 0;
    for _ in 0..5 {
        let one = || reserve(&world, &world.ours, budget(7, 0));
        let (a, b, c, d) = tokio::join!(one(), one(), one(), one());
        granted += [a, b, c, d].into_iter().filter(|granted| *granted).count();
    }
    assert_eq!(granted, 14, "seven times fourteen is ninety-eight");
    assert_eq!(day(&world, &world.ours, DAY).await.tokens(), 98);
}

pub(crate) async fn t01_what_was_refused_is_counted_by_day_and_workspace<H: Harness>() {
    let world = World::<H>::new().await;
    for _ in 0..2 {
        let mut tx = world.maintain(&world.ours).await;
        let refused = vec![("kind".to_owned(), 2), ("guess".to_owned(), 1)];
        tx.count_model_refusals(DAY, refused).await.unwrap();
        tx.commit().await.unwrap();
    }
    let refused = day(&world, &world.ours, DAY).await.refused;
    assert_eq!(refused, [("guess".to_owned(), 2), ("kind".to_owned(), 4)]);
    assert!(day(&world, &world.theirs, DAY).await.refused.is_empty());
}

async fn due<H: Harness>(world: &World<H>, tenant: &Tenant, limit: u32) -> Vec<SessionId> {
    let mut tx = world.maintain(tenant).await;
    let rows = tx.list_model_due(limit).await.unwrap();
    rows.iter().map(|row| row.session).collect()
}

pub(crate) async fn a_model_goes_on_where_one_stopped<H: Harness>() {
    let world = World::<H>::new().await;
    let mut tx: Tx<SessionCapture> = world.begin(&world.ours, Persona::Human).await;
    let first = put_session(&mut tx, world.store(), "a", 2).await;
    let second = put_session(&mut tx, world.store(), "b", 2).await;
    tx.commit().await.unwrap();
    let mut tx = world.maintain(&world.ours).await;
    assert_eq!(tx.get_model_pass(first).await.unwrap(), None);
    for session in [first, second] {
        tx.set_model_due(session).await.unwrap();
    }
    tx.commit().await.unwrap();
    assert_eq!(
        due(&world, &world.ours, 9).await,
        [second, first],
        "newest first"
    );
    assert_eq!(due(&world, &world.ours, 1).await, [second]);
    assert!(due(&world, &world.theirs, 9).await.is_empty());

    let read = ModelPassRow {
        session: second,
        state: ModelPassState::GivenUp,
        next: 2,
        tries: 3,
        is_tainted: true,
    };
    let mut tx = world.maintain(&world.ours).await;
    tx.put_model_pass(read).await.unwrap();
    assert_eq!(tx.get_model_pass(second).await.unwrap(), Some(read));
    let queue = ModelQueueRow {
        due: 1,
        given_up: 1,
    };
    tx.commit().await.unwrap();
    let mut tx: Tx<skep_authz::rights::DiagnosticsRead> =
        world.begin(&world.ours, Persona::Human).await;
    assert_eq!(tx.get_model_queue().await.unwrap(), queue);
    drop(tx);
    // It goes on, and is closed again: from where the model stopped.
    let mut tx = world.maintain(&world.ours).await;
    tx.set_model_due(second).await.unwrap();
    let again = tx.get_model_pass(second).await.unwrap().unwrap();
    let expected = ModelPassRow {
        state: ModelPassState::Due,
        tries: 0,
        ..read
    };
    assert_eq!(again, expected);
}
