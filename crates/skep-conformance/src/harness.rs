//! What a backend's tests bring: a fresh place to store in, and a backend that opens it.

use std::future::Future;
use std::sync::Arc;

use skep_store::backend::Backend;

/// One empty place for a store; it goes away with the harness.
pub trait Harness: Send + Sync + 'static {
    /// A new place, with nothing in it.
    fn fresh() -> impl Future<Output = Self> + Send;
    /// Opens the place, again if it was open before: then all of the earlier backend is dropped.
    fn open(&self) -> impl Future<Output = Arc<dyn Backend>> + Send;
}
