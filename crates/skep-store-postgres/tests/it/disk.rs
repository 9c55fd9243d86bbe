//! F04: the server's disk is full, or does not keep what it was given. Nothing is acknowledged that is not
//! there, nothing is there in part, reads go on, and so do writes once there is room.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::sync::Arc;

use skep_authz::rights::{SessionCapture, SessionRead};
use skep_conformance::{Harness, Persona, World, new_session, new_turn};
use skep_store::{PageOf, StoreError, Tx};
use skep_test_programs::postgres::Server;

use crate::place::Place;

/// Above what the server writes of its own, such as a part of its log, and soon reached by ours.
const ROOM: u64 = 17 << 20;
/// A turn that takes some room.
const LONG: usize = 200_000;
const HUMAN: Persona = Persona::Human;

/// A session with two long turns.
async fn write<H: Harness>(world: &World<H>, number: usize) -> Result<(), StoreError> {
    let mut tx: Tx<SessionCapture> = world.try_begin(&world.ours, HUMAN).await?;
    let name = format!("{number:04}");
    let session = tx.put_session(&new_session(world.store(), &name)).await?;
    let turns = ["a", "b"].map(|letter| new_turn(world.store(), &letter.repeat(LONG)));
    tx.append_turns(session, &turns).await?;
    tx.commit().await.map(|_| ())
}

/// The sessions that are there, each whole.
async fn there<H: Harness>(world: &World<H>) -> usize {
    let mut tx: Tx<SessionRead> = world.begin(&world.ours, HUMAN).await;
    let page = PageOf {
        limit: 1_000,
        before: None,
    };
    let sessions = tx.list_sessions(page).await.unwrap();
    for session in &sessions {
        let turns = tx.list_turns(session.id, 0, 10).await.unwrap();
        let whole = turns.iter().filter(|turn| turn.turn.text.len() >= LONG);
        assert_eq!(whole.count(), 2, "a session in part");
    }
    sessions.len()
}

/// Connections of before are found dead one by one.
async fn meet_again<H: Harness>(world: &World<H>) {
    for _ in 0..100 {
        if world.store().workspaces().await.is_ok() {
            return;
        }
    }
    panic!("the server is not met again");
}

#[tokio::test]
async fn f04_a_full_disk_is_unavailable_and_reads_go_on() {
    let server = Server::own();
    let place = Place::on(server).await;
    server.kill();
    server.restart_with("", Some(ROOM));
    let world = World::create(place, 1).await;
    let mut kept = 0;
    let refused = loop {
        match write(&world, kept).await {
            Ok(()) => kept += 1,
            Err(error) => break error,
        }
        assert!(kept < 200, "the disk is never full");
    };
    assert!(matches!(refused, StoreError::Unavailable(_)), "{refused:?}");
    assert_eq!(there(&world).await, kept);
    write(&world, kept).await.unwrap_err();
    assert_eq!(there(&world).await, kept);

    server.kill();
    server.restart();
    meet_again(&world).await;
    assert_eq!(there(&world).await, kept);
    write(&world, kept).await.unwrap();
    assert_eq!(there(&world).await, kept + 1);
}

/// The server cannot know what of its log is on the disk once it was told that a part is not: it stops, and
/// starts again from what is there. Every time that the log is flushed fails in its turn.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs strace"]
async fn f04_a_log_that_is_not_kept_acknowledges_nothing() {
    let server = Server::own();
    let place = Place::on(server).await;
    server.kill();
    server.restart_with("-c fsync=on", None);
    let world = Arc::new(World::create(place, 1).await);
    let (mut written, mut failed) = (0, 0);
    for ordinal in 1..8 {
        let mut saboteur = sabotage(server, ordinal);
        let before = there(&world).await;
        assert_eq!(before, written);
        let mut refused = false;
        for _ in 0..4 {
            match write(&world, written).await {
                Ok(()) => written += 1,
                Err(error) => {
                    assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
                    refused = true;
                    break;
                }
            }
        }
        saboteur.kill().unwrap();
        saboteur.wait().unwrap();
        if refused {
            failed += 1;
            server.kill();
            server.restart_with("-c fsync=on", None);
            meet_again(&world).await;
        }
        // What was refused may have come to the disk all the same: done again, it is there once.
        let found = there(&world).await;
        assert!(
            found == written || (refused && found == written + 1),
            "{found} of {written}"
        );
        if refused {
            write(&world, written).await.unwrap();
            written += 1;
        }
    }
    assert!(failed > 3, "{failed} failures only");
}

/// Has a flush of the server's log fail from now on, of any connection, from the one of a number on.
fn sabotage(server: &Server, ordinal: usize) -> std::process::Child {
    let parent = server.process().as_raw_pid();
    // Those that are there; connections to come are followed from their parent.
    let children = std::fs::read_to_string(format!("/proc/{parent}/task/{parent}/children"));
    let mut strace = Command::new("strace");
    let inject = format!("inject=fdatasync:error=EIO:when={ordinal}+");
    strace.args(["-f", "-e", "trace=fdatasync", "-e", &inject, "-p"]);
    strace.arg(parent.to_string());
    for child in children.unwrap().split_whitespace() {
        strace.args(["-p", child]);
    }
    strace.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = strace.spawn().unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
    let attached = said.next().unwrap().unwrap();
    assert!(attached.contains("attached"), "{attached}");
    std::thread::spawn(move || said.for_each(drop));
    child
}
