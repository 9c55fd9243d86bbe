//! A transaction opened with a right to read has no methods that write.
use skep_authz::{Authorized, rights::MemoryRead};
use skep_domain::{Id, MemoryId, Timestamp};
use skep_store::Store;

async fn write(store: Store, authorized: Authorized<MemoryRead>) {
    let mut tx = store.begin(authorized).await.unwrap();
    let _ = tx.forget(MemoryId::from_bytes([0; 16]), "", Timestamp::default()).await;
}

fn main() {}
