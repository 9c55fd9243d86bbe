//! Background work, and the deletion of a workspace: who gets which job when, and that nothing is left.

use std::collections::BTreeSet;

use skep_authz::rights::{AuditRead, MemoryRead, WorkspaceManage};
use skep_authz::{Authorized, Right};
use skep_domain::{JobId, JobKind, JobState, Timestamp};
use skep_store::row::EraseStep;
use skep_store::{Claimed, Job, PageOf, Settled, StoreError, Tx};
use tokio::task::JoinSet;

use crate::world::{Persona, Tenant, World, survey};
use crate::{Harness, new_memory, new_session, new_turn};

const NODES: [[u8; 16]; 2] = [[1; 16], [2; 16]];

async fn right<H: Harness, P: Right>(world: &World<H>, tenant: &Tenant) -> Authorized<P> {
    world.authorized(tenant, Persona::Human).await
}

async fn ask<H: Harness>(world: &World<H>, tenant: &Tenant) -> JobId {
    let right = right::<H, WorkspaceManage>(world, tenant).await;
    let mut tx = world.store().begin_org(right).await.unwrap();
    let id = tx.put_job(JobKind::Inventory).await.unwrap();
    tx.commit().await.unwrap();
    id
}

async fn look<H: Harness>(world: &World<H>, tenant: &Tenant, id: JobId) -> Option<Job> {
    let right = right::<H, AuditRead>(world, tenant).await;
    let mut tx = world.store().begin_org(right).await.unwrap();
    tx.get_job(id).await.unwrap()
}

/// A moment that is so many seconds from the world's present.
fn in_seconds<H: Harness>(world: &World<H>, seconds: i64) -> Timestamp {
    Timestamp::from_micros(world.store().now().as_micros() + seconds * 1_000_000)
}

async fn claim<H: Harness>(world: &World<H>, node: usize, seconds: i64) -> Option<Claimed> {
    let until = in_seconds(world, seconds);
    world.store().claim_job(NODES[node], until).await.unwrap()
}

async fn settle<H: Harness>(world: &World<H>, job: &Claimed, settled: Settled) -> bool {
    let settled = world.store().settle_job(job, settled, &[], None);
    settled.await.unwrap()
}

const DONE: Settled = Settled::Final(JobState::Done, None);

/// One organization asks for many, then another for one: it has its turn at once, and what is urgent comes
/// before both.
pub(crate) async fn t06_a_queue_of_one_organization_does_not_hold_up_another<H: Harness>() {
    let world = World::<H>::new().await;
    let mut of_ours = Vec::new();
    for _ in 0..40 {
        of_ours.push(ask(&world, &world.ours).await);
    }
    for expected in &of_ours[..3] {
        let job = claim(&world, 0, 60).await.unwrap();
        assert_eq!(job.id(), *expected, "those of one organization in order");
        assert!(settle(&world, &job, DONE).await);
    }
    let theirs = ask(&world, &world.theirs).await;
    let another = ask(&world, &world.theirs).await;
    let mut next = Vec::new();
    for _ in 0..4 {
        let job = claim(&world, 0, 60).await.unwrap();
        next.push(job.id());
        assert!(settle(&world, &job, DONE).await);
    }
    assert!(next[..2].contains(&theirs), "{next:?}, {theirs:?}");
    assert!(next.contains(&another), "in turns");
    let urgent = Tenant::from_seed(90);
    world.put_workspace(&urgent).await.unwrap();
    let erasure = retire(&world, &urgent).await.unwrap();
    assert_eq!(claim(&world, 0, 60).await.unwrap().id(), erasure);
}

/// What is given back for later goes behind what waits, also behind another organization's.
pub(crate) async fn t06_a_long_job_lets_others_have_their_turn<H: Harness>() {
    let world = World::<H>::new().await;
    let long = ask(&world, &world.ours).await;
    let job = claim(&world, 0, 60).await.unwrap();
    let short = ask(&world, &world.theirs).await;
    assert!(settle(&world, &job, Settled::Later).await);
    assert_eq!(claim(&world, 0, 60).await.unwrap().id(), short);
    assert_eq!(claim(&world, 0, 60).await.unwrap().id(), long);
}

/// Many at once: each job is had by one of them, and by one only.
pub(crate) async fn a_job_is_had_by_one_at_a_time<H: Harness>() {
    let world = World::<H>::new().await;
    let mut asked = BTreeSet::new();
    for _ in 0..12 {
        asked.insert(ask(&world, &world.ours).await);
    }
    let world = std::sync::Arc::new(world);
    let mut takers = JoinSet::new();
    for taker in 0..24 {
        let world = std::sync::Arc::clone(&world);
        takers.spawn(async move { claim(&world, taker % 2, 600).await.map(|job| job.id()) });
    }
    let got: Vec<JobId> = takers.join_all().await.into_iter().flatten().collect();
    assert_eq!(got.len(), 12);
    assert_eq!(got.into_iter().collect::<BTreeSet<_>>(), asked);
}

/// A lease that runs out goes to whoever looks next; whoever had it can do nothing with it any more.
pub(crate) async fn a_lease_that_ran_out_is_taken_over<H: Harness>() {
    let world = World::<H>::new().await;
    let id = ask(&world, &world.ours).await;
    let first = claim(&world, 0, 60).await.unwrap();
    assert!(claim(&world, 1, 60).await.is_none(), "somebody has it");
    let past = in_seconds(&world, -60);
    assert!(world.store().renew_job(&first, past).await.unwrap());
    let second = claim(&world, 1, 60).await.unwrap();
    assert_eq!((second.id(), second.failures()), (id, 1));
    let later = in_seconds(&world, 60);
    assert!(!world.store().renew_job(&first, later).await.unwrap());
    assert!(!settle(&world, &first, DONE).await);
    assert_eq!(
        look(&world, &world.ours, id).await.unwrap().facts.state,
        JobState::Running
    );
    assert!(settle(&world, &second, DONE).await);
    let done = look(&world, &world.ours, id).await.unwrap();
    assert_eq!(done.facts.state, JobState::Done);
    assert!(done.facts.finished_at.is_some() && claim(&world, 0, 60).await.is_none());
    assert!(!settle(&world, &second, DONE).await, "it is over");
}

/// What failed waits for its moment, and says why; what is over says so too, and to its organization alone.
pub(crate) async fn a_job_that_failed_waits_and_says_why<H: Harness>() {
    let world = World::<H>::new().await;
    let id = ask(&world, &world.ours).await;
    let job = claim(&world, 0, 60).await.unwrap();
    let again = Settled::Retry(in_seconds(&world, 3_600), "the sea was rough".into());
    assert!(settle(&world, &job, again).await);
    assert!(claim(&world, 0, 60).await.is_none(), "not due");
    let waits = look(&world, &world.ours, id).await.unwrap();
    assert_eq!(
        (
            waits.facts.state,
            waits.facts.failures,
            waits.note.as_deref()
        ),
        (JobState::Queued, 1, Some("the sea was rough"))
    );
    assert!(look(&world, &world.theirs, id).await.is_none());
    let right = right::<H, AuditRead>(&world, &world.theirs).await;
    let mut tx = world.store().begin_org(right).await.unwrap();
    let all = PageOf {
        limit: 10,
        before: None,
    };
    assert!(tx.list_jobs(all).await.unwrap().is_empty());
}

/// Puts something in most tables of a tenant.
async fn fill<H: Harness>(world: &World<H>, tenant: &Tenant) {
    let mut tx: Tx<skep_authz::rights::SessionCapture> = world.begin(tenant, Persona::Human).await;
    let store = world.store();
    let session = tx.put_session(&new_session(store, "s-1")).await.unwrap();
    let turns: Vec<_> = (0..5)
        .map(|number| new_turn(store, &format!("e-{number}")))
        .collect();
    tx.append_turns(session, &turns).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx: Tx<skep_authz::rights::MemoryWrite> = world.begin(tenant, Persona::Human).await;
    for number in 0..5 {
        let new = new_memory(store, &format!("statement {number}"));
        tx.put_memory(new).await.unwrap();
    }
    tx.commit().await.unwrap();
    let right = survey(tenant.organization, tenant.workspace);
    store.put_snapshot(right, b"an index").await.unwrap();
}

async fn retire<H: Harness>(world: &World<H>, tenant: &Tenant) -> Option<JobId> {
    let right = right::<H, WorkspaceManage>(world, tenant).await;
    let retired = world.store().retire_workspace(right, tenant.workspace);
    retired.await.unwrap()
}

/// From the moment that it is accepted a deleted workspace is nowhere, on no way in, also after a restart, and
/// the other one notices nothing.
pub(crate) async fn t18_a_deleted_workspace_is_nowhere_at_once<H: Harness>() {
    let mut world = World::<H>::new().await;
    for tenant in [&world.ours, &world.theirs] {
        fill(&world, tenant).await;
    }
    let caller = world
        .caller(world.ours.token(Persona::Human))
        .await
        .unwrap();
    let manage: Authorized<WorkspaceManage> = caller.authorize().unwrap();
    assert!(retire(&world, &world.ours).await.is_some());
    for restarted in [false, true] {
        if restarted {
            world.reopen().await;
        }
        let (store, ours) = (world.store(), &world.ours);
        for persona in Persona::ALL {
            assert!(
                world.caller(ours.token(persona)).await.is_none(),
                "{persona:?}"
            );
        }
        // Rights that were proved before.
        let read: Authorized<MemoryRead> = caller.authorize().unwrap();
        assert!(matches!(store.begin(read).await, Err(StoreError::Gone)));
        let right = || survey(ours.organization, ours.workspace);
        assert!(matches!(store.begin(right()).await, Err(StoreError::Gone)));
        let name = store.workspace_name(&right()).await;
        assert!(matches!(name, Err(StoreError::Gone)), "{name:?}");
        assert!(matches!(
            store.get_snapshot(right()).await,
            Err(StoreError::Gone)
        ));
        let kept = store.put_snapshot(right(), b"an index").await;
        assert!(matches!(kept, Err(StoreError::Gone)), "{kept:?}");
        assert!(matches!(
            store.count_rows(right()).await,
            Err(StoreError::Gone)
        ));
        let read: Authorized<MemoryRead> = caller.authorize().unwrap();
        assert!(store.list_workspaces(read).await.unwrap().is_empty());
        let there = [(world.theirs.organization, world.theirs.workspace)];
        assert_eq!(store.workspaces().await.unwrap(), there);
        let mut tx: Tx<MemoryRead> = world.begin(&world.theirs, Persona::Human).await;
        assert!(tx.seq().await.unwrap() > 0);
    }
    let again = world.store().retire_workspace(manage, world.ours.workspace);
    assert!(again.await.unwrap().is_none(), "there is none");
    let taken = world.put_workspace(&world.ours).await;
    assert!(matches!(taken, Err(StoreError::Conflict(_))), "{taken:?}");
}

async fn step<H: Harness>(
    world: &World<H>,
    job: &Claimed,
    from: u32,
) -> Result<EraseStep, StoreError> {
    let until = in_seconds(world, -1);
    world.store().erase_step(job, (from, 3), until).await
}

/// Killed after each step in turn, and by two nodes: all of it goes, each row is counted once, the other tenant
/// keeps everything.
pub(crate) async fn t18_an_erasure_goes_on_after_a_kill_at_every_step<H: Harness>() {
    let mut world = World::<H>::new().await;
    for tenant in [&world.ours, &world.theirs] {
        fill(&world, tenant).await;
    }
    let counted = |tenant: &Tenant| survey(tenant.organization, tenant.workspace);
    let rows_of = world
        .store()
        .count_rows(counted(&world.ours))
        .await
        .unwrap();
    let theirs = world
        .store()
        .count_rows(counted(&world.theirs))
        .await
        .unwrap();
    assert!(rows_of.len() > 3, "{rows_of:?}");
    let id = retire(&world, &world.ours).await.unwrap();
    let mut steps = 0;
    loop {
        let job = claim(&world, steps % 2, -1).await.unwrap();
        assert_eq!(job.id(), id);
        let done = step(&world, &job, 0).await.unwrap();
        steps += 1;
        assert!(steps < 200, "it comes to an end");
        if done.is_done {
            assert!(settle(&world, &job, DONE).await);
            break;
        }
        world.reopen().await;
    }
    assert!(steps > 2, "{steps}");
    let store = world.store();
    assert_eq!(
        store.count_rows(counted(&world.theirs)).await.unwrap(),
        theirs
    );
    // Whoever may read the record of the organization sees the receipt, from another workspace of it.
    let mut elsewhere = Tenant::from_seed(91);
    elsewhere.organization = world.ours.organization;
    world.put_workspace(&elsewhere).await.unwrap();
    let receipt = look(&world, &elsewhere, id).await.unwrap();
    assert_eq!(receipt.facts.state, JobState::Done);
    let number = |name: &str| receipt.counts.iter().find(|(table, _)| table == name);
    for (table, rows) in &rows_of {
        assert_eq!(number(table).map(|(_, rows)| *rows), Some(*rows), "{table}");
    }
    assert_eq!(number("workspace").map(|(_, rows)| *rows), Some(1));
    assert_eq!(number("credential").map(|(_, rows)| *rows), Some(5));
}

/// Nobody erases what was not deleted, nor without having the job.
pub(crate) async fn t18_only_the_holder_of_the_job_erases_and_only_what_was_deleted<H: Harness>() {
    let world = World::<H>::new().await;
    fill(&world, &world.ours).await;
    let id = ask(&world, &world.ours).await;
    let not_deleted = claim(&world, 0, 60).await.unwrap();
    assert_eq!(not_deleted.id(), id);
    let refused = step(&world, &not_deleted, 0).await;
    assert!(
        matches!(refused, Err(StoreError::Refused(_))),
        "{refused:?}"
    );
    let counted = survey(world.ours.organization, world.ours.workspace);
    assert!(!world.store().count_rows(counted).await.unwrap().is_empty());
    assert!(settle(&world, &not_deleted, DONE).await);
    retire(&world, &world.ours).await.unwrap();
    let first = claim(&world, 0, -1).await.unwrap();
    let second = claim(&world, 1, 60).await.unwrap();
    let refused = step(&world, &first, 0).await;
    assert!(
        matches!(refused, Err(StoreError::Conflict(_))),
        "{refused:?}"
    );
    let until = in_seconds(&world, 60);
    let erased = world.store().erase_step(&second, (0, 3), until).await;
    assert!(erased.unwrap().rows > 0);
}
