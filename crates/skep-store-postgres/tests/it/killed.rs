//! F03: the server dies before, during and after a commit. An error is an error, a success stays, what is
//! unknown is settled by doing it again; and the node goes on as soon as the server is back.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use skep_authz::rights::{SessionCapture, SessionRead};
use skep_conformance::{Harness, Persona, World, new_session, new_turn};
use skep_store::backend::Backend;
use skep_store::{PageOf, StoreError, Tx};
use skep_store_postgres::{Options, PostgresBackend};
use skep_test_programs::postgres::Server;

use crate::between::{Between, Ear, Fate};
use crate::place::{Place, tls};

const TURNS: usize = 3;

struct Node<E> {
    place: Arc<Place>,
    between: Between,
    ear: Arc<E>,
}

impl<E: Ear> Node<E> {
    async fn world(place: Place, ear: E) -> (World<Self>, Arc<E>) {
        let (place, ear) = (Arc::new(place), Arc::new(ear));
        let between = Between::new(&place.server(), Arc::clone(&ear) as Arc<dyn Ear>);
        let node = Self {
            place,
            between,
            ear: Arc::clone(&ear),
        };
        (World::create(node, 1).await, ear)
    }
}

impl<E: Ear> Harness for Node<E> {
    async fn fresh() -> Self {
        panic!("it needs its ear")
    }

    async fn open(&self) -> Arc<dyn Backend> {
        assert!(Arc::strong_count(&self.ear) > 0);
        let server = self.between.server(self.place.server());
        let opened = PostgresBackend::open(server, tls(), Options::default()).await;
        Arc::new(opened.unwrap())
    }
}

/// A session with its turns, the same whenever it is done again.
async fn write<H: Harness>(world: &World<H>, name: &str) -> Result<(), StoreError> {
    let mut tx: Tx<SessionCapture> = world.try_begin(&world.ours, Persona::Human).await?;
    let session = tx.put_session(&new_session(world.store(), name)).await?;
    let turns: Vec<_> = (0..TURNS)
        .map(|n| new_turn(world.store(), &format!("{n}")))
        .collect();
    tx.append_turns(session, &turns).await?;
    tx.commit().await.map(|_| ())
}

/// What is there, each with how many turns it has.
async fn there<H: Harness>(world: &World<H>) -> BTreeMap<String, u64> {
    let mut tx: Tx<SessionRead> = world.begin(&world.ours, Persona::Human).await;
    let page = PageOf {
        limit: 200,
        before: None,
    };
    let sessions = tx.list_sessions(page).await.unwrap();
    let count = sessions.len();
    let named = sessions
        .into_iter()
        .map(|session| (session.external_id, session.turns));
    let named: BTreeMap<_, _> = named.collect();
    assert_eq!(named.len(), count, "one of them twice");
    assert!(
        named.values().all(|turns| *turns == TURNS as u64),
        "one of them in part: {named:?}"
    );
    named
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum When {
    Never,
    Before,
    During,
}

/// Kills the server at a commit.
struct Killer {
    server: &'static Server,
    when: Mutex<When>,
    kills: Mutex<Option<JoinHandle<()>>>,
}

impl Ear for Killer {
    fn hears(&self, _: u32, text: &str) -> Fate {
        if text != "COMMIT" {
            return Fate::Passes;
        }
        let when = std::mem::replace(&mut *self.when.lock().unwrap(), When::Never);
        let server = self.server;
        match when {
            When::Never => Fate::Passes,
            When::Before => {
                server.kill();
                Fate::Passes
            }
            When::During => {
                *self.kills.lock().unwrap() = Some(std::thread::spawn(|| server.kill()));
                Fate::Passes
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn f03_what_was_acknowledged_outlives_the_server() {
    let server = Server::own();
    let place = Place::on(server).await;
    let (world, killer) = Node::world(
        place,
        Killer {
            server,
            when: Mutex::new(When::Never),
            kills: Mutex::default(),
        },
    )
    .await;
    let mut certain = BTreeMap::new();
    for round in 0..6 {
        let name = format!("round {round}");
        let when = [When::Before, When::During, When::Never][round % 3];
        *killer.when.lock().unwrap() = when;
        let written = write(&world, &name).await;
        let kills = killer.kills.lock().unwrap().take();
        match when {
            When::Never => server.kill(),
            When::Before => {}
            When::During => kills.unwrap().join().unwrap(),
        }
        let meanwhile = world.try_begin::<SessionRead>(&world.theirs, Persona::Human);
        server.restart();
        drop(meanwhile);

        // The first thing that is asked of the node after its server is back.
        let there = there(&world).await;
        match when {
            When::Before => assert!(
                written.is_err() && !there.contains_key(&name),
                "{written:?}"
            ),
            When::During => {}
            When::Never => assert!(written.is_ok(), "{written:?}"),
        }
        if written.is_ok() {
            assert!(there.contains_key(&name), "{name} was acknowledged");
            certain.insert(name, TURNS as u64);
        } else {
            assert!(
                matches!(written, Err(StoreError::Unavailable(_))),
                "{written:?}"
            );
            write(&world, &name).await.unwrap();
            certain.insert(name, TURNS as u64);
        }
    }
    assert_eq!(there(&world).await, certain);
}

/// Ends the connection at the statement of a number.
struct Cutter {
    left: AtomicU32,
    is_sent: bool,
}

impl Ear for Cutter {
    fn hears(&self, _: u32, _: &str) -> Fate {
        let left = self.left.load(Ordering::Relaxed);
        self.left.store(left.saturating_sub(1), Ordering::Relaxed);
        match left {
            1 if self.is_sent => Fate::IsNotAnswered,
            1 => Fate::Falls,
            _ => Fate::Passes,
        }
    }
}

/// At every statement of a piece of work, before it is sent and after, the connection ends.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn f03_a_cut_at_any_statement_leaves_all_or_nothing() {
    for is_sent in [false, true] {
        let ear = Cutter {
            left: AtomicU32::new(0),
            is_sent,
        };
        let (world, cutter) = Node::world(Place::new().await, ear).await;
        let mut certain = BTreeMap::new();
        let (mut cuts, mut at) = (0, 0);
        loop {
            at += 1;
            let name = format!("cut {at}");
            // A session that is there is another way through the statements.
            cutter.left.store(at, Ordering::Relaxed);
            let written = write(&world, &name).await;
            let over = cutter.left.swap(0, Ordering::Relaxed) > 0;
            if written.is_err() {
                assert!(
                    matches!(written, Err(StoreError::Unavailable(_))),
                    "{at}: {written:?}"
                );
                cuts += 1;
                write(&world, &name).await.unwrap();
            }
            certain.insert(name, TURNS as u64);
            assert_eq!(there(&world).await, certain, "{at}");
            if over {
                break;
            }
        }
        assert!(cuts > 10, "{cuts} of {at}");
    }
}
