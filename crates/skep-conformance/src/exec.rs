//! Runs of programs: each step once, in order, and nobody sees another's.

use skep_authz::rights::{SecretApprove, SecretList, SecretUse};
use skep_authz::{Authorized, Maintain};
use skep_domain::{CredentialId, ExecId, ExecState, Id, TemplateId, Timestamp};
use skep_store::{ExecEnd, ExecOutcome, NewExec, PageOf, Tx};

use crate::Harness;
use crate::world::{Persona, Tenant, World};

const HOST: [u8; 16] = [7; 16];
const ALL: PageOf<ExecId> = PageOf {
    limit: 200,
    before: None,
};

/// A run that waits.
pub(crate) async fn ask<H: Harness>(
    world: &World<H>,
    (tenant, persona): (&Tenant, Persona),
    turn: i64,
) -> NewExec {
    let new = NewExec {
        id: world.store().mint(),
        label: "exe_label".into(),
        host: HOST,
        turn,
        credential: CredentialId::from_bytes([3; 16]),
        template: TemplateId::from_bytes([4; 16]),
        name: "deploy".into(),
        digest: [5; 32],
        arguments: vec![("stage".into(), "live".into())],
        at: world.store().now(),
    };
    let mut tx: Tx<SecretUse> = world.begin(tenant, persona).await;
    tx.put_exec(&new).await.unwrap();
    tx.commit().await.unwrap();
    new
}

async fn open<H: Harness>(world: &World<H>, tenant: &Tenant, host: [u8; 16]) -> Vec<ExecId> {
    let mut tx: Tx<Maintain> = world.maintain(tenant).await;
    let found = tx.list_open_execs(host).await.unwrap();
    found.into_iter().map(|job| job.id).collect()
}

async fn start<H: Harness>(world: &World<H>, tenant: &Tenant, id: ExecId) -> bool {
    let mut tx: Tx<Maintain> = world.maintain(tenant).await;
    let started = tx.start_exec(id, world.store().now()).await.unwrap();
    tx.commit().await.unwrap();
    started
}

fn outcome() -> ExecOutcome {
    ExecOutcome {
        exit: Some(("code".into(), -3)),
        reason: None,
        stdout: vec![0, 255, b'x'],
        stderr: b"[redacted:TOKEN]".to_vec(),
        is_cut: true,
        redacted: vec![("TOKEN".into(), 1)],
        applied: vec!["seccomp".into()],
        missing: vec![("users".into(), "not here".into())],
    }
}

async fn end<H: Harness>(
    world: &World<H>,
    tenant: &Tenant,
    id: ExecId,
    (from, to): (ExecState, ExecState),
) -> bool {
    let mut tx: Tx<Maintain> = world.maintain(tenant).await;
    let outcome = outcome();
    let end = ExecEnd {
        from,
        to,
        at: world.store().now(),
        outcome: &outcome,
    };
    let ended = tx.end_exec(id, end).await.unwrap();
    tx.commit().await.unwrap();
    ended
}

pub(crate) async fn a_run_takes_each_step_once<H: Harness>() {
    let world = World::<H>::new().await;
    let ours = &world.ours;
    let new = ask(&world, (ours, Persona::Human), 10).await;
    let earlier = ask(&world, (ours, Persona::Human), 5).await;
    assert_eq!(open(&world, ours, HOST).await, [earlier.id, new.id]);
    assert_eq!(open(&world, ours, [8; 16]).await, []);
    assert!(!end(&world, ours, new.id, (ExecState::Running, ExecState::Ended)).await);
    assert!(start(&world, ours, new.id).await);
    assert!(!start(&world, ours, new.id).await, "it runs already");
    let mut tx: Tx<SecretList> = world.begin(ours, Persona::Human).await;
    let (job, none) = tx.get_exec(new.id, None).await.unwrap().unwrap();
    assert_eq!((job.state, none), (ExecState::Running, None));
    assert_eq!((job.name, job.digest, job.turn), (new.name, [5; 32], 10));
    assert_eq!((job.label, job.arguments), (new.label, new.arguments));
    assert!(job.started_at.is_some() && job.ended_at.is_none());
    drop(tx);
    assert!(end(&world, ours, new.id, (ExecState::Running, ExecState::Ended)).await);
    assert!(
        !end(
            &world,
            ours,
            new.id,
            (ExecState::Running, ExecState::Interrupted)
        )
        .await
    );
    let mut tx: Tx<SecretList> = world.begin(ours, Persona::Human).await;
    let (job, came) = tx.get_exec(new.id, None).await.unwrap().unwrap();
    assert_eq!((job.state, came), (ExecState::Ended, Some(outcome())));
    assert!(job.ended_at.is_some());
    drop(tx);
    assert_eq!(open(&world, ours, HOST).await, [earlier.id]);
}

pub(crate) async fn t01_a_run_is_seen_by_who_asked_and_by_who_approves<H: Harness>() {
    let world = World::<H>::new().await;
    let (ours, theirs) = (&world.ours, &world.theirs);
    let new = ask(&world, (ours, Persona::Shared), 1).await;
    let (mut seen, mut listed) = (Vec::new(), Vec::new());
    for (tenant, persona) in [
        (ours, Persona::Shared),
        (ours, Persona::Human),
        (theirs, Persona::Shared),
    ] {
        let mut tx: Tx<SecretList> = world.begin(tenant, persona).await;
        seen.push(tx.get_exec(new.id, None).await.unwrap().is_some());
        listed.push(tx.list_execs(None, ALL).await.unwrap().len());
    }
    assert_eq!((seen, listed), (vec![true, false, false], vec![1, 0, 0]));
    for (tenant, sees) in [(ours, true), (theirs, false)] {
        let all: Authorized<SecretApprove> = world.authorized(tenant, Persona::Human).await;
        let mut tx: Tx<SecretList> = world.begin(ours, Persona::Human).await;
        let found = tx.get_exec(new.id, Some(&all)).await.unwrap();
        assert_eq!(found.is_some(), sees);
        let found = tx.list_execs(Some(&all), ALL).await.unwrap();
        assert_eq!(found.len(), usize::from(sees));
    }
    let mut tx: Tx<SecretUse> = world.begin(ours, Persona::Human).await;
    let now = world.store().now();
    assert!(tx.cancel_exec(new.id, None, now).await.unwrap().is_none());
    drop(tx);
    assert_eq!(open(&world, ours, HOST).await, [new.id]);
}

pub(crate) async fn a_run_that_waits_is_over_when_it_is_cancelled<H: Harness>() {
    let world = World::<H>::new().await;
    let ours = &world.ours;
    let waits = ask(&world, (ours, Persona::Human), 1).await;
    let runs = ask(&world, (ours, Persona::Human), 2).await;
    assert!(start(&world, ours, runs.id).await);
    let mut tx: Tx<SecretUse> = world.begin(ours, Persona::Human).await;
    let now = world.store().now();
    let over = tx.cancel_exec(waits.id, None, now).await.unwrap().unwrap();
    let noted = tx.cancel_exec(runs.id, None, now).await.unwrap().unwrap();
    tx.commit().await.unwrap();
    assert_eq!(over.state, ExecState::Cancelled);
    assert_eq!(
        (noted.state, noted.is_cancelled),
        (ExecState::Running, true)
    );
    assert!(!start(&world, ours, waits.id).await);
    let mut tx: Tx<Maintain> = world.maintain(ours).await;
    assert!(tx.get_open_exec(waits.id).await.unwrap().is_none());
    assert!(
        tx.get_open_exec(runs.id)
            .await
            .unwrap()
            .unwrap()
            .is_cancelled
    );
}

pub(crate) async fn runs_are_kept_for_so_long<H: Harness>() {
    let world = World::<H>::new().await;
    let (ours, theirs) = (&world.ours, &world.theirs);
    let old = ask(&world, (ours, Persona::Human), 1).await;
    assert!(start(&world, ours, old.id).await);
    assert!(end(&world, ours, old.id, (ExecState::Running, ExecState::Ended)).await);
    let lost = ask(&world, (ours, Persona::Human), 2).await;
    let kept = ask(&world, (theirs, Persona::Human), 3).await;
    let now = world.store().now();
    let later = Timestamp::from_micros(now.as_micros() + 1);
    let mut tx: Tx<Maintain> = world.maintain(ours).await;
    assert_eq!(tx.clear_execs(old.at, now).await.unwrap(), 0);
    assert_eq!(tx.clear_execs(later, later).await.unwrap(), 2);
    tx.commit().await.unwrap();
    let mut tx: Tx<SecretList> = world.begin(ours, Persona::Human).await;
    assert!(tx.get_exec(old.id, None).await.unwrap().is_none());
    let (job, _) = tx.get_exec(lost.id, None).await.unwrap().unwrap();
    assert_eq!(job.state, ExecState::Expired);
    drop(tx);
    assert_eq!(open(&world, theirs, HOST).await, [kept.id]);
}
