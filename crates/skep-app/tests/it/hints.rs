//! Names lead to memories, and on from what the reader may see; hints count like names.

use skep_domain::Visibility;

use crate::world::{World, question, texts};

#[tokio::test(flavor = "multi_thread")]
async fn a_hint_finds_what_the_question_does_not_say() {
    let world = World::new().await;
    let app = world.start();
    for text in [
        "`src/pool.rs` opens its transactions with BEGIN IMMEDIATE.",
        "The harbour office closes at noon.",
        "The ferry leaves from berth four.",
    ] {
        world.remember(&app, &world.a, text).await;
    }
    let mut asked = question("what should I know before I change this");
    asked.hints = vec!["./src/pool.rs".into()];
    asked.items = 1;
    let found = world.ask(&app, &world.a, "owner", asked).await;
    let best = &found.items[0];
    assert!(best.memory.body.text.contains("pool.rs") && best.candidate.graph > 0.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_name_further_is_found_through_what_may_be_seen() {
    let world = World::new().await;
    let app = world.start();
    let first = "`src/pool.rs` sets `busy_timeout` on each connection.";
    let second = "A stalled writer shows as `busy_timeout` in the night's report.";
    world.remember(&app, &world.a, first).await;
    world.remember(&app, &world.a, second).await;
    let found = world.recall(&app, &world.a, "`src/pool.rs`").await;
    assert_eq!(texts(&found), [first, second]);
}

#[tokio::test(flavor = "multi_thread")]
async fn t11_what_is_hidden_joins_nothing() {
    let world = World::new().await;
    let app = world.start();
    let hidden = "`src/pool.rs` is what breaks `night_report`.";
    let shared = "`night_report` is printed on yellow paper.";
    world
        .remember_for(&app, &world.a, hidden, Visibility::Private)
        .await;
    world.remember(&app, &world.a, shared).await;
    let owner = world.recall(&app, &world.a, "`src/pool.rs`").await;
    assert_eq!(owner.items.len(), 2, "the owner's own memory joins the two");
    let agent = world
        .ask(&app, &world.a, "shared", question("`src/pool.rs`"))
        .await;
    let joined = agent.items.iter().any(|item| item.candidate.graph > 0.0);
    assert!(!joined, "{:?}", agent.items);
}
