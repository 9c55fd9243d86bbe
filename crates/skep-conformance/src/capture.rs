//! Counters, pauses and bound directories: each workspace's own, each principal's own.

use skep_authz::rights::{DiagnosticsRead, SessionCapture};
use skep_domain::{Harness as Tool, Timestamp, TurnOutcome};
use skep_store::{Binding, PausedSession, Tx};

use crate::Harness;
use crate::world::{Persona, World};

const HUMAN: Persona = Persona::Human;

pub(crate) async fn what_was_received_is_the_sum_of_its_outcomes<H: Harness>() {
    let world = World::<H>::new().await;
    for (stored, paused) in [(3, 0), (0, 2), (1, 1)] {
        let mut tx: Tx<SessionCapture> = world.begin(&world.ours, HUMAN).await;
        let counts = [(TurnOutcome::Stored, stored), (TurnOutcome::Paused, paused)];
        tx.add_capture_counts(&counts).await.unwrap();
        tx.commit().await.unwrap();
    }
    let mut dropped: Tx<SessionCapture> = world.begin(&world.ours, HUMAN).await;
    let counts = [(TurnOutcome::Cut, 9)];
    dropped.add_capture_counts(&counts).await.unwrap();
    drop(dropped);
    for (told, more) in [(4, 4), (4, 0), (7, 3), (5, 0)] {
        let mut tx: Tx<SessionCapture> = world.begin(&world.ours, HUMAN).await;
        assert_eq!(tx.raise_spool("spool", told).await.unwrap(), more);
        tx.commit().await.unwrap();
    }
    let mut tx: Tx<DiagnosticsRead> = world.begin(&world.ours, HUMAN).await;
    let counts = tx.get_capture_counts().await.unwrap();
    let expected = vec![(TurnOutcome::Stored, 4), (TurnOutcome::Paused, 3)];
    assert_eq!(counts, (7, expected));
    let mut tx: Tx<DiagnosticsRead> = world.begin(&world.theirs, HUMAN).await;
    assert_eq!(tx.get_capture_counts().await.unwrap(), (0, Vec::new()));
    let mut tx: Tx<SessionCapture> = world.begin(&world.theirs, HUMAN).await;
    assert_eq!(tx.raise_spool("spool", 2).await.unwrap(), 2, "their own");
}

pub(crate) async fn t01_a_pause_holds_for_its_holder_its_session_and_its_time<H: Harness>() {
    let world = World::<H>::new().await;
    let at = Timestamp::from_micros;
    let quiet = PausedSession {
        harness: Tool::Codex,
        external_id: "quiet".into(),
    };
    let mut tx: Tx<SessionCapture> = world.begin(&world.ours, HUMAN).await;
    tx.put_pause(false, None, Some(at(100)), at(0))
        .await
        .unwrap();
    tx.put_pause(false, Some(&quiet), None, at(0))
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let mut tx: Tx<SessionCapture> = world.begin(&world.ours, Persona::Shared).await;
    tx.put_pause(true, None, None, at(0)).await.unwrap();
    tx.commit().await.unwrap();

    let other = PausedSession {
        harness: Tool::ClaudeCode,
        external_id: "quiet".into(),
    };
    for (persona, session, now, expected) in [
        (HUMAN, Some(&quiet), 99, 3),
        (HUMAN, Some(&quiet), 100, 2),
        (HUMAN, Some(&other), 99, 2),
        (HUMAN, Some(&other), 100, 1),
        (HUMAN, None, 99, 3),
        (Persona::Colleague, Some(&quiet), 99, 1),
    ] {
        let mut tx: Tx<SessionCapture> = world.begin(&world.ours, persona).await;
        let found = tx.list_pauses(session, at(now)).await.unwrap();
        assert_eq!(found.len(), expected, "{persona:?} {session:?} {now}");
    }
    let mut tx: Tx<SessionCapture> = world.begin(&world.theirs, HUMAN).await;
    assert!(tx.list_pauses(None, at(0)).await.unwrap().is_empty());
    let mut tx: Tx<SessionCapture> = world.begin(&world.ours, HUMAN).await;
    assert!(tx.remove_pause(true, None).await.unwrap());
    assert!(!tx.remove_pause(true, None).await.unwrap());
    assert!(tx.remove_pause(false, Some(&quiet)).await.unwrap());
    let left = tx.list_pauses(Some(&quiet), at(99)).await.unwrap();
    assert_eq!(left.len(), 1);
}

pub(crate) async fn t01_a_directory_is_bound_for_whoever_bound_it<H: Harness>() {
    let world = World::<H>::new().await;
    let bind = |directory: &str, project: &str| Binding {
        directory: directory.into(),
        project: project.into(),
    };
    let mut tx: Tx<SessionCapture> = world.begin(&world.ours, HUMAN).await;
    for binding in [bind("/w", "old"), bind("/w", "wide"), bind("/w/app", "app")] {
        tx.put_binding(&binding).await.unwrap();
    }
    tx.commit().await.unwrap();
    let mut tx: Tx<SessionCapture> = world.begin(&world.ours, HUMAN).await;
    let near = tx.find_binding(&["/w/app/src", "/w/app", "/w", "/"]).await;
    assert_eq!(near.unwrap(), Some(bind("/w/app", "app")), "the nearest");
    let far = tx.find_binding(&["/w/other", "/w", "/"]).await.unwrap();
    assert_eq!(far, Some(bind("/w", "wide")), "bound anew");
    assert_eq!(tx.find_binding(&[]).await.unwrap(), None);
    assert_eq!(tx.list_bindings().await.unwrap().len(), 2);
    assert!(tx.remove_binding("/w").await.unwrap());
    assert!(!tx.remove_binding("/w").await.unwrap());
    assert_eq!(tx.find_binding(&["/w"]).await.unwrap(), None);
    drop(tx);
    for (tenant, persona) in [(&world.ours, Persona::Colleague), (&world.theirs, HUMAN)] {
        let mut tx: Tx<SessionCapture> = world.begin(tenant, persona).await;
        assert_eq!(tx.find_binding(&["/w/app"]).await.unwrap(), None);
        assert!(tx.list_bindings().await.unwrap().is_empty());
        assert!(!tx.remove_binding("/w/app").await.unwrap());
    }
}
