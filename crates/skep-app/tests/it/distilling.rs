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
        ended: false,
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

/// Turns of one session, one after the other.
async fn capture_said(
    world: &World,
    app: &App,
    said: &[(i64, TurnRole, &str)],
) -> skep_domain::SessionId {
    let turns = said
        .iter()
        .map(|(number, role, text)| turn(*number, *role, text, Branch::Main));
    capture(world, app, turns.collect()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_exchange_of_a_session_that_never_ends_is_distilled_once_it_stands_still() {
    let world = World::new().await;
    let app = world.start();
    let tenant = (world.a.organization, world.a.workspace);
    let rule = "Always log times in UTC, never in local time, because ships come from everywhere.";
    capture_said(&world, &app, &[(1, TurnRole::User, rule)]).await;
    app.tend(tenant).await.unwrap();
    world.clock.advance_seconds(14 * 60);
    app.tend(tenant).await.unwrap();
    assert!(texts(&world, &app).await.is_empty(), "it may go on");
    world.clock.advance_seconds(2 * 60);
    app.tend(tenant).await.unwrap();
    let once = texts(&world, &app).await;
    assert!(once.iter().any(|text| text.contains("UTC")), "{once:?}");
    app.tend(tenant).await.unwrap();
    assert_eq!(texts(&world, &app).await, once, "and only once");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_session_takes_back_later_leaves_recall() {
    let world = World::new().await;
    let app = world.start();
    let tenant = (world.a.organization, world.a.workspace);
    capture_said(
        &world,
        &app,
        &[
            (1, TurnRole::User, "Why do uploads fail with a 413?"),
            (
                2,
                TurnRole::Assistant,
                "The root cause is the body limit of `axum` in `src/upload.rs`, which is 2 MB.",
            ),
            (3, TurnRole::User, "Hm, look again."),
        ],
    )
    .await;
    app.tend(tenant).await.unwrap();
    let first = texts(&world, &app).await;
    assert!(first.iter().any(|text| text.contains("axum")), "{first:?}");
    let session = capture_said(
        &world,
        &app,
        &[(
            4,
            TurnRole::Assistant,
            "That wasn't it. The 413 comes from nginx, because `client_max_body_size` is 1m in `nginx.conf`.",
        )],
    )
    .await;
    let right = world.may::<rights::SessionCapture>(&world.a).await;
    app.end_session(right, world.may(&world.a).await, session)
        .await
        .unwrap();
    let after = texts(&world, &app).await;
    assert!(!after.iter().any(|text| text.contains("axum")), "{after:?}");
    assert!(after.iter().any(|text| text.contains("nginx")), "{after:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_goes_on_has_one_recap() {
    let world = World::new().await;
    let app = world.start();
    let said: &[(i64, TurnRole, &str)] = &[
        (1, TurnRole::User, "Never commit a lock file in this repo."),
        (2, TurnRole::User, "Always use `pnpm` here, never npm."),
        (
            3,
            TurnRole::User,
            "We decided to keep jobs in Postgres, because nobody runs a queue.",
        ),
        (
            4,
            TurnRole::User,
            "Prices must never be cached across requests.",
        ),
    ];
    let mut recaps = Vec::new();
    for to in [3, 4] {
        let session = capture_said(&world, &app, &said[..to]).await;
        let right = world.may::<rights::SessionCapture>(&world.a).await;
        app.end_session(right, world.may(&world.a).await, session)
            .await
            .unwrap();
        let all = texts(&world, &app).await;
        let mut found = all.into_iter().filter(|text| text.starts_with("Asked:"));
        recaps.push(found.next().unwrap());
        assert_eq!(found.next(), None);
    }
    assert!(
        !recaps[0].contains("Prices") && recaps[1].contains("Prices"),
        "{recaps:?}"
    );
}

#[tokio::test]
async fn what_changes_together_is_kept_although_the_import_broke_off() {
    let world = World::new().await;
    let app = world.start();
    let commit = |number: i64| TurnIn {
        paths: vec!["src/lock.rs".into(), "migrations/bill.sql".into()],
        ..turn(
            number,
            TurnRole::User,
            &format!("Lock berth {number} before its bill is written, because two may pay"),
            Branch::Main,
        )
    };
    let batch = Capture {
        harness: Harness::Git,
        external_id: "repository".into(),
        title: None,
        project: Some("harbour".into()),
        cwd: None,
        turns: (0..12).map(commit).collect(),
        cursor: None,
        origin: skep_domain::CaptureOrigin::Import,
        spool: None,
        ended: false,
    };
    let right = world.may::<rights::SessionCapture>(&world.a).await;
    app.capture(right, batch).await.unwrap();
    let tenant = (world.a.organization, world.a.workspace);
    app.tend(tenant).await.unwrap();
    let together = |texts: &[String]| {
        texts
            .iter()
            .filter(|text| text.contains("together"))
            .count()
    };
    let before = texts(&world, &app).await;
    assert_eq!((before.len(), together(&before)), (11, 0), "{before:?}");
    // Nobody ever says that the import has ended; another start finds the session standing still.
    world.clock.advance_seconds(16 * 60);
    let again = world.start();
    again.tend(tenant).await.unwrap();
    let after = texts(&world, &again).await;
    assert_eq!((after.len(), together(&after)), (13, 1), "{after:?}");
}
