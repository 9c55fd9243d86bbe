//! Content loads take ids that were authorized; a candidate from search is another type.
use skep_authz::{Authorized, rights::MemoryRead};
use skep_domain::MemoryId;
use skep_store::{Store, Visible};

async fn load(store: Store, authorized: Authorized<MemoryRead>, candidates: Vec<MemoryId>) {
    let mut tx = store.begin(authorized).await.unwrap();
    let _ = tx.load(&candidates).await;
}

fn forge(id: MemoryId) -> Visible<MemoryId> {
    Visible { id, workspace: unreachable!() }
}

fn main() {}
