//! Distilling: only complete exchanges, nothing twice, nothing from a way not taken.

use skep_app::{App, Branch, Capture, TurnIn};
use skep_authz::rights;
use skep_domain::{Harness, Timestamp, TurnRole};

use crate::world::World;

fn turn(number: i64, role: TurnRole, text: &str, branch: Branch) -> TurnIn {
    TurnIn {
        author: None,
        client_event_id: format!("event-{number}"),
        role,
        at: Timestamp::from_millis(1_767_225_600_000 + number),
        text: text.into(),
        tool: None,
        is_error: false,
        paths: Vec::new(),
        branch,
    }
}

async fn capture(world: &World, app: &App, turns: Vec<TurnIn>) -> skep_domain::SessionId {
    let batch = Capture {
        harness: Harness::ClaudeCode,
        external_id: "session".into(),
        title: None,
        project: Some("harbour".into()),
        cwd: None,
        turns,
        cursor: None,
        origin: skep_domain::CaptureOrigin::Import,
        spool: None,
    };
    app.capture(world.may::<rights::SessionCapture>(&world.a).await, batch)
        .await
        .unwrap()
        .session
        .unwrap()
}

async fn texts(world: &World, app: &App) -> Vec<String> {
    let page = skep_app::PageOf {
        limit: 200,
        before: None,
    };
    let list = skep_app::ListMemories {
        kind: None,
        as_of: None,
        page,
    };
    let found = app
        .list_memories(world.may::<rights::MemoryRead>(&world.a).await, list)
        .await
        .unwrap();
    found
        .items
        .into_iter()
        .map(|memory| memory.body.text)
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exchange_is_distilled_when_it_is_complete_and_only_once() {
    let world = World::new().await;
    let app = world.start();
    let tenant = (world.a.organization, world.a.workspace);
    let rule =
        "Always log times in UTC, never in local time, because the ships come from everywhere.";
    let session = capture(
        &world,
        &app,
        vec![
            turn(1, TurnRole::User, rule, Branch::Main),
            turn(
                2,
                TurnRole::Assistant,
                "Understood. The log now writes UTC.",
                Branch::Main,
            ),
        ],
    )
    .await;
    app.tend(tenant).await.unwrap();
    assert!(
        texts(&world, &app).await.is_empty(),
        "the exchange may go on"
    );

    capture(
        &world,
        &app,
        vec![turn(
            3,
            TurnRole::User,
            "Thanks, now the berth list.",
            Branch::Main,
        )],
    )
    .await;
    app.tend(tenant).await.unwrap();
    let once = texts(&world, &app).await;
    assert!(once.iter().any(|text| text.contains("UTC")), "{once:?}");
    app.tend(tenant).await.unwrap();
    app.end_session(
        world.may::<rights::SessionCapture>(&world.a).await,
        world.may(&world.a).await,
        session,
    )
    .await
    .unwrap();
    app.end_session(
        world.may::<rights::SessionCapture>(&world.a).await,
        world.may(&world.a).await,
        session,
    )
    .await
    .unwrap();
    let mut all = texts(&world, &app).await;
    let count = all.len();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), count, "nothing is distilled twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_way_not_taken_is_kept_as_turns_and_never_distilled() {
    let world = World::new().await;
    let app = world.start();
    let session = capture(
        &world,
        &app,
        vec![
            turn(
                1,
                TurnRole::User,
                "Always moor ferries at berth four, because it is deepest.",
                Branch::Abandoned,
            ),
            turn(
                2,
                TurnRole::User,
                "Always moor ferries at berth six, because it is deepest.",
                Branch::Main,
            ),
        ],
    )
    .await;
    let ended = app
        .end_session(
            world.may::<rights::SessionCapture>(&world.a).await,
            world.may(&world.a).await,
            session,
        )
        .await
        .unwrap();
    assert_eq!(ended.session.turns, 2);
    let texts = texts(&world, &app).await;
    assert!(
        texts.iter().any(|text| text.contains("berth six")),
        "{texts:?}"
    );
    assert!(
        !texts.iter().any(|text| text.contains("berth four")),
        "{texts:?}"
    );
}
