//! Kills at each step, and several nodes: nothing is lost, and what comes twice comes with the same ids.

use std::sync::Arc;

use skep_app::SinkDesk;
use skep_authz::rights;
use tokio::task::JoinSet;

use super::{Does, Scene, ids, start};

/// Delivers, and is gone when the receiver has heard something.
async fn killed_when_heard(scene: &Scene) {
    let told = scene.receiver.next();
    let desk = SinkDesk::new(Arc::clone(&scene.app));
    let mut tasks = JoinSet::new();
    tasks.spawn(async move { desk.turn().await });
    tokio::task::spawn_blocking(move || told.recv().unwrap())
        .await
        .unwrap();
    tasks.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn l06_a_delivery_that_is_cut_off_at_any_step_is_made_again() {
    let scene = Scene::new().await;
    scene.set(&["work"], &[]).await;
    for step in [Does::StaysSilent, Does::HearsAndHangsUp, Does::Answers(200)] {
        scene.receiver.will([step]);
        scene.decide("work", 250).await;
        killed_when_heard(&scene).await;
        // As after a start: whoever held the turn is gone.
        scene.world.clock.advance_seconds(7_200);
        let desk = SinkDesk::new(start(&scene.world, &scene.receiver));
        desk.take_over().await.unwrap();
        desk.turn().await;
        let (taken, heard) = scene.receiver.ids();
        let wanted = ids(&scene.recorded().await, "work");
        let mut once = taken.clone();
        once.dedup();
        let mut seen = std::collections::HashSet::new();
        once.retain(|id| seen.insert(id.clone()));
        assert_eq!(once, wanted, "each in its order, the first time");
        assert!(heard.len() >= wanted.len());
        assert_eq!(scene.view().await.behind, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn l06_of_two_who_deliver_one_has_the_turn() {
    let scene = Scene::new().await;
    scene.set(&["work"], &[]).await;
    let other = SinkDesk::new(start(&scene.world, &scene.receiver));
    for _ in 0..20 {
        scene.decide("work", 30).await;
        tokio::join!(scene.desk.turn(), other.turn());
    }
    scene.desk.turn().await;
    let (taken, heard) = scene.receiver.ids();
    assert_eq!(taken, ids(&scene.recorded().await, "work"));
    assert_eq!(heard.len(), taken.len(), "something was delivered twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn l06_whoever_lost_the_turn_moves_nothing() {
    let scene = Scene::new().await;
    scene.set(&["work"], &[]).await;
    scene.decide("work", 3).await;
    // The turn of one that is gone lasts a while, and then it is anybody's.
    scene.receiver.will([Does::StaysSilent]);
    killed_when_heard(&scene).await;
    scene.desk.turn().await;
    assert_eq!(scene.receiver.heard().len(), 1, "it is not theirs yet");
    scene.world.clock.advance_seconds(91);
    scene.desk.turn().await;
    assert_eq!(scene.receiver.ids().0, ids(&scene.recorded().await, "work"));

    // One that is set anew while it is delivered to: the old delivery moves nothing.
    scene.decide("work", 3).await;
    let told = scene.receiver.next();
    scene.receiver.will([Does::StaysSilent]);
    let slow = SinkDesk::new(Arc::clone(&scene.app));
    let mut tasks = JoinSet::new();
    tasks.spawn(async move { slow.turn().await });
    tokio::task::spawn_blocking(move || told.recv().unwrap())
        .await
        .unwrap();
    let may = scene.world.may::<rights::OrgManage>(&scene.world.a).await;
    assert!(scene.app.remove_sink(may, "siem").await.unwrap());
    scene.set(&["work"], &[]).await;
    tasks.join_next().await.unwrap().unwrap();
    let view = scene.view().await;
    assert_eq!(
        (view.turn.failures, view.behind),
        (0, 0),
        "it is another sink"
    );
}
