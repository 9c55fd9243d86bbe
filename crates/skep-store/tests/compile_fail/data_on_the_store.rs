//! The store itself has no data methods: a transaction is the only way to a row.
use skep_domain::{Id, MemoryId};
use skep_store::Store;

async fn read(store: Store) {
    let _ = store.get_memory(MemoryId::from_bytes([0; 16])).await;
}

fn main() {}
