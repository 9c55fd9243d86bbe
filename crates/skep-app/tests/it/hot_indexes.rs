//! Indexes in memory: dropped for others, made anew from rows or snapshots, always the same answers.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use skep_app::{App, Settings};
use skep_index::StaticEmbedder;

use crate::world::{World, shape, texts};

async fn fill(world: &World, app: &App) {
    for (tenant, place) in [(&world.a, "north"), (&world.b, "south")] {
        for number in 0..40 {
            world
                .remember(
                    app,
                    tenant,
                    &format!("Beacon {number} of the {place} pier flashes every {number} seconds."),
                )
                .await;
        }
        app.tend((tenant.organization, tenant.workspace))
            .await
            .unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_least_recently_used_index_makes_room_and_comes_back_the_same() {
    let world = World::new().await;
    let embedder = Arc::new(StaticEmbedder::built_in());
    let app = world.start_with(embedder, Settings { index_budget: 1 });
    fill(&world, &app).await;
    let query = "which beacon flashes every seven seconds";
    let first = shape(&world.recall(&app, &world.a, query).await);
    for _ in 0..3 {
        let other = world.recall(&app, &world.b, query).await;
        assert!(
            other
                .items
                .iter()
                .all(|item| item.memory.body.text.contains("south"))
        );
        let again = world.recall(&app, &world.a, query).await;
        assert_eq!(shape(&again), first);
        let status = app.status(world.may(&world.a).await).await.unwrap();
        assert_eq!(
            status.hot.workspaces, 1,
            "a budget of one byte holds one index"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s03_the_other_tenants_memories_move_no_score() {
    let world = World::new().await;
    let app = world.start();
    world
        .remember(&app, &world.a, "The tide gauge is read at noon.")
        .await;
    world
        .remember(&app, &world.a, "The crane is greased at noon.")
        .await;
    app.tend((world.a.organization, world.a.workspace))
        .await
        .unwrap();
    let before = shape(
        &world
            .recall(&app, &world.a, "when is the tide gauge read")
            .await,
    );
    for number in 0..200 {
        world
            .remember(
                &app,
                &world.b,
                &format!("The tide gauge {number} is read at noon, tide after tide."),
            )
            .await;
    }
    app.tend((world.b.organization, world.b.workspace))
        .await
        .unwrap();
    assert_eq!(
        shape(
            &world
                .recall(&app, &world.a, "when is the tide gauge read")
                .await
        ),
        before
    );
    assert_eq!(
        shape(
            &world
                .recall(&world.start(), &world.a, "when is the tide gauge read")
                .await
        ),
        before
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn snapshots_are_sealed_taken_up_and_never_trusted() {
    let world = World::new().await;
    let app = world.start();
    fill(&world, &app).await;
    let query = "which beacon of the pier flashes every seven seconds";
    let expected = texts(&world.recall(&app, &world.a, query).await);
    app.keep_snapshots().await.unwrap();
    let snapshots = snapshots(&world.scratch.path().join("data"));
    assert!(!snapshots.is_empty(), "a snapshot was kept");

    // Written after the snapshot: the index catches up from there.
    world
        .remember(&app, &world.a, "The fairway buoy is out of order.")
        .await;
    let started = world.start();
    assert_eq!(
        texts(&world.recall(&started, &world.a, query).await)[..1],
        expected[..1]
    );
    let late = world
        .recall(&started, &world.a, "which buoy is out of order")
        .await;
    assert!(late.items[0].memory.body.text.contains("out of order"));

    let whole: Vec<Vec<u8>> = snapshots
        .iter()
        .map(|path| fs::read(path).unwrap())
        .collect();
    for (path, bytes) in snapshots.iter().zip(&whole) {
        assert!(
            !bytes.windows(6).any(|window| window == b"beacon"),
            "a snapshot holds words in clear"
        );
        let mut damaged = bytes.clone();
        let middle = damaged.len() / 2;
        damaged[middle] ^= 1;
        fs::write(path, damaged).unwrap();
    }
    assert_eq!(
        texts(&world.recall(&world.start(), &world.a, query).await)[..1],
        expected[..1]
    );
    // Each tenant's snapshot in the other's place does not open either.
    if let [first, second] = &snapshots[..] {
        fs::write(first, &whole[1]).unwrap();
        fs::write(second, &whole[0]).unwrap();
        let swapped = world.recall(&world.start(), &world.a, query).await;
        assert!(
            swapped
                .items
                .iter()
                .all(|item| !item.memory.body.text.contains("south"))
        );
        assert_eq!(texts(&swapped)[..1], expected[..1]);
    }
}

/// Files beside the databases.
fn snapshots(data: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(data.join("ws"))
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut found: Vec<PathBuf> = files
        .filter(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            !["db", "db-wal", "db-shm"]
                .iter()
                .any(|end| name.split_once('.').is_some_and(|(_, rest)| rest == *end))
        })
        .collect();
    found.sort();
    found
}
