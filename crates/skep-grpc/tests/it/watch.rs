//! News of revocations, each when it is durable.

use skep_app::{AgentEdit, Policy};
use skep_domain::{Role, Standing};
use skep_grpc::protocol::revocation::What;
use skep_grpc::protocol::{Revocation, WatchRevocationsRequest};
use skep_store::Mode;
use tonic::Streaming;

use crate::house::House;

/// The next that is no beat.
async fn news(stream: &mut Streaming<Revocation>) -> What {
    loop {
        let told = stream.message().await.unwrap().unwrap();
        if told.what() != What::Beat {
            return told.what();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_revocation_is_told_of_and_silence_beats() {
    let house = House::start().await;
    let watching = house
        .client()
        .watch_revocations(WatchRevocationsRequest {})
        .await;
    let mut stream = watching.unwrap().into_inner();
    for _ in 0..3 {
        assert_eq!(stream.message().await.unwrap().unwrap().what(), What::Beat);
    }
    let pass = house.pass(Role::Readonly).await;
    assert_eq!(news(&mut stream).await, What::Membership);
    house.daemon.revoke(&house.daemon.a, pass.credential).await;
    assert_eq!(news(&mut stream).await, What::Credential);
    let owner = house.daemon.a.caller(&house.daemon.store, "owner").await;
    let (app, right) = (&house.daemon.app, owner.authorize().unwrap());
    let agent = app
        .create_agent(right, "agent", &Policy::Isolated)
        .await
        .unwrap();
    let edit = AgentEdit {
        standing: Some(Standing::Suspended),
        ..AgentEdit::default()
    };
    app.edit_agent(owner.authorize().unwrap(), agent.id, edit)
        .await
        .unwrap();
    assert_eq!(news(&mut stream).await, What::Agent);
    suspend(&house).await;
    assert_eq!(news(&mut stream).await, What::Organization);
}

#[expect(
    clippy::disallowed_methods,
    reason = "what whoever runs the daemon does"
)]
async fn suspend(house: &House) {
    let mut door = house.daemon.store.begin_door(Mode::Write).await.unwrap();
    let organization = house.daemon.a.organization;
    door.set_organization_standing(organization, Standing::Suspended)
        .await
        .unwrap();
    door.commit().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_behind_is_told_that_they_missed_something_and_nothing_queues_without_end() {
    let house = House::start().await;
    let mut news = house.daemon.app.revocations();
    for _ in 0..300 {
        suspend(&house).await;
    }
    assert_eq!(news.next().await, Some(skep_app::Revocation::Anything));
    let told = skep_app::Revocation::Of(skep_app::Revoked::Organization);
    assert_eq!(news.next().await, Some(told));
}
