//! Who asks for something slow and hangs up, again and again, keeps no more of the server at work than the
//! node has connections.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use skep_authz::rights::SessionCapture;
use skep_conformance::{Harness, Persona, World, new_session, new_turn};
use skep_store::backend::Backend;
use skep_store::{StoreError, Tx};
use skep_store_postgres::{Options, PostgresBackend};

use crate::place::{Place, tls};

const CONNECTIONS: usize = 3;

struct Narrow(Arc<Place>);

impl Harness for Narrow {
    async fn fresh() -> Self {
        Self(Arc::new(Place::new().await))
    }

    async fn open(&self) -> Arc<dyn Backend> {
        let options = Options {
            connections: CONNECTIONS,
            patience: Duration::from_secs(5),
            ..Options::default()
        };
        let opened = PostgresBackend::open(self.0.server(), tls(), options).await;
        Arc::new(opened.unwrap())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t05_what_is_given_up_is_stopped_and_counts_until_it_is() {
    let place = Arc::new(Place::new().await);
    let world = World::create(Narrow(Arc::clone(&place)), 1).await;
    let admin = place.session("postgres").await;
    // Whoever writes a turn waits.
    admin
        .batch_execute("BEGIN; LOCK TABLE turn IN ACCESS EXCLUSIVE MODE")
        .await
        .unwrap();
    let watch = place.session("postgres").await;
    let count = async |what: &str| -> i64 {
        let counted = format!(
            "SELECT count(*) FROM pg_stat_activity
             WHERE usename = 'skep_app' AND datname = current_database() AND {what}"
        );
        watch.query_one(&counted, &[]).await.unwrap().get(0)
    };
    let mut most = 0;
    for round in 0..20 {
        let mut tx: Tx<SessionCapture> = world.begin(&world.ours, Persona::Human).await;
        let store = world.store();
        let session = tx
            .put_session(&new_session(store, &format!("{round}")))
            .await
            .unwrap();
        let turn = [new_turn(store, "a")];
        {
            let mut call = pin!(tx.append_turns(session, &turn));
            let mut waits = 0;
            while waits == 0 {
                let polled = call.as_mut().poll(&mut Context::from_waker(Waker::noop()));
                assert!(polled.is_pending(), "it has to wait");
                waits = count("wait_event_type = 'Lock'").await;
            }
        }
        drop(tx);
        most = most.max(count("true").await);
    }
    assert!(
        most <= i64::try_from(CONNECTIONS).unwrap(),
        "{most} connections"
    );
    while count("state = 'active'").await > 0 {}

    // Nothing was left, and all is as before.
    admin.batch_execute("ROLLBACK").await.unwrap();
    let mut tx: Tx<SessionCapture> = world.begin(&world.ours, Persona::Human).await;
    assert_eq!(tx.seq().await.unwrap(), 0);
    let session = tx
        .put_session(&new_session(world.store(), "at last"))
        .await
        .unwrap();
    tx.append_turns(session, &[new_turn(world.store(), "a")])
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

/// Everybody waits at the turn of one workspace: each is told after a while, and others go on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t05_who_holds_a_workspace_holds_no_other() {
    let place = Arc::new(Place::new().await);
    let world = World::create(Narrow(Arc::clone(&place)), 1).await;
    let _writer: Tx<SessionCapture> = world.begin(&world.ours, Persona::Human).await;
    for _ in 0..20 {
        let mut second = pin!(world.try_begin::<SessionCapture>(&world.ours, Persona::Colleague));
        for _ in 0..50 {
            let polled = second
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()));
            assert!(polled.is_pending());
            tokio::task::yield_now().await;
        }
    }
    let mut theirs: Tx<SessionCapture> = world.begin(&world.theirs, Persona::Human).await;
    theirs.put_cursor("source", "here").await.unwrap();
    theirs.commit().await.unwrap();
    let second = world
        .try_begin::<SessionCapture>(&world.ours, Persona::Colleague)
        .await;
    assert!(
        matches!(second, Err(StoreError::Unavailable(_))),
        "{second:?}"
    );
}
