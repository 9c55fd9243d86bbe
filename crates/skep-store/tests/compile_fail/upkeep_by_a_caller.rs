//! Rows behind everybody's ring show to upkeep only; a caller's right has no such methods.
use skep_authz::{Authorized, rights::MemoryRead};
use skep_store::Store;

async fn look_behind(store: Store, authorized: Authorized<MemoryRead>) {
    let mut tx = store.begin(authorized).await.unwrap();
    let _ = tx.list_changes((0, None), 10).await;
}

fn main() {}
