//! A day's cap: exact, kept through a kill, and each workspace's own.

use std::sync::{Arc, Barrier};

use skep_domain::TurnRole;
use skep_llm::{Cost, Dialect};
use skep_test_support::model::{ScriptedModel, Turn, answer, openai};

use super::{
    HARBOUR, TOWER, app, capture, closed, end, items, modelled, reply, said, settings, state,
    tenant,
};
use crate::world::World;

/// Four windows.
fn long() -> Vec<(TurnRole, String)> {
    let text = format!(
        "{} {}",
        HARBOUR[1].1,
        "The lights of the harbour differ at night. ".repeat(90)
    );
    (0..20)
        .map(|_| (TurnRole::Assistant, text.clone()))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn m08_a_cap_that_is_reached_amid_a_session_holds_until_midnight() {
    let world = World::new().await;
    let full = || Turn::Write(openai("{\"memories\":[]}", 20_000, 100));
    let server = ScriptedModel::start((0..9).map(|_| full()).collect());
    let mut settings = settings(Dialect::OpenAi);
    settings.daily_tokens = 65_000;
    let app = app(&world, &server, settings);
    let turns = long();
    let turns: Vec<_> = turns
        .iter()
        .map(|(role, text)| (*role, text.as_str()))
        .collect();
    let session = capture(&world, &app, &world.a, "one", said(&turns)).await;
    end(&world, &app, session).await;
    app.read_with_model(tenant(&world)).await.unwrap();
    let day = state(&world, &app, &world.a).await;
    assert!(day.today.tokens() <= 65_000, "{day:?}");
    assert_eq!(
        (day.today.calls, day.queue.due),
        (2, 1),
        "a third one might pass the cap"
    );
    app.read_with_model(tenant(&world)).await.unwrap();
    assert_eq!(server.connections(), 2);
    world.clock.advance_seconds(24 * 60 * 60);
    app.read_with_model(tenant(&world)).await.unwrap();
    assert_eq!(server.connections(), 4, "and no window twice");
    let texts: std::collections::BTreeSet<String> =
        server.asked().into_iter().map(|asked| asked.body).collect();
    assert_eq!(texts.len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn m08_cost_has_a_cap_of_its_own() {
    let world = World::new().await;
    let server = ScriptedModel::start(vec![reply(&[])]);
    let mut settings = settings(Dialect::OpenAi);
    settings.daily_cost = Some(Cost(5_000));
    let app = app(&world, &server, settings);
    closed(&world, &app, "one", HARBOUR).await;
    app.read_with_model(tenant(&world)).await.unwrap();
    assert_eq!(server.connections(), 0, "it might cost more than that");
}

#[tokio::test(flavor = "multi_thread")]
async fn m08_two_rounds_at_once_ask_once() {
    let world = World::new().await;
    let server = ScriptedModel::start(vec![reply(&[("reference", TOWER, &[2])])]);
    let app = app(&world, &server, settings(Dialect::OpenAi));
    closed(&world, &app, "one", HARBOUR).await;
    let round = || app.read_with_model(tenant(&world));
    let (a, b, c) = tokio::join!(round(), round(), round());
    for ended in [a, b, c] {
        ended.unwrap();
    }
    assert_eq!(server.connections(), 1);
    assert_eq!(modelled(&world, &app).await.len(), 1);
}

/// Neither server answers before both were asked.
#[tokio::test(flavor = "multi_thread")]
async fn m08_two_daemons_at_once_stay_below_the_cap_and_keep_an_answer_once() {
    let world = World::new().await;
    let both = Arc::new(Barrier::new(2));
    let server = || {
        let both = Arc::clone(&both);
        ScriptedModel::start(vec![Turn::Make(Box::new(move |_| {
            both.wait();
            openai(&items(&[("reference", TOWER, &[2])]).to_string(), 900, 60)
        }))])
    };
    let (one, two) = (server(), server());
    let first = app(&world, &one, settings(Dialect::OpenAi));
    let second = app(&world, &two, settings(Dialect::OpenAi));
    closed(&world, &first, "one", HARBOUR).await;
    let (a, b) = tokio::join!(
        first.read_with_model(tenant(&world)),
        second.read_with_model(tenant(&world))
    );
    for ended in [a, b] {
        ended.unwrap();
    }
    assert_eq!(modelled(&world, &first).await.len(), 1);
    assert_eq!((one.connections(), two.connections()), (1, 1));
    let state = state(&world, &first, &world.a).await;
    let day = state.today;
    assert_eq!(day.reserved.tokens, 0);
    assert_eq!((day.calls, day.tokens()), (2, 2 * 960));
    assert_eq!((state.queue.due, state.queue.given_up), (0, 0));
}

/// A kill is a future that is dropped, and a start is an application with nothing in memory.
#[tokio::test(flavor = "multi_thread")]
async fn l06_a_call_that_is_killed_stays_paid_for_and_is_tried_a_few_times_at_most() {
    let world = World::new().await;
    let server = ScriptedModel::start((0..4).map(|_| Turn::Silent).collect());
    let settings = settings(Dialect::OpenAi);
    closed(
        &world,
        &app(&world, &server, settings.clone()),
        "one",
        HARBOUR,
    )
    .await;
    let mut before = 0;
    for calls in 1..=3_usize {
        let app = Arc::new(app(&world, &server, settings.clone()));
        let at = tenant(&world);
        let started = Arc::clone(&app);
        let task =
            tokio::task::JoinSet::from_iter([async move { started.read_with_model(at).await }]);
        while server.asked().len() < calls {
            tokio::task::yield_now().await;
        }
        drop(task);
        let day = state(&world, &app, &world.a).await.today;
        assert_eq!(day.calls, calls as u64);
        assert!(day.tokens() > before, "what may have been spent counts");
        before = day.tokens();
    }
    let app = app(&world, &server, settings);
    app.read_with_model(tenant(&world)).await.unwrap();
    let after = state(&world, &app, &world.a).await;
    assert_eq!(server.asked().len(), 3, "three times is enough");
    assert_eq!((after.queue.due, after.queue.given_up), (0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn m10_an_endpoint_that_counts_nothing_is_counted_for() {
    for (input, output, least) in [(0, 0, 100), (1, 1, 100), (u64::MAX, u64::MAX, 100_000_000)] {
        let world = World::new().await;
        let server = ScriptedModel::start(vec![Turn::Make(Box::new(move |_| {
            openai("{\"memories\":[]}", input, output)
        }))]);
        let app = app(&world, &server, settings(Dialect::OpenAi));
        closed(&world, &app, "one", HARBOUR).await;
        app.read_with_model(tenant(&world)).await.unwrap();
        let day = state(&world, &app, &world.a).await.today;
        assert!(day.tokens() >= least, "{input}: {day:?}");
    }
    let world = World::new().await;
    let silent = r#"{"choices":[{"message":{"content":"{\"memories\":[]}"}}]}"#;
    let server = ScriptedModel::start(vec![Turn::Write(answer(200, "", silent.as_bytes()))]);
    let app = app(&world, &server, settings(Dialect::OpenAi));
    closed(&world, &app, "one", HARBOUR).await;
    app.read_with_model(tenant(&world)).await.unwrap();
    let day = state(&world, &app, &world.a).await.today;
    assert!(
        day.tokens() > 5_000,
        "the greatest cost, for want of a better one: {day:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn t01_one_workspaces_day_and_sessions_are_nothing_to_another() {
    let world = World::new().await;
    let server = ScriptedModel::start(vec![reply(&[("reference", TOWER, &[2])])]);
    let app = app(&world, &server, settings(Dialect::OpenAi));
    closed(&world, &app, "one", HARBOUR).await;
    let theirs = (world.b.organization, world.b.workspace);
    app.read_with_model(theirs).await.unwrap();
    assert_eq!(server.connections(), 0);
    app.read_with_model(tenant(&world)).await.unwrap();
    let other = state(&world, &app, &world.b).await;
    assert_eq!((other.today.calls, other.queue.due), (0, 0));
    assert!(other.today.refused.is_empty());
}
