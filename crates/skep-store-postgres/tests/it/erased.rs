//! The deletion of a workspace, in the tables themselves; and two nodes that want the same job.

use std::sync::Arc;

use skep_authz::rights::WorkspaceManage;
use skep_conformance::{Harness, Persona, Tenant, World};
use skep_domain::{Id, JobKind};
use skep_store::backend::Backend;
use skep_store_postgres::{Options, PostgresBackend};

use crate::filled::insert;
use crate::place::{Place, tls};

/// Nodes on one database that the test looks into.
struct Shared(Arc<Place>);

impl Harness for Shared {
    async fn fresh() -> Self {
        Self(Arc::new(Place::new().await))
    }

    async fn open(&self) -> Arc<dyn Backend> {
        let opened = PostgresBackend::open(self.0.server(), tls(), Options::default()).await;
        Arc::new(opened.unwrap())
    }
}

fn uuid(tenant: &Tenant) -> String {
    format!("{:032x}", u128::from_be_bytes(tenant.workspace.to_bytes()))
}

/// How many rows each table has of a workspace.
fn rows(place: &Place, tenant: &Tenant) -> Vec<(String, u64)> {
    let (tables, _) = place.tables();
    let count = |table: String| {
        let text = format!(
            "SELECT count(*) FROM skep.{table} WHERE workspace_id = '{}'",
            uuid(tenant)
        );
        let count = place.database.query(&text).trim().parse().unwrap();
        (table, count)
    };
    tables.into_iter().map(count).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn t18_of_an_erased_workspace_no_table_has_a_row() {
    let place = Arc::new(Place::new().await);
    let world = World::create(Shared(Arc::clone(&place)), 1).await;
    let (tables, _) = place.tables();
    for tenant in [&world.ours, &world.theirs] {
        let without_state = tables.iter().filter(|table| *table != "workspace_state");
        let script: Vec<String> = without_state
            .map(|table| insert(&place, table).replace("{workspace}", &uuid(tenant)))
            .collect();
        place.database.run(&format!(
            "SET search_path = skep; SET session_replication_role = replica; {}",
            script.join("; ")
        ));
    }
    for tenant in [&world.ours, &world.theirs] {
        let full = rows(&place, tenant);
        assert!(
            full.len() > 30 && full.iter().all(|(_, count)| *count > 0),
            "{full:?}"
        );
    }
    let key = |tenant: &Tenant| {
        place.database.query(&format!(
            "SELECT length(wrapped_key) FROM skep.workspace WHERE id = '{}'",
            uuid(tenant)
        ))
    };
    let right = world.authorized::<WorkspaceManage>(&world.ours, Persona::Human);
    let store = world.store();
    let job = store
        .retire_workspace(right.await, world.ours.workspace)
        .await;
    assert!(job.unwrap().is_some());
    assert_eq!(key(&world.ours).trim(), "0");
    assert_ne!(key(&world.theirs).trim(), "0");
    let until = store.now();
    let job = store.claim_job([1; 16], until).await.unwrap().unwrap();
    let mut from = 0;
    loop {
        let step = store.erase_step(&job, (from, 7), until).await.unwrap();
        if step.is_done {
            break;
        }
        assert!(step.rows <= 7, "{step:?}");
        from = step.next;
    }
    let left = rows(&place, &world.ours);
    assert!(left.iter().all(|(_, count)| *count == 0), "{left:?}");
    let kept = rows(&place, &world.theirs);
    assert!(kept.iter().all(|(_, count)| *count > 0), "{kept:?}");
    assert_eq!(key(&world.ours).trim(), "", "not even its own row");
}

/// One node is in the middle of taking a job: the other one does not wait for it, and takes the next.
#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_somebody_is_taking_is_passed_over() {
    let place = Arc::new(Place::new().await);
    let world = World::create(Shared(Arc::clone(&place)), 1).await;
    let mut ids = Vec::new();
    for _ in 0..2 {
        let right = world.authorized::<WorkspaceManage>(&world.ours, Persona::Human);
        let mut tx = world.store().begin_org(right.await).await.unwrap();
        ids.push(tx.put_job(JobKind::Inventory).await.unwrap());
        tx.commit().await.unwrap();
    }
    let taking = place.session("postgres").await;
    let first = format!("{:032x}", u128::from_be_bytes(ids[0].to_bytes()));
    taking
        .batch_execute(&format!(
            "BEGIN; SELECT FROM job WHERE id = '{first}' FOR UPDATE"
        ))
        .await
        .unwrap();
    let store = world.store();
    let next = store
        .claim_job([2; 16], store.now())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(next.id(), ids[1]);
    // Nor does anybody wait who writes the installation's own tables.
    taking
        .batch_execute("ROLLBACK; BEGIN; SELECT pg_advisory_xact_lock(6001122335)")
        .await
        .unwrap();
    let next = store
        .claim_job([2; 16], store.now())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(next.id(), ids[0]);
    taking.batch_execute("ROLLBACK").await.unwrap();
}
