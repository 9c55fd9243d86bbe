//! What ends a lease, each by itself, while its program runs.

use serde_json::{Value, json};
use skep_test_support::Wired;

use super::world::{World, template};
use crate::values::VALUE;

/// Nothing more arrives with a value.
fn got(world: &World) -> usize {
    let all = world.origin.got();
    all.iter()
        .filter(|got| format!("{got:?}").contains(&VALUE[..8]))
        .count()
}

#[tokio::test(flavor = "multi_thread")]
async fn x03_the_end_of_the_program_is_the_end_of_its_lease() {
    let world = World::start().await;
    let mut running = world.begun(world.calling()).await;
    assert!(running.call().await.contains("__skep_key__"));
    assert_eq!(world.leases().await.len(), 1);
    running.stdin.take();
    assert!(running.child.wait().await.unwrap().success());
    assert_eq!(world.leases().await, Vec::<Value>::new());
    assert_eq!(got(&world), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn x03_a_lease_whose_skep_run_was_killed_ends_when_nobody_renews_it() {
    let world = World::start().await;
    let mut running = world.begun(world.calling()).await;
    let pid = rustix::process::Pid::from_raw(running.pid()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    running.child.wait().await.unwrap();
    // The program itself goes on, for these minutes with its lease.
    assert!(running.call().await.contains("__skep_key__"));
    let renewed = i64::try_from(Wired::RENEWED.as_secs()).unwrap();
    world.daemon.clock.advance_seconds(renewed - 1);
    world.daemon.app.sweep_leases().await;
    assert!(running.call().await.contains("__skep_key__"));
    world.daemon.clock.advance_seconds(1);
    // Before anybody has looked: the value is not given.
    let said = running.call().await;
    assert!(said.contains("it was not renewed"), "{said}");
    world.daemon.app.sweep_leases().await;
    assert!(running.call().await.contains("done 7"), "nobody listens");
    assert_eq!(got(&world), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn x03_a_lease_ends_with_its_time_however_often_it_is_renewed() {
    let world = World::start().await;
    let token = world.owner.token("owner");
    let asked = json!({ "seconds": 600 });
    let begun = world.done(&token, "POST", "leases", asked).await;
    let path = format!("leases/{}", begun["id"].as_str().unwrap());
    for _ in 0..4 {
        world.daemon.clock.advance_seconds(149);
        let renewed = world
            .done(&token, "POST", &format!("{path}/renew"), Value::Null)
            .await;
        assert_eq!(renewed["ends_at"], begun["ends_at"]);
    }
    world.daemon.clock.advance_seconds(5);
    let (status, _) = world
        .ask(&token, "POST", &format!("{path}/renew"), Value::Null)
        .await;
    assert_eq!(status, 404);
    // No longer than its templates say, whatever is asked for.
    let begun = world
        .done(&token, "POST", "leases", json!({ "seconds": 7200 }))
        .await;
    let hour = world
        .done(&token, "POST", "leases", json!({ "seconds": 3600 }))
        .await;
    let minutes = |text: &Value| text.as_str().unwrap()[..16].to_owned();
    assert_eq!(minutes(&begun["ends_at"]), minutes(&hour["ends_at"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn x03_a_template_that_is_withdrawn_is_used_no_more() {
    let world = World::start().await;
    let second = world.approved(&world.owner, template("second")).await;
    let mut running = world.begun(world.calling()).await;
    assert!(running.call().await.contains("__skep_key__"));
    world.withdraw(&world.owner, second).await;
    let said = running.call().await;
    assert!(said.contains("\"reason\":\"withheld\""), "{said}");
    assert_eq!(got(&world), 1);
    world.daemon.app.sweep_leases().await;
    assert!(running.call().await.contains("done 7"), "nobody listens");
    // A new one has what is left.
    let mut running = world.begun(world.calling()).await;
    assert!(running.call().await.contains("__skep_key__"));
}

#[tokio::test(flavor = "multi_thread")]
async fn x03_a_template_that_was_replaced_is_used_as_it_was_no_more() {
    let world = World::start().await;
    let mut running = world.begun(world.calling()).await;
    assert!(running.call().await.contains("__skep_key__"));
    let mut narrower = template("api");
    narrower["form"]["requests"]["rules"][0]["paths"] = json!(["/v1/"]);
    world.approved(&world.owner, narrower).await;
    let said = running.call().await;
    assert!(said.contains("\"reason\":\"withheld\""), "{said}");
    assert_eq!(got(&world), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn x03_a_secret_that_is_removed_is_sent_no_more() {
    let world = World::start().await;
    let mut running = world.begun(world.calling()).await;
    assert!(running.call().await.contains("__skep_key__"));
    let token = world.owner.token("owner");
    world
        .done(&token, "POST", "secrets/remove", json!({ "name": "key" }))
        .await;
    let said = running.call().await;
    assert!(said.contains("\"reason\":\"withheld\""), "{said}");
    // One that is set anew is sent from the next request on.
    let body = json!({ "name": "key", "value": format!("{}-renewed", &VALUE[..8]) });
    world.done(&token, "POST", "secrets", body).await;
    assert!(running.call().await.contains("__skep_key__"));
    let last = world.origin.got().pop().unwrap();
    assert!(
        last.header("authorization").ends_with("-renewed"),
        "{last:?}"
    );
}
