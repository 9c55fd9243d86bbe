//! Vectors come after the answer; until then, and after a change of model, words and drafts find
//! everything.

use std::sync::Arc;

use skep_app::Settings;
use skep_index::{Embedder, StaticEmbedder};

use crate::world::World;

/// Another model: the same numbers under another name.
struct Renamed(StaticEmbedder);

impl Embedder for Renamed {
    fn model_id(&self) -> &'static str {
        "another-model/1"
    }
    fn dim(&self) -> usize {
        self.0.dim()
    }
    fn embed(&self, text: &str) -> Vec<f32> {
        self.0.embed(text)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_memory_is_found_by_a_draft_at_once_and_the_answer_says_it_is_degraded() {
    let world = World::new().await;
    let app = world.start();
    world
        .remember(&app, &world.a, "The pilot boat is moored at berth nine.")
        .await;
    let before = world
        .recall(&app, &world.a, "where is the pilot boat moored")
        .await;
    assert!(before.items[0].candidate.lexical > 0.0);
    assert!(before.items[0].candidate.vector > 0.0, "the draft's");
    assert_eq!(before.degraded.len(), 1, "{:?}", before.degraded);

    app.tend((world.a.organization, world.a.workspace))
        .await
        .unwrap();
    let after = world
        .recall(&app, &world.a, "where is the pilot boat moored")
        .await;
    assert!(after.items[0].candidate.vector > 0.0);
    assert!(after.degraded.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_model_embeds_everything_anew() {
    let world = World::new().await;
    let app = world.start();
    for number in 0..300 {
        world
            .remember(
                &app,
                &world.a,
                &format!("Chart {number} shows the shoal of the year {number}."),
            )
            .await;
    }
    app.tend((world.a.organization, world.a.workspace))
        .await
        .unwrap();

    let other = Arc::new(Renamed(StaticEmbedder::built_in()));
    let changed = world.start_with(other, Settings::default());
    let counts = || async {
        changed
            .status(world.may(&world.a).await)
            .await
            .unwrap()
            .counts
    };
    assert_eq!(
        (counts().await.memories, counts().await.awaiting_vector),
        (300, 300)
    );
    let before = world
        .recall(
            &changed,
            &world.a,
            "which chart shows the shoal of the year 17",
        )
        .await;
    assert!(
        before.items[0].candidate.lexical > 0.0,
        "words go on finding"
    );
    assert!(!before.degraded.is_empty());
    changed
        .tend((world.a.organization, world.a.workspace))
        .await
        .unwrap();
    assert_eq!(counts().await.awaiting_vector, 0);
    assert!(
        world
            .recall(&changed, &world.a, "which chart shows the shoal")
            .await
            .degraded
            .is_empty()
    );
}
