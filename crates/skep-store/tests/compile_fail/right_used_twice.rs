//! A right opens one transaction: it is consumed, and cannot be copied first.
use skep_authz::{Authorized, rights::MemoryRead};
use skep_store::Store;

async fn twice(store: Store, authorized: Authorized<MemoryRead>) {
    let _ = store.begin(authorized).await;
    let _ = store.begin(authorized).await;
}

async fn copied(store: Store, authorized: Authorized<MemoryRead>) {
    let _ = store.begin(authorized.clone()).await;
}

fn main() {}
