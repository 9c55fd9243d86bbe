//! Endpoints that fail: the session waits, the endpoint is left alone, nothing else notices.

use skep_domain::Timestamp;
use skep_llm::Dialect;
use skep_test_support::model::{ScriptedModel, Turn, answer, openai};

use super::{HARBOUR, TOWER, app, closed, modelled, reply, settings, state, tenant};
use crate::world::World;

fn status(status: u16, headers: &str, body: &str) -> Turn {
    Turn::Write(answer(status, headers, body.as_bytes()))
}

fn seconds_from(world: &World, until: Option<Timestamp>) -> u64 {
    until.unwrap().seconds_since(world.store.now())
}

const FAULT: &str = r#"{"error":{"message":"bad key sk-canary-1","type":"x","code":"y"}}"#;

#[tokio::test(flavor = "multi_thread")]
async fn m10_each_failure_pauses_costs_what_it_may_and_is_made_good() {
    let cases: Vec<(Turn, &str, u64, bool)> = vec![
        (status(401, "", FAULT), "401", 15 * 60, false),
        (status(404, "", FAULT), "404", 15 * 60, false),
        (status(400, "", FAULT), "400", 15 * 60, false),
        (
            status(429, "retry-after: 600\r\n", FAULT),
            "429",
            600,
            false,
        ),
        (
            status(429, "retry-after: 99999999\r\n", FAULT),
            "429",
            24 * 60 * 60,
            false,
        ),
        (status(500, "", FAULT), "500", 30, false),
        (
            status(200, "", "<html>sk-canary-1</html>"),
            "dialect",
            15 * 60,
            true,
        ),
        (
            Turn::Write(b"HTTP/1.1 200 OK\r\ncontent-le".to_vec()),
            "lost",
            30,
            true,
        ),
    ];
    for (turn, expected, pause, is_paid) in cases {
        let world = World::new().await;
        let server = ScriptedModel::start(vec![turn, reply(&[("reference", TOWER, &[2])])]);
        let app = app(&world, &server, settings(Dialect::OpenAi));
        closed(&world, &app, "one", HARBOUR).await;
        app.read_with_model(tenant(&world)).await.unwrap();
        let failed = state(&world, &app, &world.a).await;
        let problem = failed.problem.clone().unwrap();
        assert!(problem.contains(expected), "{problem}");
        assert!(!format!("{failed:?}").contains("canary"), "{failed:?}");
        assert_eq!(failed.today.tokens() > 0, is_paid, "{expected}");
        assert_eq!(failed.today.reserved.tokens, 0, "{expected}");
        let paused = seconds_from(&world, failed.paused_until);
        assert!(
            paused <= pause && paused + 2 >= pause,
            "{expected}: {paused}"
        );
        app.read_with_model(tenant(&world)).await.unwrap();
        assert_eq!(server.connections(), 1, "{expected}: it is left alone");
        world.clock.advance_seconds(pause as i64 + 1);
        app.read_with_model(tenant(&world)).await.unwrap();
        assert_eq!(modelled(&world, &app).await.len(), 1, "{expected}");
        let after = state(&world, &app, &world.a).await;
        assert_eq!(
            (after.problem, after.paused_until),
            (None, None),
            "{expected}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn m10_nobody_listening_costs_nothing_and_wears_no_session_out() {
    let world = World::new().await;
    let gone = ScriptedModel::start(Vec::new());
    let address = gone.address;
    drop(gone);
    while tokio::net::TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    let port = std::sync::Arc::new(super::Plain { address });
    let app = world.start().with_model(settings(Dialect::OpenAi), port);
    closed(&world, &app, "one", HARBOUR).await;
    let mut pauses = Vec::new();
    for _ in 0..9 {
        app.read_with_model(tenant(&world)).await.unwrap();
        let failed = state(&world, &app, &world.a).await;
        let pause = failed
            .paused_until
            .unwrap()
            .seconds_since(world.store.now());
        pauses.push(pause.next_multiple_of(10));
        world.clock.advance_seconds(pause as i64 + 1);
        assert_eq!((failed.today.tokens(), failed.queue.given_up), (0, 0));
        assert_eq!(failed.queue.due, 1, "it was not the session's fault");
    }
    assert_eq!(pauses, [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]);
}

#[tokio::test(flavor = "multi_thread")]
async fn m10_answers_that_are_none_are_asked_for_a_few_times_and_given_up() {
    let world = World::new().await;
    let junk = [
        "I would keep the following: the tower is green.",
        r#"{"memories":[{"kind":"fact"}],"more":1}"#,
        "{\"memories\":[",
    ];
    let script = junk.map(|text| Turn::Write(openai(text, 900, 60)));
    let server = ScriptedModel::start(script.into());
    let app = app(&world, &server, settings(Dialect::OpenAi));
    closed(&world, &app, "one", HARBOUR).await;
    app.read_with_model(tenant(&world)).await.unwrap();
    let after = state(&world, &app, &world.a).await;
    assert_eq!(
        (after.queue.due, after.queue.given_up, after.today.calls),
        (0, 1, 3)
    );
    assert_eq!(after.today.refused, [("answer-shape".to_owned(), 3)]);
    assert!(modelled(&world, &app).await.is_empty());
    app.read_with_model(tenant(&world)).await.unwrap();
    assert_eq!(server.connections(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn m05_an_endpoint_that_hangs_holds_up_neither_upkeep_nor_recall() {
    let world = World::new().await;
    let server = ScriptedModel::start(vec![Turn::Silent]);
    let app = std::sync::Arc::new(app(&world, &server, settings(Dialect::OpenAi)));
    closed(&world, &app, "one", HARBOUR).await;
    let at = tenant(&world);
    let reading = std::sync::Arc::clone(&app);
    let mut task =
        tokio::task::JoinSet::from_iter([async move { reading.read_with_model(at).await }]);
    while server.asked().is_empty() {
        tokio::task::yield_now().await;
    }
    let rule = (
        super::USER,
        "Always moor the ferries at berth `B6`, because it is deepest.",
    );
    closed(&world, &app, "two", &[rule]).await;
    let found = world
        .recall(&app, &world.a, "where are ferries moored")
        .await;
    assert!(
        found
            .items
            .iter()
            .any(|item| item.memory.body.text.contains("B6"))
    );
    assert!(task.try_join_next().is_none(), "it still hangs");
}
